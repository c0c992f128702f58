"""A time drawn into a picture as coarse black and white blocks, and read back. Needs NumPy only.

Milliseconds of a clock that two programs share, counted round the dial, and a checksum, so that a picture without a
stamp, or with half of one, is not taken for one with another time.
"""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

DIAL_MS = 1 << 16
"""A time more than this old cannot be told from a younger one: a minute."""

ROWS, COLUMNS = 4, 6
HEIGHT, WIDTH = 1 / 5, 1 / 6
"""Part of the picture that the blocks fill, in its upper right corner: where heads and shoulders are not."""

BLACK, WHITE, UNSURE = 16, 235, 60
"""Levels of the blocks, and how far from them one is still read."""


def draw(picture: Pixels, time: float) -> None:
    """Draw ``time``, in seconds, into ``picture`` (H, W, 3)."""
    for place, bit in zip(_places(picture), _bits(_dial(time)), strict=True):
        picture[place] = WHITE if bit else BLACK


def age_ms(picture: Pixels, now: float) -> float | None:
    """How long before ``now``, in seconds, the time in ``picture`` was, within a minute; None where there is none."""
    levels = [float(picture[_middle(place)].mean()) for place in _places(picture)]
    if any(BLACK + UNSURE < level < WHITE - UNSURE for level in levels):
        return None
    bits = [level >= WHITE - UNSURE for level in levels]
    value = sum(1 << place for place, bit in enumerate(bits[:16]) if bit)
    return (now * 1e3 - value) % DIAL_MS if bits == _bits(value) else None


def _dial(time: float) -> int:
    return int(time * 1e3) % DIAL_MS


def _bits(value: int) -> list[bool]:
    check = (value * 0x9E37 >> 4) & 0xFF ^ 0xA5  # neither all black nor all white is a time
    return [bool(value >> place & 1) for place in range(16)] + [bool(check >> place & 1) for place in range(8)]


def _places(picture: Pixels) -> list[tuple[slice, slice]]:
    rows = np.linspace(0, picture.shape[0] * HEIGHT, ROWS + 1).astype(int)
    columns = np.linspace(picture.shape[1] * (1 - WIDTH), picture.shape[1], COLUMNS + 1).astype(int)
    return [(slice(*rows[y : y + 2]), slice(*columns[x : x + 2])) for y in range(ROWS) for x in range(COLUMNS)]


def _middle(place: tuple[slice, slice]) -> tuple[slice, slice]:
    """Half of a block's sides: edges are smeared by the way colours are sent."""
    rows, columns = ((side.start, (side.stop - side.start) // 4, side.stop) for side in place)
    return slice(rows[0] + rows[1], rows[2] - rows[1]), slice(columns[0] + columns[1], columns[2] - columns[1])
