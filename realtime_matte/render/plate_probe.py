"""Foreground that does not move at all is tried without the clean plate: a moved chair is only a difference.

A person always moves a little. Without the plate a person stays foreground, for the network knows people; what does not
stay is forgotten in the plate and is learned again.
"""

from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Alpha, Pixels
from realtime_matte.render.box_filter import Floats

Mask: TypeAlias = NDArray[np.bool_]
Box: TypeAlias = tuple[slice, slice]
"""Rows and columns of a region."""

REACH: Final = np.ones((7, 7), np.uint8)
"""A region is tried with what is so near."""

CHECK_S: Final = 0.25
"""Time between two looks for what does not move."""

STILL_S: Final = 1.25
"""What has not moved for that long is tried without the plate. With CHECK_S and PROBE_S less than two seconds."""

PROBE_S: Final = 0.3
"""How long it is tried: until the network's own state has followed."""

MOVED: Final = 12
"""Change of the green channel, after a blur, that is motion and not noise."""

MOVED_SHARE: Final = 0.003
"""Share of a region's cells that move while a person breathes, blinks or speaks."""

MIN_CELLS: Final = 40
"""Smaller regions are left alone."""

KNOWN_SHARE: Final = 0.5
"""Share of a region that the plate must know to be the reason that it is foreground."""

STAYS: Final = 0.5
"""If less of a region is foreground without the plate, it is no person."""

ALL: Final = 255


class Probe:
    """Tries regions of foreground that do not move without the plate.

    ``valid_s``: seconds from which on a cell of the plate is valid.

    Attributes:
        running: Whether some are tried at present.
        outside: (h, w) uint8, 0 in and beside those regions, 255 elsewhere.
    """

    def __init__(self, shape: tuple[int, int], *, valid_s: float) -> None:
        self._valid_s = valid_s
        self.running = False
        self.outside = np.full(shape, ALL, np.uint8)
        self._mask = np.zeros(shape, np.uint8)  # the regions that are tried
        self._labels = np.zeros(shape, np.int32)
        self._foreground, self._blurred, self._snapshot, self._moved = np.zeros((4, *shape), np.uint8)
        self._still = np.zeros(shape, np.float32)  # seconds; below 0: it was tried and is a person
        self._since_check_s = self._left_s = 0.0

    def update(self, alpha: Alpha, green: Pixels, seconds: Floats, *, elapsed_s: float) -> None:
        """Look at a frame. ``seconds`` (h, w) becomes 0 where a region is found to be no person."""
        if self.running:
            self._left_s -= elapsed_s
            if self._left_s <= 0:
                self._finish(alpha, seconds)
            return
        self._since_check_s += elapsed_s
        if self._since_check_s >= CHECK_S:
            self._check(alpha, green, seconds)
            self._since_check_s = 0.0

    def reset(self) -> None:
        """Forget what was seen."""
        self.running = False
        self._still.fill(0)
        self._snapshot.fill(0)

    def _check(self, alpha: Alpha, green: Pixels, seconds: Floats) -> None:
        cv2.inRange(alpha, 0.5, 2.0, dst=self._foreground)
        cv2.blur(green, (3, 3), dst=self._blurred)
        cv2.absdiff(self._blurred, self._snapshot, dst=self._moved)
        cv2.threshold(self._moved, MOVED, 1, cv2.THRESH_BINARY, dst=self._moved)
        count, _, stats, _ = cv2.connectedComponentsWithStats(self._foreground, labels=self._labels)
        self._still[self._foreground == 0] = 0
        self._mask.fill(0)
        for label in range(1, count):
            left, top, width, height, area = (int(number) for number in stats[label])
            box = slice(top, top + height), slice(left, left + width)
            region = self._labels[box] == label
            if not self._has_moved(region, box, area):
                self._still[box][region] += CHECK_S
                if area >= MIN_CELLS and self._is_suspect(region, box, seconds, area):
                    self._mask[box][region] = ALL
                    self.running = True
            else:
                self._still[box][region] = 0
                self._snapshot[box][region] = self._blurred[box][region]
        cv2.copyTo(self._blurred, cv2.bitwise_not(self._foreground), self._snapshot)
        if self.running:
            self._left_s = PROBE_S
            cv2.bitwise_not(cv2.dilate(self._mask, REACH), dst=self.outside)

    def _has_moved(self, region: Mask, box: Box, area: int) -> bool:
        return int(np.count_nonzero(self._moved[box][region])) > MOVED_SHARE * area

    def _is_suspect(self, region: Mask, box: Box, seconds: Floats, area: int) -> bool:
        """It has not moved for long, it was not tried before, and the plate knows what is behind it."""
        return bool(
            self._still[box][region].mean() >= STILL_S
            and np.count_nonzero(seconds[box][region] >= self._valid_s) >= KNOWN_SHARE * area
        )

    def _finish(self, alpha: Alpha, seconds: Floats) -> None:
        self.running = False
        count, _, stats, _ = cv2.connectedComponentsWithStats(self._mask, labels=self._labels)
        for label in range(1, count):
            left, top, width, height, area = (int(number) for number in stats[label])
            box = slice(top, top + height), slice(left, left + width)
            region = self._labels[box] == label
            if np.count_nonzero(alpha[box][region] > 0.5) < STAYS * area:  # noqa: PLR2004 - as everywhere
                cv2.dilate(np.where(self._labels == label, ALL, 0).astype(np.uint8), REACH, dst=self._moved)
                seconds[self._moved != 0] = 0
                self._still[box][region] = 0
            else:
                self._still[box][region] = -np.inf  # until it moves
