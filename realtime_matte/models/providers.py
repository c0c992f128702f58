"""ONNX Runtime's execution providers as users name them, and which can run on this machine at all."""

import os
import sys
from collections.abc import Collection, Mapping
from ctypes.util import find_library
from dataclasses import dataclass, field
from pathlib import Path

from realtime_matte.errors import SpecError


@dataclass(frozen=True, slots=True)
class Provider:
    """One way to run a network.

    ``key``: ONNX Runtime's name. ``mend``: what to do where it does not start; ``check``: where it starts and
    fails. ``device``: where it keeps a network's memories between frames. ``gpu``: it is one, and has time for a larger
    network. ``only_asked``: takes too long to start for anybody who did not ask. ``needs``: hardware that can be looked
    for cheaply. ``systems``: as ``sys.platform`` names those it is made for.
    """

    name: str
    title: str
    key: str
    package: str
    mend: str = ""
    check: str = ""
    device: str = "cpu"
    gpu: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    only_asked: bool = False
    needs: str = ""
    systems: tuple[str, ...] = ("linux", "win32", "darwin")


SYSTEMS = {"linux": "Linux", "win32": "Windows", "darwin": "macOS"}

_FIT = "rtmatte doctor tells whether the driver, CUDA and cuDNN fit together"

TENSORRT = Provider(
    "tensorrt",
    "TensorRT",
    "TensorrtExecutionProvider",
    "onnxruntime-gpu",
    mend="install TensorRT so that its libraries are found, or take --provider cuda",
    check=_FIT,
    device="cuda",
    gpu=True,
    options={"trt_engine_cache_enable": "1"},
    only_asked=True,
    needs="NVIDIA GPU",
)
CUDA = Provider(
    "cuda",
    "CUDA",
    "CUDAExecutionProvider",
    "onnxruntime-gpu",
    mend="pip install '.[cuda]' in rtmatte's folder",
    check=_FIT,
    device="cuda",
    gpu=True,
    options={"cudnn_conv_algo_search": "HEURISTIC"},  # the exhaustive search takes seconds for each new frame size
    needs="NVIDIA GPU",
)
DIRECTML = Provider(
    "directml",
    "DirectML",
    "DmlExecutionProvider",
    "onnxruntime-directml",
    mend="update the GPU's driver",
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
    "openvino", "OpenVINO", "OpenVINOExecutionProvider", "onnxruntime-openvino", systems=("linux", "win32")
)
CPU = Provider("cpu", "CPU", "CPUExecutionProvider", "onnxruntime")

PROVIDERS = (TENSORRT, CUDA, DIRECTML, COREML, OPENVINO, CPU)
"""Best first."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is: the providers the installed ONNX Runtime lists, and whether an NVIDIA GPU can be seen.

    ``system``: as ``sys.platform`` names it.
    """

    listed: Collection[str]
    nvidia: bool
    system: str = sys.platform

    def lacks(self, provider: Provider) -> str:
        """Why a provider cannot run here; empty when it can."""
        if provider.needs and not self.nvidia:
            return f"no {provider.needs} can be seen"
        if provider.key in self.listed:
            return ""
        if self.system in SYSTEMS and self.system not in provider.systems:
            return f"it is there on {' and '.join(SYSTEMS[system] for system in provider.systems)} alone"
        return f"the installed ONNX Runtime has none; pip install {provider.package} in its place"

    def possible(self) -> list[Provider]:
        """Every provider worth a try, best first."""
        return [provider for provider in PROVIDERS if not self.lacks(provider)]


@dataclass(frozen=True, slots=True)
class Standing:
    """How one provider stands here: ``lacks`` says why it cannot run, and is empty when it is worth a try."""

    name: str
    title: str
    lacks: str


def standings(machine: Machine) -> list[Standing]:
    """Every provider, best first. That one is listed is no proof that it runs: opening a network is."""
    return [Standing(provider.name, provider.title, machine.lacks(provider)) for provider in PROVIDERS]


def asked(name: str, machine: Machine) -> Provider:
    """The provider a user names. Raises SpecError when it is unknown, or cannot run here."""
    possible = ", ".join(provider.name for provider in machine.possible())
    provider = next((provider for provider in PROVIDERS if provider.name == name.lower()), None)
    if provider is None:
        raise SpecError(f"no provider called {name!r}", hint=f"possible here: {possible}")
    if lacks := machine.lacks(provider):
        raise SpecError(f"provider {name!r} cannot run here: {lacks}", hint=f"possible here: {possible}")
    return provider


def nvidia_gpu(devices: Path = Path("/dev"), *, hidden: str | None = None) -> bool:
    """Whether an NVIDIA GPU can be seen, without loading anything of CUDA. ``hidden``: CUDA_VISIBLE_DEVICES."""
    if (os.environ.get("CUDA_VISIBLE_DEVICES") if hidden is None else hidden) in {"", "-1"}:
        return False
    if sys.platform == "win32":
        return find_library("nvcuda") is not None
    windows_subsystem = (devices / "dxg").exists() and Path("/usr/lib/wsl/lib/libcuda.so.1").exists()
    return windows_subsystem or any(devices.glob("nvidia[0-9]*"))
