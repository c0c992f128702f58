"""Frames with their true alphas, from files. Larger ones are shrunk to fit inside 640x360, keeping the aspect ratio."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from metrics import Alpha, Pixels

SIZE: Final = (640, 360)
VIDEOS: Final = (".mp4", ".mkv", ".mov", ".webm", ".avi")
IMAGES: Final = (".png", ".jpg", ".jpeg", ".webp", ".bmp")


@dataclass(frozen=True, slots=True)
class KnownRoom:
    """A clean plate of a clip: (H, W, 3) BGR and its validity (H, W), 0 (never seen) to 255 (sure), uint8."""

    colours: Pixels
    validity: Pixels

    @property
    def mirrored(self) -> "KnownRoom":
        """The same, left and right exchanged."""
        return KnownRoom(np.ascontiguousarray(self.colours[:, ::-1]), np.ascontiguousarray(self.validity[:, ::-1]))


@dataclass(frozen=True, slots=True)
class Clip:
    """Frames with their true alphas; a still is a clip of one frame. Read again at each access.

    ``kind``: a group of clips within a set that gets its own figures, such as one webcam. ``body_from``: the row from
    which on the share of the body that is kept is scored as well. ``read_plate``: the clean plate that a network is
    given, right or wrong.
    """

    name: str
    read_frames: Callable[[], Sequence[Pixels]]
    read_alphas: Callable[[], Sequence[Alpha]]
    kind: str = ""
    body_from: int | None = None
    read_plate: Callable[[], KnownRoom] | None = None

    @property
    def plate(self) -> KnownRoom | None:
        """The clean plate of all frames; None if the set has none."""
        return self.read_plate() if self.read_plate else None

    @property
    def frames(self) -> Sequence[Pixels]:
        """(H, W, 3) uint8 BGR, in order."""
        return self.read_frames()

    @property
    def alphas(self) -> Sequence[Alpha]:
        """(H, W) float32 in [0, 1], one for each frame."""
        return self.read_alphas()


def folder_clips(path: Path) -> list[Clip]:
    """Every video or image NAME of a folder with a NAME_alpha beside it (for JPEG images also NAME.png).

    Raises:
        FileNotFoundError: there is no such folder, or no such pair in it.
    """
    files = sorted(path.iterdir()) if path.is_dir() else []
    pairs = [(file, _alpha_file(file)) for file in files]
    found = [file_clip(file, alpha) for file, alpha in pairs if alpha is not None]
    if not found:
        raise FileNotFoundError(f"no NAME.mp4 beside NAME_alpha.mp4 (nor images of such names) in the folder {path}")
    return found


def _alpha_file(file: Path) -> Path | None:
    suffixes = next((suffixes for suffixes in (VIDEOS, IMAGES) if file.suffix.lower() in suffixes), ())
    candidates = [file.with_name(f"{file.stem}_alpha{suffix}") for suffix in suffixes]
    if file.suffix.lower() in (".jpg", ".jpeg"):
        candidates.append(file.with_suffix(".png"))
    return next((path for path in candidates if path.is_file()), None)


def file_clip(file: Path, alpha: Path) -> Clip:
    """A video or an image, and a file with its grey alpha. FileNotFoundError is raised when they are read."""
    return Clip(file.stem, lambda: [fit(frame) for frame in read(file)], lambda: [grey(fit(a)) for a in read(alpha)])


def webcam_view_clip(file: Path, alpha: Path) -> Clip:
    """The same, cropped to 4:3 around the head: an upright photo squeezed onto a wide grid would test only that."""

    def crop(path: Path) -> list[Pixels]:
        rows = head_and_shoulders(read(alpha))
        return [fit(image[rows]) for image in read(path)]

    return Clip(file.stem, lambda: crop(file), lambda: [grey(image) for image in crop(alpha)])


def head_and_shoulders(alphas: Sequence[Pixels]) -> slice:
    """The rows of a 4:3 view with the head's highest position a tenth of the height below its upper edge."""
    largest = np.max(alphas, axis=0)[..., 1]
    height = min(largest.shape[0], round(largest.shape[1] * 3 / 4))
    head = int((largest > 127).any(axis=1).argmax())  # noqa: PLR2004 - half covered
    top = min(max(head - height // 10, 0), largest.shape[0] - height)
    return slice(top, top + height)


def no_person_clip(file: Path) -> Clip:
    """An image without a person; its true alpha is 0."""
    return Clip(
        file.stem,
        lambda: [fit(frame) for frame in read(file)],
        lambda: [np.zeros(fit(frame).shape[:2], np.float32) for frame in read(file)],
    )


def read(file: Path) -> list[Pixels]:
    """Every frame of a video, or the one image of an image file."""
    return read_video(file) if file.suffix.lower() in VIDEOS else read_image(file)


def read_image(file: Path) -> list[Pixels]:
    """The one image of a file. Raises FileNotFoundError."""
    pixels = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if pixels is None:
        raise FileNotFoundError(f"cannot read {file} as an image")
    return [pixels.astype(np.uint8, copy=False)]


def read_video(file: Path) -> list[Pixels]:
    """Every frame of a video file. Raises FileNotFoundError."""
    reader, frames = cv2.VideoCapture(str(file)), []
    while (frame := reader.read()[1]) is not None:
        frames.append(frame.astype(np.uint8, copy=False))
    reader.release()
    if not frames:
        raise FileNotFoundError(f"cannot read {file} as a video")
    return frames


def fit(pixels: Pixels) -> Pixels:
    """The image itself if it fits inside SIZE, else shrunk to fit, keeping the aspect ratio."""
    height, width = pixels.shape[:2]
    scale = min(SIZE[0] / width, SIZE[1] / height)
    if scale >= 1:
        return pixels
    size = (round(width * scale), round(height * scale))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def grey(pixels: Pixels) -> Alpha:
    """The alpha of a grey image: (H, W) float32 in [0, 1]."""
    return np.divide(pixels[..., 1], 255, dtype=np.float32)
