"""The first run of a network from outside, in a process of its own with limits of memory and processor time.

From a small input, a graph can build tensors of any size or compute for hours, while ONNX Runtime loads it (constants
are folded) or while it runs. Only running it shows that: sizes are computed from values. A process of its own is ended
at its limit, whatever the library does there, and a crash of the library is an error with a message.

It takes 0.2 s of the processor beside the network's own time: nothing is imported but NumPy and ONNX Runtime.
"""

import contextlib
import io
import json
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from realtime_matte.errors import BadFile, MatteError, ModelError
from realtime_matte.models.providers import CPU
from realtime_matte.models.runtime import ORT_ERRORS, installed_runtime, session_options, short_reason

if TYPE_CHECKING:
    from realtime_matte.frame import Pixels
    from realtime_matte.models.catalog import ModelFile
    from realtime_matte.models.family import Adapter

MAX_MEMORY: Final = 1 << 30
"""Bytes, beside twice the file's: RVM needs 190 MB on its usual grid, 630 MB at 1280x720."""

MAX_PROCESSOR_S: Final = 10
"""Two frames on one thread: RVM needs 0.7 s with its start on its usual grid, 2.8 s at 1280x720."""

TIMEOUT_S: Final = 120
"""By the clock: on a busy machine a process waits for the processor, and some systems have no limit of its time."""

FRAMES = 2
"""The second one runs with the state after the first one."""

_OUT_OF_MEMORY = re.compile(r"alloc|memory", re.IGNORECASE)
_ANYWAY = "?unlimited runs it anyway"
_OTHER = f"choose another --model; {_ANYWAY}"


@dataclass(frozen=True, slots=True)
class _Run:
    """Names and values of inputs, names of outputs, and the inputs that get the values of the last outputs."""

    inputs: dict[str, Any]
    outputs: list[str]
    states: list[str]


def check_first_run(model: "ModelFile", adapter: "Adapter", pixels: "Pixels") -> None:
    """Run the first frames of a shot in a process of its own.

    Args:
        model: The network.
        adapter: Its family's.
        pixels: The frame.

    Raises:
        BadFile: ONNX Runtime cannot load it, or it reaches a limit or crashes.
        ModelError: it fails on the frame.
    """
    grids = [grid for grid in (adapter, adapter.on_base_grid) if grid]
    request = _packed(model.path, [_run_of(grid, pixels) for grid in grids])
    try:
        ended = subprocess.run(  # noqa: S603 -- our own Python
            [sys.executable, "-P", "-c", _PROGRAM, str(Path(__file__).parents[2])],
            input=request,
            capture_output=True,
            start_new_session=True,  # Ctrl-C is for the parent, which ends this process
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _too_slow(model) from error
    except OSError as error:
        raise _no_process(model, error.strerror or str(error)) from error
    if not ended.stdout:
        raise _no_answer(model, ended.returncode, ended.stderr.decode("utf-8", "replace").strip())
    stage, reason = json.loads(ended.stdout)
    if stage:
        raise _failed(model, stage, reason)


def _run_of(adapter: "Adapter", pixels: "Pixels") -> _Run:
    signature = adapter.signature((pixels.shape[1], pixels.shape[0]))
    tensor = np.zeros(signature.input_shape, signature.input_type)
    adapter.preprocessor((pixels.shape[1], pixels.shape[0]), tensor)(pixels)
    states = {state.input: np.zeros(state.shape, np.float32) for state in signature.states}
    plate = {name: np.zeros(shape, np.uint8) for name, shape in signature.plate_shapes.items()}
    outputs = [signature.output, *(state.output for state in signature.states)]
    return _Run({signature.input: tensor, **plate, **signature.constants, **states}, outputs, list(states))


def _packed(path: Path, runs: Sequence[_Run]) -> bytes:
    """A line of JSON, then the values of all inputs; arrays are numbered, as names may be anything."""
    described = [{"inputs": list(run.inputs), "outputs": run.outputs, "states": run.states} for run in runs]
    line = json.dumps({"path": str(path), "runs": described, "limits": _limits(path)})
    file = io.BytesIO()
    np.savez(file, *(value for run in runs for value in run.inputs.values()))
    return line.encode() + b"\n" + file.getvalue()


def _limits(path: Path) -> tuple[int, int]:
    """Bytes and seconds."""
    return MAX_MEMORY + 2 * path.stat().st_size, MAX_PROCESSOR_S


def _failed(model: "ModelFile", stage: str, reason: str) -> MatteError:
    if stage == "memory":
        return BadFile(f"{model.path} needs more than {MAX_MEMORY >> 20} MB of memory", hint=_OTHER)
    if stage == "load":
        hint = "export it again with an opset this program supports"
        return BadFile(f"cannot load {model.path}: {reason}", hint=hint)
    return ModelError(f"model {model.name!r} fails on its first frames: {reason}", hint="choose another --model")


def _no_answer(model: "ModelFile", status: int, printed: str) -> MatteError:
    if status < 0:
        name = signal.Signals(-status).name
        if name == "SIGXCPU":
            return _too_slow(model)
        if name == "SIGKILL":
            return BadFile(f"{model.path} needs more memory than this machine has left", hint=_OTHER)
        return BadFile(f"{model.path} makes ONNX Runtime crash ({name})", hint=_OTHER)
    if not printed:
        return BadFile(f"{model.path} makes ONNX Runtime crash (status {status})", hint=_OTHER)
    return _no_process(model, printed.rpartition("\n")[2])


def _too_slow(model: "ModelFile") -> BadFile:
    message = f"{model.path} needs more than {MAX_PROCESSOR_S} s of processor time for its first frames"
    return BadFile(message, hint=_OTHER)


def _no_process(model: "ModelFile", reason: str) -> ModelError:
    message = f"cannot start {sys.executable} for a first run of {model.path} with limits: {reason}"
    return ModelError(message, hint=_ANYWAY)


# In the process of its own

_PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from realtime_matte.models import first_run; first_run.main()"


def main() -> None:
    """Read what to run from standard input; print the stage that failed, and why; an empty one if none did."""
    line, _, values = sys.stdin.buffer.read().partition(b"\n")
    request = json.loads(line)
    arrays = iter(np.load(io.BytesIO(values)).values())
    runs = [
        _Run(dict(zip(run["inputs"], arrays, strict=False)), run["outputs"], run["states"]) for run in request["runs"]
    ]
    _limit(*request["limits"])
    print(json.dumps(_failure(request["path"], runs)))  # noqa: T201 -- to the parent


def _failure(path: str, runs: Sequence[_Run]) -> tuple[str, str]:
    stage = "load"
    try:
        options = session_options(CPU, threads=1, profile=None)
        session: Any = installed_runtime().start_session(path, options, [(CPU.key, {})])
        stage = "run"
        for run in runs:
            for _ in range(FRAMES if run.states else 1):
                _alpha, *states = session.run(run.outputs, run.inputs)
                run.inputs.update(zip(run.states, states, strict=True))
    except ORT_ERRORS as error:
        if isinstance(error, MemoryError) or _OUT_OF_MEMORY.search(str(error)):
            stage = "memory"
        return stage, short_reason(error)
    return "", ""


def _limit(memory: int, seconds: int) -> None:
    """Limit this process, as far as its system can: Windows has neither limit, macOS none of memory."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 -- not on Windows

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        pages = int(Path("/proc/self/statm").read_text().split()[0])  # mapped: libraries and stacks, mostly untouched
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + memory,) * 2)
