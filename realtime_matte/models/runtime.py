"""The one gate to ONNX Runtime: what is used of it, what it raises, and the gist of what it says."""

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

from realtime_matte.models.providers import CUDA, TENSORRT, Machine, Provider, nvidia_gpu

onnxruntime.disable_telemetry_events()  # Windows does not go by the variable that the package sets

FAILURES: tuple[type[Exception], ...] = (
    RuntimeError,
    ValueError,
    MemoryError,
    *(kind for kind in vars(native).values() if isinstance(kind, type) and issubclass(kind, Exception)),
)
"""Everything ONNX Runtime raises: its own exceptions share no parent, and some come as Python's."""

Value: TypeAlias = Any
"""An OrtValue: a tensor on some device."""

SILENT = 4
"""ONNX Runtime's severity above which it prints: only what ends the process."""

_DEVICE_FAILURE = re.compile(r"(CUDA|CUDNN|CUBLAS) failure \d+: [^;]+|CUDA error cuda\w+: *[^;]+")
_SOURCE = re.compile(r"^\S+\.(cc|h|cpp):\d+ .*?\)\s+(?=[A-Z])")
_LONGEST = 200


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
    packages that bring them, and prints what is missing. ``library``: why a provider's own
    library does not load, empty when it does. ``clock``: seconds.
    """

    native: Callable[[str, Any, Sequence[tuple[str, dict[str, str]]]], Native]
    value: Callable[[Any, str], Value]
    empty: Callable[[Sequence[int], str], Value]
    preload: Callable[[], None]
    library: Callable[[Provider], str]
    clock: Callable[[], float]


def installed_runtime() -> Runtime:
    """The installed ONNX Runtime, its own messages off: what they say is told in our notes."""
    onnxruntime.set_default_logger_severity(SILENT)
    return Runtime(_native, _value, _empty, onnxruntime.preload_dlls, _library, perf_counter)


def this_machine() -> Machine:
    """What can run here."""
    return Machine(frozenset(onnxruntime.get_available_providers()), nvidia_gpu())


def reason(error: Exception) -> str:
    """The gist of one of ``FAILURES`` in a line: without its codes and the places in ONNX Runtime's source."""
    text = str(error).strip()
    if found := _DEVICE_FAILURE.search(text):
        return found[0].strip()
    line = next(iter(text.splitlines()), "") or type(error).__name__
    line = line.split(" : ", 3)[-1] if line.startswith("[ONNXRuntimeError]") else line
    return _SOURCE.sub("", line).strip().rstrip(".")[:_LONGEST]


def _native(path: str, options: Any, providers: Sequence[tuple[str, dict[str, str]]]) -> Native:  # noqa: ANN401
    session: Native = onnxruntime.InferenceSession(path, options, providers=providers, enable_fallback=0)
    return session


def _value(array: Any, device: str) -> Value:  # noqa: ANN401
    return onnxruntime.OrtValue.ortvalue_from_numpy(array, device, 0)


def _empty(shape: Sequence[int], device: str) -> Value:
    return onnxruntime.OrtValue.ortvalue_from_shape_and_type(shape, np.float32, device, 0)


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
