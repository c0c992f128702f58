"""What may be shipped together: the inventory of a folder, made of the files that wheels have."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def licences() -> ModuleType:
    spec = importlib.util.spec_from_file_location("packaging_licences", ROOT / "packaging/licences.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def add_package(folder: Path, name: str, *lines: str) -> None:
    info = folder / f"{name}-1.0.dist-info"
    (info / "licenses").mkdir(parents=True)
    (info / "METADATA").write_text(
        "\n".join(["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", *lines, "", ""])
    )
    (info / "licenses/LICENSE").write_text(f"the licence of {name}")


def add_library(folder: Path, name: str) -> None:
    (folder / "some.libs").mkdir(exist_ok=True)
    (folder / "some.libs" / name).touch()


def test_what_is_known_can_be_shipped(licences: ModuleType, tmp_path: Path) -> None:
    add_package(tmp_path, "tool", "License-Expression: BSD-3-Clause")
    add_package(tmp_path, "rich")
    add_library(tmp_path, "libx264-d6533a8d.so.165")
    parts = licences.inventory(tmp_path)
    assert licences.problems(parts) == []
    text = licences.table(parts)
    assert "| tool | 1.0 | package | BSD-3-Clause |" in text
    assert "| rich | 1.0 | package | MIT |" in text
    assert "| libx264 | 165 | some.libs | GPL-2.0-or-later |" in text


def test_an_unknown_licence_is_refused(licences: ModuleType, tmp_path: Path) -> None:
    add_package(tmp_path, "surprise")
    add_library(tmp_path, "libsurprise.so.1")
    assert licences.problems(licences.inventory(tmp_path)) == [
        "surprise 1.0: unknown licence",
        "libsurprise 1: unknown licence",
    ]


def test_what_cannot_be_combined_is_refused(licences: ModuleType, tmp_path: Path) -> None:
    add_package(tmp_path, "pyvirtualcam")
    add_library(tmp_path, "libssl-81259c47.so.1.1.1k")
    found = licences.problems(licences.inventory(tmp_path))
    assert found == [
        "pyvirtualcam 1.0: GPL-2.0-only cannot be combined with the other parts",
        "libssl 1.1.1: OpenSSL cannot be combined with the other parts",
    ]


@pytest.mark.parametrize(
    ("name", "licence"),
    [
        ("Qt5Core", "LGPL-3.0-only"),
        ("avif", "BSD-2-Clause"),
        ("avformat", "LGPL-3.0-or-later"),
        ("z", "Zlib"),
        ("zstd", "BSD-3-Clause"),
        ("zzz", ""),
        ("xcb-render-util", "MIT"),
        ("scipy_openblas64", "BSD-3-Clause"),
    ],
)
def test_libraries_are_known_by_the_beginning_of_their_name(licences: ModuleType, name: str, licence: str) -> None:
    assert licences.library_licence(name) == licence


def test_texts_are_copied(licences: ModuleType, tmp_path: Path) -> None:
    add_package(tmp_path / "site", "tool", "License-Expression: MIT")
    licences.copy_texts(tmp_path / "site", tmp_path / "out")
    assert (tmp_path / "out/tool-1.0/LICENSE").read_text() == "the licence of tool"
