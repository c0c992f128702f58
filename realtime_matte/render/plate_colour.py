"""The colours of the clean plate: each visible cell's running mean and variance.

A running Gaussian for each cell of the coarse grid, as in Wren et al. 1997 (Pfinder), of its colours while it was
certainly background. A covered cell keeps its colour, scaled by the change of light that visible cells show.
"""

from typing import Final, TypeAlias

import numpy as np

from realtime_matte.frame import Pixels
from realtime_matte.render.box_filter import Bytes, Floats
from realtime_matte.render.edge_model import Plate
from realtime_matte.render.jit import kernel, read_only, vector_loop
from realtime_matte.render.plate_fit import CHANGED, MOST_BLOCKS

ZERO, UNIT = np.float32(0), np.float32(1)

JUMP: Final = np.float32(20**2)
"""A mean square change of colour, of 255, that is neither noise nor a fading lamp."""

INITIAL_VARIANCE: Final = np.float32(3**2)
"""Variance of a cell that was seen once."""

JUMP_ROWS: Final = 8
"""Between updates, jumps are looked for in every eighth row of cells."""

MIN_JUMPED: Final = MOST_BLOCKS * CHANGED
"""If a larger share of the visible background jumps, the camera may have been moved: about as ``has_changed``."""

ADOPTED: Final = np.uint8(255)

LIGHT_STEP: Final = 0.03
"""A change of the light, as a share, that is followed at once, and from which on the plate itself is scaled."""

Hold: TypeAlias = tuple[Bytes, Floats, Floats, Bytes, tuple[np.float32, np.float32, np.float32]]
"""(wide, held, seconds, adopted, (hold_s, elapsed_s, seen_s)), all (h, w): not 0 where a person is near or above; for
how long a visible cell has differed from its colour; for how long it was background; becomes not 0 where it takes its
new colour. With a ``hold_s`` of 0 nothing is held."""


@kernel
def update_plate(
    guide: Bytes, near: Bytes, weight: np.float32, plate: Plate, step: Floats, rows: Floats, change: Floats, hold: Hold
) -> float:
    """Update the ``plate`` where the background is visible (``near`` is 0), by ``weight``. ``guide``: (3, h, w).

    ``change`` (h, w) becomes the mean square change of known cells that are visible, -1 elsewhere. Covered cells are
    multiplied by ``step``, a factor for each channel.

    Returns:
        The share of the known and visible cells that jumped; 0 if there are hardly any.
    """
    colour, variance, known = plate
    wide, held, seconds, adopted, times = hold
    rates, squares = rows[0], rows[1]
    jumped, count = np.int32(0), np.int32(0)
    blue, green, red = colour[0], colour[1], colour[2]
    for y in range(near.shape[0]):
        _compare(
            guide[0, y], guide[1, y], guide[2, y], blue[y], green[y], red[y], near[y], known[y], weight, rates, squares
        )
        if times[0] > ZERO:
            _hold_rates(near[y], wide[y], known[y], squares, times, held[y], seconds[y], adopted[y], rates)
        for c in range(3):
            _move_colour(guide[c, y], near[y], rates, step[c], colour[c, y])
        visible, jumps = _move_variance(near[y], known[y], rates, squares, variance[y], change[y])
        count, jumped = count + visible, jumped + jumps
    return jumped / count if count > near.shape[0] * near.shape[1] // 100 else 0.0


@vector_loop
def _compare(
    b: Bytes,
    g: Bytes,
    r: Bytes,
    blue: Floats,
    green: Floats,
    red: Floats,
    near: Bytes,
    known: Bytes,
    weight: np.float32,
    rates: Floats,
    squares: Floats,
) -> None:
    """The mean square change of each cell of a row, and by how much it moves to its new colour.

    At once if it is seen for the first time. ``b``, ``g``, ``r``: the frame's row; ``blue``, ``green``, ``red``: the
    plate's.
    """
    for x in range(np.uint64(near.shape[0])):
        of_b, of_g, of_r = np.float32(b[x]) - blue[x], np.float32(g[x]) - green[x], np.float32(r[x]) - red[x]
        squares[x] = (of_b * of_b + of_g * of_g + of_r * of_r) * np.float32(1 / 3)
        rate = weight if known[x] != 0 else UNIT
        rates[x] = rate if near[x] == 0 else ZERO


@vector_loop
def _hold_rates(
    near: Bytes,
    wide: Bytes,
    known: Bytes,
    squares: Floats,
    times: tuple[np.float32, np.float32, np.float32],
    held: Floats,
    seconds: Floats,
    adopted: Bytes,
    rates: Floats,
) -> None:
    """Cells of a row that differ, or are valid and beside a person, keep their colour; ``held`` and ``seconds`` follow.

    The rate of cells beside a person is -1: they are treated as covered ones, which follow the light.
    Any other cell that has differed for long takes its new colour at once, and has to be seen again to be valid.
    """
    hold_s, elapsed_s, seen_s = times
    for x in range(np.uint64(near.shape[0])):
        visible = (near[x] == 0) & (known[x] != 0)
        differs = visible & (squares[x] > JUMP)
        longer = held[x] + elapsed_s if differs else ZERO
        beside = (wide[x] != 0) & (seconds[x] >= seen_s) & visible
        adopts = (longer >= hold_s) & (not beside)
        held[x] = ZERO if adopts else longer
        seconds[x] = ZERO if adopts else seconds[x]
        adopted[x] = ADOPTED if adopts else adopted[x]
        rate = ZERO if differs else rates[x]
        rates[x] = UNIT if adopts else (-UNIT if beside else rate)


