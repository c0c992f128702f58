"""Models of the package for scoring: the network alone, or followed by the refiner."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

import cv2
import numpy as np
from clips import KnownRoom
from metrics import Pixels
from networks import Cutout, ScoredNetwork

from realtime_matte import models
from realtime_matte.frame import Frame, Matte, PlateImage, RefinedMatte, Size
from realtime_matte.interfaces import Network, PlateNetwork, PlateView, RecurrentState

FPS: Final = 30
"""The frames' times are counted at this rate, independent of the clip's own."""


class Finisher(Protocol):
    """From a network's mattes to mattes of the frames' size."""

    def refine(self, frame: Frame, matte: Matte) -> Matte | RefinedMatte:
        """The matte of the frame's size."""


@runtime_checkable
class PlateLearner(PlateView, Protocol):
    """A finisher that learns the clean plate of the shot, or is given it."""

    def install(self, guide: Pixels, plate: PlateView) -> bool:
        """Begin the shot with ``plate``; ``guide``: a frame on the network's grid."""


def open_network(spec: str) -> Network:
    """A model by name or path, on the CPU with one thread. Raises as ``realtime_matte.models.open``."""
    return models.open(spec, provider="cpu", threads=1)


def coarse(spec: str, network: Network) -> ScoredNetwork:
    """The network of a spec alone, its alpha enlarged linearly, as the peers' is."""
    return _scored(Path(spec).name, network, Enlarger)


def refined(spec: str, network: Network) -> ScoredNetwork:
    """The network of a spec with the refiner, as the program runs it.

    A network that sees the clean plate is given the one that the refiner learns; the plate of a clip is learned before
    its first frame, as by ``rtmatte ctl calibrate``.
    """
    return _scored(f"{Path(spec).name} + refiner", network, _refiner)


@dataclass(slots=True)
class _Shot:
    """Processes one clip's frames in order, all of one size."""

    network: Network
    make_finisher: Callable[[Size], Finisher]
    state: RecurrentState | None = None
    finisher: Finisher | None = None
    count: int = 0
    plate: "GivenPlate | None" = None

    def __call__(self, pixels: Pixels) -> Cutout:
        frame = Frame(np.ascontiguousarray(pixels), self.count / FPS, self.count)
        finisher = self.finisher = self.finisher or self.make_finisher(frame.size)
        self.count += 1
        matte, self.state = self._process(frame, finisher)
        full = finisher.refine(frame, matte)
        return full.alpha.copy(), pixels if full.foreground is None else full.foreground.copy()

    def _process(self, frame: Frame, finisher: Finisher) -> tuple[Matte, RecurrentState]:
        if not isinstance(self.network, PlateNetwork) or not self.network.sees_plate:
            return self.network.process(frame, self.state)
        if not isinstance(finisher, PlateLearner):
            return self.network.process(frame, self.state, self.plate)
        if self.plate and self.count == 1:
            matte, _ = self.network.process(frame, None)
            if matte.guide is not None:
                finisher.install(matte.guide, self.plate)
        return self.network.process(frame, self.state, finisher)


class GivenPlate:
    """A ``PlateView`` that is given, not learned: at the size of the network's input, otherwise as it is."""

    def __init__(self, room: KnownRoom) -> None:
        self._room = room

    def fit(self, guide: Pixels, out: PlateImage) -> bool:
        """Write the plate at the guide's size; the frame's own light and place are ignored."""
        cv2.resize(self._room.colours, guide.shape[1::-1], dst=out.colours, interpolation=cv2.INTER_AREA)
        cv2.resize(self._room.validity, guide.shape[1::-1], dst=out.validity, interpolation=cv2.INTER_AREA)
        return True


class Enlarger:
    """Enlarges alpha linearly to ``size``."""

    def __init__(self, size: Size) -> None:
        self._size = size

    def refine(self, frame: Frame, matte: Matte) -> Matte:  # noqa: ARG002 - as of ``Finisher``
        """The enlarged matte."""
        return Matte(cv2.resize(matte.alpha, self._size).astype(np.float32, copy=False))


def _scored(name: str, network: Network, make_finisher: Callable[[Size], Finisher]) -> ScoredNetwork:
    def cut_out(frames: Iterable[Pixels], plate: KnownRoom | None) -> Iterator[Cutout]:
        return map(_Shot(network, make_finisher, plate=GivenPlate(plate) if plate else None), frames)

    return ScoredNetwork(name, cut_out, _Shot(network, make_finisher))


def _refiner(size: Size) -> Finisher:
    from realtime_matte.render.refine import Refiner  # noqa: PLC0415 - Numba compiles its loops

    return Refiner(size)
