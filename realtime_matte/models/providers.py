"""ONNX Runtime's execution providers by their names on the command line, and which of them can run on this machine."""

import os
import sys
from collections.abc import Collection, Mapping
from ctypes.util import find_library
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from realtime_matte.config.specs import SpecOption, parse, switch
from realtime_matte.errors import SpecError


@dataclass(frozen=True, slots=True)
class Provider:
    """One execution provider of ONNX Runtime.

    ``name``: on the command line; ``title``: in messages; ``key``: ONNX Runtime's. ``package``: of PyPI, with it.
    ``start_hint``: what to do when it does not start; ``run_hint``: when it starts and fails. ``device``: where
    recurrent state stays between frames. ``gpu``: True for one that may be fast enough for the large network.
    ``options``: of ONNX Runtime. ``on_request_only``: not tried by default, since it takes long to start. ``needs``:
    hardware that is cheap to detect. ``systems``: values of ``sys.platform`` it is built for. ``devices``: those it can
    use on request. ``chosen``: the one of them, empty for its default. ``static``: it runs tensors of one shape only.
    ``whole``: it may run the whole pipeline as one graph; ``pipeline``: that is requested.
    """

    name: str
    title: str
    key: str
    package: str
    start_hint: str = ""
    run_hint: str = ""
    device: str = "cpu"
    gpu: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    on_request_only: bool = False
    needs: str = ""
    systems: tuple[str, ...] = ("linux", "win32", "darwin")
    devices: tuple[str, ...] = ()
    chosen: str = ""
    static: bool = False
    whole: bool = False
    pipeline: bool = False

    def on(self, device: str) -> "Provider":
        """The same provider on one of its ``devices``."""
        return replace(
            self,
            title=f"{self.title} ({device})",
            options={**self.options, "device_type": device},
            start_hint=DEVICE_HINTS.get(device, self.start_hint),
            chosen=device,
            static=device == NPU,
        )


NPU: Final = "NPU"
AUTO_DEVICE: Final = "AUTO"
"""The first device that is there and computes correctly."""

DEVICE_HINTS: Final = {
    NPU: "rtmatte doctor checks /dev/accel/accel0; OpenVINO needs the NPU's driver, intel-level-zero-npu",
    "GPU": "rtmatte doctor checks /dev/dri; OpenVINO needs the GPU's driver, intel-opencl-icd",
}
"""What to do where OpenVINO does not find a device."""


SYSTEMS = {"linux": "Linux", "win32": "Windows", "darwin": "macOS"}

_CUDA_RUN_HINT = "rtmatte doctor checks whether the driver, CUDA and cuDNN fit together"

TENSORRT = Provider(
    "tensorrt",
    "TensorRT",
    "TensorrtExecutionProvider",
    "onnxruntime-gpu",
    start_hint="install TensorRT's libraries where the system finds them, or use --provider cuda",
    run_hint=_CUDA_RUN_HINT,
    device="cuda",
    gpu=True,
    options={"trt_engine_cache_enable": "1"},
    on_request_only=True,
    needs="NVIDIA GPU",
)
CUDA = Provider(
    "cuda",
    "CUDA",
    "CUDAExecutionProvider",
    "onnxruntime-gpu",
    start_hint="pip install '.[cuda]' in rtmatte's folder",
    run_hint=_CUDA_RUN_HINT,
    device="cuda",
    gpu=True,
    options={"cudnn_conv_algo_search": "HEURISTIC"},  # the exhaustive search takes seconds for each new frame size
    needs="NVIDIA GPU",
    whole=True,
)
DIRECTML = Provider(
    "directml",
    "DirectML",
    "DmlExecutionProvider",
    "onnxruntime-directml",
    start_hint="update the GPU's driver",
    gpu=True,
    systems=("win32",),
)
COREML = Provider(
    "coreml",
    "CoreML",
    "CoreMLExecutionProvider",
    "onnxruntime",
    options={"ModelFormat": "MLProgram"},
    systems=("darwin",),
)
OPENVINO = Provider(
    "openvino",
    "OpenVINO",
    "OpenVINOExecutionProvider",
    "onnxruntime-openvino",
    systems=("linux", "win32"),
    devices=(NPU, "GPU", "CPU", AUTO_DEVICE),
)
CPU = Provider("cpu", "CPU", "CPUExecutionProvider", "onnxruntime", whole=True)

