"""From 8-bit BGR to the float tensor a network was trained on: (value - mean) / std by a table, into its own input."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Pixels, Size
from realtime_matte.models.family import Array, Feed
from realtime_matte.models.options import Order, PerChannel, Settings
from realtime_matte.models.shrink import Shrink

UNIT = ((0.0, 0.0, 0.0), (255.0, 255.0, 255.0))
"""Mean and deviation that bring 0..255 to 0..1."""

SIGNED = ((127.5, 127.5, 127.5), (127.5, 127.5, 127.5))
"""Mean and deviation that bring 0..255 to -1..1."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How a network wants its colours; ``mean`` and ``std`` in the order of its channels."""

    mean: PerChannel
    std: PerChannel
    order: Order = "rgb"

    def overruled(self, settings: Settings) -> "Rule":
        """The same, but for what was said."""
        return Rule(settings.mean or self.mean, settings.std or self.std, settings.order or self.order)

    def tables(self) -> NDArray[np.float32]:
        """(3, 256): what each 8-bit value becomes, for each channel of the network."""
        levels = np.arange(256, dtype=np.float32)
        mean, std = (np.asarray(three, np.float32)[:, None] for three in (self.mean, self.std))
        return np.ascontiguousarray((levels - mean) / std)


def feed(size: Size, tensor: Array, rule: Rule) -> Feed:
    """What writes frames of ``size`` into ``tensor``: (1, 3, h, w) or (1, h, w, 3) float32."""
    return _Planes(size, tensor[0], rule) if tensor.shape[1] == 3 else _Interleaved(size, tensor[0], rule)  # noqa: PLR2004


class _Planes:
    """(3, h, w)."""

    def __init__(self, size: Size, tensor: NDArray[np.float32], rule: Rule) -> None:
        channels, height, width = tensor.shape
        self._shrink = Shrink(size, (width, height))
        planes = list(np.empty((channels, height, width), np.uint8))
        self._blue_green_red = planes if rule.order == "bgr" else planes[::-1]
        self._ways = list(zip(planes, rule.tables(), tensor, strict=True))

    def __call__(self, pixels: Pixels) -> Pixels:
        small = self._shrink(pixels)
        cv2.split(small, self._blue_green_red)
        for plane, table, out in self._ways:
            cv2.LUT(plane, table, dst=out)
        return small


class _Interleaved:
    """(h, w, 3)."""

    def __init__(self, size: Size, tensor: NDArray[np.float32], rule: Rule) -> None:
        self._shrink = Shrink(size, (tensor.shape[1], tensor.shape[0]))
        self._swapped = np.empty_like(tensor, np.uint8) if rule.order == "rgb" else None
        self._table = np.ascontiguousarray(rule.tables().T[None])
        self._tensor = tensor

    def __call__(self, pixels: Pixels) -> Pixels:
        small = self._shrink(pixels)
        if self._swapped is not None:
            cv2.cvtColor(small, cv2.COLOR_BGR2RGB, dst=self._swapped)
        cv2.LUT(small if self._swapped is None else self._swapped, self._table, dst=self._tensor)
        return small
