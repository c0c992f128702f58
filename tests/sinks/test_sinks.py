"""The outputs null, frames and window; the larger ones have files of their own."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from realtime_matte import plugins
from realtime_matte.errors import MissingDependency, SinkError, SpecError
from realtime_matte.frame import Pixels
from realtime_matte.interfaces import Interactive
from realtime_matte.sinks import _display, frames, null, window

SIZE = (16, 8)
PICTURE = np.random.default_rng(0).integers(0, 256, (8, 16, 3), np.uint8)
CLEAR = np.random.default_rng(1).integers(0, 256, (8, 16, 4), np.uint8)


def test_null_takes_everything() -> None:
    sink = null.open("", size=SIZE, fps=30.0, alpha=True)
    sink.send(CLEAR, 0.0)
    sink.close()
    assert sink.alpha
    assert not sink.live
    assert sink.notices == ()


def test_null_takes_no_name() -> None:
    with pytest.raises(SpecError, match="the output 'null' takes nothing after it, not 'x'; write null"):
        null.open("x", size=SIZE, fps=30.0, alpha=False)


def folder(path: Path, *, alpha: bool = False, options: str = "") -> frames.Frames:
    return frames.open(f"{path}{options}", size=SIZE, fps=30.0, alpha=alpha)


@pytest.mark.parametrize("picture", [PICTURE, CLEAR])
def test_frames_are_numbered_and_exact(tmp_path: Path, picture: Pixels) -> None:
    sink = folder(tmp_path / "new/out", alpha=picture is CLEAR)
    for index in range(3):
        sink.send(np.roll(picture, index, axis=0), index / 30)
    sink.close()
    assert sorted(path.name for path in (tmp_path / "new/out").iterdir()) == ["000000.png", "000001.png", "000002.png"]
    read = cv2.imread(str(tmp_path / "new/out/000002.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(read, np.roll(picture, 2, axis=0))
    assert sink.alpha == (picture is CLEAR)


def test_pictures_that_are_there_are_kept(tmp_path: Path) -> None:
    (tmp_path / "000000.png").write_text("worth keeping")
    (tmp_path / "holiday.png").write_text("no number")
    with pytest.raises(
        SinkError, match=r"holds 1 numbered pictures already; add \?overwrite=yes to write over them, or"
    ):
        folder(tmp_path)
    assert (tmp_path / "000000.png").read_text() == "worth keeping"


def test_other_files_in_the_folder_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "holiday.png").write_text("no number")
    folder(tmp_path).send(PICTURE, 0.0)
    assert (tmp_path / "holiday.png").read_text() == "no number"


def test_frames_are_overwritten_when_asked_for(tmp_path: Path) -> None:
    for name in ("000000.png", "000001.png", "000002.png", "holiday.png"):
        (tmp_path / name).write_text("of an earlier run")
    sink = folder(tmp_path, options="?overwrite=yes")
    sink.send(PICTURE, 0.0)
    sink.close()
    assert np.array_equal(cv2.imread(str(tmp_path / "000000.png")), PICTURE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000000.png", "holiday.png"]


def test_a_start_that_goes_no_further_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "000000.png").write_text("of an earlier run")
    folder(tmp_path, options="?overwrite=yes").close()
    assert (tmp_path / "000000.png").exists()


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(SinkError, match=r"cannot write '.*out': File exists; a file has that name; take another one"):
        folder(tmp_path / "out")


def test_the_folder_goes_away(tmp_path: Path) -> None:
    sink = folder(tmp_path / "out")
    (tmp_path / "out").rmdir()
    with pytest.raises(
        SinkError, match=r"cannot write '.*000000\.png': No such file or directory; make that folder fir"
    ):
        sink.send(PICTURE, 0.0)
    sink.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows calls it otherwise")
def test_the_folder_becomes_a_file(tmp_path: Path) -> None:
    sink = folder(tmp_path / "out")
    (tmp_path / "out").rmdir()
    (tmp_path / "out").touch()
    with pytest.raises(SinkError, match=r"cannot write '.*000000\.png': Not a directory; make that folder first"):
        sink.send(PICTURE, 0.0)


def test_frames_without_a_folder() -> None:
    with pytest.raises(SpecError, match="no folder is named after 'frames:'; name one, as in frames:out"):
        frames.open("", size=SIZE, fps=30.0, alpha=False)


class Screen:
    """OpenCV's windows, played."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shown: list[Pixels] = []
        self.keys: list[int] = []
        self.open = False
        self.size = (0, 0)
        self.broken = False
        self.closing = False
        self.hidden = False
        monkeypatch.setattr(sys, "platform", "linux")
        monkeypatch.setenv("DISPLAY", ":0")
        monkeypatch.setenv("QT_LOGGING_RULES", "")
        monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=0, stderr=""))
        monkeypatch.setattr(cv2, "currentUIFramework", lambda: "QT")
        monkeypatch.setattr(cv2, "namedWindow", self.named)
        monkeypatch.setattr(cv2, "resizeWindow", self.resize)
        monkeypatch.setattr(cv2, "imshow", self.show)
        monkeypatch.setattr(cv2, "pollKey", self.poll)
        monkeypatch.setattr(cv2, "getWindowProperty", self.visible)
        monkeypatch.setattr(cv2, "destroyWindow", self.destroy)

    def named(self, _name: str, _flags: int) -> None:
        if self.broken:
            raise cv2.error("no such luck")
        self.open = True

    def resize(self, _name: str, width: int, height: int) -> None:
        self.size = width, height

    def show(self, _name: str, picture: Pixels) -> None:
        if self.broken:
            raise cv2.error("no such luck")
        self.open = True
        self.shown.append(picture.copy())

    def poll(self) -> int:
        if self.closing:  # events are handled here
            self.open = False
        return self.keys.pop(0) if self.keys else -1

    def visible(self, _name: str, _property: int) -> float:
        if not self.open:
            raise cv2.error("NULL guiReceiver")  # as Qt does
        return 0.0 if self.hidden else 1.0

    def destroy(self, _name: str) -> None:
        if not self.open:
            raise cv2.error("NULL guiReceiver")
        self.open = False


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    return Screen(monkeypatch)


