"""Verify that a provider runs a network correctly.

A listed provider may fail to start, fail to run, or compute wrong values.

ONNX Runtime profiles a warm-up of a few frames (which operator ran on which provider). Its alphas and the recurrent
state after it are compared with the CPU's. The frames show a person who moves and jumps: where there is no person,
alpha is 0 whatever the arithmetic. A lost input shows in the second and third alpha; a lost state hardly shows in
alpha, but in the state itself. A network that sees the clean plate is given one with the last frame again.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from realtime_matte import portrait
from realtime_matte.errors import ModelError
from realtime_matte.frame import Alpha, Pixels, PlateImage, Size
from realtime_matte.interfaces import RecurrentState
from realtime_matte.media import fit
from realtime_matte.models import onnx_file
from realtime_matte.models.catalog import ModelFile
from realtime_matte.models.engine import make_engine
from realtime_matte.models.family import Adapter, check_sizes, identify
from realtime_matte.models.onnx_file import Graph
from realtime_matte.models.providers import CPU, Provider
from realtime_matte.models.runtime import ORT_ERRORS, Runtime, short_reason
from realtime_matte.models.session import Session, Shapes, VerificationError, start_cpu_session, start_session

Result = TypeVar("Result")

WARM_UP_SIZE: Size = (1280, 720)
_CROPS = (0.0, 0.02), (0.04, 0.03), (0.2, 0.1)
"""Left and top of each frame's crop of the portrait, as parts of its sides; a crop is _CROP_WIDTH wide."""

_CROP_WIDTH = 0.8

_FACE = 0.39, 0.175, 0.49, 0.295
_BESIDE = (0.08, 0.06, 0.24, 0.22), (0.62, 0.10, 0.74, 0.28)
"""Left, top, right and bottom of a face, and of background on both sides, as parts of the portrait's sides."""

_MIN_FACE, _MAX_BESIDE = 0.7, 0.5
"""Mean alphas. Ten published and shipped networks give 1.0, and at most 0.31; the same ones with a wrong normalisation
give less than 0.6, or more than that."""

_MAX_ALPHA_DIFFERENCE = 0.02
"""Mean difference; int8, half precision and TF32 stay below 0.005."""

_MIN_PLATE_DIFFERENCE = 0.005
"""Mean difference that is rounding; a clean plate changes the alpha by much more."""

_MAX_STATE_DIFFERENCE = 0.1
"""Mean difference as a part of the state's mean; int8 stays below 0.05, a state that is lost differs by 0.3."""

_CONVOLUTIONS = {"Conv", "ConvTranspose", "FusedConv", "NhwcConv", "NhwcFusedConv"}

QUANTIZED_KEY = "rtmatte.eight_bit"
"""Key of a network's metadata: the file of its quantized model, in the same folder."""

QUANTIZED_CPU = replace(CPU, title="CPU (int8)", start_hint="install or export the network again")


@dataclass(frozen=True, slots=True)
class WarmUp:
    """Results of the warm-up: alphas, the state after the last frame by input name, time of the fastest frame.

    ``with_plate``: the alpha of the frame after that, which is the same image, of a network that sees the clean plate.
    """

    alphas: list[Alpha]
    states: dict[str, NDArray[np.float32]]
    seconds: float
    with_plate: Alpha | None = None


@dataclass(frozen=True)
class CpuReference:
    """A network and its results on the CPU, with which other providers are compared; runs there when first needed."""

    name: str
    graph: Graph
    adapter: Adapter
    runtime: Runtime
    threads: int

    @classmethod
    def read(cls, model: ModelFile, runtime: Runtime, *, threads: int) -> "CpuReference":
        """Read the file and find its family. Raises MissingFile, BadFile, ModelError, SpecError."""
        graph = onnx_file.read(model.path)
        adapter = identify(graph, model.options)
        check_sizes(model.path, adapter.signature(WARM_UP_SIZE))
        return cls(model.name, graph, adapter, runtime, threads)

    @cached_property
    def session(self) -> Session:
        """The network's session on the CPU. Raises BadFile."""
        return start_cpu_session(self.graph.path, self.runtime, threads=self.threads)

    @cached_property
    def warm_up(self) -> WarmUp:
        """The CPU session's warm-up. Raises ModelError."""
        session = self.session
        try:
            return warm_up(session, self.adapter)
        except ORT_ERRORS as error:
            message = f"model {self.name!r} fails on its first frames: {short_reason(error)}"
            raise ModelError(message, hint="choose another --model") from error


