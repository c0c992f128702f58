"""A PipeWire session for a test: a sink sends, and another program writes five frames to the file argv[1]."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import numpy as np

from realtime_matte.sinks import pipewire

FRAME = np.full((48, 64, 3), (10, 20, 200), np.uint8)
LIMIT_S = 60.0
TRIES = 5
"""On a busy machine the session manager may run, and not yet be ready to connect programs."""
READ = "pipewiresrc target-object=rtmatte num-buffers=5 ! videoconvert ! video/x-raw,format=BGR ! filesink location="


@contextmanager
def running(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(words)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def prints(words: Sequence[str], text: str) -> bool:
    """Whether a program prints that text; called again after a moment, as there is no event to wait for."""
    time.sleep(0.05)
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return text in done.stdout


def wait(words: Sequence[str], text: str) -> None:
    ends_at = time.monotonic() + LIMIT_S
    while not prints(words, text):
        assert time.monotonic() < ends_at, f"{words} never printed {text!r}"


def read(sink: pipewire.PipeWire, path: Path) -> bool:
    """Send until another program has its frames; False when it could not start."""
    with running("gst-launch-1.0", "-q", *f"{READ}{path}".split()) as reader:
        ends_at = time.monotonic() + LIMIT_S
        while reader.poll() is None and time.monotonic() < ends_at:
            sink.send(FRAME, time.monotonic())
            time.sleep(1 / 30)
        return reader.poll() == 0


def main(path: Path) -> int:
    with ExitStack() as stack:
        stack.enter_context(running("pipewire"))
        wait(["pw-cli", "info", "0"], "PipeWire:Interface:Core")
        stack.enter_context(running("wireplumber"))
        wait(["pw-cli", "ls", "Client"], "WirePlumber")
        sink = stack.enter_context(closing(pipewire.open("", size=(64, 48), fps=30.0, alpha=False)))
        sink.send(FRAME, time.monotonic())
        wait(["pw-cli", "ls", "Node"], "rtmatte")
        return int(not any(read(sink, path) for _ in range(TRIES)))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
