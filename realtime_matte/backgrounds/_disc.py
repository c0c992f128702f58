"""Means over a disc around each cell of a grid."""

from typing import Final, Protocol, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]

MAX_DIRECT: Final = 11
"""Widest disc, in cells, that OpenCV's ``filter2D`` sums cell by cell. Of wider ones it multiplies spectra, and finds
the disc's again for each channel; here it is kept, and two channels are transformed at once."""


class Disc(Protocol):
    """A disc on a grid. Beyond the grid, the cells of its border are repeated."""

    def average(self, colors: Floats, weights: Floats, out: tuple[Floats, Floats]) -> None:
        """Average ``colors`` (h, w, 3) and ``weights`` (h, w) into ``out``, of the same shapes."""


def open(radius: float, shape: tuple[int, int]) -> Disc:
    """A disc of ``radius`` cells for grids of ``shape`` (h, w)."""
    disc = _disc(radius)
    return _DirectDisc(disc) if len(disc) <= MAX_DIRECT else _SpectralDisc(disc, shape)


class _DirectDisc:
    def __init__(self, disc: Floats) -> None:
        self._disc = disc

    def average(self, colors: Floats, weights: Floats, out: tuple[Floats, Floats]) -> None:
        for cells, averages in zip((colors, weights), out, strict=True):
            cv2.filter2D(cells, -1, self._disc, dst=averages, borderType=cv2.BORDER_REPLICATE)


class _SpectralDisc:
    """Multiplies spectra. The disc's is real, as it is symmetric: two channels are averaged as one complex image."""

    def __init__(self, disc: Floats, shape: tuple[int, int]) -> None:
        self._reach = len(disc) // 2
        self._shape = shape
        height, width = (cv2.getOptimalDFTSize(length + 2 * self._reach) for length in shape)
        self._pairs = [np.empty((*shape, 2), np.float32) for _ in range(2)]  # blue and green, red and weight
        self._padded, self._spectrum = np.empty((2, height, width, 2), np.float32)
        self._factors = _spectrum(disc, (height, width))

    def average(self, colors: Floats, weights: Floats, out: tuple[Floats, Floats]) -> None:
        cv2.mixChannels([colors, weights], self._pairs, [0, 0, 1, 1, 2, 2, 3, 3])
        for pair in self._pairs:
            self._average(pair)
        cv2.mixChannels(self._pairs, list(out), [0, 0, 1, 1, 2, 2, 3, 3])

    def _average(self, pair: Floats) -> None:
        (height, width), reach = self._shape, self._reach
        below, right = self._padded.shape[0] - height - reach, self._padded.shape[1] - width - reach
        cv2.copyMakeBorder(pair, reach, below, reach, right, cv2.BORDER_REPLICATE, dst=self._padded)
        cv2.dft(self._padded, dst=self._spectrum)
        cv2.multiply(self._spectrum, self._factors, dst=self._spectrum)
        cv2.dft(self._spectrum, dst=self._padded, flags=cv2.DFT_INVERSE)
        np.copyto(pair, self._padded[reach : reach + height, reach : reach + width])


def _spectrum(disc: Floats, shape: tuple[int, int]) -> Floats:
    """The real spectrum of a disc around (0, 0), over the number of cells, as factors of complex numbers (h, w, 2)."""
    reach = len(disc) // 2
    image = np.zeros(shape, np.float64)
    image[: len(disc), : len(disc)] = disc
    spectrum = np.fft.fft2(np.roll(image, (-reach, -reach), (0, 1))).real / image.size
    return np.repeat(spectrum[..., None], 2, axis=2).astype(np.float32)


def _disc(radius: float) -> Floats:
    """A disc whose edge cells count by the part of them that is inside, as a kernel."""
    reach = max(1, int(np.ceil(radius)))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
    return np.asarray(disc / disc.sum(), np.float32)
