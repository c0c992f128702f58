"""Programs started by the tests: rtmatte as a user starts it, and others that send to or read cameras."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from vcam_devices import LIMIT_S


class Program:
    """A running program and its stderr; killed at the end of the ``with``."""

    def __init__(self, words: Sequence[str]) -> None:
        self._output = b""  # guarded by _changed
        self._changed = threading.Condition()
        self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    @property
    def output(self) -> str:
        """Its stderr so far."""
        return self._output.decode().strip()

    def forget_output(self) -> None:
        """Begin with an empty stderr again."""
        with self._changed:
            self._output = b""

    def wait_for_output(self, text: str) -> str:
        """The first line with ``text``; waits for it."""
        with self._changed:
            self._changed.wait_for(lambda: text in self.output or not self._thread.is_alive(), LIMIT_S)
        assert text in self.output, f"never printed {text!r}, but: {self.output}"
        return next(line for line in self.output.splitlines() if text in line)

    def has_open(self, path: Path) -> bool:
        """Whether it has the device open."""
        return str(path) in {_target(entry) for entry in Path(f"/proc/{self.pid}/fd").iterdir()}

    def send(self, request: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(request)

    def end(self, request: signal.Signals | None = None) -> int:
        """The exit status; sends a signal first if one is given."""
        if request is not None:
            self.send(request)
        status = self._process.wait(LIMIT_S)
        self._thread.join(LIMIT_S)
        return status

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self.end()
        if error:
            sys.stderr.write(f"{self._process.args} printed:\n{self.output}\n")

    def _listen(self) -> None:
        assert self._process.stderr
        with self._process.stderr as stderr:
            while piece := os.read(stderr.fileno(), 4096):
                self._add(piece)
        self._add(b"")

    def _add(self, piece: bytes) -> None:
        with self._changed:
            self._output += piece
            self._changed.notify_all()


def _target(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""  # closed since it was listed


def rtmatte(**options: object) -> Program:
    """``rtmatte`` with these options, with one CPU thread."""
    given = {"provider": "cpu", "threads": 1, **options}
    words = [word for name, value in given.items() for word in _option(name, value)]
    return Program([sys.executable, "-m", "realtime_matte", *words])


def reading_program(device: str, *, settings: str = "") -> Program:
    """A program that reads frames from a camera and discards them."""
    size = [f"--set-fmt-video={settings}"] if settings else []
    return Program(["v4l2-ctl", "-d", device, *size, "--stream-mmap=2", "--stream-to=/dev/null"])


def sending_program(image: str, device: str) -> Program:
    """A program that sends one image to a virtual camera until it is ended."""
    still = ["-re", "-loop", "1", "-framerate", "15", "-i", image]
    return Program(["ffmpeg", "-nostdin", "-loglevel", "error", *still, "-pix_fmt", "yuyv422", "-f", "v4l2", device])


def _option(name: str, value: object) -> list[str]:
    if isinstance(value, list):
        return [word for one in value for word in _option(name, one)]
    option = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{option}" if value else f"--no-{option}"]
    return [f"--{option}", str(value)]