@vector_loop
def _move_colour(guide: Bytes, near: Bytes, rates: Floats, step: np.float32, colour: Floats) -> None:
    """Update one channel of a row."""
    for x in range(np.uint64(near.shape[0])):
        old = colour[x]
        covered = (near[x] != 0) | (rates[x] < ZERO)
        colour[x] = old * step if covered else old + rates[x] * (np.float32(guide[x]) - old)


@vector_loop
def _move_variance(
    near: Bytes, known: Bytes, rates: Floats, squares: Floats, variance: Floats, change: Floats
) -> tuple[np.int32, np.int32]:
    """Update the variance of a row, and what is known. Returns how many cells are known and visible, and jumped."""
    count, jumped = np.int32(0), np.int32(0)
    for x in range(np.uint64(near.shape[0])):
        visible = (near[x] == 0) & (known[x] != 0)
        square = squares[x]
        variance[x] += max(rates[x], ZERO) * (
            (square if visible & (rates[x] < UNIT) else INITIAL_VARIANCE) - variance[x]
        )
        change[x] = square if visible else -UNIT
        count += np.int32(visible)
        jumped += np.int32(visible & (square > JUMP))
        known[x] |= near[x] == 0
    return count, jumped


class JumpDetector:
    """Whether much of the visible background, or its light, suddenly differs from a plate of ``width`` columns."""

    def __init__(self, width: int) -> None:
        self._sums = np.zeros((6, width), np.float32)
        self._jumped = 0.0  # share of the visible background, at the last call

    def jumps(self, guide: Pixels, near: Bytes, plate: Plate) -> bool:
        """Whether more of the frame ``guide`` (h, w, 3) jumps than of the one before; not near people."""
        before = self._jumped
        self._jumped = find_jumps(read_only(guide), near, plate, self._sums)
        if self._jumped - before > MIN_JUMPED:
            return True
        sums = self._sums.sum(axis=1).tolist()
        of_frame, of_plate = sums[:3], sums[3:]
        return any(abs(a - b) > LIGHT_STEP * b for a, b in zip(of_frame, of_plate, strict=True))


@kernel
def find_jumps(guide: Bytes, near: Bytes, plate: Plate, sums: Floats) -> float:
    """As the result of ``update_plate``, without an update, and from few rows. ``guide``: (h, w, 3).

    ``sums`` (6, w) becomes the blue, green and red of the frame, then of the plate, where both are seen and no jump is,
    added up over these rows.
    """
    colour, _, known = plate
    jumped, count = np.int32(0), np.int32(0)
    sums[:] = ZERO
    for y in range(JUMP_ROWS // 2, near.shape[0], JUMP_ROWS):
        visible, jumps = _count_jumps(
            guide[y],
            near[y],
            known[y],
            (colour[0, y], colour[1, y], colour[2, y]),
            (sums[0], sums[1], sums[2]),
            (sums[3], sums[4], sums[5]),
        )
        count, jumped = count + visible, jumped + jumps
    return jumped / count if count > near.shape[0] * near.shape[1] // (100 * JUMP_ROWS) else 0.0


Channels: TypeAlias = tuple[Floats, Floats, Floats]


@vector_loop
def _count_jumps(
    guide: Bytes, near: Bytes, known: Bytes, plate: Channels, of_frame: Channels, of_plate: Channels
) -> tuple[np.int32, np.int32]:
    """How many cells of a row are known and visible, and how many of them jumped; colours are added up."""
    count, jumped = np.int32(0), np.int32(0)
    zero, one, two = np.uint64(0), np.uint64(1), np.uint64(2)
    blue, green, red = plate
    for x in range(np.uint64(near.shape[0])):
        b, g, r = np.float32(guide[x, zero]), np.float32(guide[x, one]), np.float32(guide[x, two])
        of_b, of_g, of_r = b - blue[x], g - green[x], r - red[x]
        visible = (near[x] == 0) & (known[x] != 0)
        jumps = of_b * of_b + of_g * of_g + of_r * of_r > 3 * JUMP
        weight = UNIT if visible & (not jumps) else ZERO
        of_frame[0][x] += weight * b
        of_frame[1][x] += weight * g
        of_frame[2][x] += weight * r
        of_plate[0][x] += weight * blue[x]
        of_plate[1][x] += weight * green[x]
        of_plate[2][x] += weight * red[x]
        count += np.int32(visible)
        jumped += np.int32(visible & jumps)
    return count, jumped
