"""Fits the clean plate to a new frame before the network sees both: the light of each channel, the camera's place.

A gain per channel removes what exposure and white balance do. What is left is compared in blocks: a person is in some
of them, a camera that was moved changes most. A small shift is measured by least squares (Lucas and Kanade 1981), a
larger one by a search for the least difference; the plate is moved then if that explains the difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final, TypeAlias, TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.render.box_filter import Bytes, Floats
from realtime_matte.render.jit import kernel, read_only

Gain: TypeAlias = NDArray[np.float32]
"""(3,): the light of the frame divided by that of the plate, for each channel."""

Values = TypeVar("Values", Floats, Bytes)

STEP: Final = 3
"""Every third cell of every third row is compared."""

JUMP: Final = np.float32(20**2)
"""A mean square difference that is no noise."""

MAX_STEP: Final = np.float32(60)
"""A larger difference of the green channel comes from no small shift."""

MOST_ERROR: Final = np.float32(30**2)
"""A square difference counts as at most this much: a person who comes into the frame is no error of the plate."""

DARK, BRIGHT = np.float32(12), np.float32(243)
"""Values that are cut off, or nearly, have no ratio."""

BLOCKS: Final = 4
"""Rows and columns of blocks."""

MIN_BLOCK: Final = 12
"""Samples that a block must have to count."""

CHANGED: Final = 0.2
"""Share of a block's samples from which on the block has changed."""

MOST_BLOCKS: Final = 0.5
"""If more of the blocks have changed, the camera was moved or the light is another one."""

MIN_SAMPLES: Final = 40
"""With fewer visible samples nothing is fitted."""

MAX_GAIN: Final = 8.0
MIN_SHIFT: Final = 1.0
"""Cells: a smaller shift is left to the network. Least squares measure a shift of 1.5 cells as one of about 1."""

ALL: Final = 255

MAX_SHIFT: Final = 0.15
"""Of the grid's sides: a camera that moved farther shows another background."""

REFINEMENTS: Final = 3
"""Each adds the rest that least squares measure."""

EXPLAINED: Final = 0.6
"""The difference that a shift leaves, as a share of that before, at most."""

SUMS: Final = 16
"""Numbers that one comparison adds up: see ``compare``."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A frame beside the plate in one light.

    ``samples``, ``matching``: visible ones, and those that match. ``gain``: of the matching ones. ``error``: mean
    square difference. ``shift``: of the frame against the plate by least squares, in cells. ``changed``: share of the
    blocks.
    """

    samples: int
    matching: int
    gain: tuple[float, float, float]
    error: float
    shift: tuple[float, float]
    changed: float


