"""Networks with one interface for scoring, and the public networks of a folder.

The models of the package: package_models.py.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from statistics import median
from time import thread_time
from types import ModuleType
from typing import Protocol, TypeAlias

from clips import KnownRoom
from metrics import Alpha, Pixels

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read when ONNX Runtime is loaded

Cutout: TypeAlias = tuple[Alpha, Pixels]
"""A frame's alpha and the foreground's colours, both of the frame's size."""


class CutOut(Protocol):
    """The cut-outs of one clip's frames, in order."""

    def __call__(self, frames: Iterable[Pixels], plate: KnownRoom | None, /) -> Iterator[Cutout]:
        """``plate``: the clip's clean plate, for networks that can use it."""


@dataclass(frozen=True, slots=True)
class ScoredNetwork:
    """A network under a name. ``cut_out``: of one clip; ``work``: on one frame, to be timed."""

    name: str
    cut_out: CutOut
    work: Callable[[Pixels], object]

    def alphas(self, frames: Sequence[Pixels], plate: KnownRoom | None = None) -> list[Alpha]:
        """The alpha of each frame of a clip, which a network that can use it gets the clean plate of."""
        return [alpha for alpha, _ in self.cut_out(frames, plate)]

    def ms(self, frame: Pixels, repeats: int = 30) -> float:
        """Median processor time of the work on a frame, which all runs in this thread, after a warm-up."""
        for _ in range(5):
            self.work(frame)
        return median(self._seconds(frame) for _ in range(repeats)) * 1e3

    def _seconds(self, frame: Pixels) -> float:
        start = thread_time()
        self.work(frame)
        return thread_time() - start


def peers(folder: Path, names: Sequence[str] = ()) -> list[ScoredNetwork]:
    """The networks of a folder with a peers.py, which has NAMES and ``load(name, threads=1)``; all unless named.

    A peer is called with a (H, W, 3) BGR frame and returns its (H, W) alpha. ``reset()`` starts a clip;
    ``network_only()`` returns a function that runs the bare network once.

    Raises:
        FileNotFoundError: no such folder.
        ValueError: no such peer.
    """
    module = _peers_module(folder)
    unknown = sorted(set(names) - set(module.NAMES))
    if unknown:
        raise ValueError(f"no peer called {unknown[0]!r} in {folder}; there are: {', '.join(module.NAMES)}")
    return [_peer(name, module) for name in module.NAMES if name in (names or module.NAMES)]


def _peers_module(folder: Path) -> ModuleType:
    file = folder / "peers.py"
    spec = spec_from_file_location("peers_of_folder", file)
    if not file.is_file() or spec is None or spec.loader is None:
        raise FileNotFoundError(f"no {file}; --peers names a folder whose peers.py loads public networks")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _peer(name: str, module: ModuleType) -> ScoredNetwork:
    peer = module.load(name, threads=1)

    def cut_out(frames: Iterable[Pixels], _: KnownRoom | None) -> Iterator[Cutout]:
        peer.reset()
        for frame in frames:
            yield peer(frame), frame

    network_only = peer.network_only()
    return ScoredNetwork(name, cut_out, lambda _: network_only())
