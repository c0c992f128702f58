"""How the page is opened: the token is in a file for this user alone, which is deleted after use."""

import html
import re
import stat
import subprocess
import webbrowser
from pathlib import Path

import pytest
from fakes.panel import Panel

from realtime_matte.errors import SinkError
from realtime_matte.panel import opening
from realtime_matte.panel.opening import RedirectFile, open_browser, page_opened, redirect_folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(opening, "redirect_folder", lambda: tmp_path)
    monkeypatch.setenv("DISPLAY", ":0")
    return tmp_path


def redirects(folder: Path) -> list[Path]:
    return list(folder.glob("rtmatte-*.html"))


def test_the_file_is_for_this_user_alone_and_leads_to_the_page(tmp_path: Path) -> None:
    file = RedirectFile('http://127.0.0.1:1/#token=a&b"<', folder=tmp_path)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    text = file.path.read_text("utf-8")
    [url] = re.findall(r'content="0; url=([^"]*)"', text)
    assert html.unescape(url) == 'http://127.0.0.1:1/#token=a&b"<'
    file.close()
    file.close()
    assert redirects(tmp_path) == []


def test_a_folder_that_is_full_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="cannot write"):
        RedirectFile("http://127.0.0.1:1/", folder=tmp_path / "nothing")


def test_the_browser_gets_the_file_and_never_the_token(
    panel: Panel, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
    reported: list[str] = []
    with page_opened(panel.server, opens="page", notify=reported.append):
        [file] = redirects(folder)
        assert opened == [file.as_uri()]
        assert reported == [f"control panel: {file.as_uri()}"], "a log is read by others: it has no token"
        assert panel.ask("GET", "/api/status", X_Rtmatte_Token="wrong")[0] == 401  # noqa: S106
        assert redirects(folder) == [file]
        assert panel.ask("GET", "/api/status")[0] == 200
        assert redirects(folder) == [], "deleted after use"


def test_a_live_socket_is_use_too(panel: Panel, folder: Path) -> None:
    with page_opened(panel.server, opens=None, notify=[].append):
        with panel.live() as socket:
            socket.recv(30)
        assert redirects(folder) == []


def test_at_the_end_the_file_is_deleted_unused(panel: Panel, folder: Path) -> None:
    with page_opened(panel.server, opens=None, notify=[].append):
        assert redirects(folder)
    assert redirects(folder) == []


def test_without_opening_no_browser_is_started(panel: Panel, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _url: pytest.fail("a browser was started"))
    with page_opened(panel.server, opens=None, notify=[].append):
        assert redirects(folder)


def test_in_a_terminal_the_address_is_printed_too(panel: Panel, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For browsers that may not read the file, such as one in a container."""
    monkeypatch.setattr("sys.stderr", type("Terminal", (), {"isatty": lambda _self: True})())
    reported: list[str] = []
    with page_opened(panel.server, opens=None, notify=reported.append):
        assert reported == [f"control panel: {panel.server.url}#token={panel.server.token}"]
    assert redirects(folder) == []


def test_an_app_window_is_opened_where_a_browser_has_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_more: started.append(command))
    monkeypatch.setattr(opening.shutil, "which", lambda name: f"/bin/{name}" if name == "chromium" else None)
    path = folder / "rtmatte-1.html"
    assert open_browser(path.as_uri(), opens="app") == ""
    assert started == [["/bin/chromium", f"--app={path.as_uri()}"]]


def test_without_such_a_browser_the_default_one_opens_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(opening.shutil, "which", lambda _name: None)
    monkeypatch.setattr(opening, "APP_PATHS", ())
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
    assert "opens in the default browser" in open_browser((folder / "x.html").as_uri(), opens="app")
    assert opened == [(folder / "x.html").as_uri()]


def test_without_a_browser_or_a_desktop_it_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _url: False)
    assert (
        open_browser((folder / "x.html").as_uri(), opens="page")
        == "no browser was found: open the control panel in one"
    )
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    assert open_browser((folder / "x.html").as_uri(), opens="page").startswith("there is no desktop here")


def test_a_browser_in_a_snap_gets_a_file_that_it_can_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ubuntu's Firefox reads neither the runtime folder nor /tmp."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(opening.shutil, "which", lambda name: f"/bin/{name}")
    answer = subprocess.CompletedProcess([], 0, "firefox_firefox.desktop\n", "")
    monkeypatch.setattr(subprocess, "run", lambda *_command, **_more: answer)
    own = tmp_path / "run"
    monkeypatch.setattr(opening, "open_folder", lambda: own)
    assert redirect_folder() == own, "it was never started"
    (tmp_path / "snap/firefox/common").mkdir(parents=True)
    assert redirect_folder() == tmp_path / "snap/firefox/common"
    answer.stdout = "firefox.desktop\n"
    assert redirect_folder() == own
    answer.stdout = "../../etc_x.desktop\n"
    assert redirect_folder() == own
