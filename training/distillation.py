"""Features of a larger network as an additional target (Romero et al. 2015, FitNets).

Alpha says what is a person; the features of a network trained on far more images also say what everything else is.
The teacher is Robust Video Matting (Lin et al. 2022): its encoder up to the input of its decoder, at 1/16.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.onnx_network import open_session
from training.pack import Image

CHANNELS = 128
_FRAMES, _FEATURES = "src", "/n/Mul_output_0"
"""In rvm_mobilenetv3.onnx: the frames, and the output of the Lite R-ASPP."""


class Teacher:
    """The encoder of the teacher's network, run frame by frame on one thread."""

    def __init__(self, network: Path) -> None:
        with TemporaryDirectory() as folder:
            encoder = Path(folder) / "encoder.onnx"
            onnx.utils.extract_model(str(network), str(encoder), [_FRAMES], [_FEATURES])
            self._session = open_session(encoder)

    def features(self, frames: Image) -> NDArray[np.float16]:
        """Features (N, CHANNELS, H / 16, W / 16) of frames (N, H, W, 3), BGR."""
        planes = np.ascontiguousarray(frames[..., ::-1].transpose(0, 3, 1, 2)).astype(np.float32) / 255
        features = [self._session.run(None, {_FRAMES: plane[None]})[0][0] for plane in planes]
        return np.stack(features).astype(np.float16)


class DistillationLoss(nn.Module):
    """How badly a 1x1 convolution of our features predicts the teacher's. The convolution is not exported.

    ``translate`` is a key of every checkpoint.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.translate = nn.Conv2d(channels, CHANNELS, 1)

    def forward(self, features: Tensor, teacher_features: Tensor) -> Tensor:
        """Share of the teacher's variance that is not explained: 0 if all is predicted, 1 if only the mean is.

        Args:
            features: (N, channels, h, w) at 1/16 of the frame.
            teacher_features: (N, CHANNELS, h, w).
        """
        unexplained = (self.translate(features).float() - teacher_features).square().sum()
        variance = (teacher_features - teacher_features.mean((0, 2, 3), keepdim=True)).square().sum()
        return unexplained / variance.clamp_min(torch.finfo(torch.float32).tiny)
