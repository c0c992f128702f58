"""Blocks of the network: residual blocks, a stage at 1/32, global context, recurrent memory, upsampling.

Chosen for speed in ONNX Runtime on one CPU thread: plain 3x3 convolutions into which batch normalisation is folded,
sums instead of concatenations. Attribute names are keys of every checkpoint and names in every exported graph.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional


def conv(inputs: int, outputs: int, *, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """A 3x3 convolution and batch normalisation; the export folds them into one."""
    plain = nn.Conv2d(inputs, outputs, 3, stride, padding=dilation, dilation=dilation, bias=False)
    return nn.Sequential(plain, nn.BatchNorm2d(outputs))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside an identity (He et al. 2016), initialised to the identity (Goyal et al. 2017).

    So a network can grow: a new block does not change the output of a trained one.
    """

    def __init__(self, channels: int, *, dilation: int = 1) -> None:
        super().__init__()
        self.first = conv(channels, channels)
        self.second = conv(channels, channels, dilation=dilation)
        nn.init.zeros_(cast("Tensor", self.second[1].weight))

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.second(functional.relu(self.first(x))))


def residual_blocks(channels: int, count: int, *, dilate: bool = False) -> list[nn.Module]:
    """``count`` residual blocks; ``dilate``: with dilations of 1, 2, 3 in turn."""
    return [ResidualBlock(channels, dilation=1 + index % 3 if dilate else 1) for index in range(count)]


class CoarseStage(nn.Module):
    """Features at 1/32, where a few convolutions span the frame, added to those at 1/16; adds nothing at first."""

    def __init__(self, channels: int, coarse_channels: int, blocks: int) -> None:
        super().__init__()
        downsample = conv(channels, coarse_channels, stride=2)
        self.down = nn.Sequential(downsample, nn.ReLU(), *residual_blocks(coarse_channels, blocks, dilate=True))
        self.back = nn.Conv2d(coarse_channels, channels, 1)
        for values in self.back.parameters():
            nn.init.zeros_(values)

    def forward(self, x: Tensor) -> Tensor:
        coarse = self.back(self.down(x))
        return x + functional.interpolate(coarse, size=x.shape[-2:], mode="bilinear", align_corners=False)


class GlobalContext(nn.Module):
    """A gate on every channel, computed from the mean over the frame (Howard et al. 2019, Lite R-ASPP)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.local = nn.Sequential(nn.Conv2d(channels, channels, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU())
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, channels, 1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        return cast("Tensor", self.local(x) * self.gate(x))


STATE_DECAY = 0.95
"""Factor of the recurrent state from one frame to the next. The network is trained on shots of less than a second, in
which no state gets old: without decay, a room that was empty a minute ago still suppressed people who came in."""


class ConvGRU(nn.Module):
    """A convolutional GRU over the last ``kept`` channels, whose state decays; the others are passed through."""

    def __init__(self, channels: int, kept: int) -> None:
        super().__init__()
        self.split = [channels - kept, kept]
        self.gates = nn.Conv2d(2 * kept, 2 * kept, 3, padding=1)
        self.candidate = nn.Conv2d(2 * kept, kept, 3, padding=1)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        passed, x = x.split(self.split, dim=1)
        state = STATE_DECAY * state
        reset, update = torch.sigmoid(self.gates(torch.cat([x, state], 1))).split(self.split[1], dim=1)
        candidate = torch.tanh(self.candidate(torch.cat([x, reset * state], 1)))
        state = state + update * (candidate - state)
        return torch.cat([passed, state], 1), state


class Upsample(nn.Module):
    """From a coarse stage to the next finer one: project, upsample, add the encoder's features, convolve."""

    def __init__(self, coarse_channels: int, channels: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(coarse_channels, channels, 1)
        self.mix = conv(channels, channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = functional.interpolate(self.project(x), scale_factor=2.0, mode="bilinear", align_corners=False)
        return functional.relu(self.mix(x + skip))
