"""HTTP servers on this machine that stand for a phone used as a webcam; each serves what the test scripts."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np

Serve = Callable[["Request"], None]


class Request(BaseHTTPRequestHandler):
    """One connection; ``number``: how many there were before it."""

    server: "StreamServer"

    def do_GET(self) -> None:
        with self.server.lock:
            self.number = self.server.connections
            self.server.connections += 1
        self.server.serve(self)

    def start(self, content_type: str = "multipart/x-mixed-replace; boundary=next", status: int = 200) -> None:
        """Send the status and the head."""
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.end_headers()

    def send_frame(self, grey: int, size: tuple[int, int] = (64, 48)) -> bool:
        """Send one frame of MJPEG. False where the client is gone."""
        data = cv2.imencode(".jpg", np.full((size[1], size[0], 3), grey, np.uint8))[1].tobytes()
        head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
        try:
            self.wfile.write(head.encode() + data + b"\r\n")
        except OSError:
            return False
        return True

    def log_message(self, *_: object) -> None:
        """Nothing."""


def send_forever(request: Request) -> None:
    """Send frames until the client leaves or the test is over."""
    request.start()
    while request.send_frame(100) and not request.server.ends.wait(0.01):
        pass


class StreamServer(ThreadingHTTPServer):
    """A server on a free port. ``ends``: set when the test is over, which a request that waits has to look at."""

    daemon_threads = True

    def __init__(self, serve: Serve) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.serve = serve
        self.connections = 0
        self.lock = threading.Lock()
        self.ends = threading.Event()

    def url(self, path: str = "/video", user: str = "") -> str:
        return f"http://{user}127.0.0.1:{self.server_address[1]}{path}"


@contextmanager
def serving(serve: Serve) -> Iterator[StreamServer]:
    """A server that answers each request by calling ``serve``."""
    server = StreamServer(serve)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.ends.set()
        server.shutdown()
        server.server_close()
        thread.join(30)
