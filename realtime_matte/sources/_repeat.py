"""Tells a new picture from an old one that is handed out again as a success."""

import zlib

from realtime_matte.frame import Pixels

NOISY = 30
"""So many different pictures in a row are a sensor's noise: no two of its pictures are equal from then on."""

ROWS = 16


class Repeats:
    """Judges one camera's pictures in the order they came.

    A driver that stamps its pictures is believed: the same stamp is the same picture, and a new stamp a new one,
    however still the scene (a test camera, a drawn one). Without stamps, equal pictures are repeats only of a camera
    that was seen to be noisy; one that has been still since it was opened may be a drawing, or have its shutter closed.
    """

    def __init__(self) -> None:
        self._stamp: float | None = None
        self._stamped = False
        self._sum = 0
        self._changes = 0

    def fresh(self, pixels: Pixels, stamp: float) -> bool:
        """False for a picture that was judged before. ``stamp``: the driver's time, in any unit."""
        moved = self._stamp is not None and stamp != self._stamp
        self._stamp = stamp
        self._stamped = self._stamped or moved
        return moved if self._stamped else self._changed(pixels)

    def _changed(self, pixels: Pixels) -> bool:
        checksum = 0
        for row in pixels[:: max(1, len(pixels) // ROWS)]:
            checksum = zlib.crc32(row, checksum)
        changed = checksum != self._sum
        self._sum = checksum
        noisy = self._changes >= NOISY
        if not noisy:
            self._changes = self._changes + 1 if changed else 0
        return changed or not noisy
