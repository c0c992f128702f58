"""The doctor's checks of what was installed: Python, the packages, the weights."""

import platform
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from realtime_matte import models
from realtime_matte.cli import AGAIN, missing
from realtime_matte.doctor.finding import Finding, good, ill
from realtime_matte.errors import MatteError

NEEDED = (3, 11)

PACKAGES = {
    "cv2": ("opencv-python",),
    "numpy": ("numpy",),
    "numba": ("numba",),
    "onnxruntime": ("onnxruntime-gpu", "onnxruntime", "onnxruntime-directml", "onnxruntime-openvino"),
    "av": ("av",),
    "pyvirtualcam": ("pyvirtualcam",),
    "platformdirs": ("platformdirs",),
    "rich": ("rich",),
}
"""Modules, and the packages that may bring each."""


def installation() -> Iterator[Finding]:
    """All of it."""
    yield python()
    for module, names in PACKAGES.items():
        yield package(module, names)
    yield weights()


def python() -> Finding:
    """The interpreter and the system."""
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info < NEEDED:
        return Finding("python", "bad", found, "install Python 3.11 or newer")
    return good("python", found)


def package(module: str, names: tuple[str, ...]) -> Finding:
    """One package, imported for real."""
    try:
        import_module(module)
    except ImportError as error:
        return ill(module, missing(error))
    found = [f"{name} {release}" for name in names if (release := _version(name))]
    if len(found) > 1:
        mend = f"pip uninstall {' '.join(names)}, then pip install . in rtmatte's folder"
        return Finding(module, "warning", f"{' and '.join(found)} hide one another", mend)
    return good(module, ", ".join(found) or "there")


def weights() -> Finding:
    """The shipped networks, against the hashes they were published with."""
    try:
        found = models.installed()
    except MatteError as error:
        return ill("weights", error)
    if not found:
        return Finding("weights", "warning", "no network came with this installation", AGAIN)
    changed = [str(one.path) for one in found if one.intact is False]
    if changed:
        return Finding("weights", "warning", f"{', '.join(changed)} changed since it was published", AGAIN)
    unknown = [one.name for one in found if one.intact is None]
    if unknown:
        return Finding("weights", "warning", f"no hash is known of {', '.join(unknown)}", AGAIN)
    return good("weights", f"{', '.join(one.name for one in found)}: as published")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
