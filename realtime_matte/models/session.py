"""Start a network on a provider, or find out why it does not start."""

import io
import re
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import platformdirs

from realtime_matte.errors import BadFile, MatteError
from realtime_matte.models.providers import CPU, CUDA, OPENVINO, TENSORRT, Provider
from realtime_matte.models.runtime import ORT_ERRORS, OrtSession, Runtime, session_options, short_reason

_DRIVER = re.compile(r"libcuda\.so|nvcuda|driver|no CUDA-capable device", re.IGNORECASE)

Shapes: TypeAlias = Mapping[str, tuple[int, ...]]
"""The shapes of a network's inputs, by name."""


@dataclass(frozen=True, slots=True)
class Session:
    """A network started on a provider. ``second``: another session of it, for frames on a second grid."""

    ort: OrtSession
    provider: Provider
    runtime: Runtime
    second: OrtSession | None = None

    @property
    def for_second_grid(self) -> "Session":
        """The second session if there is one: cuDNN plans every convolution again when its input size changes."""
        return self if self.second is None else replace(self, ort=self.second)


class VerificationError(MatteError):
    """A provider does not start, fails, is too slow, or computes other values than the CPU."""


def start_cpu_session(path: Path, runtime: Runtime, *, threads: int) -> Session:
    """The network on the CPU. Raises BadFile: the CPU provider fails only for a file that it cannot read."""
    try:
        return start_session(path, CPU, runtime, threads=threads)
    except VerificationError as error:
        raise BadFile(
            f"cannot load {path}: {error.message}", hint="export it again with an opset this program supports"
        ) from error


def start_session(
    path: Path,
    provider: Provider,
    runtime: Runtime,
    *,
    threads: int,
    profile: Path | None = None,
    two_grids: bool = False,
    shapes: Sequence[Shapes] = (),
) -> Session:
    """The network on a provider; the CPU runs the operators that it does not support.

    Args:
        path: The .onnx file.
        provider: The provider to start it on.
        runtime: ONNX Runtime.
        threads: CPU threads.
        profile: Where the first session records which operator ran where.
        two_grids: Start a second session, since each frame runs on two grids.
        shapes: Of each session's inputs, for a provider that runs one shape only.

    Raises:
        VerificationError: it does not start on that provider.
    """
    profiles = [profile, None] if two_grids else [profile]
    chain = {TENSORRT.key: [TENSORRT, CUDA, CPU], CPU.key: [CPU]}.get(provider.key, [provider, CPU])
    missing = _preload_cuda(runtime) if provider.device == "cuda" else ""
    try:
        started = []
        for index, prefix in enumerate(profiles):
            fixed = shapes[index] if provider.static and shapes else {}
            providers = [(link.key, _provider_options(link, threads=threads, shapes=fixed)) for link in chain]
            options = session_options(provider, threads=threads, profile=prefix)
            started.append(runtime.start_session(str(path), options, providers))
        first, *second = started
    except ORT_ERRORS as error:
        raise _not_started(provider, runtime.library_error(provider) or short_reason(error)) from error
    if provider.key not in first.get_providers():
        no_device = f"it finds no {provider.chosen} on this machine" if provider.chosen else ""
        reason = missing or runtime.library_error(provider) or no_device or "ONNX Runtime gave no reason"
        raise _not_started(provider, reason)
    return Session(first, provider, runtime, *second)


def _not_started(provider: Provider, reason: str) -> VerificationError:
    driver = provider.device == "cuda" and _DRIVER.search(reason)
    return VerificationError(reason, hint="install or update the NVIDIA driver" if driver else provider.start_hint)


def _provider_options(provider: Provider, *, threads: int, shapes: Shapes) -> dict[str, str]:
    options = dict(provider.options)
    if provider is TENSORRT:  # by default it writes its engines into the working folder
        options["trt_engine_cache_path"] = str(_cache_folder() / "tensorrt")
    if provider.key == OPENVINO.key:
        options["cache_dir"] = str(_cache_folder() / "openvino")  # an NPU compiles for seconds
        if provider.chosen in {"", "CPU"}:
            options["num_of_threads"] = str(threads)  # all of them by default
        if shapes:
            sides = {name: ",".join(map(str, shape)) for name, shape in shapes.items()}
            options["reshape_input"] = ",".join(f"{name}[{side}]" for name, side in sides.items())
    return options


def _cache_folder() -> Path:
    return platformdirs.user_cache_path("realtime-matte", appauthor=False, ensure_exists=True)


def _preload_cuda(runtime: Runtime) -> str:
    """Load CUDA's libraries. Returns the first missing one with the reason; empty when all are there."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        runtime.preload_cuda()
    missing = [line for line in printed.getvalue().splitlines() if line.startswith("Failed to load")]
    return missing[0].removeprefix("Failed to load ").partition(":")[2].strip() if missing else ""
