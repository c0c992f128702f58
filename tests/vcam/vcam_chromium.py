"""Headless Chromium, spoken to through its own debugging pipe: no driver, no package."""

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
"""Of one browser's life: it has many threads, and where they run one after the other it is slow."""

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",  # the lab's user is root
    "--remote-debugging-pipe",
    "--use-fake-ui-for-media-stream",  # says yes to "may this page use your camera?"
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
)


def find() -> str | None:
    """Where it is."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Chromium:
    """A browser with one page open; killed when it is left."""

    def __init__(self, program: str, page: bytes, *, folder: Path) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _serving(page))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        theirs, ours = os.pipe()
        answers, answering = os.pipe()
        script = f'exec "$0" "$@" 3<&{theirs} 4>&{answering}'  # the numbers that Chromium expects
        words = ["bash", "-c", script, program, *FLAGS, f"--user-data-dir={folder / 'chromium'}", "about:blank"]
        self._process = subprocess.Popen(words, pass_fds=(theirs, answering), stderr=subprocess.DEVNULL)
        os.close(theirs)
        os.close(answering)
        self._to, self._from = os.fdopen(ours, "wb", buffering=0), os.fdopen(answers, "rb")
        self._limit = threading.Timer(LIMIT_S, self._process.kill)
        self._limit.start()
        self._asked = 0
        self._session: str | None = None
        self._show(f"http://127.0.0.1:{self._server.server_port}/")

    def run(self, script: str) -> Any:  # noqa: ANN401 - whatever the page gives
        """What an expression comes to in the page."""
        asked = {"expression": script, "awaitPromise": True, "returnByValue": True}
        answer = self._ask("Runtime.evaluate", asked)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def screenshot(self) -> str:
        """A PNG, in base 64."""
        return str(self._ask("Page.captureScreenshot", {})["data"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._limit.cancel()
        self._process.kill()
        self._process.wait(LIMIT_S)
        self._to.close()
        self._from.close()
        self._server.shutdown()
        self._server.server_close()

    def _show(self, address: str) -> None:
        target = self._ask("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._session = self._ask("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        self._ask("Page.enable", {})
        self._ask("Page.navigate", {"url": address})
        self._await(lambda message: message.get("method") == "Page.loadEventFired")

    def _ask(self, method: str, given: Mapping[str, object]) -> Any:  # noqa: ANN401 - whatever Chromium answers
        self._asked += 1
        number = self._asked
        asked = {"id": number, "method": method, "params": given}
        if self._session:
            asked["sessionId"] = self._session
        self._to.write(json.dumps(asked).encode() + b"\0")
        answer = self._await(lambda message: message.get("id") == number)
        assert "result" in answer, answer
        return answer["result"]

    def _await(self, wanted: Any) -> dict[str, Any]:  # noqa: ANN401
        while True:
            message = json.loads(self._message())
            if wanted(message):
                return message

    def _message(self) -> bytes:
        text = bytearray()
        while (letter := self._from.read(1)) != b"\0":
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
            """Say nothing."""

    return Page
