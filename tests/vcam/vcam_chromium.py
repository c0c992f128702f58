"""Headless Chromium, controlled through its debugging pipe: needs no driver and no package."""

import base64
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

LIMIT_S = 150.0
"""For one browser: it has many threads, and is slow where they do not run in parallel."""

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",  # the lab's user is root
    "--remote-debugging-pipe",
    "--use-fake-ui-for-media-stream",  # answers yes to "may this page use your camera?"
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
)


def find() -> str | None:
    """Its path."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Chromium:
    """A browser; killed at the end of the ``with``. Used by one thread."""

    def __init__(self, program: str, *, folder: Path) -> None:
        command_read, command_write = os.pipe()
        answer_read, answer_write = os.pipe()
        script = f'exec "$0" "$@" 3<&{command_read} 4>&{answer_write}'  # the numbers that Chromium expects
        words = ["bash", "-c", script, program, *FLAGS, f"--user-data-dir={folder / 'chromium'}", "about:blank"]
        self._process = subprocess.Popen(words, pass_fds=(command_read, answer_write), stderr=subprocess.DEVNULL)
        os.close(command_read)
        os.close(answer_write)
        self._commands, self._answers = os.fdopen(command_write, "wb", buffering=0), os.fdopen(answer_read, "rb")
        self._limit = threading.Timer(LIMIT_S, self._process.kill)
        self._limit.start()
        self._count = 0

    def open(self, address: str) -> "Page":
        """A page that shows this address, beside the others."""
        target = self.call("Target.createTarget", {"url": "about:blank", "newWindow": True})["targetId"]  # not hidden
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        self.call("Page.enable", {}, session=session)
        self.call("Page.navigate", {"url": address}, session=session)
        self._await(lambda message: message.get("method") == "Page.loadEventFired" and message["sessionId"] == session)
        return Page(self, session)

    def call(self, method: str, parameters: Mapping[str, object], *, session: str | None = None) -> Any:  # noqa: ANN401 - any JSON
        """The result of a command of the debugging protocol."""
        self._count += 1
        number = self._count
        call = {"id": number, "method": method, "params": parameters}
        if session:
            call["sessionId"] = session
        self._commands.write(json.dumps(call).encode() + b"\0")
        answer = self._await(lambda message: message.get("id") == number)
        assert "result" in answer, answer
        return answer["result"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._limit.cancel()
        self._process.kill()
        self._process.wait(LIMIT_S)
        self._commands.close()
        self._answers.close()

    def _await(self, matches: Any) -> dict[str, Any]:  # noqa: ANN401
        while True:
            message = json.loads(self._message())
            if matches(message):
                return message

    def _message(self) -> bytes:
        text = bytearray()
        while (letter := self._answers.read(1)) != b"\0":
            assert letter, f"Chromium ended, or took longer than {LIMIT_S:g} s"
            text += letter
        return bytes(text)


class Page:
    """A page of a browser."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self._browser = browser
        self._session = session

    def run(self, script: str) -> Any:  # noqa: ANN401 - any JSON
        """The value of an expression in the page."""
        parameters = {"expression": script, "awaitPromise": True, "returnByValue": True}
        answer = self._browser.call("Runtime.evaluate", parameters, session=self._session)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def screenshot(self) -> bytes:
        """A PNG."""
        return base64.b64decode(self._browser.call("Page.captureScreenshot", {}, session=self._session)["data"])


@contextmanager
def served(page: bytes) -> Iterator[str]:
    """The address of a server that answers every request with this page."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _serving(page))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def _serving(page: bytes) -> type[BaseHTTPRequestHandler]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Print nothing."""

    return Page