class PlateFit:
    """Compares frames with a plate, on a grid of ``shape`` (h, w). Buffers are allocated once."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._shape = shape
        self._sums = np.zeros(SUMS, np.float64)
        self._blocks = np.zeros((BLOCKS, BLOCKS, 2), np.int64)
        self._gain = np.ones(3, np.float32)

    def compare(self, guide: Bytes, colour: Floats, visible: Bytes, gain: Gain | None = None) -> Comparison:
        """Compare where ``visible`` is not 0, in the light ``gain``. ``guide``: (h, w, 3); ``colour``: (3, h, w)."""
        self._gain[:] = 1 if gain is None else gain
        self._sums.fill(0)
        self._blocks.fill(0)
        compare(read_only(guide), read_only(colour), read_only(visible), self._gain, self._sums, self._blocks)
        return _comparison(self._sums, self._gain)

    def light(self, guide: Bytes, colour: Floats, visible: Bytes) -> Comparison:
        """The comparison in the light of the frame; a person who comes into it does not count."""
        found = self.compare(guide, colour, visible)
        if found.samples < MIN_SAMPLES:
            return found
        if 2 * found.matching < found.samples:  # another light: the median ratio, whatever else has changed
            median = self._median_gain(guide, colour, visible)
            in_median = self.compare(guide, colour, visible, median)
            found = in_median if in_median.matching > found.matching else found
        return found

    def _median_gain(self, guide: Bytes, colour: Floats, visible: Bytes) -> Gain:
        """Allocates: only where the light has jumped."""
        part = slice(1, None, STEP)
        usable = visible[part, part] != 0
        plate, frame = colour[:, part, part], guide[part, part]
        usable = usable & (plate.min(axis=0) > DARK) & (frame.max(axis=2) < BRIGHT)
        if np.count_nonzero(usable) < MIN_SAMPLES:
            return np.ones(3, np.float32)
        ratios = [np.median(frame[..., c][usable] / plate[c][usable]) for c in range(3)]
        return np.clip(np.array(ratios, np.float32), 1 / MAX_GAIN, MAX_GAIN)

    def find_shift(
        self, guide: Bytes, colour: Floats, visible: Bytes, before: Comparison
    ) -> tuple[float, float] | None:
        """By how many cells the frame is moved against the plate; None if no shift explains the difference.

        Allocates: only where the camera may have moved.
        """
        gain = np.array(before.gain, np.float32)
        for right, down in (self._by_search(guide, colour, visible, gain), before.shift):
            shift, after = (right, down), before
            for _ in range(REFINEMENTS):
                if not self._is_small(shift):
                    break
                moved = np.stack([shifted(channel, shift) for channel in colour])
                after = self.compare(guide, moved, shifted_mask(visible, shift), gain)
                best, shift = shift, (shift[0] + after.shift[0], shift[1] + after.shift[1])
            explained = after.samples >= MIN_SAMPLES and after.error <= EXPLAINED * before.error
            if after is not before and explained and not has_changed(after) and max(map(abs, best)) >= MIN_SHIFT:
                return best
        return None

    def _by_search(self, guide: Bytes, colour: Floats, visible: Bytes, gain: Gain) -> tuple[float, float]:
        """The shift at which the visible part of the plate's middle differs least, to two cells."""
        height, width = (side // 2 for side in self._shape)
        plate, frame, mask = (
            cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
            for image in (colour[1] * gain[1], guide[..., 1].astype(np.float32), visible.astype(np.float32))
        )
        down, right = round(MAX_SHIFT * height), round(MAX_SHIFT * width)
        middle = slice(down, height - down), slice(right, width - right)
        seen = (mask[middle] == ALL).astype(np.float32)
        if np.count_nonzero(seen) < MIN_SAMPLES:
            return 0.0, 0.0
        errors = cv2.matchTemplate(frame, np.ascontiguousarray(plate[middle]), cv2.TM_SQDIFF, mask=seen)
        _, _, (x, y), _ = cv2.minMaxLoc(errors)
        return 2.0 * (x - right), 2.0 * (y - down)

    def _is_small(self, shift: tuple[float, float]) -> bool:
        return abs(shift[0]) <= MAX_SHIFT * self._shape[1] and abs(shift[1]) <= MAX_SHIFT * self._shape[0]


def may_have_moved(found: Comparison) -> bool:
    """Whether a shift has to be looked for."""
    return has_changed(found) or max(abs(side) for side in found.shift) >= MIN_SHIFT / 1.5


def has_changed(found: Comparison) -> bool:
    """Whether the camera was moved, or the light is not that of the plate in any brightness."""
    return found.samples >= MIN_SAMPLES and found.changed > MOST_BLOCKS


def shifted(values: Values, shift: tuple[float, float], *, flags: int = cv2.INTER_LINEAR) -> Values:
    """``values`` (h, w), moved to the right and down; 0 comes in at the edge."""
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float64)
    return cast("Values", cv2.warpAffine(values, matrix, values.shape[::-1], flags=flags))


def shifted_mask(mask: Values, shift: tuple[float, float]) -> Values:
    """As ``shifted``, without values in between; 0 wherever something came in at the edge."""
    result = shifted(mask, shift, flags=cv2.INTER_NEAREST)
    right, down = (ceil(abs(side)) + 1 if side else 0 for side in shift)
    height, width = mask.shape
    result[:, slice(0, right) if shift[0] > 0 else slice(width - right, width)] = 0
    result[slice(0, down) if shift[1] > 0 else slice(height - down, height)] = 0
    return result


