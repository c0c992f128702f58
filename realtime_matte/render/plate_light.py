"""The light of the clean plate: how exposure and lamps have changed the visible background, for each channel."""

from typing import Final, TypeAlias

import numpy as np

from realtime_matte.render.box_filter import Bytes, Floats
from realtime_matte.render.edge_model import Plate
from realtime_matte.render.jit import kernel, vector_loop

ZERO, UNIT = np.float32(0), np.float32(1)

JUMP: Final = np.float32(20**2)
"""A mean square change of colour, of 255, that is neither noise nor a fading lamp."""

LIGHT_ROWS: Final = 4
"""The light is measured in every fourth row of cells: thousands of cells are left, as good as any others."""

MAX_GAIN: Final = np.float32(8)
"""The light is at most so many times the reference light, and at least 1 over that."""

Light: TypeAlias = tuple[Floats, Floats, Floats]
"""(reference, gain, step): the colour of every LIGHT_ROWS-th row of cells in the reference light, which is the first
frame's, (3, h / LIGHT_ROWS, w); the current light divided by the reference light, for each channel (3,); the factor by
which it changed in the last frame (3,)."""


@kernel
def update_light(near: Bytes, weight: np.float32, plate: Plate, change: Floats, light: Light, rows: Floats) -> None:
    """Measure the ``light`` on the visible cells whose colour is near the reference colour in the light so far.

    It is always measured against the reference colours, never against the previous frame: errors do not add up. Cells
    that changed differently, such as a screen, do not count; their reference moves by ``weight`` to their colour.
    """
    colour, _, _ = plate
    reference, gain, step = light
    counted, rates = rows[0], rows[1]
    count = np.int32(0)
    rows[2:] = ZERO
    for row in range(reference.shape[1]):
        y = row * LIGHT_ROWS
        rates[:] = ZERO
        for c in range(3):
            _add_error(colour[c, y], reference[c, row], gain[c], rates)
        count += _choose(near[y], change[y], weight, counted, rates)
        for c in range(3):
            _add_light(colour[c, y], counted, rows[2 + 2 * c])
            _add_light(reference[c, row], counted, rows[3 + 2 * c])
            _move_reference(colour[c, y], rates, gain[c], reference[c, row])
    for c in range(3):
        total, before = _sum(rows[2 + 2 * c]), _sum(rows[3 + 2 * c])
        found = total / before if before > count else gain[c]  # a channel that is nearly 0 everywhere gives no ratio
        found = min(max(found, 1 / MAX_GAIN), MAX_GAIN)
        step[c], gain[c] = found / gain[c], found


@vector_loop
def _add_error(colour: Floats, reference: Floats, gain: np.float32, errors: Floats) -> None:
    """Add the square of the difference between one channel of a row and its reference in the light so far."""
    for x in range(np.uint64(colour.shape[0])):
        error = colour[x] - gain * reference[x]
        errors[x] += error * error


@vector_loop
def _choose(near: Bytes, change: Floats, weight: np.float32, counted: Floats, rates: Floats) -> np.int32:
    """``counted``: 1 where a cell of a row counts for the light. ``rates``: errors become rates of the references."""
    count = np.int32(0)
    for x in range(np.uint64(near.shape[0])):
        visible, free = change[x] >= 0, near[x] == 0
        counts = free & visible & (rates[x] <= 3 * JUMP)
        counted[x] = UNIT if counts else ZERO
        rate = weight if visible else UNIT
        rates[x] = rate if free & (not counts) else ZERO
        count += np.int32(counts)
    return count


@vector_loop
def _add_light(values: Floats, counted: Floats, sums: Floats) -> None:
    for x in range(np.uint64(values.shape[0])):
        sums[x] += counted[x] * values[x]


@kernel
def _sum(values: Floats) -> np.float32:
    """As ``values.sum()``, whose compiled code imports a part of the compiler when it is loaded."""
    total = ZERO
    for x in range(values.shape[0]):
        total += values[x]
    return total


@vector_loop
def _move_reference(colour: Floats, rates: Floats, gain: np.float32, reference: Floats) -> None:
    for x in range(np.uint64(colour.shape[0])):
        reference[x] += rates[x] * (colour[x] / gain - reference[x])
