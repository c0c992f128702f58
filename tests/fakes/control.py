"""A pipeline that is controlled from outside: the test's thread runs it while clients in other threads wait."""

import json
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from realtime_matte.pipeline.pipeline import Pipeline

Result = TypeVar("Result")

LONG_S = 60.0
"""Longer than any wait of a test that passes."""


def while_running(pipeline: Pipeline, client: Callable[[], Result]) -> Result:
    """The result of ``client``, which another thread calls while the pipeline runs in this one."""
    with ThreadPoolExecutor(1) as other:
        future = other.submit(client)
        while not future.done():
            pipeline.step()
        return future.result()


class Client:
    """A connection to a control server that stays open."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(LONG_S)
        self.socket.connect(str(path))
        self._lines = self.socket.makefile("rb")

    def send(self, line: bytes) -> None:
        self.socket.sendall(line + b"\n")

    def receive(self) -> dict[str, Any] | None:
        """The next answer; None if the server closed the connection."""
        line = self._lines.readline()
        return json.loads(line) if line else None

    def ask(self, key: str, value: object = None) -> dict[str, Any]:
        """The answer to one request."""
        self.send(json.dumps({"key": key, "value": value}).encode())
        answer = self.receive()
        assert answer is not None
        return answer

    def close(self) -> None:
        self._lines.close()
        self.socket.close()