PROVIDERS = (TENSORRT, CUDA, DIRECTML, COREML, OPENVINO, CPU)
"""Every provider, best first."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The properties of a machine that decide which providers can run.

    ``listed``: keys of the providers in the installed ONNX Runtime. ``nvidia``: an NVIDIA GPU was detected.
    ``system``: as ``sys.platform``.
    """

    listed: Collection[str]
    nvidia: bool
    system: str = sys.platform

    def unavailable(self, provider: Provider) -> str:
        """Why a provider cannot run here; empty when it can be tried."""
        if provider.needs and not self.nvidia:
            return f"no {provider.needs} found"
        if provider.key in self.listed:
            return ""
        if self.system in SYSTEMS and self.system not in provider.systems:
            return f"it exists only on {' and '.join(SYSTEMS[system] for system in provider.systems)}"
        return f"the installed ONNX Runtime does not include {provider.title}; pip install {provider.package} instead"

    def available(self) -> list[Provider]:
        """Every provider that can be tried, best first."""
        return [provider for provider in PROVIDERS if not self.unavailable(provider)]


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """Whether a provider can run here: ``unavailable`` says why not, and is empty when it can be tried."""

    name: str
    title: str
    unavailable: str


def list_status(machine: Machine) -> list[ProviderStatus]:
    """Every provider, best first. An available one may still fail; opening a network with it verifies it."""
    return [ProviderStatus(provider.name, provider.title, machine.unavailable(provider)) for provider in PROVIDERS]


def requested_provider(name: str, machine: Machine) -> Provider:
    """The provider of that name, which may have options: ``openvino?device=NPU``, ``cuda?pipeline``.

    Raises:
        SpecError: it is unknown, has no such option or device, or cannot run here.
    """
    available = f"available here: {', '.join(provider.name for provider in machine.available())}"
    word, mark, rest = name.partition("?")
    provider = next((provider for provider in PROVIDERS if provider.name == word.lower()), None)
    if provider is None:
        raise SpecError(f"unknown provider {word!r}", hint=available)
    if reason := machine.unavailable(provider):
        raise SpecError(f"provider {word!r} cannot run here: {reason}", hint=available)
    _, options = parse(mark + rest, _options(provider), plugin=provider.name)
    if options.get("pipeline"):
        return replace(provider, pipeline=True)
    return provider.on(options["device"]) if options.get("device") else provider


def _options(provider: Provider) -> Mapping[str, SpecOption[str] | SpecOption[bool]]:
    def device(text: str) -> str:
        if text.upper() not in provider.devices:
            raise ValueError(f"one of {', '.join(provider.devices)}")
        return text.upper()

    if provider.whole:
        return {"pipeline": SpecOption(switch, "run the whole pipeline on it, as one graph", default=False)}
    help_text = f"the device of {provider.title}: {', '.join(provider.devices)}"
    return {"device": SpecOption(device, help_text, default="")} if provider.devices else {}


def nvidia_gpu(devices: Path = Path("/dev"), *, visible: str | None = None) -> bool:
    """Whether there is an NVIDIA GPU that CUDA may use, found without loading any part of CUDA.

    ``visible``: CUDA_VISIBLE_DEVICES; None takes it from the environment.
    """
    if (os.environ.get("CUDA_VISIBLE_DEVICES") if visible is None else visible) in {"", "-1"}:
        return False
    if sys.platform == "win32":
        return find_library("nvcuda") is not None
    windows_subsystem = (devices / "dxg").exists() and Path("/usr/lib/wsl/lib/libcuda.so.1").exists()
    return windows_subsystem or any(devices.glob("nvidia[0-9]*"))
