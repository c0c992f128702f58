"""Start a network on a provider, or find out why it does not start."""

import io
import re
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

import platformdirs

from realtime_matte.errors import BadFile, MatteError
from realtime_matte.models.providers import CPU, CUDA, TENSORRT, Provider
from realtime_matte.models.runtime import ORT_ERRORS, OrtSession, Runtime, session_options, short_reason

_DRIVER = re.compile(r"libcuda\.so|nvcuda|driver|no CUDA-capable device", re.IGNORECASE)


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
) -> Session:
    """The network on a provider; the CPU runs the operators that it does not support.

    Args:
        path: The .onnx file.
        provider: The provider to start it on.
        runtime: ONNX Runtime.
        threads: CPU threads.
        profile: Where the first session records which operator ran where.
        two_grids: Start a second session, since each frame runs on two grids.

    Raises:
        VerificationError: it does not start on that provider.
    """
    profiles = [profile, None] if two_grids else [profile]
    chain = {TENSORRT.key: [TENSORRT, CUDA, CPU], CPU.key: [CPU]}.get(provider.key, [provider, CPU])
    missing = _preload_cuda(runtime) if provider.device == "cuda" else ""
    try:
        providers = [(link.key, _provider_options(link)) for link in chain]
        options = [session_options(provider, threads=threads, profile=each) for each in profiles]
        first, *second = [runtime.start_session(str(path), each, providers) for each in options]
    except ORT_ERRORS as error:
        raise _not_started(provider, runtime.library_error(provider) or short_reason(error)) from error
    if provider.key not in first.get_providers():
        reason = missing or runtime.library_error(provider) or "ONNX Runtime gave no reason"
        raise _not_started(provider, reason)
    return Session(first, provider, runtime, *second)


def _not_started(provider: Provider, reason: str) -> VerificationError:
    driver = provider.device == "cuda" and _DRIVER.search(reason)
    return VerificationError(reason, hint="install or update the NVIDIA driver" if driver else provider.start_hint)


def _provider_options(provider: Provider) -> dict[str, str]:
    options = dict(provider.options)
    if provider is TENSORRT:  # by default it writes its engines into the working folder
        cache = platformdirs.user_cache_path("realtime-matte", appauthor=False, ensure_exists=True)
        options["trt_engine_cache_path"] = str(cache / "tensorrt")
    return options


def _preload_cuda(runtime: Runtime) -> str:
    """Load CUDA's libraries. Returns the first missing one with the reason; empty when all are there."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        runtime.preload_cuda()
    missing = [line for line in printed.getvalue().splitlines() if line.startswith("Failed to load")]
    return missing[0].removeprefix("Failed to load ").partition(":")[2].strip() if missing else ""
