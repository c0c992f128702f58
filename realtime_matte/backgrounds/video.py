"""A clip that plays in a loop: ``video:waves.mp4``, or just ``waves.mp4``; animated GIF, PNG, WebP and AVIF too."""

import time
from collections.abc import Callable, Sequence
from math import inf
from pathlib import Path
from typing import Final

from realtime_matte.backgrounds._read_ahead import TOLERANCE_S, ReadAhead
from realtime_matte.errors import MissingFile, SpecError
from realtime_matte.frame import Frame, Pixels, RefinedMatte, Size
from realtime_matte.interfaces import Fit
from realtime_matte.media import image as image_file
from realtime_matte.media.animation import Animation
from realtime_matte.media.clip import HIGHEST_FPS, SUFFIXES, LoopedClip
from realtime_matte.media.fit import fit_image, scaled_size
from realtime_matte.paths import is_file, named

MAX_GAP_S: Final = 1.0
"""After a longer time without camera frames the clip goes on where it was."""

MAX_STEPS: Final = int(HIGHEST_FPS * MAX_GAP_S)
"""Most clip frames for one camera frame: some files state durations of almost 0."""


def claims(spec: str) -> bool:
    """True for a path that ends like a video file's, and for an animation that ends like an image file."""
    path = Path(spec)
    suffix = path.suffix.lower()
    return suffix in SUFFIXES or (suffix in image_file.SUFFIXES and image_file.is_animated(path))


def open(rest: str, /, *, size: Size, fit: Fit) -> "VideoBackground":
    """Open the clip and decode its first frame."""
    if not rest:
        raise SpecError("'video:' needs a file name", hint="such as video:waves.mp4")
    path = named(rest)
    if not is_file(path):
        raise MissingFile(f"no video file {rest!r}", hint="name an existing file")
    return open_clip(path, size=size, fit=fit)


def open_clip(path: Path, *, size: Size, fit: Fit) -> "VideoBackground":
    """Open a clip or an animation, and decode its first frame. Raises MissingFile, BadFile."""
    return VideoBackground(Animation(path) if image_file.can_animate(path) else LoopedClip(path), size, fit)


class VideoBackground:
    """Shows the clip frame that is due at ``frame.time``.

    Exactly that frame, as for a recording, decoded when it is due, until ``set_real_time``: then a thread decodes
    ahead, the newest decoded frame is shown, and nothing waits for the clip.
    """

    def __init__(
        self, clip: LoopedClip | Animation, size: Size, fit: Fit, *, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._clip = clip
        self._clock = clock
        self._real_time = False
        self._ahead: ReadAhead | None = None
        self._size = size
        self._fit: Fit = fit
        self._time = 0.0  # of the previous camera frame
        self._position = -1.0  # seconds since the first repetition began; below 0 before the first camera frame
        self._image = self._fit_frame()

    @property
    def notices(self) -> Sequence[str]:
        """Messages to the user about the file."""
        return self._clip.notices

    @property
    def shown(self) -> Pixels:
        """What ``image`` returned last, also after an error; the first frame before that."""
        return self._image

    def image(self, frame: Frame, matte: RefinedMatte) -> Pixels:  # noqa: ARG002 - depends on the time alone
        """The clip frame at that time."""
        elapsed_s = frame.time - self._time if self._position >= 0 else 0.0
        self._time = frame.time
        self._position = max(self._position, 0.0) + (elapsed_s if 0 <= elapsed_s <= MAX_GAP_S else 0.0)
        if self._real_time and self._ahead is None and self._clip.until < inf:
            self._ahead = ReadAhead(self._clip, self._fit_frame, self._image, clock=self._clock)
        if self._ahead:
            self._image, self._position = self._ahead.newest(self._position)
        elif self._advance():
            self._image = self._fit_frame()
        return self._image

    def set_real_time(self, *, real_time: bool) -> None:
        """Whether outputs are watched live, so that no frame may be held up; set before the first frame."""
        self._real_time = real_time

    def close(self) -> None:
        """Close the file, and end its thread. Idempotent."""
        if self._ahead:
            self._ahead.close()
        else:
            self._clip.close()

    def _fit_frame(self) -> Pixels:
        """The current frame, fitted; cut before it is enlarged, as the whole of a ribbon would be gigapixels."""
        own = self._clip.size
        scaled = scaled_size(own, self._size, self._fit)
        pixels = self._clip.pixels((min(own[0], scaled[0]), min(own[1], scaled[1])))
        return fit_image(pixels, self._size, self._fit)

    def _advance(self) -> bool:
        """Step to the clip frame that is due; True if it is another one."""
        for step in range(MAX_STEPS):
            if self._position < self._clip.until - TOLERANCE_S:
                return step > 0
            self._clip.step(hurry=False)
        self._position = min(self._position, self._clip.until)
        return True
