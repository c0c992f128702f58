"""A network started on a provider, or the reason why it was not."""

import io
import re
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import onnxruntime
import platformdirs

from realtime_matte.errors import BadFile
from realtime_matte.models.providers import CPU, CUDA, DIRECTML, TENSORRT, Provider
from realtime_matte.models.runtime import FAILURES, SILENT, Native, Runtime, reason

_DRIVER = re.compile(r"libcuda\.so|nvcuda|driver|no CUDA-capable device", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Session:
    """A network started on a provider. ``again``: once more, for frames of another size at the same time."""

    native: Native
    provider: Provider
    runtime: Runtime
    again: Native | None = None

    @property
    def other(self) -> "Session":
        """For a second grid: a GPU's library plans every convolution anew whenever the size of its input changes."""
        return self if self.again is None else replace(self, native=self.again)


class Unproven(Exception):
    """A provider did not start, or not do as the CPU does: what was seen, and the mend if there is one."""

    def __init__(self, seen: str, mend: str = "") -> None:
        super().__init__(seen)
        self.mend = mend


def start_cpu(path: Path, runtime: Runtime, *, threads: int) -> Session:
    """The network on the CPU. Raises BadFile: nothing else keeps it from starting there."""
    try:
        return start(path, CPU, runtime, threads=threads)
    except Unproven as error:
        raise BadFile(
            f"{path} cannot be loaded: {error}", hint="export it again with an opset this program knows"
        ) from error


def start(
    path: Path,
    provider: Provider,
    runtime: Runtime,
    *,
    threads: int,
    trace: Path | None = None,
    twice: bool = False,
) -> Session:
    """The network on a provider, CPU taking what it leaves. ``trace``: where to record what runs where.

    ``twice``: with another session for a second grid, where each frame is run on two.

    Raises:
        Unproven
    """
    options = [_options(provider, threads, each) for each in ([trace, None] if twice else [trace])]
    chain = {TENSORRT.key: [TENSORRT, CUDA, CPU], CPU.key: [CPU]}.get(provider.key, [provider, CPU])
    missing = _preload(runtime) if provider.device == "cuda" else ""
    try:
        links = [(link.key, _provider_options(link)) for link in chain]
        started, *again = [runtime.native(str(path), each, links) for each in options]
    except FAILURES as error:
        raise _not_started(provider, runtime.library(provider) or reason(error)) from error
    if provider.key not in started.get_providers():
        raise _not_started(provider, missing or runtime.library(provider) or "ONNX Runtime gave no reason")
    return Session(started, provider, runtime, *again)


def _not_started(provider: Provider, seen: str) -> Unproven:
    driver = provider.device == "cuda" and _DRIVER.search(seen)
    return Unproven(seen, "install or update the NVIDIA driver" if driver else provider.mend)


def _provider_options(provider: Provider) -> dict[str, str]:
    options = dict(provider.options)
    if provider is TENSORRT:  # its engines would land in the working folder
        cache = platformdirs.user_cache_path("realtime-matte", appauthor=False, ensure_exists=True)
        options["trt_engine_cache_path"] = str(cache / "tensorrt")
    return options


def _options(provider: Provider, threads: int, trace: Path | None) -> Any:  # noqa: ANN401 -- ONNX Runtime's
    options = onnxruntime.SessionOptions()
    options.log_severity_level = SILENT
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # a waiting thread must cost nothing
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.enable_mem_pattern = provider is not DIRECTML  # which refuses it
    if trace is not None:
        options.enable_profiling, options.profile_file_prefix = True, str(trace)
    return options


def _preload(runtime: Runtime) -> str:
    """Load CUDA's libraries; the first that is missing, or nothing."""
    told = io.StringIO()
    with redirect_stdout(told):
        runtime.preload()
    missing = [line for line in told.getvalue().splitlines() if line.startswith("Failed to load")]
    return missing[0].removeprefix("Failed to load ").partition(":")[2].strip() if missing else ""
