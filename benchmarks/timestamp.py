"""A time drawn into an image as coarse black and white blocks, and read back; as a program, it reads a camera.

    python benchmarks/timestamp.py /dev/video10 20

The stamp holds milliseconds of a clock that two programs share, modulo a minute, and a checksum, so that an image
without a stamp, or with half of one, is not read as another time. The program reads a camera for so many seconds and
prints a JSON list of the stamps' ages in milliseconds, ``null`` for an image whose stamp cannot be read. It needs NumPy
and OpenCV and nothing of this package, like any other program that uses the camera.
"""

import json
import sys
import time
from argparse import ArgumentParser
from typing import Final

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

MODULUS_MS: Final = 1 << 16
"""An age is known only modulo this, about a minute."""

ROWS, COLUMNS = 4, 6
HEIGHT, WIDTH = 1 / 5, 1 / 6
"""Part of the image that the blocks fill, in its upper right corner: where head and shoulders are not."""

BLACK, WHITE, TOLERANCE = 16, 235, 60
"""Levels of the blocks, and how far from them a level is still accepted."""

WARM_UP_S: Final = 2.0
"""The reader does not count the first images."""


def draw(image: Pixels, time: float) -> None:
    """Draw ``time``, in seconds, into ``image`` (H, W, 3)."""
    for block, bit in zip(_blocks(image), _bits(int(time * 1e3) % MODULUS_MS), strict=True):
        image[block] = WHITE if bit else BLACK


def age_ms(image: Pixels, now: float) -> float | None:
    """``now``, in seconds, minus the time in ``image``, modulo a minute; None if there is no valid stamp."""
    levels = [float(image[_middle(block)].mean()) for block in _blocks(image)]
    if any(BLACK + TOLERANCE < level < WHITE - TOLERANCE for level in levels):
        return None
    bits = [level >= WHITE - TOLERANCE for level in levels]
    value = sum(1 << place for place, bit in enumerate(bits[:16]) if bit)
    return (now * 1e3 - value) % MODULUS_MS if bits == _bits(value) else None


def _bits(value: int) -> list[bool]:
    checksum = (value * 0x9E37 >> 4) & 0xFF ^ 0xA5  # all black and all white are no valid stamps
    return [bool(value >> place & 1) for place in range(16)] + [bool(checksum >> place & 1) for place in range(8)]


def _blocks(image: Pixels) -> list[tuple[slice, slice]]:
    rows = np.linspace(0, image.shape[0] * HEIGHT, ROWS + 1).astype(int)
    columns = np.linspace(image.shape[1] * (1 - WIDTH), image.shape[1], COLUMNS + 1).astype(int)
    return [(slice(*rows[y : y + 2]), slice(*columns[x : x + 2])) for y in range(ROWS) for x in range(COLUMNS)]


def _middle(block: tuple[slice, slice]) -> tuple[slice, slice]:
    """The middle half of a block: chroma subsampling and compression smear its edges."""
    rows, columns = ((side.start, (side.stop - side.start) // 4, side.stop) for side in block)
    return slice(rows[0] + rows[1], rows[2] - rows[1]), slice(columns[0] + columns[1], columns[2] - columns[1])


def main() -> int:
    """Read a camera and print the ages; 1 if it cannot be read."""
    parser = ArgumentParser(description="Read a camera and print the age of each image's stamp.")
    parser.add_argument("device", help="such as /dev/video10")
    parser.add_argument("seconds", type=float, help="how long to count")
    options = parser.parse_args()
    import cv2  # noqa: PLC0415 - drawing and reading stamps do without it

    cv2.setNumThreads(1)
    capture = cv2.VideoCapture(options.device, cv2.CAP_V4L2)
    readable, image = capture.read()
    counted_from, ages = time.monotonic() + WARM_UP_S, []
    while readable and (now := time.monotonic()) < counted_from + options.seconds:
        if now >= counted_from:
            ages.append(age_ms(np.asarray(image, np.uint8), now))
        readable, image = capture.read()
    capture.release()
    print(json.dumps(ages))
    return 0 if readable else 1


if __name__ == "__main__":
    sys.exit(main())