def preview(rest: str = "", *, alpha: bool = False, size: tuple[int, int] = SIZE) -> window.Window:
    return window.open(rest, size=size, fps=30.0, alpha=alpha)


def test_users_see_themselves_as_in_a_mirror(screen: Screen) -> None:
    sink = preview()
    sink.send(PICTURE, 0.0)
    sink.close()
    assert np.array_equal(screen.shown[0], PICTURE[:, ::-1])
    assert sink.live


@pytest.mark.parametrize("spec", ["window?mirror=no", "window:?mirror=off"])
def test_mirroring_can_be_turned_off(screen: Screen, spec: str) -> None:
    plugin = plugins.sink(spec)
    sink = plugin.open(plugin.rest, size=SIZE, fps=30.0, alpha=False)
    sink.send(PICTURE, 0.0)
    sink.close()
    assert np.array_equal(screen.shown[0], PICTURE)


def test_m_turns_the_mirror(screen: Screen) -> None:
    sink = preview()
    screen.keys = [ord("m"), -1, ord("m")]
    for _ in range(4):
        sink.send(PICTURE, 0.0)
    sink.close()
    mirrored = [np.array_equal(shown, PICTURE[:, ::-1]) for shown in screen.shown]
    assert mirrored == [True, False, False, True]


def test_keys_are_commands_in_their_order(screen: Screen) -> None:
    sink = preview()
    screen.keys = [ord("b"), ord(" "), ord("z"), -1, ord("q"), 27, 0x100000 | ord("b")]
    for _ in range(7):
        sink.send(PICTURE, 0.0)
    assert isinstance(sink, Interactive)
    assert sink.commands() == ["next_background", "standby", "quit", "quit", "next_background"]
    assert sink.commands() == []
    sink.close()