def _comparison(values: NDArray[np.float64], light: Gain) -> Comparison:
    sums: list[float] = values.tolist()
    samples, matching, error = sums[:3]
    blue, green, red = (
        _ratio(frame, plate, matching, factor)
        for frame, plate, factor in zip(sums[3:6], sums[6:9], light.tolist(), strict=True)
    )
    mean_error = error / samples if samples else 0.0
    return Comparison(int(samples), int(matching), (blue, green, red), mean_error, _shift(sums), sums[14])


def _ratio(frame: float, plate: float, matching: float, light: float) -> float:
    """Of the sums of one channel; ``light`` if they say nothing, as where the channel is nearly 0."""
    if matching < MIN_SAMPLES or plate <= DARK * matching:
        return light
    return min(max(frame / plate, 1 / MAX_GAIN), MAX_GAIN)


def _shift(sums: Sequence[float]) -> tuple[float, float]:
    """The least-squares solution; 0 without texture in both directions."""
    xx, xy, yy, xe, ye = sums[9:14]
    determinant = xx * yy - xy * xy
    if determinant <= 1e-3 * max(xx, yy) ** 2 or determinant <= 0:
        return 0.0, 0.0
    return -(yy * xe - xy * ye) / determinant, -(xx * ye - xy * xe) / determinant


@kernel
def compare(
    guide: Bytes, colour: Floats, visible: Bytes, gain: Floats, sums: NDArray[np.float64], blocks: NDArray[np.int64]
) -> None:
    """Add up over the samples that are ``visible``, in the light ``gain`` (3,).

    ``sums``: samples; those that match; square differences; for each channel the frame and the plate of those that
    match; products of the plate's gradient of the green channel, in x and y, and of it with the difference; the share
    of the blocks that have changed. ``blocks`` (BLOCKS, BLOCKS, 2): samples, and those that differ.
    """
    height, width = visible.shape
    for y in range(1, height - 1, STEP):
        for x in range(1, width - 1, STEP):
            if visible[y, x] == 0:
                continue
            b = np.float32(guide[y, x, 0]) - gain[0] * colour[0, y, x]
            g = np.float32(guide[y, x, 1]) - gain[1] * colour[1, y, x]
            r = np.float32(guide[y, x, 2]) - gain[2] * colour[2, y, x]
            square = (b * b + g * g + r * r) / np.float32(3)
            row, column = y * BLOCKS // height, x * BLOCKS // width
            blocks[row, column, 0] += 1
            sums[0] += 1
            sums[2] += min(square, MOST_ERROR)
            if square > JUMP:
                blocks[row, column, 1] += 1
            else:
                sums[1] += 1
                for c in range(3):
                    if DARK < guide[y, x, c] < BRIGHT:
                        sums[3 + c] += guide[y, x, c]
                        sums[6 + c] += colour[c, y, x]
            if (
                abs(g) < MAX_STEP
                and visible[y, x - 1]
                and visible[y, x + 1]
                and visible[y - 1, x]
                and visible[y + 1, x]
            ):
                gx = gain[1] * (colour[1, y, x + 1] - colour[1, y, x - 1]) / 2
                gy = gain[1] * (colour[1, y + 1, x] - colour[1, y - 1, x]) / 2
                sums[9] += gx * gx
                sums[10] += gx * gy
                sums[11] += gy * gy
                sums[12] += gx * g
                sums[13] += gy * g
    counted, changed = 0, 0
    for row in range(BLOCKS):
        for column in range(BLOCKS):
            in_block, differ = blocks[row, column]
            counted += in_block >= MIN_BLOCK
            changed += (in_block >= MIN_BLOCK) & (differ > CHANGED * in_block)
    sums[14] = changed / max(counted, 1)
