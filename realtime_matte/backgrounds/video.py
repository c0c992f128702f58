"""A clip that plays in a loop: ``video:waves.mp4``, or just ``waves.mp4``; animated GIF and WebP too."""

from pathlib import Path
from typing import Final

from realtime_matte.backgrounds._clip import Clip
from realtime_matte.backgrounds.image import moves
from realtime_matte.errors import MissingFile, SpecError
from realtime_matte.frame import Frame, Pixels, RefinedMatte, Size
from realtime_matte.interfaces import Fit
from realtime_matte.media.animation import Animation
from realtime_matte.media.clip import SUFFIXES
from realtime_matte.media.image import fill, scaled
from realtime_matte.paths import is_file, named

STEPS: Final = 6  # most pictures decoded for one frame; a clip too heavy for the machine plays slower instead
EARLY_S: Final = 0.001  # times of frames and of clips are rounded
AWAY_S: Final = 1.0  # after a longer time without frames the clip goes on where it was


def claims(spec: str) -> bool:
    """Names that end like a video, and animated WebPs."""
    path = Path(spec)
    return path.suffix.lower() in SUFFIXES or (path.suffix.lower() == ".webp" and moves(path))


def open(rest: str, /, *, size: Size, fit: Fit) -> "Video":
    """Open the clip and decode its first picture."""
    if not rest:
        raise SpecError("no video is named after 'video:'", hint="name a file, as in video:waves.mp4")
    path = named(rest)
    if not is_file(path):
        raise MissingFile(f"no video file {rest!r}", hint="name one that is there")
    return Video(Animation(path) if moves(path) else Clip(path), size, fit)


class Video:
    """Shows the picture that is due at ``frame.time``; decodes one picture ahead, and only as many as are due."""

    def __init__(self, clip: Clip | Animation, size: Size, fit: Fit) -> None:
        self._clip = clip
        self._size = size
        self._fit: Fit = fit
        self._time = 0.0  # of the last frame
        self._place = -1.0  # in the endless film the loop makes; below 0 before the first frame
        self._shown = self._picture()

    def image(self, frame: Frame, matte: RefinedMatte) -> Pixels:  # noqa: ARG002 - a clip minds the time alone
        """The clip's picture of that time."""
        passed = frame.time - self._time if self._place >= 0 else 0.0
        self._time = frame.time
        self._place = max(self._place, 0.0) + (passed if 0 <= passed <= AWAY_S else 0.0)
        if self._advance():
            self._shown = self._picture()
        return self._shown

    def close(self) -> None:
        """Close the file."""
        self._clip.close()

    def _picture(self) -> Pixels:
        inner = scaled(self._clip.size, self._size, self._fit)
        return fill(self._clip.pixels(inner), self._size, self._fit)

    def _advance(self) -> bool:
        """Step to the picture that is due; True when that is another one."""
        for step in range(STEPS):
            if self._place < self._clip.until - EARLY_S:
                return step > 0
            self._clip.step(hurry=step > 0)
        self._place = min(self._place, self._clip.until)
        return True
