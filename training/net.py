"""The network: a recurrent residual U, from a frame to its alpha.

The memory follows Robust Video Matting (Lin et al. 2022, section 4.1): a ConvGRU (Ballas et al. 2016) over a part of
the channels. Nothing is computed above half of the frame's size.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.blocks import Context, ConvGRU, Up, Whole, conv, stage

LOGIT_SPAN = 1.04
"""The sigmoid is stretched about 0.5 by this much and clipped, so that alpha reaches 0 and 1 exactly."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a network is: channels and residual blocks of the stages at 1/2, 1/4, 1/8, 1/16, 1/32 of the frame."""

    channels: tuple[int, int, int, int, int]
    blocks: tuple[int, int, int, int, int]

    @property
    def kept(self) -> tuple[int, int, int]:
        """How many channels remember, at 1/16, 1/8 and 1/4."""
        _, c4, c8, c16, _ = self.channels
        return c16 // 2, c8 // 4, c4 // 4


SHAPES = {
    "tiny": Shape(channels=(8, 16, 32, 64, 64), blocks=(0, 1, 1, 2, 1)),
    "small": Shape(channels=(16, 32, 64, 96, 96), blocks=(0, 1, 1, 6, 3)),
    "large": Shape(channels=(16, 32, 64, 96, 96), blocks=(0, 2, 3, 8, 4)),
}

Features = tuple[Tensor, Tensor, Tensor, Tensor]
"""What the encoder sees, at 1/2, 1/4, 1/8 and 1/16 of the frame: (B, as many of ``Shape.channels``, h, w) each."""

Memory = tuple[Tensor, Tensor, Tensor]
"""What the ConvGRUs remember, at 1/16, 1/8 and 1/4 of the frame: (B, ``Shape.kept``, h, w) each."""


class MattingNet(nn.Module):
    """Frames in, alpha out; height and width divisible by 16."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        c2, c4, c8, c16, c32 = shape.channels
        self.stem = nn.Sequential(conv(3, c2, stride=2), nn.ReLU(), *stage(c2, shape.blocks[0]))
        self.to4 = nn.Sequential(conv(c2, c4, stride=2), nn.ReLU(), *stage(c4, shape.blocks[1]))
        self.to8 = nn.Sequential(conv(c4, c8, stride=2), nn.ReLU(), *stage(c8, shape.blocks[2]))
        self.to16 = nn.Sequential(conv(c8, c16, stride=2), nn.ReLU(), *stage(c16, shape.blocks[3], dilate=True))
        self.whole = Whole(c16, c32, shape.blocks[4])
        self.context = Context(c16)
        kept16, kept8, kept4 = shape.kept
        self.memory16, self.memory8, self.memory4 = ConvGRU(c16, kept16), ConvGRU(c8, kept8), ConvGRU(c4, kept4)
        self.up8, self.up4, self.up2 = Up(c16, c8), Up(c8, c4), Up(c4, c2)
        self.head = nn.Conv2d(c2, 4, 1)
        self.coarse = nn.Conv2d(c8, 1, 1)

    def memory(self, batch: int, height: int, width: int) -> Memory:
        """The memory before the first frame."""
        kept16, kept8, kept4 = self.shape.kept
        like = self.head.weight
        return (
            like.new_zeros(batch, kept16, height // 16, width // 16),
            like.new_zeros(batch, kept8, height // 8, width // 8),
            like.new_zeros(batch, kept4, height // 4, width // 4),
        )

    def encode(self, frames: Tensor) -> Features:
        """What it sees in frames (B, 3, H, W) in [-1, 1], BGR."""
        x2 = self.stem(frames)
        x4 = self.to4(x2)
        x8 = self.to8(x4)
        return x2, x4, x8, self.context(self.whole(self.to16(x8)))

    def decode(self, features: Features, memory: Memory) -> tuple[Tensor, Tensor, Memory]:
        """One moment: logits of alpha at (B, 1, H, W) and at 1/8 of that, and the memory after it."""
        x2, x4, x8, x16 = features
        x16, m16 = self.memory16(x16, memory[0])
        x8, m8 = self.memory8(self.up8(x16, x8), memory[1])
        x4, m4 = self.memory4(self.up4(x8, x4), memory[2])
        x2 = self.up2(x4, x2)
        return functional.pixel_shuffle(self.head(x2), 2), self.coarse(x8), (m16, m8, m4)

    def forward(self, clips: Tensor, memory: Memory | None = None) -> tuple[Tensor, Tensor, Memory]:
        """(B, T, 3, H, W) in [-1, 1] -> logits (B, T, 1, H, W), coarse logits (B, T, 1, H/8, W/8), the last memory."""
        return self.follow(self.encode(clips.flatten(0, 1)), clips.shape[1], memory)

    def follow(self, seen: Features, length: int, memory: Memory | None = None) -> tuple[Tensor, Tensor, Memory]:
        """As ``forward``, from what was seen in the frames of clips of ``length`` frames, clip by clip."""
        features = [part.unflatten(0, (-1, length)) for part in seen]
        memory = memory or self.memory(len(features[0]), 2 * seen[0].shape[2], 2 * seen[0].shape[3])
        fine, coarse = [], []
        for moment in range(length):
            x2, x4, x8, x16 = (part[:, moment] for part in features)
            logits, rough, memory = self.decode((x2, x4, x8, x16), memory)
            fine.append(logits)
            coarse.append(rough)
        return torch.stack(fine, 1), torch.stack(coarse, 1), memory


def to_alpha(logits: Tensor) -> Tensor:
    """Alpha in [0, 1] from logits."""
    return ((torch.sigmoid(logits) - 0.5) * LOGIT_SPAN + 0.5).clamp(0, 1)
