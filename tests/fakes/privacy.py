"""Judges what was sent: only the standby card, or a frame's person cut out by the matte of that very frame."""

from collections.abc import Iterable
from functools import cache

import numpy as np

from fakes.scripted import MARGIN, MARKER, NEW_BACKGROUND, START, Recorder, index_at, person_box, person_color
from realtime_matte.frame import Pixels, Size
from realtime_matte.media import i420
from realtime_matte.pipeline import standby

REASONS = {
    standby.STARTING,
    standby.CAMERA_NOT_AVAILABLE,
    standby.NO_MATTE,
    standby.SWITCHING,
    standby.STANDBY,
    standby.STOPPED,
}


class StartClock:
    """A clock that advances a little at each call, from the time of the first frame."""

    def __init__(self) -> None:
        self._now = START

    def __call__(self) -> float:
        self._now += 1e-4
        return self._now


@cache
def cards(size: Size, reason: str) -> list[Pixels]:
    """The card, drawn, and as an output that carries I420 shows it."""
    card = standby.draw_card(size, text=reason)
    return [card, i420.to_bgr(i420.from_bgr(card))] if i420.is_possible(size) else [card]


def is_card(image: Pixels, reasons: Iterable[str] = REASONS) -> bool:
    """True for the card with one of these reasons, in every byte."""
    size = image.shape[1], image.shape[0]
    return any(np.array_equal(image[..., :3], card) for reason in reasons for card in cards(size, reason))


def marked(image: Pixels) -> int:
    """How many pixels are nearer to the marker's colour than an even mixture would be; behind zero alpha too."""
    return int((np.abs(image[..., :3].astype(int) - MARKER).sum(axis=2) < 3 * 64).sum())


def shows(image: Pixels, index: int, background: tuple[int, int, int] = NEW_BACKGROUND) -> bool:
    """True for that frame's person at that frame's place, with the new background everywhere else."""
    size = image.shape[1], image.shape[0]
    inside, near = np.zeros((2, size[1], size[0]), bool)
    rows, columns = person_box(index, size)
    inside[rows.start + MARGIN : rows.stop, columns.start + MARGIN : columns.stop - MARGIN] = True
    near[rows.start - MARGIN : rows.stop, columns.start - MARGIN : columns.stop + MARGIN] = True
    foreground_error = np.abs(image[inside][:, :3].astype(int) - person_color(index)).max()
    background_error = np.abs(image[~near][:, :3].astype(int) - background).max()
    return bool(foreground_error <= 3 and background_error <= 3)  # rounding of composites, and of luma and chroma


def assert_private(sink: Recorder, *, background: tuple[int, int, int] = NEW_BACKGROUND) -> list[int | None]:
    """Judge all that was sent. Returns the index of the frame that each image shows, None for a card."""
    shown: list[int | None] = []
    for image, time in zip(sink.images, sink.times, strict=True):
        assert marked(image) == 0, f"the camera's background was sent at {time}"
        index = None if is_card(image) else index_at(time)
        assert index is None or shows(image, index, background), f"another frame's matte, or no matte, at {time}"
        shown.append(index)
    return shown