def warm_up(session: Session, adapter: Adapter) -> WarmUp:
    """Run the first frames of a shot. Raises ORT_ERRORS."""
    engine, clock = make_engine(session, adapter, WARM_UP_SIZE), session.runtime.clock
    state: RecurrentState | None = None
    alphas, times = [], []
    for pixels in warm_up_frames():
        start = clock()
        matte, state = engine.process(pixels, state)
        times.append(clock() - start)
        alphas.append(matte.alpha.copy())
    result = WarmUp(alphas, engine.state_arrays(state), min(times))
    if adapter.signature(WARM_UP_SIZE).plate is None:
        return result
    with_plate, _ = engine.process(pixels, state, WarmUpPlate())
    return replace(result, with_plate=with_plate.alpha.copy())


class WarmUpPlate:
    """A clean plate that differs from every frame: it is the negative, surer from the left to the right."""

    def fit(self, guide: Pixels, out: PlateImage) -> bool:
        """As ``PlateView.fit``."""
        np.subtract(255, guide, out=out.colours)
        out.validity[:] = np.linspace(0, 255, guide.shape[1]).astype(np.uint8)
        return True


def check_person(name: str, alphas: Sequence[Alpha]) -> None:
    """Check that a network finds the person of the sample portrait, and the background, in the warm-up's ``alphas``.

    An alpha that is 1 everywhere would show the whole background, and no other check detects that.

    Raises:
        ModelError: it does not.
    """
    for number, (alpha, corner) in enumerate(zip(alphas, _CROPS, strict=True), 1):
        face = _mean_within(alpha, _FACE, corner)
        beside = max(_mean_within(alpha, box, corner) for box in _BESIDE)
        if not (face >= _MIN_FACE and beside <= _MAX_BESIDE):
            found = f"alpha is {face:.2f} on the face and {beside:.2f} on the background of frame {number}"
            raise ModelError(
                f"model {name!r} does not find the person of the sample portrait: {found}",
                hint="give the mean, std and order that it needs, or another --model; ?unverified runs it anyway",
            )


def _mean_within(alpha: Alpha, box: tuple[float, float, float, float], corner: tuple[float, float]) -> float:
    """Mean alpha in a ``box`` of the portrait, in the crop at ``corner``; 0 where the box is outside of it."""
    rows, columns = alpha.shape
    width, height = _CROP_WIDTH, _CROP_WIDTH * WARM_UP_SIZE[1] / WARM_UP_SIZE[0]
    left, right = (min(max((x - corner[0]) / width, 0), 1) * columns for x in box[::2])
    top, bottom = (min(max((y - corner[1]) / height, 0), 1) * rows for y in box[1::2])
    part = alpha[round(top) : round(bottom), round(left) : round(right)]
    return float(part.mean()) if part.size else 0.0


def verified_session(reference: CpuReference, provider: Provider, *, cpu_s: float, max_slowdown: float) -> Session:
    """Start a network on a provider and verify its results.

    Args:
        reference: The network.
        provider: To start it on.
        cpu_s: Seconds a frame on the CPU.
        max_slowdown: Allowed time of a frame, as a factor of ``cpu_s``.

    Raises:
        VerificationError: it does not start, fails, is too slow, or computes other values.
        BadFile, ModelError: the network fails on the CPU.
    """
    adapter = reference.adapter

    def start(profile: Path) -> Session:
        return start_session(
            reference.graph.path,
            provider,
            reference.runtime,
            threads=reference.threads,
            profile=profile,
            two_grids=adapter.on_base_grid is not None,
            shapes=[_input_shapes(grid) for grid in (adapter, adapter.on_base_grid) if grid is not None],
        )

    session, actual = profiled_run(start, lambda session: warm_up(session, adapter), reference.graph)
    check_equal(actual, reference.warm_up)
    if actual.seconds > max_slowdown * cpu_s:
        raise VerificationError(
            f"it takes {1000 * actual.seconds:.1f} ms a frame, the CPU {1000 * cpu_s:.1f}",
            hint=f"--provider {provider.name} uses it anyway",
        )
    return session


def profiled_run(
    start: Callable[[Path], Session], run: Callable[[Session], Result], graph: Graph
) -> tuple[Session, Result]:
    """Start and run a session, and check by its profile that its provider, if it is not the CPU's, really ran it.

    Args:
        start: Starts it with a profile of that prefix.
        run: Runs it.
        graph: Of the network in it.

    Returns:
        The session and the result of ``run``.

    Raises:
        VerificationError: it does not start, fails, or leaves its work to the CPU.
    """
    with _profile_folder() as folder:
        session = start(Path(folder) / "profile")
        try:
            result = run(session)
        except ORT_ERRORS as error:
            raise VerificationError(short_reason(error)) from error
        finally:
            profile = Path(session.ort.end_profiling())
        if session.provider.key != CPU.key:
            _check_operators(graph, session.provider, _read_profile(profile))
    return session, result