def test_a_closed_window_asks_to_quit_and_stays_closed(screen: Screen) -> None:
    sink = preview()
    sink.send(PICTURE, 0.0)
    screen.closing = True
    for _ in range(3):
        sink.send(PICTURE, 0.1)
    assert sink.commands() == ["quit"]
    assert len(screen.shown) == 2  # OpenCV would open it again with the next picture
    sink.close()


@pytest.mark.parametrize(("platform", "asked"), [("darwin", []), ("linux", ["quit"])])
def test_a_window_put_away_on_macos_is_not_closed(
    screen: Screen, monkeypatch: pytest.MonkeyPatch, platform: str, asked: list[str]
) -> None:
    sink = preview()
    monkeypatch.setattr(sys, "platform", platform)
    screen.hidden = True
    sink.send(PICTURE, 0.0)
    assert sink.commands() == asked
    sink.close()


def test_clear_parts_show_chequers(screen: Screen) -> None:
    picture = np.zeros((32, 64, 4), np.uint8)
    picture[:, :32] = (10, 20, 30, 255)
    picture[:, 32:] = (200, 200, 200, 0)
    sink = preview("?mirror=no", alpha=True, size=(64, 32))
    sink.send(picture, 0.0)
    sink.close()
    assert sink.alpha
    assert (screen.shown[0][:, :32] == (10, 20, 30)).all()
    assert sorted(np.unique(screen.shown[0][:, 32:])) == [102, 153]


def test_large_pictures_open_in_a_smaller_window(screen: Screen) -> None:
    sink = preview(size=(3840, 2160))
    sink.close()
    assert screen.size == (1280, 720)


def test_close_twice_and_after_the_user_did(screen: Screen) -> None:
    sink = preview()
    screen.open = False
    sink.close()
    sink.close()


def test_window_takes_no_name() -> None:
    with pytest.raises(
        SpecError, match=r"the output 'window' takes no name, 'big'; write window, or window\?mirror=no"
    ):
        preview("big")


def test_a_window_that_cannot_be_opened(screen: Screen) -> None:
    screen.broken = True
    with pytest.raises(SinkError, match=r"cannot open a window: .*; take another output, such as virtualcam"):
        preview()


def test_a_window_that_breaks(screen: Screen) -> None:
    sink = preview()
    screen.broken = True
    with pytest.raises(SinkError, match=r"the preview window takes no more pictures: .*; open it anew"):
        sink.send(PICTURE, 0.0)


def test_opencv_without_windows(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "currentUIFramework", lambda: "")
    with pytest.raises(
        MissingDependency, match="no windows; pip uninstall opencv-python-headless, then pip install --f"
    ):
        preview()
    assert not screen.open


def test_no_screen(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(
        SinkError, match=r"no window without a screen \(DISPLAY is not set\); start this in a desktop se"
    ):
        preview()
    assert not screen.open


def answer(returncode: int, stderr: str) -> Callable[..., SimpleNamespace]:
    return lambda *_, **__: SimpleNamespace(returncode=returncode, stderr=stderr)


def test_a_screen_that_would_end_the_program(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", answer(-6, "could not connect to display :0\nmore\n"))
    with pytest.raises(
        SinkError, match=r"cannot open a window \(DISPLAY is ':0'\): could not connect to display :0; sta"
    ):
        preview()
    monkeypatch.setattr(subprocess, "run", answer(-11, ""))
    with pytest.raises(SinkError, match=r"a window ends the program \(-11\); start this in a desktop session"):
        preview()
    assert not screen.open


def test_a_screen_that_does_not_answer(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    def silence(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("python", 30)

    monkeypatch.setattr(subprocess, "run", silence)
    with pytest.raises(SinkError, match="the screen does not answer within 30 s; start this in a desktop session"):
        preview()
    assert not screen.open


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere windows fail without ending the program")
def test_without_a_display_this_very_program_lives_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """For real: OpenCV with Qt ends a program that opens a window on a display that is not there."""
    if not cv2.currentUIFramework():
        pytest.skip("OpenCV without windows")
    monkeypatch.setenv("DISPLAY", "localhost:4242")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    with pytest.raises(SinkError, match="cannot open a window"):
        _display.require_display()
