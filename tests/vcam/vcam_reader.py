"""What programs that read the virtual camera see, and whether they may see it."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Literal, Self

import cv2
import numpy as np
from numpy.typing import NDArray
from vcam_devices import LIMIT_S, Node, wait_until

from realtime_matte.frame import Pixels, Size
from realtime_matte.pipeline import standby
from realtime_matte.pipeline.output_fitter import OutputFitter

SIZE: Size = (640, 360)
MARKER = (0, 255, 0)  # BGR
BACKGROUND = (255, 0, 255)
BACKGROUND_NAME = "#ff00ff"

TOLERANCE = 12
"""Of 255: rounding and chroma subsampling of two programs; MARKER differs by more from all that may be sent."""

NEAR_MARKER = 45
"""Of 255, in both chroma channels: MARKER mixed with up to as much of a grey."""

CHROMA = SIZE[0] * SIZE[1]
"""Where chroma begins in a frame of the device."""

REASONS = (
    standby.STARTING,
    standby.CAMERA_NOT_AVAILABLE,
    standby.NO_MATTE,
    standby.SWITCHING,
    standby.STANDBY,
    standby.STOPPED,
)

FrameKind = Literal["card", "background", "fitted", "person", "torn", "unexpected"]


class FrameClassifier:
    """Classifies frames by all their bytes, in the device's format.

    ``fitted_from``: the size of output frames that are fitted into this device's size. ``background``: its colour.
    """

    def __init__(self, fitted_from: Size | None = None, background: tuple[int, int, int] = BACKGROUND) -> None:
        fit = OutputFitter(SIZE)
        sizes = [SIZE, fitted_from] if fitted_from else [SIZE]
        self._background = i420(plain(background))
        self._fitted = i420(fit(plain(background, size=sizes[-1])))
        self._cards = [i420(fit(standby.draw_card(size, text=reason))) for size in sizes for reason in REASONS]

    def __call__(self, raw: NDArray[np.uint8]) -> FrameKind:
        """``torn``: given out while the next frame was written into it: harmless. ``unexpected``: a failure."""
        background, fitted = _near(raw, self._background), _near(raw, self._fitted)
        if background.all():
            return "background"
        if fitted.all():
            return "fitted"
        cards = [_near(raw, one) for one in self._cards]
        if any(one.all() for one in cards):
            return "card"
        allowed = np.logical_or.reduce([background, fitted, *cards])
        return "torn" if allowed.all() else "unexpected"


class PersonClassifier:
    """As ``FrameClassifier``; other frames are of a person if nothing of them is near MARKER, which the room has."""

    def __init__(self) -> None:
        self._classify = FrameClassifier()
        self._marker = i420(plain(MARKER))[[CHROMA, -1]].astype(int)

    def __call__(self, raw: NDArray[np.uint8]) -> FrameKind:
        kind = self._classify(raw)
        return "person" if kind == "unexpected" and not self._shows_marker(raw) else kind

    def _shows_marker(self, raw: NDArray[np.uint8]) -> bool:
        """By its chroma, which is far from that of skin, clothes and background."""
        distance = np.abs(raw[CHROMA:].reshape(2, -1) - self._marker[:, None]).max(axis=0)
        return bool((distance < NEAR_MARKER).any())


class Reader:
    """A program that reads the virtual camera all the time, and classifies each frame, by ``FrameClassifier``."""

    def __init__(
        self,
        node: Node,
        *,
        fitted_from: Size | None = None,
        background: tuple[int, int, int] = BACKGROUND,
        classify: Callable[[NDArray[np.uint8]], FrameKind] | None = None,
    ) -> None:
        wait_until(lambda: node.has_writer, f"a program sends to {node.path}")
        self.seen: list[FrameKind] = []  # guarded by _changed
        self._changed = threading.Condition()
        self._classify = classify or FrameClassifier(fitted_from, background)
        words = ["stdbuf", "-o0", "v4l2-ctl", "-d", str(node.path), "--stream-mmap=2", "--stream-to=-"]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @property
    def is_reading(self) -> bool:
        """True while the device reports no error to it."""
        return self._process.poll() is None

    def wait_for(self, kind: FrameKind, *, frames: int = 1, limit_s: float = LIMIT_S) -> None:
        """Wait for that many more frames of this kind."""
        with self._changed:
            start = len(self.seen)
            came = self._changed.wait_for(lambda: self.seen[start:].count(kind) >= frames, limit_s)
            assert came, f"no {frames} x {kind} within {limit_s:g} s, but {self.seen[start:]}"

    def wait_last(self, kind: FrameKind) -> None:
        """Wait until the newest frame is of this kind; without a writer it then stays."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.seen[-1:] == [kind], LIMIT_S), self.seen

    def assert_private(self) -> None:
        """No frame ever showed anything but the standby card and the background."""
        assert self.seen
        assert "unexpected" not in self.seen, self.seen

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait(LIMIT_S)
        self._thread.join(LIMIT_S)

    def _watch(self) -> None:
        assert self._process.stdout
        with self._process.stdout as frames:
            while len(raw := frames.read(SIZE[0] * SIZE[1] * 3 // 2)) == SIZE[0] * SIZE[1] * 3 // 2:
                kind = self._classify(np.frombuffer(raw, np.uint8))
                with self._changed:
                    self.seen.append(kind)
                    self._changed.notify_all()


@contextmanager
def opened(node: Node) -> Iterator[cv2.VideoCapture]:
    """The camera opened by OpenCV."""
    capture = cv2.VideoCapture(str(node.path), cv2.CAP_V4L2)
    try:
        assert capture.isOpened()
        yield capture
    finally:
        capture.release()


def run_program(*words: str) -> str:
    """The stdout of a program, which must succeed."""
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=LIMIT_S).stdout


def plain(color: tuple[int, int, int], *, size: Size = SIZE) -> Pixels:
    return np.full((size[1], size[0], 3), color, np.uint8)


def i420(image: Pixels) -> NDArray[np.uint8]:
    """In the device's format."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420), np.uint8).ravel()


def assert_background(image: Pixels) -> None:
    assert image.shape == (SIZE[1], SIZE[0], 3)
    assert FrameClassifier()(i420(image)) == "background"


def _near(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return cv2.absdiff(one, other).ravel() <= TOLERANCE
