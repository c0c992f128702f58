"""Frames of a clip, a sequence or a still, with their numbers and times, in one form."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

from realtime_matte.batch.inputs import Input
from realtime_matte.errors import BadFile
from realtime_matte.frame import Pixels, Size
from realtime_matte.media import image
from realtime_matte.media.clip import Clip, ClipFrame
from realtime_matte.media.colors import ColorTags, tags_of
from realtime_matte.media.encoder import TICKS_PER_S

DECODER_THREADS: Final = 1
"""The other cores decode other clips."""

FINEST: Final = Fraction(1, 1_000_000)
"""Containers of results have no finer clock."""

Draw: TypeAlias = Callable[[], Pixels]


@dataclass(frozen=True, slots=True)
class InputFrame:
    """A frame that is decoded, but not converted.

    Attributes:
        number: From 0 for a clip; the file's number for a sequence.
        time: Seconds after the first frame.
        duration: How long it is shown, s.
        draw: Its pixels, (H, W, 3) BGR, overwritten by the next call.
    """

    number: int
    time: float
    duration: float
    draw: Draw


@dataclass(frozen=True, slots=True)
class Reader:
    """An input that is open.

    Attributes:
        size: Of its first frame, as it is shown.
        fps: Frames a second, on average.
        count: How many frames there are, if known.
        tags: Colour tags that results keep; None for images, which are sRGB.
        frames: Each frame, once.
        time_base: Of the times in the file, which are multiples of it, s.
        start: Time of the first frame on the clock of the file, s.
        notices: Messages to the user.
    """

    size: Size
    fps: float
    count: int | None
    tags: ColorTags | None
    frames: Iterator[InputFrame]
    time_base: Fraction
    start: float = 0.0
    notices: tuple[str, ...] = ()


@contextmanager
def open_reader(one: Input, *, fps: float) -> Iterator[Reader]:
    """Open an input; ``fps`` is the rate of a sequence.

    Raises:
        MissingFile, BadFile: also from ``frames``.
    """
    if one.kind != "clip":
        yield _images(one, fps)
        return
    clip = Clip(Path(one.files[0]), threads=DECODER_THREADS)
    try:
        first = clip.first.decoded
        tags = tags_of(first)
        yield Reader(
            clip.size,
            clip.fps,
            clip.frames,
            tags,
            _clip_frames(clip),
            _time_base(first.time_base),
            clip.start,
            tags.notices,
        )
    finally:
        clip.close()


def _time_base(stated: Fraction | None) -> Fraction:
    return stated if stated and FINEST <= stated <= 1 else Fraction(1, TICKS_PER_S)


def _clip_frames(clip: Clip) -> Iterator[InputFrame]:
    width, height = clip.size
    pixels = np.empty((height, width, 3), np.uint8)

    def draw(frame: ClipFrame) -> Pixels:
        clip.draw(frame, pixels)
        return pixels

    number = 0
    while (frame := clip.next()) is not None:
        yield InputFrame(number, frame.time, frame.duration, partial(draw, frame))
        number += 1


def _images(one: Input, fps: float) -> Reader:
    first = image.load(Path(one.files[0]))
    size = first.pixels.shape[1], first.pixels.shape[0]
    missing = one.numbers[-1] - one.numbers[0] + 1 - len(one.numbers)
    gaps = (
        (f"{one.name}: {missing} number{' is' if missing == 1 else 's are'} missing, and left out",) if missing else ()
    )
    tick = 1 / Fraction(fps).limit_denominator(1001)
    return Reader(size, fps, len(one.files), None, _image_frames(one, fps, size), tick, notices=gaps + first.notices)


def _image_frames(one: Input, fps: float, size: Size) -> Iterator[InputFrame]:
    for number, file in zip(one.numbers, one.files, strict=True):
        yield InputFrame(number, (number - one.numbers[0]) / fps, 1 / fps, partial(_read, Path(file), size))


def _read(file: Path, size: Size) -> Pixels:
    pixels = image.read(file)
    own = pixels.shape[1], pixels.shape[0]
    if own != size:
        raise BadFile(
            f"{str(file)!r} has {own[0]}x{own[1]}, the first image of its sequence {size[0]}x{size[1]}",
            hint="use --stills where numbered images are photographs",
        )
    return pixels
