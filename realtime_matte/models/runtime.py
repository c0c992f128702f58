"""The only file that uses ONNX Runtime's API: the functions used, the exceptions raised, error texts shortened."""

import ctypes
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol, TypeAlias

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as native

from realtime_matte.models.providers import CUDA, DIRECTML, TENSORRT, Machine, Provider, nvidia_gpu

onnxruntime.disable_telemetry_events()  # Windows ignores the environment variable that the package sets

ORT_ERRORS: tuple[type[Exception], ...] = (
    RuntimeError,
    ValueError,
    MemoryError,
    *(kind for kind in vars(native).values() if isinstance(kind, type) and issubclass(kind, Exception)),
)
"""Every exception of ONNX Runtime: its own types have no common base, and some errors come as Python's types."""

OrtValue: TypeAlias = Any
"""A tensor on some device."""

FATAL_ONLY = 4
"""ONNX Runtime's log severity at which only messages of fatal errors are printed."""

_DEVICE_FAILURE = re.compile(r"(CUDA|CUDNN|CUBLAS) failure \d+: [^;]+|CUDA error cuda\w+: *[^;]+")
_SOURCE_LINE = re.compile(r"^\S+\.(cc|h|cpp):\d+ .*?\)\s+(?=[A-Z])")
_MAX_REASON_LENGTH = 200


class OrtBinding(Protocol):
    """ONNX Runtime's IOBinding: tensors bound to the names of inputs and outputs."""

    def bind_ortvalue_input(self, name: str, value: OrtValue, /) -> None: ...  # noqa: D102 -- ONNX Runtime's
    def bind_ortvalue_output(self, name: str, value: OrtValue, /) -> None: ...  # noqa: D102
    def bind_output(self, name: str, device: str, /) -> None: ...  # noqa: D102
    def get_outputs(self) -> Sequence[OrtValue]: ...  # noqa: D102
    def synchronize_inputs(self) -> None: ...  # noqa: D102
    def synchronize_outputs(self) -> None: ...  # noqa: D102


class OrtSession(Protocol):
    """ONNX Runtime's InferenceSession, as far as it is used."""

    def get_providers(self) -> Sequence[str]: ...  # noqa: D102
    def io_binding(self) -> OrtBinding: ...  # noqa: D102
    def run_with_iobinding(self, binding: OrtBinding, options: Any = None, /) -> None: ...  # noqa: D102, ANN401
    def end_profiling(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Runtime:
    """ONNX Runtime's functions, passed in so that a test can simulate hardware.

    ``start_session``: from a path, ``session_options`` and the providers in order, each with its options.
    ``tensor``: copies an array to a device. ``empty_tensor``: float32 of a shape, on a device. ``preload_cuda``: loads
    CUDA's libraries from their PyPI packages, and prints which are missing. ``library_error``: why a provider's shared
    library cannot be loaded; empty when it can. ``clock``: seconds.
    """

    start_session: Callable[[str, Any, Sequence[tuple[str, dict[str, str]]]], OrtSession]
    tensor: Callable[[Any, str], OrtValue]
    empty_tensor: Callable[[Sequence[int], str], OrtValue]
    preload_cuda: Callable[[], None]
    library_error: Callable[[Provider], str]
    clock: Callable[[], float]


def installed_runtime() -> Runtime:
    """The installed ONNX Runtime. Its own log is switched off: our notices report what it contains."""
    onnxruntime.set_default_logger_severity(FATAL_ONLY)
    return Runtime(_start_session, _tensor, _empty_tensor, onnxruntime.preload_dlls, _library_error, perf_counter)


def this_machine() -> Machine:
    """The providers of the installed ONNX Runtime, and this machine's GPU."""
    return Machine(frozenset(onnxruntime.get_available_providers()), nvidia_gpu())


def session_options(provider: Provider, *, threads: int, profile: Path | None) -> Any:  # noqa: ANN401 -- ONNX Runtime's
    """ONNX Runtime's SessionOptions. ``profile``: prefix of the file that records which operator ran where."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = FATAL_ONLY
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # a waiting thread must not use the CPU
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.enable_mem_pattern = provider is not DIRECTML  # which does not support it
    if profile is not None:
        options.enable_profiling, options.profile_file_prefix = True, str(profile)
    return options


def cuda_graph_run(number: int) -> Any:  # noqa: ANN401
    """ONNX Runtime's RunOptions of runs that replay the CUDA graph of that number, and record it at first.

    Each set of bound tensors needs its own: a CUDA graph holds their addresses.
    """
    options = onnxruntime.RunOptions()
    options.add_run_config_entry("gpu_graph_id", str(number))
    return options


def short_reason(error: Exception) -> str:
    """One of ``ORT_ERRORS`` in one line, without error codes and places in ONNX Runtime's source."""
    text = str(error).strip()
    if failure := _DEVICE_FAILURE.search(text):
        return failure[0].strip()
    line = next(iter(text.splitlines()), "") or type(error).__name__
    line = line.split(" : ", 3)[-1] if line.startswith("[ONNXRuntimeError]") else line
    return _SOURCE_LINE.sub("", line).strip().rstrip(".")[:_MAX_REASON_LENGTH]


def _start_session(path: str, options: Any, providers: Sequence[tuple[str, dict[str, str]]]) -> OrtSession:  # noqa: ANN401
    session: OrtSession = onnxruntime.InferenceSession(path, options, providers=providers, enable_fallback=0)
    return session


def _tensor(array: Any, device: str) -> OrtValue:  # noqa: ANN401
    return onnxruntime.OrtValue.ortvalue_from_numpy(array, device, 0)


def _empty_tensor(shape: Sequence[int], device: str) -> OrtValue:
    return onnxruntime.OrtValue.ortvalue_from_shape_and_type(shape, np.float32, device, 0)


def _library_error(provider: Provider) -> str:
    name = {CUDA.key: "cuda", TENSORRT.key: "tensorrt"}.get(provider.key)
    folder = Path(native.__file__).parent
    try:
        for part in ("shared", name) if name else ():
            for library in folder.glob(f"*onnxruntime_providers_{part}.*"):
                ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
    except OSError as error:
        return str(error)
    return ""
