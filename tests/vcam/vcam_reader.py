"""What a program that reads the virtual camera is given, and whether it may be given that."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Literal, Self

import cv2
import numpy as np
from numpy.typing import NDArray
from vcam_devices import LIMIT_S, Node, until

from realtime_matte.frame import Pixels, Size
from realtime_matte.pipeline import card, standby

SIZE: Size = (640, 360)
ROOM = (0, 255, 0)  # BGR
BACKDROP = (255, 0, 255)
BACKDROP_NAME = "#ff00ff"

TOLERANCE = 12
"""Of 255: two programs' rounding, and their ways of sharing a colour among four pixels; ROOM is further from all."""

REASONS = (standby.STARTING, standby.CAMERA_AWAY, standby.NO_MATTE, standby.SWITCHING, standby.STANDBY, standby.STOPPED)

Verdict = Literal["card", "backdrop", "torn", "strange"]


class Judge:
    """Tells apart what may be sent and what not, byte by byte, in the device's own format."""

    def __init__(self) -> None:
        self._backdrop = i420(plain(BACKDROP))
        self._cards = [i420(card.draw(SIZE, text=reason)) for reason in REASONS]

    def __call__(self, raw: NDArray[np.uint8]) -> Verdict:
        """The driver may hand out a picture while the next one is written over it: that is ``torn``, and harmless."""
        backdrop = _near(raw, self._backdrop)
        if backdrop.all():
            return "backdrop"
        cards = [_near(raw, one) for one in self._cards]
        if any(one.all() for one in cards):
            return "card"
        allowed = np.logical_or.reduce([backdrop, *cards])
        return "torn" if allowed.all() else "strange"


class Watcher:
    """A client that reads the virtual camera all the time, and judges each picture."""

    def __init__(self, node: Node) -> None:
        until(lambda: node.sent_to, f"somebody sends to {node.path}")
        self.seen: list[Verdict] = []  # guarded by _changed
        self._changed = threading.Condition()
        self._judge = Judge()
        words = ["stdbuf", "-o0", "v4l2-ctl", "-d", str(node.path), "--stream-mmap=2", "--stream-to=-"]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @property
    def reads(self) -> bool:
        """True while the device gives it no error."""
        return self._process.poll() is None

    def wait(self, verdict: Verdict, *, pictures: int = 1, limit_s: float = LIMIT_S) -> None:
        """Until so many more such pictures have come."""
        with self._changed:
            start = len(self.seen)
            came = self._changed.wait_for(lambda: self.seen[start:].count(verdict) >= pictures, limit_s)
            assert came, f"no {pictures} x {verdict} within {limit_s:g} s, but {self.seen[start:]}"

    def wait_last(self, verdict: Verdict) -> None:
        """Until it is the newest picture; where nobody sends any more it then stays that."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.seen[-1:] == [verdict], LIMIT_S), self.seen

    def assert_private(self) -> None:
        """No picture ever held anything but the standby card and the backdrop."""
        assert self.seen
        assert "strange" not in self.seen, self.seen

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
        with self._process.stdout as pictures:
            while len(raw := pictures.read(SIZE[0] * SIZE[1] * 3 // 2)) == SIZE[0] * SIZE[1] * 3 // 2:
                verdict = self._judge(np.frombuffer(raw, np.uint8))
                with self._changed:
                    self.seen.append(verdict)
                    self._changed.notify_all()


@contextmanager
def opened(node: Node) -> Iterator[cv2.VideoCapture]:
    """The camera as OpenCV opens it."""
    capture = cv2.VideoCapture(str(node.path), cv2.CAP_V4L2)
    try:
        assert capture.isOpened()
        yield capture
    finally:
        capture.release()


def ask(*words: str) -> str:
    """What a program says on stdout; it must end well."""
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=LIMIT_S).stdout


def plain(color: tuple[int, int, int]) -> Pixels:
    return np.full((SIZE[1], SIZE[0], 3), color, np.uint8)


def i420(picture: Pixels) -> NDArray[np.uint8]:
    """As the device carries it."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8).ravel()


def assert_backdrop(picture: Pixels) -> None:
    assert picture.shape == (SIZE[1], SIZE[0], 3)
    assert Judge()(i420(picture)) == "backdrop"


def _near(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return cv2.absdiff(one, other).ravel() <= TOLERANCE
