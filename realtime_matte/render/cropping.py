"""Crops of a finished matte, for ``--auto-frame``. A background that does not follow the camera stays in place."""

from collections.abc import Callable

import cv2
import numpy as np

from realtime_matte.effects.auto_frame import Crop
from realtime_matte.frame import Alpha, Pixels, Size
from realtime_matte.interfaces import Area

Compose = Callable[[Pixels], Pixels]
"""Composites the whole frame's foreground over an image; the result is overwritten by the next call."""


class Cropper:
    """Enlarges a crop of frames of ``size`` to that size. It exists, with its buffers, while cropping is on."""

    def __init__(self, size: Size) -> None:
        width, height = size
        self._size = size
        self._black = np.zeros((height, width, 3), np.uint8)
        self._black.flags.writeable = False
        self._opacity, self._cropped_opacity = np.empty((2, height, width), np.uint8)
        self._person, self._output, self._rest = np.empty((3, height, width, 3), np.uint8)
        self._scaled = np.empty((height, width), np.float32)
        self._straight = np.empty((height, width, 4), np.uint8)

    def of_camera(self, compose: Compose, background: Pixels, crop: Crop) -> Pixels:
        """Person and background cropped alike, as the background is the camera's own."""
        return self._crop(compose(background), crop, self._output)

    def over(self, compose: Compose, alpha: Alpha, background: Pixels, crop: Crop, area: Area | None) -> Pixels:
        """The cropped person over a background that stays where it is."""
        self._crop_person(compose, alpha, crop, area)
        cv2.bitwise_not(self._cropped_opacity, dst=self._opacity)
        cv2.merge([self._opacity] * 3, dst=self._rest)
        cv2.multiply(background, self._rest, dst=self._output, scale=1 / 255)
        cv2.add(self._output, self._person, dst=self._output)
        return self._output

    def with_alpha(self, compose: Compose, alpha: Alpha, crop: Crop, area: Area | None) -> Pixels:
        """The cropped person as straight BGRA."""
        self._crop_person(compose, alpha, crop, area)
        cv2.merge([self._cropped_opacity] * 3, dst=self._rest)
        cv2.divide(self._person, self._rest, dst=self._output, scale=255)
        cv2.mixChannels([self._output, self._cropped_opacity], [self._straight], [0, 0, 1, 1, 2, 2, 3, 3])
        return self._straight

    def _crop_person(self, compose: Compose, alpha: Alpha, crop: Crop, area: Area | None) -> None:
        """The person's colours times alpha, and alpha, both of 0 outside ``area``."""
        np.multiply(alpha, np.float32(255), out=self._scaled)
        cv2.convertScaleAbs(self._scaled, dst=self._opacity)
        if area:
            rows, columns = area
            for outside in (
                (slice(0, rows.start), slice(None)),
                (slice(rows.stop, None), slice(None)),
                (slice(None), slice(0, columns.start)),
                (slice(None), slice(columns.stop, None)),
            ):
                self._opacity[outside] = 0
        self._crop(compose(self._black), crop, self._person)
        self._crop(self._opacity, crop, self._cropped_opacity)

    def _crop(self, pixels: Pixels, crop: Crop, out: Pixels) -> Pixels:
        """Between pixels too, so that a slow movement is smooth."""
        left, top, _, _ = crop.box
        width, height = self._size
        matrix = np.array(
            [
                [crop.size, 0, left * width + (crop.size - 1) / 2],
                [0, crop.size, top * height + (crop.size - 1) / 2],
            ],
            np.float32,
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cv2.warpAffine(pixels, matrix, self._size, dst=out, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return out
