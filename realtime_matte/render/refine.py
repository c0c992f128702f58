"""From the network's coarse alpha to a matte of the frame's size.

What the network is not sure of is removed, edges are corrected by the clean plate, alpha is filtered over time, and the
guided filter brings it to the frame's size.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Alpha, Frame, Matte, Pixels, PlateImage, Size
from realtime_matte.interfaces import PlateView
from realtime_matte.media import i420
from realtime_matte.render.clean_plate import CleanPlate
from realtime_matte.render.composite import composite
from realtime_matte.render.doubt import DoubtDetector
from realtime_matte.render.guided_filter import GuidedFilter
from realtime_matte.render.jit import read_only
from realtime_matte.render.noise import NoiseEstimator
from realtime_matte.render.person_look import LookTables
from realtime_matte.render.temporal import filter_alpha
from realtime_matte.render.upsample import change_foreground
from realtime_matte.render.upsampled_matte import UpsampledMatte, Upsampler
from realtime_matte.render.weak_regions import WeakRegions


class Refiner:
    """Refines the frames of one shot, all of ``size``. Its results are overwritten by the next."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self._grid: _GridRefiner | None = None
        self._covered = 0.0  # of a complete matte
        self._weights = np.zeros(3 * size[0], np.uint16)

    def refine(self, frame: Frame, matte: Matte) -> "UpsampledMatte | CompleteMatte":
        """The frame's matte at its size. It reads ``frame``, which must not change while the matte is used.

        A matte that has the frame's size and foreground colours already, as a keyer's, is used as it is.
        """
        if matte.foreground is not None and matte.alpha.shape == frame.size[::-1]:
            self._grid, self._covered = None, cv2.mean(matte.alpha)[0]
            return CompleteMatte(matte.alpha, matte.foreground, self._weights)
        if self._grid is None or self._grid.shape != matte.alpha.shape:
            self._grid = _GridRefiner(matte.alpha.shape, self._size)
        return self._grid.refine(frame, matte)

    @property
    def doubt(self) -> str:
        """Why the last matte may show background as foreground; empty if nothing indicates that."""
        return self._grid.doubt if self._grid else ""

    @property
    def grid(self) -> Size | None:
        """As ``Renderer.grid``."""
        return (self._grid.shape[1], self._grid.shape[0]) if self._grid else None

    @property
    def covered(self) -> float:
        """Mean of the network's last alpha."""
        return self._grid.covered if self._grid else self._covered

    def fit(self, guide: Pixels, out: PlateImage) -> bool:
        """As ``PlateView.fit``, of the clean plate of this shot."""
        return self._grid is not None and self._grid.shape == guide.shape[:2] and self._grid.clean_plate.fit(guide, out)

    def install(self, guide: Pixels, plate: PlateView) -> bool:
        """Begin a shot with a ``plate`` that is known; ``guide``: a frame on the network's grid. Whether it is used."""
        shape = guide.shape[0], guide.shape[1]
        self._grid = _GridRefiner(shape, self._size)
        return self._grid.clean_plate.install(guide, plate)

    @property
    def clean_plate(self) -> CleanPlate | None:
        """The clean plate; None before the first frame, and of complete mattes."""
        return self._grid.clean_plate if self._grid else None

    def reset(self) -> None:
        """Drop the memory of earlier frames."""
        if self._grid:
            self._grid.reset()

    def free_full_size(self) -> None:
        """Free the buffers of full-size alphas and foregrounds, which are made again when they are read."""
        if self._grid:
            self._grid.upsampler.free_full_size()


class CompleteMatte:
    """The matte of a network that refines it itself. ``weights`` (3W): scratch for compositing."""

    def __init__(self, alpha: Alpha, foreground: Pixels, weights: NDArray[np.uint16]) -> None:
        self.alpha = alpha
        self.foreground = foreground
        self._weights = weights

    def over(self, background: Pixels, out: Pixels, look: LookTables | None = None) -> None:
        """Composite the foreground over ``background`` into ``out``, both (H, W, 3), after ``look`` has changed it."""
        if look:
            change_foreground(self.foreground, look)
        composite(read_only(self.foreground), self.alpha, read_only(background), self._weights, out)


class _GridRefiner:
    """Refines the coarse alphas of one ``shape`` (h, w). Buffers are allocated once."""

    def __init__(self, shape: tuple[int, int], size: Size) -> None:
        self.shape = shape
        self.doubt = ""
        self.covered = 0.0
        self._guide = np.zeros((*shape, 3), np.uint8)
        self._alpha = np.zeros(shape, np.float32)
        self._time: float | None = None  # of the previous frame
        self._weak_regions = WeakRegions(shape)
        self.clean_plate = CleanPlate(shape)
        self._doubt_detector = DoubtDetector()
        self._noise = NoiseEstimator(size)
        self._guided_filter = GuidedFilter(shape)
        self.upsampler = Upsampler(shape, size)

    def refine(self, frame: Frame, matte: Matte) -> UpsampledMatte:
        """The frame's matte at its size."""
        guide = matte.guide
        if guide is None:
            cv2.resize(i420.bgr_frame(frame).pixels, self.shape[::-1], dst=self._guide, interpolation=cv2.INTER_AREA)
            guide = self._guide
        self._update_alpha(matte, guide, frame.time)
        self.covered, revealed = cv2.mean(matte.alpha)[0], self.clean_plate.revealed
        self.doubt = self._doubt_detector.update(covered=self.covered, revealed=revealed, time=frame.time)
        self._noise.update(frame.pixels, frame.time)
        models = self._guided_filter.fit(guide, self._alpha, noise=self._noise.variance)
        return self.upsampler.upsample(frame, models)

    def reset(self) -> None:
        """Drop the memory of earlier frames."""
        self._time = None
        self.doubt = ""
        self._weak_regions.reset()
        self.clean_plate.reset()
        self._noise.reset()
        self._doubt_detector = DoubtDetector()

    def _update_alpha(self, matte: Matte, guide: Pixels, time: float) -> None:
        """Remove what is weak in the matte's alpha, correct it by the clean plate, and filter it over time.

        What is removed is not sure to be background either: the plate does not learn it.
        """
        elapsed_s = 0.0 if self._time is None else max(0.0, time - self._time)
        alpha = self._weak_regions.remove(matte.alpha, elapsed_s, only_look=self.clean_plate.decides)
        people = matte.alpha if matte.people is None and alpha is not matte.alpha else matte.people
        corrected = self.clean_plate.correct(alpha, guide, elapsed_s, people=people)
        if self._time is None:
            self._alpha[:] = corrected
        else:
            filter_alpha(corrected, elapsed_s, self._alpha)
        self.clean_plate.learn(self._alpha, elapsed_s, people=people)
        self._time = time
