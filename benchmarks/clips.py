"""Pictures with their true alpha, from files. Larger ones are shrunk to fit inside 640x360, their aspect kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from metrics import Alpha, Pixels

SIZE = (640, 360)
VIDEOS = (".mp4", ".mkv", ".mov", ".webm", ".avi")
IMAGES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")


@dataclass(frozen=True, slots=True)
class Clip:
    """Pictures with their truth; a still is a clip of one frame. Read anew at each access.

    ``kind``: what it has in common with others of its set, where that is worth a figure of its own.
    """

    name: str
    read_frames: Callable[[], Sequence[Pixels]]
    read_alphas: Callable[[], Sequence[Alpha]]
    kind: str = ""

    @property
    def frames(self) -> Sequence[Pixels]:
        """(H, W, 3) uint8 BGR, in order."""
        return self.read_frames()

    @property
    def alphas(self) -> Sequence[Alpha]:
        """(H, W) float32 in [0, 1], one for each frame."""
        return self.read_alphas()


def folder(path: Path) -> list[Clip]:
    """Every video or image NAME of a folder that has a NAME_alpha beside it (or, for images, NAME.png beside NAME.jpg).

    Raises:
        FileNotFoundError: there is no such folder, or no such pair in it.
    """
    files = sorted(path.iterdir()) if path.is_dir() else []
    pairs = [(file, _beside(file)) for file in files]
    found = [of_files(file, alpha) for file, alpha in pairs if alpha is not None]
    if not found:
        raise FileNotFoundError(f"no NAME.mp4 beside NAME_alpha.mp4 (nor images of such names) in the folder {path}")
    return found


def _beside(file: Path) -> Path | None:
    kinds = next((kinds for kinds in (VIDEOS, IMAGES) if file.suffix.lower() in kinds), ())
    candidates = [file.with_name(f"{file.stem}_alpha{suffix}") for suffix in kinds]
    if file.suffix.lower() in (".jpg", ".jpeg"):
        candidates.append(file.with_suffix(".png"))
    return next((path for path in candidates if path.is_file()), None)


def of_files(file: Path, alpha: Path) -> Clip:
    """A video or an image and its alpha (grey), each a file. Raises FileNotFoundError where one cannot be read."""
    return Clip(file.stem, lambda: [fit(frame) for frame in read(file)], lambda: [grey(fit(a)) for a in read(alpha)])


def as_webcam(file: Path, alpha: Path) -> Clip:
    """The same, cut to 4:3 about the head: an upright photo squeezed onto a wide grid would test nothing but that."""

    def cut(path: Path) -> list[Pixels]:
        shown = head_and_shoulders(read(alpha))
        return [fit(picture[shown]) for picture in read(path)]

    return Clip(file.stem, lambda: cut(file), lambda: [grey(picture) for picture in cut(alpha)])


def head_and_shoulders(alphas: Sequence[Pixels]) -> slice:
    """The rows of a view of 4:3, the head (where it is ever highest) a tenth below its upper edge."""
    most = np.max(alphas, axis=0)[..., 1]
    height = min(most.shape[0], round(most.shape[1] * 3 / 4))
    head = int((most > 127).any(axis=1).argmax())  # noqa: PLR2004 - half covered
    top = min(max(head - height // 10, 0), most.shape[0] - height)
    return slice(top, top + height)


def of_empty_room(file: Path) -> Clip:
    """An image with nobody in it."""
    return Clip(
        file.stem,
        lambda: [fit(frame) for frame in read(file)],
        lambda: [np.zeros(fit(frame).shape[:2], np.float32) for frame in read(file)],
    )


def read(file: Path) -> list[Pixels]:
    """Every picture of a video or an image."""
    return read_video(file) if file.suffix.lower() in VIDEOS else read_image(file)


def read_image(file: Path) -> list[Pixels]:
    """The one picture of an image file."""
    pixels = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if pixels is None:
        raise FileNotFoundError(f"cannot read {file} as an image")
    return [pixels.astype(np.uint8, copy=False)]


def read_video(file: Path) -> list[Pixels]:
    """Every frame of a video file."""
    reader, frames = cv2.VideoCapture(str(file)), []
    while (frame := reader.read()[1]) is not None:
        frames.append(frame.astype(np.uint8, copy=False))
    reader.release()
    if not frames:
        raise FileNotFoundError(f"cannot read {file} as a video")
    return frames


def fit(pixels: Pixels) -> Pixels:
    """The picture itself where it fits inside SIZE, else shrunk to fit, its aspect kept."""
    height, width = pixels.shape[:2]
    scale = min(SIZE[0] / width, SIZE[1] / height)
    if scale >= 1:
        return pixels
    size = (round(width * scale), round(height * scale))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def grey(pixels: Pixels) -> Alpha:
    """The alpha that a grey picture stands for."""
    return np.divide(pixels[..., 1], 255, dtype=np.float32)
