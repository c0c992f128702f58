"""Errors in the words of the user, and messages that are safe to print."""

import errno
import importlib
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_matte import plugins
from realtime_matte.errors import REINSTALL, MissingDependency, MissingFile, missing_dependency, printable

CANNOT_OPEN = "cannot open shared object file: No such file or directory"


def test_a_missing_system_library_is_named_with_its_package() -> None:
    error = missing_dependency(ImportError(f"libGL.so.1: {CANNOT_OPEN}"))
    assert isinstance(error, MissingDependency)
    assert str(error).startswith("OpenCV cannot load the system library libGL.so.1; ")
    assert "sudo apt install libgl1 libglib2.0-0" in str(error)


@pytest.mark.parametrize(
    ("library", "package"),
    [
        ("libxcb.so.1", "libxcb1"),
        ("libX11.so.6", "libx11-6"),
        ("libSM.so.6", "libsm6"),
        ("libICE.so.6", "libice6"),
        ("libXext.so.6", "libxext6"),
        ("libXrender.so.1", "libxrender1"),
        ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
        ("libfontconfig.so.1", "libfontconfig1"),
        ("libEGL.so.1", "libegl1"),
        ("libglib-2.0.so.0", "libglib2.0-0"),
        ("libgthread-2.0.so.0", "libglib2.0-0"),
    ],
)
def test_any_system_library_that_opencv_lacks_is_named_with_its_package(library: str, package: str) -> None:
    error = missing_dependency(ImportError(f"{library}: {CANNOT_OPEN}"))
    assert error.message == f"OpenCV cannot load the system library {library}"
    assert f" {package} " in error.hint.partition(";")[0] + " "
    assert f"'{library}()(64bit)'" in error.hint
    assert len(str(error)) < 400


@pytest.mark.parametrize(
    "text", [f"libavcodec-f1b4d9ce.so.59: {CANNOT_OPEN}", "libc.so.6: version `GLIBC_2.99' not found"]
)
def test_a_damaged_wheel_or_an_old_system_is_not_a_missing_library(text: str) -> None:
    error = missing_dependency(ImportError(text))
    assert text in error.message
    assert error.hint == REINSTALL


@pytest.mark.parametrize(
    ("package", "variable"),
    [("numba", "NUMBA_NUM_THREADS"), ("cv2", "OPENCV_FOR_THREADS_NUM"), ("onnxruntime", "ORT_LOG_LEVEL")],
)
def test_a_variable_that_a_package_refuses_is_named(
    package: str, variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "0")
    error = missing_dependency(raised_by_import(package, "raise ValueError('must be > 0')", tmp_path, monkeypatch))
    assert error.message == f"the package {package!r} cannot be loaded (must be > 0)"
    assert error.hint == f"correct or unset the environment variable {variable}"


@pytest.mark.parametrize(("package", "is_system"), [("cv2", True), ("av", False), ("onnxruntime", False)])
def test_only_opencv_needs_libraries_of_the_system(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_system: bool
) -> None:
    code = f"raise ImportError('libz.so.1: {CANNOT_OPEN}')"
    error = missing_dependency(raised_by_import(package, code, tmp_path, monkeypatch))
    assert (error.hint != REINSTALL) == is_system
    assert "libz.so.1" in error.message


def test_an_error_of_another_import_is_a_bug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bug = raised_by_import("plugin_of_a_user", "1 / 0", tmp_path, monkeypatch)
    with pytest.raises(ZeroDivisionError):
        missing_dependency(bug)


def test_an_error_after_the_imports_is_a_bug() -> None:
    with pytest.raises(ValueError, match="ours"):
        missing_dependency(ValueError("ours"))


def raised_by_import(name: str, code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Exception:
    """The error of a new import of a module with this code, in the place of the real one."""
    (folder / f"{name}.py").write_text(code)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises((ImportError, ValueError, ZeroDivisionError)) as caught:
        importlib.import_module(name)
    return caught.value


def test_a_missing_package_is_named() -> None:
    error = missing_dependency(ModuleNotFoundError("No module named 'av'", name="av"))
    assert str(error) == f"the package 'av' is missing; {REINSTALL}"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Numba needs NumPy 2.4 or less. Got NumPy 2.5.", REINSTALL),
        ("DLL load failed while importing onnxruntime_pybind11_state: not found", "Visual C++ Redistributable"),
    ],
)
def test_a_package_that_cannot_be_loaded_has_a_hint(text: str, hint: str) -> None:
    error = missing_dependency(ImportError(text))
    assert text in str(error)
    assert hint in error.hint


def test_an_import_error_of_this_package_is_a_bug() -> None:
    bug = ModuleNotFoundError("No module named 'realtime_matte.x'", name="realtime_matte.x")
    with pytest.raises(ModuleNotFoundError):
        missing_dependency(bug)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("caf\u00e9 \u6d77 \U0001f3d6", "caf\u00e9 \u6d77 \U0001f3d6"),
        ("red\x1b[31m", r"red\x1b[31m"),
        ("a\nrtmatte: b\r\n", r"a\nrtmatte: b\r\n"),
        ("a\u2028b\x85c", r"a\u2028b\x85c"),
        ("gpj.\u202eexe\u2066", r"gpj.\u202eexe\u2066"),
        ("\x9b31m\x07\x00", r"\x9b31m\x07\x00"),
        ("\udcff", r"\udcff"),
    ],
)
def test_foreign_text_cannot_forge_a_line(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize("url", ["rtsp://me:{}@host:554/live?a=b", "https://me:{}@host", "http://:{}@host/a b@c"])
def test_a_password_in_a_url_is_not_printed(url: str) -> None:
    assert printable(f"cannot open {url.format('s3cr:et!')}; see") == f"cannot open {url.format('***')}; see"


@pytest.mark.parametrize("text", ["http://host:80/a@b", "rtsp://host/a:b@c", "me:you@host"])
def test_a_url_without_a_password_is_unchanged(text: str) -> None:
    assert printable(text) == text


def test_a_long_value_is_cut_in_the_middle() -> None:
    text = printable(f"--size: {'x' * 100_000!r} is not a size; see --help")
    assert text.startswith("--size: 'xxx")
    assert text.endswith("xxx' is not a size; see --help")
    assert " ... " in text
    assert len(text) == 480


@given(st.text(), st.integers(10, 600), st.integers(1, 3000))
def test_any_text_is_one_printable_line_below_the_limit(text: str, limit: int, times: int) -> None:
    shown = printable(text * times, limit)
    assert shown.isprintable()
    assert len(shown) <= limit


@pytest.mark.parametrize("spec", ["image:a.jpg", "a.jpg", "clip.mp4", "folder:pics"])
def test_the_hint_of_what_may_not_be_read_is_about_permissions(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    for name in ("a.jpg", "clip.mp4"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "pics").mkdir()
    monkeypatch.chdir(tmp_path)
    plugin = plugins.background(spec)
    for method in ("open", "iterdir"):
        monkeypatch.setattr(Path, method, refuse)
    with pytest.raises(MissingFile, match="Permission denied; change its permissions, or choose another one"):
        plugin.open(plugin.rest, size=(8, 4), fit="cover")
