"""Packages that install the same files, so that the one that was installed last breaks the other."""

import os
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

FAMILIES: Final = {
    "cv2": (
        "opencv-contrib-python",
        "opencv-python",
        "opencv-python-headless",
        "opencv-contrib-python-headless",
    ),
    "onnxruntime": (
        "onnxruntime-directml",
        "onnxruntime-openvino",
        "onnxruntime-rocm",
        "onnxruntime-migraphx",
        "onnxruntime-qnn",
        "onnxruntime-gpu",
        "onnxruntime",
    ),
}
"""By the folder that all of them install: the packages, in the order in which one is kept. Those with windows are
before those without; those that the user must have chosen are before those that come with rtmatte."""

METADATA: Final = re.compile(r"((?:opencv|onnxruntime)[\w.]*)-([^-]+)\.dist-info", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Clash:
    """What is wrong with the packages that provide ``module``.

    Attributes:
        module: The folder that they install.
        packages: Each with its version.
        incomplete: There is one package, whose files are gone: they were removed together with another one.
    """

    module: str
    packages: tuple[tuple[str, str], ...]
    incomplete: bool = False

    @property
    def message(self) -> str:
        """What is wrong, in one clause."""
        found = " and ".join(f"{name} {version}" for name, version in self.packages)
        if self.incomplete:
            return f"{found} is incomplete: another package that has the same files was removed"
        return f"{found} overwrite each other's files"

    @property
    def commands(self) -> list[tuple[str, ...]]:
        """The words of each command that corrects it."""
        versions = dict(self.packages)
        keep = next(name for name in FAMILIES[self.module] if name in versions)
        requirement = f"{keep}=={versions[keep]}"
        uninstall: tuple[str, ...]
        install: tuple[str, ...]
        if find_spec("pip"):
            pip = (sys.executable, "-m", "pip")
            uninstall = (*pip, "uninstall", "--yes", *versions)
            install = (*pip, "install", "--force-reinstall", "--no-deps", requirement)
        else:  # an environment made by uv
            uninstall = ("uv", "pip", "uninstall", "--python", sys.executable, *versions)
            options = ("--python", sys.executable, "--reinstall", "--no-deps")
            install = ("uv", "pip", "install", *options, requirement)
        return [uninstall, install] if len(versions) > 1 else [install]

    @property
    def fix(self) -> str:
        """The commands for a shell."""
        return " && ".join(map(shlex.join, self.commands))


def find_clashes(folders: Sequence[str] | None = None) -> list[Clash]:
    """The clashes among the packages in ``folders``; in those where Python imports from, if None.

    Only names of files are read: this runs at every start, and takes less than a millisecond.
    """
    folders = sys.path if folders is None else folders
    installed = dict(_installed(folders))
    clashes = []
    for module, names in FAMILIES.items():
        packages = tuple((name, installed[name]) for name in sorted(names) if name in installed)
        incomplete = len(packages) == 1 and not _exists(folders, module)
        if len(packages) > 1 or incomplete:
            clashes.append(Clash(module, packages, incomplete))
    return clashes


def _installed(folders: Sequence[str]) -> Iterator[tuple[str, str]]:
    for folder in folders:
        with suppress(OSError):  # it does not exist, is a zip file, or cannot be read
            for name in os.listdir(folder or "."):  # noqa: PTH208 - quick
                if found := METADATA.fullmatch(name):
                    yield found[1].lower().replace("_", "-"), found[2]


def _exists(folders: Sequence[str], module: str) -> bool:
    return any(os.path.isfile(os.path.join(folder, module, "__init__.py")) for folder in folders)  # noqa: PTH113, PTH118 - quick
