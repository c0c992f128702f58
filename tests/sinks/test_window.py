"""The preview window."""

import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from realtime_matte import plugins
from realtime_matte.errors import MissingDependency, SinkError, SpecError
from realtime_matte.frame import Pixels
from realtime_matte.interfaces import Interactive
from realtime_matte.pipeline.outputs import Outputs
from realtime_matte.pipeline.recorder import SinkFormat
from realtime_matte.pipeline.standby import STOPPED, StandbyCard, draw_card
from realtime_matte.sinks import window

SIZE = (16, 8)
IMAGE = np.random.default_rng(0).integers(0, 256, (8, 16, 3), np.uint8)


class Screen:
    """OpenCV's windows, simulated."""

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
        monkeypatch.setattr(window, "X_LIBRARIES", {})
        monkeypatch.setattr(cv2, "currentUIFramework", lambda: "QT")
        monkeypatch.setattr(cv2, "namedWindow", self.named)
        monkeypatch.setattr(cv2, "resizeWindow", self.resize)
        monkeypatch.setattr(cv2, "imshow", self.show)
        monkeypatch.setattr(cv2, "pollKey", self.poll)
        monkeypatch.setattr(cv2, "getWindowProperty", self.visible)
        monkeypatch.setattr(cv2, "destroyWindow", self.destroy)

    def named(self, _name: str, _flags: int) -> None:
        if self.broken:
            raise cv2.error("no window")
        self.open = True

    def resize(self, _name: str, width: int, height: int) -> None:
        self.size = width, height

    def show(self, _name: str, image: Pixels) -> None:
        if self.broken:
            raise cv2.error("no window")
        self.open = True
        self.shown.append(image.copy())

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


def test_the_preview_is_mirrored(screen: Screen) -> None:
    sink = preview()
    sink.send(IMAGE, 0.0)
    sink.close()
    assert np.array_equal(screen.shown[0], IMAGE[:, ::-1])
    assert sink.live


@pytest.mark.parametrize("alpha", [False, True])
def test_the_standby_card_is_never_mirrored(screen: Screen, *, alpha: bool) -> None:
    """Its text could not be read. All ways of a card: while it runs, before the first frame, again, at the end."""
    sink = preview(alpha=alpha, size=(160, 90))
    outputs = Outputs(SinkFormat(size=(160, 90), fps=30.0, alpha=alpha), notify=[].append)
    outputs.add(sink)
    card = StandbyCard(outputs, size=(160, 90), alpha=alpha, image=None, text=None)
    card.show_live("One moment, starting", 0.0)
    card.repeat(0.1)
    starting = screen.shown[:]
    card.show("Back in a moment", 0.2)
    screen.keys = [ord("m")]
    card.show("Back in a moment", 0.3)
    card.end(0.4)
    sink.close()
    expected = [draw_card((160, 90), text=text) for text in ("One moment, starting", "Back in a moment", STOPPED)]
    for shown, drawn in zip([*starting, *screen.shown[2:]], np.repeat(expected, (2, 2, 1), axis=0), strict=True):
        assert np.array_equal(shown, drawn)


@pytest.mark.parametrize("spec", ["window?mirror=no", "window:?mirror=off"])
def test_mirroring_can_be_turned_off(screen: Screen, spec: str) -> None:
    plugin = plugins.sink(spec)
    sink = plugin.open(plugin.rest, size=SIZE, fps=30.0, alpha=False)
    sink.send(IMAGE, 0.0)
    sink.close()
    assert np.array_equal(screen.shown[0], IMAGE)


def test_m_switches_mirroring(screen: Screen) -> None:
    sink = preview()
    screen.keys = [ord("m"), -1, ord("M")]
    for _ in range(4):
        sink.send(IMAGE, 0.0)
    sink.close()
    mirrored = [np.array_equal(shown, IMAGE[:, ::-1]) for shown in screen.shown]
    assert mirrored == [True, False, False, True]


def test_keys_are_commands_in_order(screen: Screen) -> None:
    sink = preview()
    screen.keys = [ord("b"), ord(" "), ord("z"), -1, ord("q"), 27, 0x100000 | ord("b"), ord("B"), 0x10000 | ord("Q")]
    for _ in range(9):
        sink.send(IMAGE, 0.0)
    assert isinstance(sink, Interactive)
    assert sink.commands() == [
        "next_background",
        "standby",
        "quit",
        "quit",
        "next_background",
        "next_background",
        "quit",
    ]
    assert sink.commands() == []
    sink.close()


def test_a_closed_window_is_the_command_quit_and_stays_closed(screen: Screen) -> None:
    sink = preview()
    sink.send(IMAGE, 0.0)
    screen.closing = True
    for _ in range(3):
        sink.send(IMAGE, 0.1)
    assert sink.commands() == ["quit"]
    assert len(screen.shown) == 2  # OpenCV would open it again with the next frame
    sink.close()


