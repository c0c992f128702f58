"""A page that joins a call in any browser and posts what it saw: a browser needs no driver for that."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from typing import Any


class CallServer(ThreadingHTTPServer):
    """Serves one page; ``posted`` has what it posts."""

    def __init__(self, page: bytes) -> None:
        self.page = page
        self.posted: Queue[dict[str, Any]] = Queue()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: CallServer

    def do_GET(self) -> None:
        self._answer(self.server.page)

    def do_POST(self) -> None:
        posted = self.rfile.read(int(self.headers["content-length"]))
        self._answer(b"")
        self.server.posted.put(json.loads(posted))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Print nothing."""

    def _answer(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def served(page: bytes) -> Iterator[CallServer]:
    """Serve the page until the end of the ``with``."""
    with CallServer(page) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
