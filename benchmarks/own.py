"""Models of the package as they are scored: alone, or with the refiner after them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from metrics import Pixels
from networks import Contender, Look

from realtime_matte import models
from realtime_matte.frame import Frame, Matte, RefinedMatte, Size
from realtime_matte.interfaces import Network, RecurrentState

FPS = 30
"""What the frames' times are told at, whatever the clip was filmed at."""

Finish: TypeAlias = Callable[[Frame, Matte], Matte | RefinedMatte]
"""From the network's matte to one of the frame's size."""


def open_network(spec: str) -> Network:
    """A model by name or path, on the CPU with one thread. Raises what ``realtime_matte.models.open`` raises."""
    return models.open(spec, provider="cpu", threads=1)


def coarse(spec: str, network: Network) -> Contender:
    """The network of a spec alone, its alpha enlarged linearly, as the peers' is."""
    return _contender(Path(spec).name, network, _enlarger)


def refined(spec: str, network: Network) -> Contender:
    """The network of a spec with the refiner, as the program runs it."""
    return _contender(f"{Path(spec).name} + refiner", network, _refiner)


@dataclass(slots=True)
class _Shot:
    """One clip's frames, in order, each to its look. All frames have one size."""

    network: Network
    finisher: Callable[[Size], Finish]
    state: RecurrentState | None = None
    finish: Finish | None = None
    count: int = 0

    def __call__(self, pixels: Pixels) -> Look:
        frame = Frame(np.ascontiguousarray(pixels), self.count / FPS, self.count)
        matte, self.state = self.network.process(frame, self.state)
        self.finish, self.count = self.finish or self.finisher(frame.size), self.count + 1
        full = self.finish(frame, matte)
        return full.alpha.copy(), pixels if full.foreground is None else full.foreground.copy()


def _contender(name: str, network: Network, finisher: Callable[[Size], Finish]) -> Contender:
    def looks(frames: Iterable[Pixels]) -> Iterator[Look]:
        return map(_Shot(network, finisher), frames)

    return Contender(name, looks, _Shot(network, finisher))


def _enlarger(size: Size) -> Finish:
    def enlarge(_: Frame, matte: Matte) -> Matte:
        return Matte(cv2.resize(matte.alpha, size).astype(np.float32, copy=False))

    return enlarge


def _refiner(size: Size) -> Finish:
    from realtime_matte.render.refine import Refiner  # noqa: PLC0415 - compiles its loops

    finish: Finish = Refiner(size).refine
    return finish
