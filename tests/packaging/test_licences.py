"""What may be shipped together: the inventory of a folder, made of the files that wheels have."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import av
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def licences() -> ModuleType:
    return load("licences")


@pytest.fixture(scope="module")
def sources(licences: ModuleType) -> ModuleType:
    assert licences is sys.modules["licences"]  # which sources.py imports
    return load("sources")


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / f"packaging/{name}.py")
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


def add_library(folder: Path, name: str, *, content: Path | None = None) -> None:
    (folder / "some.libs").mkdir(exist_ok=True)
    (folder / "some.libs" / name).write_bytes(content.read_bytes() if content else b"")


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


@pytest.mark.parametrize("name", ["cv2.abi3.so", "cv2.pyd"])
def test_intel_ipp_inside_opencv_is_found_and_refused(licences: ModuleType, tmp_path: Path, name: str) -> None:
    module = tmp_path / "cv2" / name
    module.parent.mkdir()
    module.write_bytes(b"\0  Other third-party libraries:\n    Intel IPP:                   2026.0.0 [2026.0.0]\n\0")
    assert licences.problems(licences.inventory(tmp_path)) == [
        "Intel IPP 2026.0.0: LicenseRef-Intel-Simplified cannot be combined with the other parts"
    ]
    module.write_bytes(b"\0  Other third-party libraries:\n    Custom HAL:                  NO\n\0")
    assert licences.problems(licences.inventory(tmp_path)) == []


def test_sources_are_named_with_the_version_that_the_library_reports(
    licences: ModuleType, sources: ModuleType, tmp_path: Path
) -> None:
    library = next(Path(av.__file__).parents[1].glob("av.libs/libx265-*.so*"), None)
    if not library:
        pytest.skip("PyAV is not of a wheel for Linux")
    add_library(tmp_path, library.name, content=library)
    add_library(tmp_path, "libx264-d6533a8d.so.165")
    add_package(tmp_path, "tool", "License-Expression: MIT")
    parts = licences.inventory(tmp_path)
    assert sources.missing(parts) == []
    text = sources.text(parts, tmp_path)
    (row,) = (line for line in text.splitlines() if "libx265" in line)
    assert re.fullmatch(r"\| x265 \| \d\S+ \| libx265 \| https://bitbucket.org/multicoreware/x265_git \|", row)
    assert "| x264 | 165 | libx264 | https://code.videolan.org/videolan/x264 |" in text
    assert "- tool 1.0: https://pypi.org/project/tool/1.0/#files" in text
    assert "GnuTLS" not in text.partition("\nHow they were built")[0]  # not in this bundle


def test_the_version_is_that_of_the_wheels_list_where_a_library_reports_none(
    licences: ModuleType, sources: ModuleType, tmp_path: Path
) -> None:
    add_library(tmp_path, "libquadmath-2284e583.so.0.0.0")
    add_package(tmp_path, "tool", "License-Expression: MIT")
    sbom = '{"purl": "pkg:rpm/almalinux/libquadmath@8.5.0-28.el8_10.alma.1"}'
    (tmp_path / "tool-1.0.dist-info/auditwheel.cdx.json").write_text(sbom)
    parts = licences.inventory(tmp_path)
    assert sources.missing(parts) == []
    row = "| GCC | 8.5.0 | libquadmath | https://ftp.gnu.org/gnu/gcc/gcc-8.5.0/gcc-8.5.0.tar.xz |"
    assert row in sources.text(parts, tmp_path)


def test_every_copyleft_library_that_is_known_has_a_source(licences: ModuleType, sources: ModuleType) -> None:
    parts = [licences.Part(f"lib{name}", "", "some.libs", licence) for name, licence in licences.LIBRARIES.items()]
    assert sources.missing(parts) == []


def test_a_copyleft_library_without_a_source_is_refused(
    licences: ModuleType, sources: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(licences.LIBRARIES, "surprise", "LGPL-2.1-or-later")
    add_library(tmp_path, "libsurprise.so.1")
    assert sources.missing(licences.inventory(tmp_path)) == [
        "libsurprise 1: LGPL-2.1-or-later, and packaging/sources.py names no source of it"
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
