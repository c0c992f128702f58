"""Output fitter: output frames of another size for a sink that keeps the one it was opened with."""

import cv2
import numpy as np

from realtime_matte.frame import Pixels, Size
from realtime_matte.media.fit import scaled_size


class OutputFitter:
    """Scales output frames and cards to ``size``, whole, between black bars, which are transparent if there is alpha.

    Allocates when the size of what it gets changes only.
    """

    def __init__(self, size: Size) -> None:
        self.size = size
        self._shape: tuple[int, ...] = ()  # of what it got last
        self._scaled: Pixels
        self._canvas: Pixels
        self._part: Pixels  # of the canvas

    def __call__(self, image: Pixels) -> Pixels:
        """The image itself if it has the size; otherwise a copy, overwritten by the next call."""
        if (image.shape[1], image.shape[0]) == self.size:
            return image
        if image.shape != self._shape:
            self._prepare(image.shape)
        height, width = self._scaled.shape[:2]
        interpolation = cv2.INTER_AREA if width < image.shape[1] else cv2.INTER_LINEAR
        cv2.resize(image, (width, height), dst=self._scaled, interpolation=interpolation)
        self._part[:] = self._scaled
        return self._canvas

    def _prepare(self, shape: tuple[int, ...]) -> None:
        self._shape = shape
        width, height = scaled_size((shape[1], shape[0]), self.size, "contain")
        left, top = (self.size[0] - width) // 2, (self.size[1] - height) // 2
        self._scaled = np.zeros((height, width, shape[2]), np.uint8)
        self._canvas = np.zeros((self.size[1], self.size[0], shape[2]), np.uint8)
        self._part = self._canvas[top : top + height, left : left + width]
