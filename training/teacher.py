"""What a larger network sees in a frame, as something to learn from (Romero et al. 2015, FitNets).

Alpha says who is a person; the features of a network that grew up on far more pictures also say what everything else
is. The teacher is Robust Video Matting (Lin et al. 2022): its encoder up to what its decoder begins from, at 1/16.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training import session

CHANNELS = 128
_FRAMES, _FEATURES = "src", "/n/Mul_output_0"
"""In rvm_mobilenetv3.onnx: the frames, and the Lite R-ASPP's output."""


class Teacher:
    """The encoder of the teacher's network, run frame by frame on one thread."""

    def __init__(self, network: Path) -> None:
        with TemporaryDirectory() as folder:
            encoder = Path(folder) / "encoder.onnx"
            onnx.utils.extract_model(str(network), str(encoder), [_FRAMES], [_FEATURES])
            self._session = session.start(encoder)

    def features(self, frames: NDArray[np.uint8]) -> NDArray[np.float16]:
        """Features (N, CHANNELS, H / 16, W / 16) of frames (N, H, W, 3), BGR."""
        planes = np.ascontiguousarray(frames[..., ::-1].transpose(0, 3, 1, 2)).astype(np.float32) / 255
        seen = [self._session.run(None, {_FRAMES: plane[None]})[0][0] for plane in planes]
        return np.stack(seen).astype(np.float16)


class Lesson(nn.Module):
    """The loss of not seeing what the teacher sees; holds the words to say it in, which no export needs."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.translate = nn.Conv2d(channels, CHANNELS, 1)

    def forward(self, seen: Tensor, taught: Tensor) -> Tensor:
        """Share of the teacher's variance that is not explained: 0 is all seen, 1 no more than its mean.

        ``seen`` (N, channels, h, w) at 1/16 of the frame, ``taught`` (N, CHANNELS, h, w).
        """
        missed = (self.translate(seen).float() - taught).square().sum()
        spread = (taught - taught.mean((0, 2, 3), keepdim=True)).square().sum()
        return missed / spread.clamp_min(torch.finfo(torch.float32).tiny)
