"""Proof that a provider really runs a network: listed is not started, started is not used, used is not right.

A warm-up of a few frames is traced by ONNX Runtime itself (which operator ran on which provider). Its alphas and the
memories it leaves are compared with the CPU's. A person is in the frames, moves and jumps: where nobody is, alpha is 0
whatever the arithmetic; a lost input shows in the second and third alpha, a lost memory hardly there, but in itself.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_matte import portrait
from realtime_matte.frame import Alpha, Pixels, Size
from realtime_matte.interfaces import RecurrentState
from realtime_matte.media import image as images
from realtime_matte.models.family import Family
from realtime_matte.models.onnx_file import Graph
from realtime_matte.models.providers import CPU, Provider
from realtime_matte.models.runtime import FAILURES, Runtime, reason
from realtime_matte.models.session import Session, Unproven, start
from realtime_matte.models.two_grids import wired

WARM_UP_SIZE: Size = (1280, 720)
_VIEWS = (0.0, 0.02), (0.04, 0.03), (0.2, 0.1)
"""Left and top of each frame's view of the photograph, in its sides; a view is 0.8 wide."""

_FARTHEST = 0.02
"""Mean difference of alpha; 8 bits, half precision and TF32 stay below 0.005."""

_FARTHEST_MEMORY = 0.1
"""Mean difference of a memory, as a part of its mean; 8 bits stay below 0.05, a memory never handed on is 0.3 off."""

_CONVOLUTIONS = {"Conv", "ConvTranspose", "FusedConv", "NhwcConv", "NhwcFusedConv"}


@dataclass(frozen=True, slots=True)
class WarmUp:
    """What the warm-up's frames gave, and the memories after them by their input; ``seconds`` the quickest took."""

    alphas: list[Alpha]
    memories: dict[str, NDArray[np.float32]]
    seconds: float


def warm_up(session: Session, family: Family) -> WarmUp:
    """A few frames of a shot. Raises FAILURES."""
    engine, clock = wired(session, family, WARM_UP_SIZE), session.runtime.clock
    state: RecurrentState | None = None
    alphas, times = [], []
    for pixels in _pictures():
        start = clock()
        matte, state = engine.process(pixels, state)
        times.append(clock() - start)
        alphas.append(matte.alpha.copy())
    return WarmUp(alphas, engine.memories(state), min(times))


def proven(
    graph: Graph,
    family: Family,
    provider: Provider,
    runtime: Runtime,
    *,
    threads: int,
    on_cpu: Callable[[], WarmUp],
    cpu_s: float,
    patience: float,
) -> Session:
    """A session on a provider that was seen to give what ``on_cpu`` gives, in ``patience`` times ``cpu_s`` a frame.

    Raises:
        Unproven: with what was seen instead.
    """
    with _folder() as folder:
        twice = family.anchor is not None
        session = start(graph.path, provider, runtime, threads=threads, trace=Path(folder) / "trace", twice=twice)
        try:
            seen = warm_up(session, family)
        except FAILURES as error:
            raise Unproven(reason(error)) from error
        finally:
            trace = Path(session.native.end_profiling())
        _check_places(graph, provider, _events(trace))
    check_equal(seen, on_cpu())
    if seen.seconds > patience * cpu_s:
        raise Unproven(
            f"it takes {1000 * seen.seconds:.1f} ms a frame here, the CPU {1000 * cpu_s:.1f}",
            f"--provider {provider.name} takes it all the same",
        )
    return session


def _folder() -> TemporaryDirectory[str]:
    # A session that failed to start is kept by its error and keeps its trace open, which Windows then does not delete.
    try:
        return TemporaryDirectory(prefix="rtmatte-", ignore_cleanup_errors=True)
    except OSError as error:
        raise _untraced(error) from error


def _events(trace: Path) -> list[dict[str, Any]]:
    """What a trace holds; a full disk leaves half of one."""
    try:
        events: list[dict[str, Any]] = json.loads(trace.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _untraced(error) from error
    return events


def _untraced(error: Exception) -> Unproven:
    return Unproven(f"its trace cannot be kept ({error})", f"make room in {gettempdir()}, or let TMPDIR name a folder")


def _check_places(graph: Graph, provider: Provider, events: list[dict[str, Any]]) -> None:
    """At least half of the convolutions ran on the provider, alone or fused into nodes of its own."""
    ran = [(event["name"], event["args"]) for event in events if event.get("cat") == "Node" and "args" in event]
    if not any(args.get("provider") == provider.key for _, args in ran):
        raise Unproven("not one operator ran on it")
    left = {name for name, args in ran if args.get("provider") == CPU.key and args.get("op_name") in _CONVOLUTIONS}
    total = sum(node.operator in _CONVOLUTIONS for node in graph.nodes)
    if 2 * len(left) > total:
        raise Unproven(f"it left {len(left)} of {total} convolutions to the CPU")


def check_equal(seen: WarmUp, expected: WarmUp) -> None:
    """A warm-up gave what was expected, but for rounding. Raises Unproven."""
    for number, (alpha, right) in enumerate(zip(seen.alphas, expected.alphas, strict=True), 1):
        off = float(np.abs(alpha - right).mean())
        if not off <= _FARTHEST:
            raise Unproven(f"its alpha of warm-up frame {number} is off by {off:.2f} from the CPU's")
    for name, right in expected.memories.items():
        off, much = float(np.abs(seen.memories[name] - right).mean()), float(np.abs(right).mean())
        if not off <= _FARTHEST_MEMORY * much:
            after = f"its memory {name} after warm-up frame {len(_VIEWS)}"
            raise Unproven(f"{after} is off by {100 * off / (much or 1):.0f} % from the CPU's")


def _pictures() -> list[Pixels]:
    """Views of the photograph, one a frame."""
    photo = portrait.photo()
    height, width = photo.shape[:2]
    columns = round(0.8 * width)
    rows = columns * WARM_UP_SIZE[1] // WARM_UP_SIZE[0]
    corners = [(round(left * width), round(top * height)) for left, top in _VIEWS]
    return [images.resize(photo[y : y + rows, x : x + columns], WARM_UP_SIZE) for x, y in corners]
