"""The matting network: a recurrent residual U-Net, from a frame to its alpha.

The recurrent state follows Robust Video Matting (Lin et al. 2022, section 4.1): a ConvGRU (Ballas et al. 2016) over a
part of the channels. Nothing is computed above half of the input's size. Attribute names are keys of every checkpoint
and names in every exported graph (``whole``: the stage at 1/32; ``memory16``: the ConvGRU at 1/16).
"""

from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.blocks import CoarseStage, ConvGRU, GlobalContext, Upsample, conv, residual_blocks

LOGIT_SPAN = 1.04
"""The sigmoid is stretched about 0.5 by this much and clipped, so that alpha reaches 0 and 1 exactly."""


PLATE_INPUTS = 7
"""Input channels of a network that sees the clean plate: colours, differences from the plate, validity."""

PLATE_GAIN = 2.0
"""Factor of a difference from the plate, which is clipped to 1 then: at 64 of 255 levels."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """Channels and residual blocks of the stages at 1/2, 1/4, 1/8, 1/16 and 1/32 of the input.

    ``inputs``: 3, the frame's colours; with a clean plate 7 (``with_plate``).
    """

    channels: tuple[int, int, int, int, int]
    blocks: tuple[int, int, int, int, int]
    inputs: int = 3

    @property
    def sees_plate(self) -> bool:
        """Whether the network has a clean plate among its inputs."""
        return self.inputs == PLATE_INPUTS

    @property
    def state_channels(self) -> tuple[int, int, int]:
        """Channels of the recurrent state at 1/16, 1/8 and 1/4."""
        _, c4, c8, c16, _ = self.channels
        return c16 // 2, c8 // 4, c4 // 4


ARCHITECTURES = {
    "tiny": Architecture(channels=(8, 16, 32, 64, 64), blocks=(0, 1, 1, 2, 1)),
    "small": Architecture(channels=(16, 32, 64, 96, 96), blocks=(0, 1, 1, 6, 3), inputs=PLATE_INPUTS),
    "large": Architecture(channels=(16, 32, 64, 96, 96), blocks=(0, 2, 3, 8, 4), inputs=PLATE_INPUTS),
}

Features: TypeAlias = tuple[Tensor, Tensor, Tensor, Tensor]
"""Of the encoder, at 1/2, 1/4, 1/8 and 1/16 of the input: (B, C, h, w) each, with ``Architecture.channels``."""

State: TypeAlias = tuple[Tensor, Tensor, Tensor]
"""Of the ConvGRUs, at 1/16, 1/8 and 1/4 of the input: (B, C, h, w) each, with ``Architecture.state_channels``."""


class MattingNet(nn.Module):
    """Frames in, alpha out; height and width divisible by 16."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        c2, c4, c8, c16, c32 = architecture.channels
        blocks = architecture.blocks
        self.stem = nn.Sequential(conv(architecture.inputs, c2, stride=2), nn.ReLU(), *residual_blocks(c2, blocks[0]))
        self.to4 = nn.Sequential(conv(c2, c4, stride=2), nn.ReLU(), *residual_blocks(c4, blocks[1]))
        self.to8 = nn.Sequential(conv(c4, c8, stride=2), nn.ReLU(), *residual_blocks(c8, blocks[2]))
        self.to16 = nn.Sequential(conv(c8, c16, stride=2), nn.ReLU(), *residual_blocks(c16, blocks[3], dilate=True))
        self.whole = CoarseStage(c16, c32, blocks[4])
        self.context = GlobalContext(c16)
        s16, s8, s4 = architecture.state_channels
        self.memory16, self.memory8, self.memory4 = ConvGRU(c16, s16), ConvGRU(c8, s8), ConvGRU(c4, s4)
        self.up8, self.up4, self.up2 = Upsample(c16, c8), Upsample(c8, c4), Upsample(c4, c2)
        self.head = nn.Conv2d(c2, 4, 1)
        self.coarse = nn.Conv2d(c8, 1, 1)

    def initial_state(self, batch: int, height: int, width: int) -> State:
        """The recurrent state before the first frame: zeros."""
        s16, s8, s4 = self.architecture.state_channels
        like = self.head.weight
        return (
            like.new_zeros(batch, s16, height // 16, width // 16),
            like.new_zeros(batch, s8, height // 8, width // 8),
            like.new_zeros(batch, s4, height // 4, width // 4),
        )

    def encode(self, frames: Tensor) -> Features:
        """Features of frames (B, 3, H, W) in [-1, 1], BGR; (B, 7, H, W) with a clean plate."""
        x2 = self.stem(frames)
        x4 = self.to4(x2)
        x8 = self.to8(x4)
        return x2, x4, x8, self.context(self.whole(self.to16(x8)))

    def decode(self, features: Features, state: State) -> tuple[Tensor, Tensor, State]:
        """One frame: logits of alpha (B, 1, H, W), logits at 1/8 of that size, and the next state."""
        x2, x4, x8, x16 = features
        x16, s16 = self.memory16(x16, state[0])
        x8, s8 = self.memory8(self.up8(x16, x8), state[1])
        x4, s4 = self.memory4(self.up4(x8, x4), state[2])
        x2 = self.up2(x4, x2)
        return functional.pixel_shuffle(self.head(x2), 2), self.coarse(x8), (s16, s8, s4)

    def forward(self, clips: Tensor, state: State | None = None) -> tuple[Tensor, Tensor, State]:
        """(B, T, C, H, W) in [-1, 1] -> logits (B, T, 1, H, W), coarse logits (B, T, 1, H/8, W/8), the last state."""
        return self.decode_clips(self.encode(clips.flatten(0, 1)), clips.shape[1], state)

    def decode_clips(self, features: Features, length: int, state: State | None = None) -> tuple[Tensor, Tensor, State]:
        """As ``forward``, from the features of all frames of clips of ``length`` frames, clip by clip."""
        by_clip = [part.unflatten(0, (-1, length)) for part in features]
        state = state or self.initial_state(len(by_clip[0]), 2 * features[0].shape[2], 2 * features[0].shape[3])
        fine, coarse = [], []
        for index in range(length):
            x2, x4, x8, x16 = (part[:, index] for part in by_clip)
            logits, coarse_logits, state = self.decode((x2, x4, x8, x16), state)
            fine.append(logits)
            coarse.append(coarse_logits)
        return torch.stack(fine, 1), torch.stack(coarse, 1), state


def with_plate(frames: Tensor, plate: Tensor) -> Tensor:
    """The input of a network that sees the clean plate: colours, differences from the plate, and its validity.

    A convolution does not find an absolute difference by itself: with the plate's plain colours as input, a network
    gains little. Background Matting V2 (Lin et al. 2021) sees the plate too, as colours.

    Args:
        frames: (B, 3, H, W) in [-1, 1].
        plate: (B, 4, H, W): colours in [-1, 1], validity in [0, 1].

    Returns:
        (B, 7, H, W).
    """
    colours, validity = plate.split([3, 1], dim=1)
    difference = (PLATE_GAIN * (frames - colours)).abs().clamp(max=1) * validity
    return torch.cat([frames, difference, validity], 1)


def plate_values(plate: Tensor) -> Tensor:
    """A plate of bytes (B, 4, H, W), colours and validity, as ``with_plate`` takes it."""
    return torch.cat([plate[:, :3] / 127.5 - 1, plate[:, 3:] / 255], 1)


def to_alpha(logits: Tensor) -> Tensor:
    """Alpha in [0, 1] from logits."""
    return ((torch.sigmoid(logits) - 0.5) * LOGIT_SPAN + 0.5).clamp(0, 1)
