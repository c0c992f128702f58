"""Programs beside the tests: rtmatte as a user starts it, and others that feed or hold cameras."""

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
    """A running program, and what it tells on stderr; killed when it is left."""

    def __init__(self, words: Sequence[str]) -> None:
        self._told = b""  # guarded by _changed
        self._changed = threading.Condition()
        self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def number(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def told(self) -> str:
        """All so far."""
        return self._told.decode().strip()

    def wait_told(self, text: str) -> str:
        """The first line with ``text``, once it is told."""
        with self._changed:
            self._changed.wait_for(lambda: text in self.told or not self._thread.is_alive(), LIMIT_S)
        assert text in self.told, f"never told {text!r}, but: {self.told}"
        return next(line for line in self.told.splitlines() if text in line)

    def holds(self, path: Path) -> bool:
        """Whether it has the device open."""
        return str(path) in {_target(entry) for entry in Path(f"/proc/{self.number}/fd").iterdir()}

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def end(self, number: signal.Signals | None = None) -> int:
        """The exit status, after a signal or by itself."""
        if number is not None:
            self.send(number)
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
            sys.stderr.write(f"{self._process.args} told:\n{self.told}\n")

    def _listen(self) -> None:
        assert self._process.stderr
        with self._process.stderr as told:
            while piece := os.read(told.fileno(), 4096):
                self._add(piece)
        self._add(b"")

    def _add(self, piece: bytes) -> None:
        with self._changed:
            self._told += piece
            self._changed.notify_all()


def _target(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""  # closed since it was listed


def rtmatte(**options: object) -> Program:
    """``rtmatte`` with these options, on one thread of the CPU."""
    given = {"provider": "cpu", "threads": 1, **options}
    words = [word for name, value in given.items() for word in _option(name, value)]
    return Program([sys.executable, "-m", "realtime_matte", *words])


def holder(device: str, *, settings: str = "") -> Program:
    """A program that takes pictures from a camera and shows them to nobody."""
    size = [f"--set-fmt-video={settings}"] if settings else []
    return Program(["v4l2-ctl", "-d", device, *size, "--stream-mmap=2", "--stream-to=/dev/null"])


def feeder(picture: str, device: str) -> Program:
    """A program that shows one picture for ever in a virtual camera."""
    still = ["-re", "-loop", "1", "-framerate", "15", "-i", picture]
    return Program(["ffmpeg", "-nostdin", "-loglevel", "error", *still, "-pix_fmt", "yuyv422", "-f", "v4l2", device])


def _option(name: str, value: object) -> list[str]:
    if isinstance(value, list):
        return [word for one in value for word in _option(name, one)]
    option = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{option}" if value else f"--no-{option}"]
    return [f"--{option}", str(value)]
