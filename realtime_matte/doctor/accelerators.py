"""Checks of NPUs and integrated GPUs, which OpenVINO can use: driver and permissions."""

import os
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from realtime_matte.doctor.devices import refused
from realtime_matte.doctor.finding import Finding, ok
from realtime_matte.doctor.host import Host

PACKAGE: Final = "onnxruntime-openvino"
KINDS: Final = {"NPU": ("accel", "accel/accel[0-9]*"), "GPU": ("drm", "dri/renderD[0-9]*")}
"""Class of each kind's devices in /sys, and their files in /dev: the kernel makes them once it has a driver."""

WHY: Final = "the network cannot run on it with --provider openvino?device={kind}"


def accelerators(host: Host, *, openvino: bool | None = None) -> Iterator[Finding]:
    """Whether this user may use each kind of device. An NPU is named in any case, a GPU only if OpenVINO is installed.

    ``openvino``: whether it is; None: look.
    """
    openvino = _installed() if openvino is None else openvino
    for kind, (sys_class, pattern) in KINDS.items():
        devices = sorted((host.root / "dev").glob(pattern))
        if not devices or (kind == "GPU" and not openvino):
            continue
        name = f"{devices[0]}{_driver(host, sys_class, devices[0])}"
        forbidden = [device for device in devices if not host.access(device, os.R_OK | os.W_OK)]
        if not openvino:
            yield ok(kind, f"{name}: not used; {PACKAGE} in place of the installed ONNX Runtime would")
        elif forbidden:
            yield refused(host, forbidden[0].stat().st_gid, forbidden, part=kind, why=WHY.format(kind=kind))
        else:
            yield ok(kind, f"{name}: {host.user} may use it, with --provider openvino?device={kind}")


def _driver(host: Host, sys_class: str, device: Path) -> str:
    link = host.root / "sys/class" / sys_class / device.name / "device/driver"
    return f" (driver {link.resolve().name})" if link.exists() else ""


def _installed() -> bool:
    try:
        return bool(version(PACKAGE))
    except PackageNotFoundError:
        return False
