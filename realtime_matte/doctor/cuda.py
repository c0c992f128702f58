"""Whether ONNX Runtime, the NVIDIA driver, the CUDA libraries and cuDNN fit together."""

import re
from collections.abc import Iterator, Sequence
from importlib.metadata import distributions
from typing import Final

from realtime_matte.doctor.finding import Finding, ok, warning
from realtime_matte.doctor.host import Host

PART: Final = "cuda"
WHY: Final = "without a matching pair the network runs on the CPU"
UPGRADE: Final = "pip install --upgrade '.[cuda]' in rtmatte's folder"
OLDEST_DRIVER: Final = {"12": 525, "13": 580}
"""The oldest driver for each CUDA version (NVIDIA, CUDA Compatibility, table 1)."""


def nvidia(host: Host) -> Iterator[Finding]:
    """The findings for a machine with an NVIDIA GPU. Raises ImportError if ONNX Runtime is missing."""
    from realtime_matte.models.providers import nvidia_gpu

    if not nvidia_gpu(host.root / "dev", visible=host.environment.get("CUDA_VISIBLE_DEVICES", "all")):
        return
    import onnxruntime

    required = getattr(onnxruntime, "cuda_version", "") or ""
    yield from cuda(host, required=required, packages=_nvidia_packages())


def cuda(host: Host, *, required: str, packages: Sequence[tuple[str, str]]) -> Iterator[Finding]:
    """Findings about the driver and cuDNN.

    Args:
        host: The machine.
        required: The CUDA version that ONNX Runtime was built with, such as ``13.0``; empty if it has no CUDA.
        packages: Names and versions of the installed NVIDIA packages.
    """
    major = required.partition(".")[0]
    if not major:
        hint = "pip install onnxruntime-gpu instead"
        yield warning(PART, "the installed ONNX Runtime has no CUDA", hint=hint, why=WHY)
        return
    yield _driver(host, major)
    cudnn = {name.rpartition("-cu")[2]: version for name, version in packages if name.startswith("nvidia-cudnn-cu")}
    if major in cudnn:
        yield ok(PART, f"ONNX Runtime needs CUDA {required}; nvidia-cudnn-cu{major} {cudnn[major]} fits")
    elif cudnn:
        others = ", ".join(f"nvidia-cudnn-cu{other} {version}" for other, version in sorted(cudnn.items()))
        found = f"ONNX Runtime needs CUDA {required}; {others} is for another version"
        yield warning(PART, found, hint=UPGRADE, why=WHY)
    else:
        found = f"ONNX Runtime needs CUDA {required}; no cuDNN is installed by pip, so the system's must fit"
        yield warning(PART, found, hint=f"if the model falls back to the CPU: {UPGRADE}", why=WHY)


def _nvidia_packages() -> list[tuple[str, str]]:
    names = [(str(package.metadata["Name"] or "").lower(), package.version) for package in distributions()]
    return [(name, version) for name, version in names if name.startswith("nvidia-")]


def _driver(host: Host, major: str) -> Finding:
    text = host.read("proc/driver/nvidia/version") or _nvidia_smi(host)
    version = re.search(r"\b(\d{3,})\.\d+(\.\d+)?\b", text)
    if version is None:
        return warning(PART, "cannot read the version of the NVIDIA driver", hint="see nvidia-smi", why=WHY)
    oldest = OLDEST_DRIVER.get(major, 0)
    if int(version[1]) < oldest:
        found = f"NVIDIA driver {version[0]} is too old for CUDA {major}"
        return warning(PART, found, hint=f"update it to {oldest} or newer, and restart", why=WHY)
    return ok(PART, f"NVIDIA driver {version[0]}")


def _nvidia_smi(host: Host) -> str:
    answer = host.ask(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"])
    return answer.text if answer and answer.status == 0 else ""
