"""A clean plate that is kept beyond its run, and what it was made with."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Pixels, Size, size_text


@dataclass(frozen=True, slots=True)
class PlateOrigin:
    """What a plate was made with.

    Attributes:
        camera: Name of the camera.
        mode: Size of the camera's frames.
        view: Size of the output, and what else decides which part of the camera's image a frame shows.
        exposure: Exposure time that the camera reported, in its own units; None if it does not report one.
    """

    camera: str
    mode: Size
    view: str
    exposure: int | None = None

    def difference(self, now: "PlateOrigin") -> str:
        """Why a plate of this origin cannot be used ``now``; empty if it can. The light is fitted, so it may differ."""
        if self.camera != now.camera:
            return f"it is of {self.camera or 'an unknown camera'}, and the camera is {now.camera or 'unknown'}"
        if self.mode != now.mode:
            return f"it is of {size_text(self.mode)}, and the camera gives {size_text(now.mode)}"
        if self.view != now.view:
            return f"it was made with {self.view}, and this run has {now.view}"
        return ""


@dataclass(frozen=True, slots=True)
class StoredPlate:
    """A plate and its origin: ``colours`` (h, w, 3) uint8 BGR, ``validity`` (h, w) uint8 as of ``PlateImage``."""

    colours: Pixels
    validity: NDArray[np.uint8]
    origin: PlateOrigin

    def on_grid(self, shape: tuple[int, int]) -> "StoredPlate":
        """The same on another grid (h, w)."""
        if shape == self.validity.shape:
            return self
        size = shape[1], shape[0]
        colours = cv2.resize(self.colours, size, interpolation=cv2.INTER_LINEAR)
        validity = cv2.resize(self.validity, size, interpolation=cv2.INTER_NEAREST)
        return StoredPlate(np.asarray(colours, np.uint8), np.asarray(validity, np.uint8), self.origin)