def _input_shapes(adapter: Adapter) -> Shapes:
    """The shapes of a network's inputs for frames of the usual aspect ratio."""
    signature = adapter.signature(WARM_UP_SIZE)
    states = {state.input: state.shape for state in signature.states}
    return {signature.input: signature.input_shape} | signature.plate_shapes | states


def faster_quantized_session(reference: CpuReference) -> Session | None:
    """The network's quantized model on the CPU, verified; None if there is none or it is not faster.

    Only measuring shows whether this CPU has int8 instructions: without them int8 is slower, and sums may overflow.

    Raises:
        VerificationError: it does not start, fails, or computes other values.
    """
    name = reference.graph.metadata.get(QUANTIZED_KEY)
    path = None if name is None else reference.graph.path.with_name(Path(name).name)
    if path is None or not path.is_file():
        return None
    session = start_session(path, QUANTIZED_CPU, reference.runtime, threads=reference.threads)
    try:
        actual = warm_up(session, reference.adapter)
    except ORT_ERRORS as error:
        raise VerificationError(short_reason(error)) from error
    check_equal(actual, reference.warm_up)
    return session if actual.seconds < reference.warm_up.seconds else None


def check_equal(actual: WarmUp, expected: WarmUp) -> None:
    """Compare two warm-ups, allowing for rounding. Raises VerificationError."""
    for number, (alpha, right) in enumerate(zip(actual.alphas, expected.alphas, strict=True), 1):
        difference = _mean_magnitude(alpha - right)
        if not difference <= _MAX_ALPHA_DIFFERENCE:
            raise VerificationError(f"its alpha of warm-up frame {number} differs by {difference:.2f} from the CPU's")
    _check_plate(actual, expected)
    for name, right in expected.states.items():
        difference, magnitude = _mean_magnitude(actual.states[name] - right), _mean_magnitude(right)
        if not difference <= _MAX_STATE_DIFFERENCE * magnitude:
            percent = 100 * difference / (magnitude or 1)
            after = f"its state {name} after warm-up frame {len(_CROPS)}"
            raise VerificationError(f"{after} differs by {percent:.0f} % from the CPU's")


def _check_plate(actual: WarmUp, expected: WarmUp) -> None:
    """Compare what a clean plate changes: an input that is lost changes nothing. Raises VerificationError."""
    if actual.with_plate is None or expected.with_plate is None:
        return
    difference = _mean_magnitude(actual.with_plate - expected.with_plate)
    change = _mean_magnitude(expected.with_plate - expected.alphas[-1])
    if not difference <= max(_MIN_PLATE_DIFFERENCE, min(_MAX_ALPHA_DIFFERENCE, change / 2)):
        raise VerificationError(f"its alpha with a clean plate differs by {difference:.2f} from the CPU's")


def _mean_magnitude(values: NDArray[np.float32]) -> float:
    return float(np.abs(values).mean())


def _profile_folder() -> TemporaryDirectory[str]:
    # The error of a failed start refers to the session, which keeps its profile open, so Windows cannot delete it.
    try:
        return TemporaryDirectory(prefix="rtmatte-", ignore_cleanup_errors=True)
    except OSError as error:
        raise _no_profile(error) from error


def _read_profile(path: Path) -> list[dict[str, Any]]:
    try:
        events: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))  # incomplete on a full disk
    except (OSError, ValueError) as error:
        raise _no_profile(error) from error
    return events


def _no_profile(error: Exception) -> VerificationError:
    hint = f"free some space in {gettempdir()}, or set TMPDIR to another folder"
    return VerificationError(f"cannot write its profile ({error})", hint=hint)


def _check_operators(graph: Graph, provider: Provider, events: list[dict[str, Any]]) -> None:
    """Check that at least half of the convolutions ran on the provider, alone or fused. Raises VerificationError."""
    ran = [(event["name"], event["args"]) for event in events if event.get("cat") == "Node" and "args" in event]
    if not any(args.get("provider") == provider.key for _, args in ran):
        raise VerificationError("no operator ran on it")
    on_cpu = {name for name, args in ran if args.get("provider") == CPU.key and args.get("op_name") in _CONVOLUTIONS}
    total = sum(node.operator in _CONVOLUTIONS for node in graph.nodes)
    if 2 * len(on_cpu) > total:
        raise VerificationError(f"it left {len(on_cpu)} of {total} convolutions to the CPU")


def warm_up_frames() -> list[Pixels]:
    """Crops of the sample portrait, (720, 1280, 3)."""
    photo = portrait.sample_portrait()
    height, width = photo.shape[:2]
    columns = round(_CROP_WIDTH * width)
    rows = columns * WARM_UP_SIZE[1] // WARM_UP_SIZE[0]
    corners = [(round(left * width), round(top * height)) for left, top in _CROPS]
    return [fit.resize(photo[y : y + rows, x : x + columns], WARM_UP_SIZE) for x, y in corners]