@pytest.mark.parametrize(("platform", "commands"), [("darwin", []), ("linux", ["quit"])])
def test_a_minimised_window_on_macos_is_not_closed(
    screen: Screen, monkeypatch: pytest.MonkeyPatch, platform: str, commands: list[str]
) -> None:
    sink = preview()
    monkeypatch.setattr(sys, "platform", platform)
    screen.hidden = True
    sink.send(IMAGE, 0.0)
    assert sink.commands() == commands
    sink.close()


def test_transparent_parts_show_a_checkerboard(screen: Screen) -> None:
    image = np.zeros((32, 64, 4), np.uint8)
    image[:, :32] = (10, 20, 30, 255)
    image[:, 32:] = (200, 200, 200, 0)
    sink = preview("?mirror=no", alpha=True, size=(64, 32))
    sink.send(image, 0.0)
    sink.close()
    assert sink.alpha
    assert (screen.shown[0][:, :32] == (10, 20, 30)).all()
    assert sorted(np.unique(screen.shown[0][:, 32:])) == [102, 153]


def test_large_frames_open_in_a_smaller_window(screen: Screen) -> None:
    sink = preview(size=(3840, 2160))
    sink.close()
    assert screen.size == (1280, 720)


def test_close_is_idempotent_also_after_the_user_closed_it(screen: Screen) -> None:
    sink = preview()
    screen.open = False
    sink.close()
    sink.close()


def test_window_takes_no_name() -> None:
    with pytest.raises(
        SpecError, match=r"the output 'window' takes no name, 'big'; write window, or window\?mirror=no"
    ):
        preview("big")


def test_a_window_that_cannot_be_opened_is_reported(screen: Screen) -> None:
    screen.broken = True
    with pytest.raises(SinkError, match=r"cannot open a window: .*; use another output, such as virtualcam"):
        preview()


def test_a_window_that_breaks_is_reported(screen: Screen) -> None:
    sink = preview()
    screen.broken = True
    with pytest.raises(SinkError, match=r"the preview window accepts no more frames: .*; open it again"):
        sink.send(IMAGE, 0.0)


def test_an_opencv_without_windows_is_reported(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "currentUIFramework", lambda: "")
    with pytest.raises(
        MissingDependency, match="no windows; pip uninstall opencv-python-headless, then pip install --f"
    ):
        preview()
    assert not screen.open


def test_missing_libraries_of_the_screen_are_named(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    """Qt itself only says that its plug-in cannot be loaded, "even though it was found"."""
    monkeypatch.setattr(subprocess, "run", trial_result(-6, "qt.qpa.plugin: Could not load ... though it was found."))
    monkeypatch.setattr(window, "X_LIBRARIES", {"libm.so.6": "libc6", "libno.so.1": "libno1", "libnot.so.2": "libnot2"})
    with pytest.raises(MissingDependency) as caught:
        preview()
    assert str(caught.value) == (
        "cannot open a window: the system has no libno.so.1, libnot.so.2; Debian and Ubuntu: sudo apt install libno1 "
        "libnot2; elsewhere the packages of these libraries"
    )
    assert not screen.open


def test_a_missing_screen_is_reported(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(
        SinkError, match=r"cannot open a window without a screen \(DISPLAY is not set\); start this in a desktop se"
    ):
        preview()
    assert not screen.open


def trial_result(returncode: int, stderr: str) -> Callable[..., SimpleNamespace]:
    return lambda *_, **__: SimpleNamespace(returncode=returncode, stderr=stderr)


def test_a_screen_that_would_end_the_program_is_reported(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", trial_result(-6, "could not connect to display :0\nmore\n"))
    with pytest.raises(
        SinkError, match=r"cannot open a window \(DISPLAY is ':0'\): could not connect to display :0; sta"
    ):
        preview()
    monkeypatch.setattr(subprocess, "run", trial_result(-11, ""))
    with pytest.raises(SinkError, match=r"a window ends the program \(-11\); start this in a desktop session"):
        preview()
    assert not screen.open


def test_a_screen_that_does_not_respond_is_reported(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    def time_out(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("python", 30)

    monkeypatch.setattr(subprocess, "run", time_out)
    with pytest.raises(SinkError, match="the screen did not respond within 30 s; start this in a desktop session"):
        preview()
    assert not screen.open


@pytest.mark.skipif(sys.platform != "linux", reason="on other systems windows fail without ending the program")
def test_a_missing_display_does_not_end_this_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not simulated: OpenCV with Qt ends a program that opens a window on a display that does not exist."""
    if not cv2.currentUIFramework():
        pytest.skip("OpenCV without windows")
    monkeypatch.setenv("DISPLAY", "localhost:4242")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    with pytest.raises((SinkError, MissingDependency), match="cannot open a window"):
        window.require_display()
