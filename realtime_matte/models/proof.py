"""Proof that a provider really runs a network: listed is not started, started is not used, used is not right.

A warm-up of a few frames is traced by ONNX Runtime itself (which operator ran on which provider) and compared with the
CPU's alphas of the same frames; a memory or an input that is not handed on shows in the second and third.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np

from realtime_matte.frame import Alpha, Pixels, Size
from realtime_matte.models.engine import Engine
from realtime_matte.models.family import Family
from realtime_matte.models.graph import Graph
from realtime_matte.models.providers import CPU, Provider
from realtime_matte.models.runtime import FAILURES, Runtime, reason
from realtime_matte.models.session import Session, Unproven, start

WARM_UP_SIZE: Size = (1280, 720)
_FRAMES = 3
_FARTHEST = 0.02  # mean difference of alpha; half precision and TF32 stay below 0.005
_CONVOLUTIONS = {"Conv", "ConvTranspose", "FusedConv", "NhwcConv", "NhwcFusedConv"}


@dataclass(frozen=True, slots=True)
class WarmUp:
    """What the warm-up's frames gave; ``seconds`` the quickest took."""

    alphas: list[Alpha]
    seconds: float


def warm_up(session: Session, family: Family) -> WarmUp:
    """A few frames of a shot. Raises FAILURES."""
    engine, clock = Engine(session, family, WARM_UP_SIZE), session.runtime.clock
    state, alphas, times = None, [], []
    for pixels in _pictures():
        start = clock()
        matte, state = engine.matte(pixels, state)
        times.append(clock() - start)
        alphas.append(matte.alpha.copy())
    return WarmUp(alphas, min(times))


def proven(
    graph: Graph,
    family: Family,
    provider: Provider,
    runtime: Runtime,
    *,
    threads: int,
    on_cpu: WarmUp,
    patience: float,
) -> Session:
    """A session on a provider that was seen to run the network as the CPU does, in ``patience`` times its time.

    Raises:
        Unproven: with what was seen instead.
    """
    with TemporaryDirectory(prefix="rtmatte-") as folder:
        session = start(graph.path, provider, runtime, threads=threads, trace=Path(folder) / "trace")
        try:
            seen = warm_up(session, family)
        except FAILURES as error:
            raise Unproven(reason(error)) from error
        finally:
            trace = Path(session.native.end_profiling())
        _check_places(graph, provider, json.loads(trace.read_text("utf-8")))
    check_alphas(seen.alphas, on_cpu.alphas)
    if seen.seconds > patience * on_cpu.seconds:
        took, cpu = 1000 * seen.seconds, 1000 * on_cpu.seconds
        raise Unproven(
            f"it takes {took:.1f} ms a frame here, the CPU {cpu:.1f}",
            f"--provider {provider.name} takes it all the same",
        )
    return session


def _check_places(graph: Graph, provider: Provider, events: list[dict[str, Any]]) -> None:
    """At least half of the convolutions ran on the provider, alone or fused into nodes of its own."""
    ran = [(event["name"], event["args"]) for event in events if event.get("cat") == "Node" and "args" in event]
    if not any(args.get("provider") == provider.key for _, args in ran):
        raise Unproven("not one operator ran on it")
    left = {name for name, args in ran if args.get("provider") == CPU.key and args.get("op_name") in _CONVOLUTIONS}
    total = sum(node.operator in _CONVOLUTIONS for node in graph.nodes)
    if 2 * len(left) > total:
        raise Unproven(f"it left {len(left)} of {total} convolutions to the CPU")


def check_alphas(alphas: list[Alpha], expected: list[Alpha]) -> None:
    """A warm-up's alphas are those expected, but for rounding. Raises Unproven."""
    for number, (alpha, right) in enumerate(zip(alphas, expected, strict=True), 1):
        off = float(np.abs(alpha - right).mean())
        if not off <= _FARTHEST:
            raise Unproven(f"its alpha of warm-up frame {number} is off by {off:.2f} from the CPU's")


def _pictures() -> list[Pixels]:
    """Coarse coloured noise, another for each frame: shapes at every scale a network looks at."""
    random = np.random.default_rng(seed=1)
    coarse = random.integers(0, 256, (_FRAMES, 18, 32, 3), np.uint8)
    return [cv2.resize(picture, WARM_UP_SIZE, interpolation=cv2.INTER_CUBIC) for picture in coarse]
