"""Checks of the installation: the Python version, the packages and the shipped networks."""

import platform
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from realtime_matte import models
from realtime_matte.doctor.clashes import Clash, find_clashes
from realtime_matte.doctor.finding import Finding, FixCommand, error, ok, warning
from realtime_matte.errors import REINSTALL, MatteError, MissingDependency, missing_dependency

OLDEST_PYTHON: Final = (3, 11)

PACKAGES: Final = {
    "cv2": ("opencv-python",),
    "numpy": ("numpy",),
    "numba": ("numba",),
    "onnxruntime": ("onnxruntime-gpu", "onnxruntime", "onnxruntime-directml", "onnxruntime-openvino"),
    "av": ("av",),
    **({} if sys.platform == "linux" else {"pyvirtualcam": ("pyvirtualcam",)}),
    "platformdirs": ("platformdirs",),
    "rich": ("rich",),
}
"""The required modules, each with the packages that may provide it."""


def installation() -> Iterator[Finding]:
    """The findings for Python, each package and the networks."""
    yield python()
    clashes = {clash.module: clash for clash in find_clashes()}
    for module, names in PACKAGES.items():
        yield clashing(clashes[module]) if module in clashes else package(module, names)
    if sys.platform == "linux":
        yield jpeg_decoder()
    yield weights()


def python() -> Finding:
    """The version of Python, and the system."""
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info < OLDEST_PYTHON:
        return Finding("python", "error", found, "install Python 3.11 or newer")
    return ok("python", found)


def package(module: str, names: tuple[str, ...]) -> Finding:
    """One package, which may have any of ``names``: imports its module."""
    try:
        import_module(module)
    except Exception as cause:  # noqa: BLE001 - missing_dependency raises a bug again
        return error(module, missing_dependency(cause))
    found = [f"{name} {release}" for name in names if (release := _version(name))]
    return ok(module, ", ".join(found) or "installed")


def clashing(clash: Clash) -> Finding:
    """Packages that overwrite each other's files; an error if nothing is left that can be imported."""
    return Finding(
        clash.module,
        "error" if clash.incomplete else "warning",
        clash.message,
        hint="install it again" if clash.incomplete else "remove all of them, and install one again",
        why="which files are there depends on the order of installation",
        commands=tuple(map(FixCommand, clash.commands)),
    )


def jpeg_decoder() -> Finding:
    """The decoder for the frames of cameras."""
    try:
        import_module("realtime_matte.media.turbojpeg").JpegDecoder().close()
    except MissingDependency as cause:
        why = "cameras work without it, read by OpenCV, and take about 1 ms more of a processor for each frame"
        return warning("libjpeg-turbo", cause.message, hint=cause.hint, why=why)
    except ImportError:  # of a package, which has its own finding
        return warning("libjpeg-turbo", "not checked: a package is missing", hint=REINSTALL)
    return ok("libjpeg-turbo", "decodes the frames of cameras")


def weights() -> Finding:
    """The shipped networks, compared with the hashes they were published with."""
    try:
        found = models.list_models()
    except MatteError as cause:
        return error("weights", cause)
    if not found:
        return warning("weights", "no network came with this installation", hint=REINSTALL)
    changed = [str(model.path) for model in found if model.intact is False]
    if changed:
        return warning("weights", f"{', '.join(changed)} changed since publication", hint=REINSTALL)
    unknown = [model.name for model in found if model.intact is None]
    if unknown:
        return warning("weights", f"no hash is known of {', '.join(unknown)}", hint=REINSTALL)
    return ok("weights", f"{', '.join(model.name for model in found)}: as published")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
