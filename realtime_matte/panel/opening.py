"""Opens the page in the browser, with the token of the run.

A command line is visible to other users of the machine, so the browser is given the name of a file that only this user
can read, which leads to the page. It is deleted when the page was opened.
"""

import html
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import webbrowser
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final, Literal, TypeAlias

from realtime_matte.control.sockets import open_folder
from realtime_matte.errors import SinkError
from realtime_matte.panel.server import PanelServer

Opens: TypeAlias = Literal["page", "app"]

APP_BROWSERS: Final = (
    "google-chrome",
    "google-chrome-stable",
    "chromium",
    "chromium-browser",
    "microsoft-edge",
    "brave-browser",
    "vivaldi",
    "chrome",
    "msedge",
)
"""Browsers with ``--app``, by their programs."""

APP_PATHS: Final = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)

SNAP: Final = re.compile(r"([a-z0-9-]+)_[a-z0-9-]+\.desktop")
"""The name of a browser that is a snap. It reads no other folder of the runtime folder or /tmp."""

ASK_S: Final = 3.0

ANOTHER_S: Final = 120.0
"""How long a file is kept that was made on request: longer than a browser takes to start."""

MAX_FILES: Final = 8
"""Files made on request that there are at a time."""

REDIRECT: Final = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>rtmatte</title>
<meta http-equiv="refresh" content="0; url={url}"></head>
<body><a href="{url}">Open rtmatte</a></body></html>
"""


class RedirectFile:
    """A file for this user alone that leads to ``url``, which has the token.

    Raises:
        SinkError: It cannot be written.
    """

    def __init__(self, url: str, *, folder: Path) -> None:
        self.path = folder / f"rtmatte-{secrets.token_hex(8)}.html"
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(REDIRECT.format(url=html.escape(url)))
        except OSError as error:
            raise SinkError(
                f"cannot write {self.path}: {error.strerror}", hint="check the folder's permissions"
            ) from error

    def close(self) -> None:
        """Delete it. Idempotent; any thread."""
        with suppress(OSError):
            self.path.unlink()


class MoreFiles:
    """Makes files that lead to ``url`` while the program runs. Each is deleted after ANOTHER_S, or at the end.

    Not at the first use of the token: an open page uses it all the time, and the new one may not be read yet.
    """

    def __init__(self, url: str, *, folder: Path) -> None:
        self._url = url
        self._folder = folder
        self._files: deque[tuple[RedirectFile, threading.Timer]] = deque()

    def another(self) -> str:
        """The address of a new file. The control server's thread. Raises SinkError."""
        while len(self._files) >= MAX_FILES:
            self._delete_oldest()
        file = RedirectFile(self._url, folder=self._folder)
        timer = threading.Timer(ANOTHER_S, file.close)
        timer.daemon = True
        timer.start()
        self._files.append((file, timer))
        return file.path.as_uri()

    def close(self) -> None:
        """Delete them, once nothing can be requested any more. Idempotent."""
        while self._files:
            self._delete_oldest()

    def _delete_oldest(self) -> None:
        file, timer = self._files.popleft()
        timer.cancel()
        file.close()


@contextmanager
def page_opened(
    server: PanelServer, *, opens: Opens | None, notify: Callable[[str], None]
) -> Iterator[Callable[[], str]]:
    """Open the page, or print how, and delete the file that leads to it when it was opened, or at the end.

    Yields a function that makes another such file for a short time, and returns its address.
    """
    url = f"{server.url}#token={server.token}"
    folder = redirect_folder()
    with closing(RedirectFile(url, folder=folder)) as file, closing(MoreFiles(url, folder=folder)) as more:
        server.when_opened(file.close)
        in_terminal = sys.stderr is not None and sys.stderr.isatty()  # which only this user reads, unlike a log
        notify(f"control panel: {url if in_terminal else file.path.as_uri()}")
        if opens and (notice := open_browser(file.path.as_uri(), opens=opens)):
            notify(notice)
        yield more.another


def open_browser(address: str, *, opens: Opens) -> str:
    """Open the file at this address in the browser; as an app window if one is found. Returns a notice, or ``""``."""
    if opens == "app":
        browser = next(filter(None, map(shutil.which, APP_BROWSERS)), None) or next(
            (one for one in APP_PATHS if Path(one).is_file()), None
        )
        if browser:
            subprocess.Popen(  # noqa: S603 - a known browser, with a file of our own
                [browser, f"--app={address}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            return ""
        notice = "no browser with app windows was found, so the page opens in the default browser"
        return open_browser(address, opens="page") or notice
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return "there is no desktop here: open the control panel in a browser of this machine"
    try:
        opened = webbrowser.open(address)
    except webbrowser.Error:
        opened = False
    return "" if opened else "no browser was found: open the control panel in one"


def redirect_folder() -> Path:
    """A folder of this user alone that the default browser can read."""
    if sys.platform == "win32":
        return Path(tempfile.mkdtemp(prefix="rtmatte-"))
    if name := _snap_browser():
        common = Path.home() / "snap" / name / "common"
        if common.is_dir():
            return common
    return open_folder()


def _snap_browser() -> str:
    """The name of the default browser's snap; empty if it is none."""
    program = shutil.which("xdg-settings")
    if not program:
        return ""
    with suppress(OSError, subprocess.SubprocessError):
        answer = subprocess.run(  # noqa: S603 - a program of the desktop
            [program, "get", "default-web-browser"], capture_output=True, text=True, timeout=ASK_S, check=False
        )
        found = SNAP.fullmatch(answer.stdout.strip())
        return found[1] if found else ""
    return ""
