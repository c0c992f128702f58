"""The frame's own background, shown on purpose but quieter: ``room``, ``room?brightness=0.5&saturation=0&blur=0.03``.

As with every background, without a matte of the frame only the standby card is sent.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.backgrounds import blur
from realtime_matte.config.specs import SpecOption, at_least_zero, parse
from realtime_matte.errors import SpecError
from realtime_matte.frame import Frame, Pixels, RefinedMatte, Size
from realtime_matte.interfaces import Fit

MAX_BRIGHTNESS: Final = 2.0
MAX_SATURATION: Final = 2.0

LUMA: Final = (0.114, 0.587, 0.299)
"""Weights of blue, green and red in the brightness of a colour (ITU-R BT.601)."""

SHOWN: Final = "the background 'room' shows your own room, on purpose"


def _brightness(text: str) -> float:
    value = at_least_zero(text)
    if value > MAX_BRIGHTNESS:
        raise ValueError(f"a number from 0 to {MAX_BRIGHTNESS:g}")
    return value


def _blur(text: str) -> float:
    value = at_least_zero(text)
    if value and not blur.MIN_STRENGTH <= value <= blur.MAX_STRENGTH:
        raise ValueError(f"0, or from {blur.MIN_STRENGTH:g} to {blur.MAX_STRENGTH:g}")
    return value


OPTIONS: Final = {
    "brightness": SpecOption(_brightness, "1 is the room's own", default=0.6),
    "saturation": SpecOption(_brightness, "0 is grey, 1 is the room's own", default=0.5),
    "blur": SpecOption(_blur, "sigma as a share of the height; 0 for none", default=0.03),
}


def open(rest: str, /, *, size: Size, fit: Fit) -> "Room":  # noqa: ARG001 - it has the frame's own aspect ratio
    """The room with the options of ``rest``."""
    name, options = parse(rest, OPTIONS, plugin="room")
    if name:
        raise SpecError(f"the background 'room' takes options only, not {name!r}", hint="write room?brightness=0.5")
    return Room(size, **options)


class Room:
    """Scales brightness and saturation of the frame, blurred where that was requested.

    ``follows_camera``: its images are of the same place as the frame's.
    """

    follows_camera = True

    def __init__(self, size: Size, *, brightness: float, saturation: float, blur: float) -> None:
        self._blur = _opened_blur(size, blur) if blur else None
        self.notices = (SHOWN, *(self._blur.notices if self._blur else ()))
        self._matrix = color_matrix(brightness, saturation)
        self._is_plain = saturation == 1
        self._brightness = brightness
        self._pixels = np.empty((size[1], size[0], 3), np.uint8)

    def image(self, frame: Frame, matte: RefinedMatte) -> Pixels:
        """The room at this frame; where the person is, what is blurred around her, or the frame itself."""
        pixels = self._blur.image(frame, matte) if self._blur else frame.pixels
        if self._is_plain:
            cv2.convertScaleAbs(pixels, dst=self._pixels, alpha=self._brightness)
        else:
            cv2.transform(pixels, self._matrix, dst=self._pixels)
        return self._pixels

    def close(self) -> None:
        """Nothing is open."""


def color_matrix(brightness: float, saturation: float) -> NDArray[np.float32]:
    """What a colour (blue, green, red) is multiplied by."""
    grey = np.tile(np.array(LUMA), (3, 1))
    return np.asarray(brightness * (saturation * np.eye(3) + (1 - saturation) * grey), np.float32)


def _opened_blur(size: Size, strength: float) -> "blur.Blur":
    return blur.Blur(size, strength, notices=blur.weak_notices(strength, lens=False))
