"""What the network is made of: residual blocks, what sees the whole, what remembers, what leads back to full size.

Chosen by what ONNX Runtime runs fast on one CPU thread: plain 3x3 convolutions that fold their normalisation, sums
instead of concatenations.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional


def conv(inputs: int, outputs: int, *, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """A 3x3 convolution and its normalisation, which an export folds into one."""
    plain = nn.Conv2d(inputs, outputs, 3, stride, padding=dilation, dilation=dilation, bias=False)
    return nn.Sequential(plain, nn.BatchNorm2d(outputs))


class Residual(nn.Module):
    """Two 3x3 convolutions beside an identity (He et al. 2016), which is all it does at first (Goyal et al. 2017).

    So a network may grow: a new block leaves what an old one knew as it was.
    """

    def __init__(self, channels: int, *, dilation: int = 1) -> None:
        super().__init__()
        self.first = conv(channels, channels)
        self.second = conv(channels, channels, dilation=dilation)
        nn.init.zeros_(cast("Tensor", self.second[1].weight))

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.second(functional.relu(self.first(x))))


def stage(channels: int, blocks: int, *, dilate: bool = False) -> list[nn.Module]:
    """``blocks`` residual blocks; ``dilate``: they reach one, two, three pixels in turn."""
    return [Residual(channels, dilation=1 + index % 3 if dilate else 1) for index in range(blocks)]


class Whole(nn.Module):
    """What is seen at 1/32, where a few convolutions span the frame, added to 1/16; nothing at first."""

    def __init__(self, channels: int, deep: int, blocks: int) -> None:
        super().__init__()
        self.down = nn.Sequential(conv(channels, deep, stride=2), nn.ReLU(), *stage(deep, blocks, dilate=True))
        self.back = nn.Conv2d(deep, channels, 1)
        for values in self.back.parameters():
            nn.init.zeros_(values)

    def forward(self, x: Tensor) -> Tensor:
        seen = self.back(self.down(x))
        return x + functional.interpolate(seen, size=x.shape[-2:], mode="bilinear", align_corners=False)


class Context(nn.Module):
    """What the whole frame says, as a gate on every channel (Howard et al. 2019, Lite R-ASPP)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.local = nn.Sequential(nn.Conv2d(channels, channels, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU())
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, channels, 1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        return cast("Tensor", self.local(x) * self.gate(x))


KEPT = 0.95
"""Of a memory from one frame to the next. It is trained on shots of less than a second, in which nothing grows old:
with all of it kept, a room that was empty a minute ago still told where nobody can be."""


class ConvGRU(nn.Module):
    """A gated memory over the last ``kept`` channels, which fades; the others pass by."""

    def __init__(self, channels: int, kept: int) -> None:
        super().__init__()
        self.split = [channels - kept, kept]
        self.gates = nn.Conv2d(2 * kept, 2 * kept, 3, padding=1)
        self.candidate = nn.Conv2d(2 * kept, kept, 3, padding=1)

    def forward(self, x: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        passing, x = x.split(self.split, dim=1)
        memory = KEPT * memory
        reset, update = torch.sigmoid(self.gates(torch.cat([x, memory], 1))).split(self.split[1], dim=1)
        candidate = torch.tanh(self.candidate(torch.cat([x, reset * memory], 1)))
        memory = memory + update * (candidate - memory)
        return torch.cat([passing, memory], 1), memory


class Up(nn.Module):
    """From a deep stage to the one above it: project, enlarge, add what the encoder saw there, mix."""

    def __init__(self, deep: int, channels: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(deep, channels, 1)
        self.mix = conv(channels, channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = functional.interpolate(self.project(x), scale_factor=2.0, mode="bilinear", align_corners=False)
        return functional.relu(self.mix(x + skip))
