"""Chromium and Firefox get the PipeWire camera through the desktop's portal, as in a call.

Run them with ``pytest -m slow -rs tests/pipewire``; a part that is missing is named. See docs/linux.md.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fakes.call_page import served
from fakes.pipewire_session import PORTAL_PROGRAMS, PipeWireSession, missing, running, wait_until

from realtime_matte.pipeline import on_demand

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing(*PORTAL_PROGRAMS)), reason=f"needs a portal; {missing(*PORTAL_PROGRAMS)}"),
]

PAGE = (Path(__file__).parent / "call.html").read_bytes()
MARKER = (0, 255, 0)
BACKGROUND = (255, 0, 255)  # RGB
LIMIT_S = 120


@dataclass(frozen=True, slots=True)
class Browser:
    """How a browser is started without a window, with cameras of PipeWire on or off."""

    names: tuple[str, ...]
    words: Callable[[Path, bool], list[str]]

    @property
    def program(self) -> str | None:
        """Its path."""
        return next((path for name in self.names if (path := shutil.which(name))), None)


def chromium_words(folder: Path, on: bool) -> list[str]:  # noqa: FBT001 - on or off
    return [
        "--headless",
        "--no-sandbox",  # the user may be root
        "--use-fake-ui-for-media-stream",  # answers yes to "may this page use your camera?"
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        f"--{'enable' if on else 'disable'}-features=WebRtcPipeWireCamera",
        f"--user-data-dir={folder}",
    ]


def firefox_words(folder: Path, on: bool) -> list[str]:  # noqa: FBT001 - on or off
    preferences = {
        "media.webrtc.camera.allow-pipewire": on,
        "media.navigator.permission.disabled": True,  # as a yes to "may this page use your camera?"
        "media.autoplay.default": 0,
        "datareporting.policy.dataSubmissionEnabled": False,
        "browser.shell.checkDefaultBrowser": False,
        "browser.aboutwelcome.enabled": False,
        "app.normandy.enabled": False,
        "network.captive-portal-service.enabled": False,
        "network.connectivity-service.enabled": False,
    }
    lines = [f'user_pref("{name}", {str(value).lower()});\n' for name, value in preferences.items()]
    (folder / "user.js").write_text("".join(lines), "utf-8")
    return ["--headless", "--no-remote", "--profile", str(folder)]


CHROMIUM = Browser(("chromium", "chromium-browser", "google-chrome"), chromium_words)
FIREFOX = Browser(("firefox", "firefox-esr"), firefox_words)


@pytest.fixture(params=[CHROMIUM, FIREFOX], ids=["chromium", "firefox"], scope="module")
def browser(request: pytest.FixtureRequest) -> Browser:
    chosen: Browser = request.param
    if chosen.program is None:
        pytest.skip(f"needs a browser; not installed: {' or '.join(chosen.names)}")
    return chosen


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipeWireSession]:
    """A session whose user lets programs use cameras."""
    with PipeWireSession(tmp_path_factory.mktemp("pw")) as started:
        started.permit("yes")
        started.start_portal()
        yield started


@pytest.fixture(scope="module")
def rtmatte(session: PipeWireSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A run on demand whose camera shows the marker all over, and no person; gives the file of its messages."""
    folder = tmp_path_factory.mktemp("rtmatte")
    assert cv2.imwrite(str(folder / "marker.png"), np.full((360, 640, 3), MARKER, np.uint8))
    options = {"camera": folder / "marker.png", "bg": "#ff00ff", "size": "640x360", "fps": 15, "output": "pipewire"}
    words = [f"--{name}={value}" for name, value in {**options, "provider": "cpu", "threads": 1}.items()]
    kept = {name: value for name, value in os.environ.items() if name in {"HOME", "XDG_CACHE_HOME"}}  # kernels
    log = folder / "messages"
    program = [sys.executable, "-m", "realtime_matte", *words, "--on-demand"]
    with log.open("wb") as messages, running(*program, environment={**session.environment, **kept}, stderr=messages):
        wait_until(lambda: "Ctrl-C ends" in log.read_text(), "rtmatte runs")
        yield log


@contextmanager
def call(
    browser: Browser, environment: Mapping[str, str], folder: Path, *, on: bool = True, tries: int = 20
) -> Iterator[Callable[[], dict[str, Any]]]:
    """A browser that joins a call; gives a function that waits for what its page saw."""
    assert browser.program
    with ExitStack() as stack:
        server = stack.enter_context(served(PAGE))
        words = [browser.program, *browser.words(folder, on), f"{server.address}?tries={tries}"]
        stack.enter_context(running(*words, environment=environment))
        yield lambda: server.posted.get(timeout=LIMIT_S)


def test_a_call_finds_the_camera_and_sees_only_composites_and_the_card(
    browser: Browser, session: PipeWireSession, rtmatte: Path, tmp_path: Path
) -> None:
    wait_until(lambda: count(rtmatte, on_demand.OFF) == count(rtmatte, on_demand.ON), "the webcam is off")
    calls = count(rtmatte, on_demand.ON)
    with call(browser, session.environment, tmp_path) as result:
        seen = result()
    assert "error" not in seen, seen
    assert seen["label"] == "Virtual Camera", seen
    assert seen["cameras"] == ["Virtual Camera"]
    assert seen["size"] == [640, 360]
    assert np.abs(np.array([seen["low"], seen["high"]]) - BACKGROUND).max() <= 12, seen
    assert seen["green"] <= 12, f"the camera's background was shown: {seen}"
    joined = count(rtmatte, on_demand.ON) - calls
    assert 1 <= joined <= 1 + seen["aborted"], "an attempt that the browser gave up may have turned the webcam on"


@pytest.mark.usefixtures("rtmatte")
def test_without_the_setting_the_camera_is_not_found(
    browser: Browser, session: PipeWireSession, tmp_path: Path
) -> None:
    with call(browser, session.environment, tmp_path, on=False, tries=1) as result:
        assert "NotFoundError" in result()["error"]


@pytest.mark.skipif(FIREFOX.program is None, reason="needs Firefox")
@pytest.mark.usefixtures("rtmatte")
def test_firefox_reports_that_the_user_has_refused(session: PipeWireSession, tmp_path: Path) -> None:
    """Chromium 156 is not tested: its page never gets an answer then."""
    session.permit("no")
    try:
        with call(FIREFOX, session.environment, tmp_path) as result:
            assert "NotAllowedError" in result()["error"]
    finally:
        session.permit("yes")


def count(messages: Path, text: str) -> int:
    return messages.read_text().count(text)
