"""Networks as they are scored, all by one interface, and the peers of a folder. Those of the package: own.py."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from statistics import median
from time import thread_time
from types import ModuleType
from typing import TypeAlias

from metrics import Alpha, Pixels

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read when ONNX Runtime loads

Look: TypeAlias = tuple[Alpha, Pixels]
"""A frame's alpha and the person's colours, both of the frame's size."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A network under a name. ``looks``: of one clip's frames, in order; ``work``: one frame's, to be timed."""

    name: str
    looks: Callable[[Iterable[Pixels]], Iterator[Look]]
    work: Callable[[Pixels], object]

    def alphas(self, frames: Sequence[Pixels]) -> list[Alpha]:
        """The alpha of each frame of a clip."""
        return [alpha for alpha, _ in self.looks(frames)]

    def ms(self, frame: Pixels, rounds: int = 30) -> float:
        """Median processor time of the work on a frame, all of it in this thread; the first turns are not counted."""
        for _ in range(5):
            self.work(frame)
        return median(self._seconds(frame) for _ in range(rounds)) * 1e3

    def _seconds(self, frame: Pixels) -> float:
        start = thread_time()
        self.work(frame)
        return thread_time() - start


def peers(folder: Path, names: Sequence[str] = ()) -> list[Contender]:
    """The networks of a folder with a peers.py (NAMES and ``load(name, threads=1)``); all of them unless named.

    A peer gives a (H, W) alpha for a (H, W, 3) BGR frame, has ``reset()``, which starts a clip, and ``network_only()``,
    whose result runs the bare network once.

    Raises:
        FileNotFoundError: no such folder.
        ValueError: no such peer.
    """
    module = _loader(folder)
    unknown = sorted(set(names) - set(module.NAMES))
    if unknown:
        raise ValueError(f"no peer called {unknown[0]!r} in {folder}; there are: {', '.join(module.NAMES)}")
    return [_peer(name, module) for name in module.NAMES if name in (names or module.NAMES)]


def _loader(folder: Path) -> ModuleType:
    file = folder / "peers.py"
    spec = spec_from_file_location("peers_of_folder", file)
    if not file.is_file() or spec is None or spec.loader is None:
        raise FileNotFoundError(f"no {file}; --peers names a folder whose peers.py loads public networks")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _peer(name: str, module: ModuleType) -> Contender:
    peer = module.load(name, threads=1)

    def looks(frames: Iterable[Pixels]) -> Iterator[Look]:
        peer.reset()
        for frame in frames:
            yield peer(frame), frame

    bare = peer.network_only()
    return Contender(name, looks, lambda _: bare())
