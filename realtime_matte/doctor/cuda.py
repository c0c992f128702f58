"""Whether ONNX Runtime, the NVIDIA driver, CUDA's libraries and cuDNN fit together."""

import re
from collections.abc import Iterator, Sequence
from importlib.metadata import distributions
from typing import Final

from realtime_matte.doctor.finding import Finding, good
from realtime_matte.doctor.host import Host

PART: Final = "cuda"
WHY: Final = "without a pair that fits, the network runs on the CPU"
MEND: Final = "pip install --upgrade '.[cuda]' in rtmatte's folder"
DRIVERS: Final = {"12": 525, "13": 580}
"""The oldest driver for each CUDA (NVIDIA, CUDA Compatibility, table 1)."""


def cuda(host: Host, *, wanted: str, packages: Sequence[tuple[str, str]]) -> Iterator[Finding]:
    """``wanted``: the CUDA that ONNX Runtime was built with, such as ``13.0``; ``packages``: names and versions."""
    major = wanted.partition(".")[0]
    if not major:
        found, mend = "the installed ONNX Runtime has no CUDA", "pip install onnxruntime-gpu in its place"
        yield Finding(PART, "warning", found, mend, WHY)
        return
    yield _driver(host, major)
    cudnn = {name.rpartition("-cu")[2]: version for name, version in packages if name.startswith("nvidia-cudnn-cu")}
    if major in cudnn:
        yield good(PART, f"ONNX Runtime wants CUDA {wanted}; nvidia-cudnn-cu{major} {cudnn[major]} is for that")
    elif cudnn:
        others = ", ".join(f"nvidia-cudnn-cu{other} {version}" for other, version in sorted(cudnn.items()))
        yield Finding(PART, "warning", f"ONNX Runtime wants CUDA {wanted}; {others} is for another", MEND, WHY)
    else:
        found = f"ONNX Runtime wants CUDA {wanted}; no cuDNN came by pip, so the system's own has to fit"
        yield Finding(PART, "warning", found, f"{MEND} where the model falls back to the CPU", WHY)


def installed() -> list[tuple[str, str]]:
    """NVIDIA's packages."""
    named = [(str(one.metadata["Name"] or "").lower(), one.version) for one in distributions()]
    return [(name, version) for name, version in named if name.startswith("nvidia-")]


def _driver(host: Host, major: str) -> Finding:
    told = host.read("proc/driver/nvidia/version") or _smi(host)
    version = re.search(r"\b(\d{3,})\.\d+(\.\d+)?\b", told)
    if version is None:
        return Finding(PART, "warning", "the version of the NVIDIA driver cannot be read", "nvidia-smi tells it", WHY)
    oldest = DRIVERS.get(major, 0)
    if int(version[1]) < oldest:
        found = f"NVIDIA driver {version[0]} is too old for CUDA {major}"
        return Finding(PART, "warning", found, f"update it to {oldest} or newer, and restart", WHY)
    return good(PART, f"NVIDIA driver {version[0]}")


def _smi(host: Host) -> str:
    answer = host.ask(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"])
    return answer.text if answer and answer.status == 0 else ""
