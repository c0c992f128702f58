"""A camera before a drawn room, which a person enters: a virtual camera that the tests send to."""

import threading
from collections.abc import Sequence
from itertools import count
from types import TracebackType
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray
from vcam_devices import LIMIT_S, Node
from vcam_reader import MARKER, SIZE, i420

from realtime_matte.frame import Pixels
from realtime_matte.portrait import sample_portrait
from realtime_matte.v4l2.writer import LoopbackWriter

FPS: Final = 15
NOISE: Final = 2.0
"""Standard deviation, of 255."""

SWAY_PX: Final = (0, 2, 4, 2, 0, -2, -4, -2)
"""Where the person is in one frame after another: no person is at rest."""

HEIGHT: Final = 330
"""Of the person, who is cut by the lower edge."""

LEFT_SIDE: Final = (
    (25, 512),
    (25, 430),
    (35, 330),
    (60, 260),
    (113, 212),
    (113, 185),
    (135, 160),
    (180, 148),
    (178, 120),
)
HAIR: Final = ((156, 105), (155, 70), (170, 40), (205, 18), (245, 12), (285, 30), (302, 75), (298, 110), (275, 135))
RIGHT_SIDE: Final = ((270, 165), (300, 200), (306, 240), (345, 265), (362, 320), (364, 355), (330, 365), (285, 512))
OUTLINE: Final = (*LEFT_SIDE, *HAIR, *RIGHT_SIDE)
"""Of the person in the sample portrait, by hand."""

CURTAINS: Final = (slice(0, 110), slice(510, 640))
"""Columns that are MARKER."""


def drawn_room(*, seed: int = 1) -> Pixels:
    """A wall with furniture of grey and brown colours, between curtains in the MARKER colour."""
    random = np.random.default_rng(seed)
    width, height = SIZE
    small = random.integers(60, 200, (height // 40, width // 40, 1)) + random.integers(-25, 25, (1, width // 40, 3))
    room = cv2.resize(small.clip(0, 255).astype(np.uint8), SIZE, interpolation=cv2.INTER_CUBIC)
    for _ in range(6):
        left, top, right, bottom = (int(random.integers(0, limit)) for limit in (width, height, width, height))
        cv2.rectangle(room, (left, top), (right, bottom), random.integers(60, 200, 3).tolist(), 5)
    for columns in CURTAINS:
        room[:, columns] = MARKER
    return np.asarray(room, np.uint8)


def with_person(room: Pixels) -> list[Pixels]:
    """The person of the sample portrait in that room, in each place of SWAY_PX."""
    portrait = sample_portrait()
    outline = np.zeros(portrait.shape[:2], np.float32)
    cv2.fillPoly(outline, [np.array(OUTLINE)], 1.0)
    mask = cv2.GaussianBlur(outline, (0, 0), 2)
    scale = HEIGHT / len(portrait)
    frames = []
    for sway in SWAY_PX:
        place = np.array([[scale, 0, (SIZE[0] - HEIGHT) / 2 + sway], [0, scale, SIZE[1] - HEIGHT]])
        alpha = cv2.warpAffine(mask, place, SIZE)[..., None]
        person = cv2.warpAffine(portrait, place, SIZE, borderMode=cv2.BORDER_REPLICATE)
        frames.append(np.rint(person * alpha + room * (1 - alpha)).astype(np.uint8))
    return frames


class RoomCamera:
    """Sends frames to a virtual camera without a pause, as a webcam does, until the end of the ``with``."""

    def __init__(self, node: Node, frames: Sequence[Pixels]) -> None:
        self._images = noisy(frames)  # replaced as a whole by ``show``
        self._writer = LoopbackWriter(str(node.path), SIZE)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def show(self, frames: Sequence[Pixels]) -> None:
        """From the next frame on these, one after the other, again and again."""
        self._images = noisy(frames)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(LIMIT_S)
        self._writer.close()

    def _send(self) -> None:
        for number in count():
            images = self._images
            self._writer.send(images[number % len(images)])
            if self._ended.wait(1 / FPS):
                return


def noisy(frames: Sequence[Pixels]) -> list[NDArray[np.uint8]]:
    """In the device's format, at least four, each with noise of its own."""
    random = np.random.default_rng(5)
    repeated = [frame for frame in frames for _ in range(-(-4 // len(frames)))]
    return [
        i420((frame + NOISE * random.standard_normal(frame.shape)).clip(0, 255).astype(np.uint8)) for frame in repeated
    ]
