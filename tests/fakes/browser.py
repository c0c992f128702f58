"""The real program with its panel, and a real Chromium that shows the page."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import av
import cv2
import numpy as np
from playwright.sync_api import Page

from realtime_matte import portrait
from realtime_matte.frame import Pixels
from realtime_matte.remover import matte_image

SIZE: Final = 320, 180
MARKER: Final = (255, 0, 255)
"""The background that the camera of the tests sees, BGR and RGB; as in fakes.scripted."""

START_S: Final = 60.0
LONG_MS: Final = 60_000
"""Longer than any wait of a test that passes, on a busy machine too."""

WATCH: Final = """
(() => {
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  const seen = window.seen = {
    frames: 0, marked: 0, corner: [0, 0, 0], person: 0, sum: 0, sums: [], asked: 0, statuses: 0,
  };
  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener('message', ({data}) => { seen.statuses += typeof data === 'string'; });
    }
    send(data) {
      seen.asked += data.includes('"next"');
      super.send(data);
    }
  };
  CanvasRenderingContext2D.prototype.drawImage = function (...given) {
    draw.apply(this, given);
    const {width, height} = this.canvas;
    const {data} = this.getImageData(0, 0, width, height);
    const at = 4 * (8 * width + width - 12); // the upper right corner, where nobody is
    const corner = [data[at], data[at + 1], data[at + 2]];
    let marked = 0, weight = 0, moment = 0, sum = 0;
    const isMarker = (j) => Math.abs(data[j] - 255) + data[j + 1] + Math.abs(data[j + 2] - 255) < 3 * 64;
    for (let i = 0; i < data.length; i += 4) {
      const [r, g, b] = [data[i], data[i + 1], data[i + 2]];
      // an area, not single pixels of a soft edge in an enlarged frame
      if (isMarker(i) && isMarker(i + 8) && isMarker(i + 8 * width)) marked += 1;
      const other = Math.abs(r - corner[0]) + Math.abs(g - corner[1]) + Math.abs(b - corner[2]) > 90;
      if (other && i < data.length / 2) { weight += 1; moment += (i / 4) % width; }
      sum = (sum * 31 + r + g + b) % 1000003;
    }
    seen.frames += 1;
    seen.marked = Math.max(seen.marked, marked);
    seen.person = weight ? moment / weight / width : 0;
    seen.corner = corner;
    seen.sums = [...seen.sums.slice(-9), sum];
  };
})();
"""
"""Looks at every frame that the page draws: the marker's colour, the background's colour, where the person is.

It also counts the statuses that arrive and the previews that are asked for.
"""


def find_chromium() -> str:
    """The browser's path; empty where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    return next((path for name in names if (path := shutil.which(name))), "")


class Panel:
    """``rtmatte panel`` as users run it, with folders of its own. ``url`` has the token."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder = folder
        self.words = words
        self.url = ""
        self.lines: deque[str] = deque(maxlen=50)
        self._process: subprocess.Popen[str] | None = None
        self._reading: threading.Thread | None = None

    def start(self) -> None:
        """Start it and wait until the page can be opened."""
        folders = {
            name: self.folder / name.lower() for name in ("RUNTIME_DIR", "DATA_HOME", "CONFIG_HOME", "VIDEOS_DIR")
        }
        for folder in folders.values():
            folder.mkdir(mode=0o700, exist_ok=True)
        environment = {**os.environ, **{f"XDG_{name}": str(path) for name, path in folders.items()}}
        command = [sys.executable, "-m", "realtime_matte", "panel", "--no-open", *self.words]
        self._process = subprocess.Popen(  # noqa: S603 - of our own program
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        timer = threading.Timer(START_S, self._process.kill)
        timer.start()
        assert self._process.stdout
        self.url = ""
        while not self.url and (line := self._process.stdout.readline()):
            self.lines.append(line)
            if found := re.search(r"file://\S+", line):
                self.url = _address(Path(unquote(urlsplit(found[0]).path)))
        timer.cancel()
        self._reading = threading.Thread(target=self._drain, daemon=True)
        self._reading.start()
        assert self.url, "".join(self.lines)

    def send(self, number: int) -> None:
        """Send it a signal."""
        assert self._process
        self._process.send_signal(number)

    def stop(self) -> None:
        """End it. Idempotent."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(START_S)
            finally:
                self._process.kill()
                self._process.wait()
        if self._reading:
            self._reading.join(START_S)

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def _drain(self) -> None:
        assert self._process
        with self._process.stdout or nullcontext() as lines:
            self.lines.extend(lines or ())


def _address(file: Path) -> str:
    found = re.search(r'url=([^"]+)', file.read_text())
    assert found
    return found[1]


@contextmanager
def panel(folder: Path, *words: str) -> Iterator[Panel]:
    """A program that is ended with the block."""
    program = Panel(folder, *words)
    try:
        program.start()
        yield program
    finally:
        program.stop()


def wait_for(page: Page, condition: str, argument: Any = None) -> None:  # noqa: ANN401 -- any JSON
    """Wait until a JavaScript expression of ``argument`` is true."""
    page.wait_for_function(condition, arg=argument, timeout=LONG_MS)


def wait_for_background(page: Page, rgb: tuple[int, int, int], *, within: int = 45) -> None:
    """Wait until frames arrive that show this colour behind the person. JPEG moves it a little."""
    near = "([rgb, within]) => rgb.every((value, i) => Math.abs(value - seen.corner[i]) <= within)"
    wait_for(page, near, [list(rgb), within])


def wait_for_new_frames(page: Page, count: int = 3) -> None:
    """Wait until so many more frames were drawn."""
    wait_for(page, "(count) => seen.frames >= count", page.evaluate("seen.frames") + count)


def marker_frames() -> list[Pixels]:
    """What the camera of the tests sees: the sample portrait, which moves, before the marker's colour."""
    matte = matte_image(portrait.sample_portrait(), model="small")
    alpha = matte.alpha[..., None]
    photo = matte.foreground * alpha + np.asarray(MARKER) * (1 - alpha)
    large = cv2.resize(photo.astype(np.uint8), (420, 420), interpolation=cv2.INTER_AREA)
    offsets = [60 + round(10 * np.sin(index / 12 * 2 * np.pi)) for index in range(12)]
    return [np.ascontiguousarray(large[20 : 20 + SIZE[1], left : left + SIZE[0]]) for left in offsets]


def write_clip(path: Path, frames: list[Pixels], *, fps: int = 10) -> None:
    """A video file of these frames."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="bgr24")))
        container.mux(stream.encode())


def jpeg(color: tuple[int, int, int]) -> bytes:
    """An image of one colour, BGR."""
    return cv2.imencode(".jpg", np.full((90, 160, 3), color, np.uint8))[1].tobytes()
