"""The one gate to ONNX Runtime: starting a session on a provider, and saying why it did not start."""

import ctypes
import io
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol, TypeAlias

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as native

from realtime_matte.errors import BadFile
from realtime_matte.models.providers import CPU, CUDA, DIRECTML, TENSORRT, Machine, Provider, nvidia_gpu

FAILURES: tuple[type[Exception], ...] = (
    RuntimeError,
    ValueError,
    MemoryError,
    *(kind for kind in vars(native).values() if isinstance(kind, type) and issubclass(kind, Exception)),
)
"""Everything ONNX Runtime raises: its own exceptions share no parent, and some come as Python's."""

Value: TypeAlias = Any
"""An OrtValue: a tensor on some device."""

_SILENT = 4
_REASON_LENGTH = 200


class Binding(Protocol):
    """A session's tensors, bound to names."""

    def bind_ortvalue_input(self, name: str, value: Value, /) -> None: ...  # noqa: D102 -- ONNX Runtime's
    def bind_ortvalue_output(self, name: str, value: Value, /) -> None: ...  # noqa: D102
    def bind_output(self, name: str, device: str, /) -> None: ...  # noqa: D102
    def get_outputs(self) -> Sequence[Value]: ...  # noqa: D102
    def synchronize_inputs(self) -> None: ...  # noqa: D102
    def synchronize_outputs(self) -> None: ...  # noqa: D102


class Native(Protocol):
    """ONNX Runtime's InferenceSession, as far as it is used."""

    def get_providers(self) -> Sequence[str]: ...  # noqa: D102
    def io_binding(self) -> Binding: ...  # noqa: D102
    def run_with_iobinding(self, binding: Binding, /) -> None: ...  # noqa: D102
    def end_profiling(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Runtime:
    """ONNX Runtime's own functions, passed in so that a test can play the hardware.

    ``native``: starts a session from a path, its options and the providers in order. ``value``: a tensor on a device,
    from an array. ``empty``: a float32 tensor of a shape, on a device. ``preload``: loads CUDA's libraries from the
    packages that bring them, and prints what is missing. ``clock``: seconds.
    """

    native: Callable[[str, Any, Sequence[tuple[str, dict[str, str]]]], Native]
    value: Callable[[Any, str], Value]
    empty: Callable[[Sequence[int], str], Value]
    preload: Callable[[], None]
    clock: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Session:
    """A network started on a provider."""

    native: Native
    provider: Provider
    runtime: Runtime


class Unproven(Exception):
    """A provider did not start, or did not do as the CPU; the message says what was seen."""


class TooSlow(Unproven):
    """A provider does as the CPU, and takes longer for it."""


def installed_runtime() -> Runtime:
    """The installed ONNX Runtime, its own messages off: what they say is told in our notes."""
    onnxruntime.set_default_logger_severity(_SILENT)
    return Runtime(_native, _value, _empty, onnxruntime.preload_dlls, perf_counter)


def this_machine() -> Machine:
    """What can run here."""
    return Machine(frozenset(onnxruntime.get_available_providers()), nvidia_gpu())


def start_cpu(path: Path, runtime: Runtime, *, threads: int) -> Session:
    """The network on the CPU. Raises BadFile: nothing else keeps it from starting there."""
    try:
        return start(path, CPU, runtime, threads=threads)
    except Unproven as error:
        raise BadFile(f"{path} cannot be loaded: {error}; export it again with an opset this program knows") from error


def start(path: Path, provider: Provider, runtime: Runtime, *, threads: int, trace: Path | None = None) -> Session:
    """The network on a provider, CPU taking what it leaves. ``trace``: where to record what runs where.

    Raises:
        Unproven
    """
    options = _options(provider, threads, trace)
    chain = {TENSORRT.key: [TENSORRT, CUDA, CPU], CPU.key: [CPU]}.get(provider.key, [provider, CPU])
    missing = _preload(runtime) if provider.device == "cuda" else ""
    try:
        started = runtime.native(str(path), options, [(link.key, dict(link.options)) for link in chain])
    except FAILURES as error:
        raise Unproven(reason(error)) from error
    if provider.key not in started.get_providers():
        raise Unproven(missing or _library(provider) or "ONNX Runtime left it out and gave no reason")
    return Session(started, provider, runtime)


def reason(error: Exception) -> str:
    """The gist of one of ``FAILURES``: a line, without ONNX Runtime's own prefixes."""
    line = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
    line = line.rpartition(" : ")[2] if line.startswith("[ONNXRuntimeError]") else line
    return line.strip().rstrip(".")[:_REASON_LENGTH]


def _options(provider: Provider, threads: int, trace: Path | None) -> Any:  # noqa: ANN401 -- ONNX Runtime's
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _SILENT
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # a waiting thread must cost nothing
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.enable_mem_pattern = provider is not DIRECTML  # which refuses it
    if trace is not None:
        options.enable_profiling, options.profile_file_prefix = True, str(trace)
    return options


def _native(path: str, options: Any, providers: Sequence[tuple[str, dict[str, str]]]) -> Native:  # noqa: ANN401
    session: Native = onnxruntime.InferenceSession(path, options, providers=providers, enable_fallback=0)
    return session


def _value(array: Any, device: str) -> Value:  # noqa: ANN401
    return onnxruntime.OrtValue.ortvalue_from_numpy(array, device, 0)


def _empty(shape: Sequence[int], device: str) -> Value:
    return onnxruntime.OrtValue.ortvalue_from_shape_and_type(shape, np.float32, device, 0)


def _preload(runtime: Runtime) -> str:
    """Load CUDA's libraries; the first that is missing, or nothing."""
    told = io.StringIO()
    with redirect_stdout(told):
        runtime.preload()
    missing = [line for line in told.getvalue().splitlines() if line.startswith("Failed to load")]
    return missing[0].removeprefix("Failed to load ").partition(":")[2].strip() if missing else ""


def _library(provider: Provider) -> str:
    """Why a provider's own library does not load; empty when it does, or has none."""
    name = {CUDA.key: "cuda", TENSORRT.key: "tensorrt"}.get(provider.key)
    folder = Path(native.__file__).parent
    try:
        for part in ("shared", name) if name else ():
            for library in folder.glob(f"*onnxruntime_providers_{part}.*"):
                ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
    except OSError as error:
        return str(error)
    return ""
