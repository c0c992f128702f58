"""Paths in the configuration file: where relative ones begin, backslashes, and what is no regular file."""

import os
import socket
import sys
from pathlib import Path

import pytest

from realtime_matte import plugins
from realtime_matte.config import relative_paths
from realtime_matte.config.toml_file import PATH_HINT, resolve
from realtime_matte.errors import BadFile, SpecError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with settings, two folders of images, and another working folder."""
    for name in ("settings", "settings/photos", "settings/blur", "settings/green", "elsewhere"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "settings"


def read(folder: Path, text: str) -> object:
    path = folder / "my.toml"
    path.write_text(text, encoding="utf-8")
    config = resolve({}, config=str(path))
    return getattr(config, text.partition(" =")[0])


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("camera = 'clip.mp4?loop'", "clip.mp4?loop"),
        ("camera = './me'", "./me"),
        ("camera = 'video:clip'", "video:clip"),
        ("bg = 'beach.jpg'", "beach.jpg"),
        ("bg = '../beach.jpg'", "../beach.jpg"),
        ("bg = 'photos'", "photos"),
        ("bg = 'photos?seconds=3'", "photos?seconds=3"),
        ("bg = 'folder:green'", "folder:green"),
        ("bg = 'absent/photos'", "absent/photos"),
        ("output = 'call.mp4'", "call.mp4"),
        ("output = 'frames:out'", "frames:out"),
        ("output = 'file:call.mkv?overwrite=yes'", "file:call.mkv?overwrite=yes"),
        ("model = 'my.onnx'", "my.onnx"),
        ("model = 'my.onnx?quality=low'", "my.onnx?quality=low"),
        ("card = 'away.png'", "away.png"),
    ],
)
def test_a_relative_path_begins_in_the_folder_of_the_file(text: str, path: str, folder: Path) -> None:
    word, colon, rest = path.rpartition(":")
    expected = f"{word}{colon}{os.path.join(folder, rest)}"  # noqa: PTH118 - an option may follow
    assert read(folder, text) in (expected, (expected,))


@pytest.mark.parametrize(
    "text",
    [
        "camera = 'camera'",
        "camera = 'USB2.0 HD UVC WebCam'",
        "camera = 'Webcam C920/C930'",
        "camera = 'camera:0'",
        "camera = 'demo?frames=3'",
        "camera = 'rtsp://host/live.mp4'",
        "bg = 'blur'",
        "bg = 'blur:0.5'",
        "bg = '?seconds=3'",
        "bg = 'green'",
        "bg = '#336699'",
        "bg = 'studio'",
        "output = 'virtualcam:OBS Virtual Camera'",
        "output = 'window?mirror=no'",
        "output = 'null'",
        "model = 'auto'",
        "model = 'small?quality=low'",
        "provider = 'cpu.x'",
        f"bg = '{'x' * 20_000}'",
    ],
)
def test_what_is_no_path_is_unchanged(text: str, folder: Path) -> None:
    value = text.partition("'")[2].rstrip("'")
    assert read(folder, text) in (value, (value,))


def test_an_absolute_path_is_unchanged(folder: Path) -> None:
    path = str(folder / "x.jpg")
    assert read(folder, f"bg = '{path}'") == (path,)


def test_on_the_command_line_paths_begin_in_the_working_folder(folder: Path) -> None:
    (folder / "my.toml").touch()
    assert resolve({"bg": ["beach.jpg"]}, config=str(folder / "my.toml")).bg == ("beach.jpg",)


def test_path_words_are_plugins() -> None:
    assert {name for kind in plugins.NOUNS for name in plugins.names(kind)} >= relative_paths.PATH_WORDS


@pytest.mark.parametrize(
    "text",
    [
        r'bg = "C:\Users\me\beach.jpg"',
        r'bg = "C:\Documents\beach.jpg"',
        r'card = "\\server\x"',
        r'bg = ["blur", "C:\images\a.jpg"]',
        r'bg = "C:\new\beach.jpg"',
        r'bg = ["blur", "C:\temp\a.jpg"]',
        r'output = "D:\recordings\call.mp4"',
        r'model = "C:\from\my.onnx"',
        r'camera = "C:\new.mp4"',
    ],
)
def test_backslashes_in_double_quotes_are_explained(text: str, folder: Path) -> None:
    with pytest.raises((BadFile, SpecError)) as caught:
        read(folder, text)
    assert caught.value.hint == PATH_HINT
    assert "single quotes" in PATH_HINT
    assert "forward slashes" in PATH_HINT


def test_another_mistake_is_not_explained_by_backslashes(folder: Path) -> None:
    with pytest.raises(BadFile) as caught:
        read(folder, r"bg = 'C:\new\beach.jpg")
    assert caught.value.hint == "correct it"


@pytest.mark.parametrize("option", ["bg", "card", "model"])
@pytest.mark.parametrize(
    "url", ["https://host/a.jpg", "http://host/a.jpg", "rtsp://host/a", "udp://host:1", "FTP://x/y"]
)
def test_a_url_must_be_a_file_except_of_a_camera(option: str, url: str) -> None:
    with pytest.raises(SpecError, match=rf"^--{option}: '{url}' is not a file: download it first$"):
        resolve({option: url}, config=None)
    assert resolve({"camera": url}, config=None).camera == url


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices have no names there")
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("pipe", "is a named pipe, not a file"),
        ("socket", "is a socket, not a file"),
        ("/dev/zero", "is a device, not a file"),
        ("/dev/null", "is a device, not a file"),
        ("link", "is a device, not a file"),
        ("large", "is not a TOML file: it has more than 1048576 bytes"),
    ],
)
def test_what_is_no_small_file_is_refused_at_once(
    kind: str, reason: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)  # a socket's path may have 108 bytes
    path = Path(kind)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to("/dev/zero")
    elif kind == "large":
        with path.open("wb") as file:
            file.truncate(4 << 30)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(kind)
    with pytest.raises(BadFile, match=reason):
        resolve({}, config=str(path))
