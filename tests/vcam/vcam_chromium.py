"""Headless Chromium, controlled through its debugging pipe: needs no driver and no package."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Mapping
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
    """A browser with one page open; killed at the end of the ``with``."""

    def __init__(self, program: str, page: bytes, *, folder: Path) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _serving(page))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
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
        self._session: str | None = None
        self._navigate(f"http://127.0.0.1:{self._server.server_port}/")

    def run(self, script: str) -> Any:  # noqa: ANN401 - any JSON
        """The value of an expression in the page."""
        parameters = {"expression": script, "awaitPromise": True, "returnByValue": True}
        answer = self._call("Runtime.evaluate", parameters)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def screenshot(self) -> str:
        """A PNG, in base 64."""
        return str(self._call("Page.captureScreenshot", {})["data"])

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
        self._server.shutdown()
        self._server.server_close()

    def _navigate(self, address: str) -> None:
        target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._session = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        self._call("Page.enable", {})
        self._call("Page.navigate", {"url": address})
        self._await(lambda message: message.get("method") == "Page.loadEventFired")

    def _call(self, method: str, parameters: Mapping[str, object]) -> Any:  # noqa: ANN401 - any JSON
        self._count += 1
        number = self._count
        call = {"id": number, "method": method, "params": parameters}
        if self._session:
            call["sessionId"] = self._session
        self._commands.write(json.dumps(call).encode() + b"\0")
        answer = self._await(lambda message: message.get("id") == number)
        assert "result" in answer, answer
        return answer["result"]

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
