"""Matte a video frame by frame: python matte_video.py [clip.mp4]. Writes one grey PNG of alpha for each frame.

Without an argument it uses a short video made of the sample portrait.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from realtime_matte import BackgroundRemover
from realtime_matte.frame import Pixels
from realtime_matte.portrait import sample_portrait

OUT = Path("alpha")


def main() -> None:
    """Frames in order, with their times: the network remembers earlier frames of the same shot."""
    OUT.mkdir(exist_ok=True)
    frames, fps = read(sys.argv[1]) if len(sys.argv) > 1 else (sample(), 25.0)
    with BackgroundRemover("small") as remover:
        for index, frame in enumerate(frames):
            matte = remover.process(frame, time=index / fps)
            cv2.imwrite(str(OUT / f"{index:06}.png"), (matte.alpha * 255 + 0.5).astype(np.uint8))
    print(f"wrote {len(list(OUT.glob('*.png')))} images into {OUT}/")


def read(path: str) -> tuple[Iterator[Pixels], float]:
    """The frames of a file, and its frame rate."""
    clip = cv2.VideoCapture(path)
    return decoded(clip), clip.get(cv2.CAP_PROP_FPS) or 25.0


def decoded(clip: cv2.VideoCapture) -> Iterator[Pixels]:
    """Each frame until the end."""
    while clip.grab():
        yield np.asarray(clip.retrieve()[1], np.uint8)


def sample() -> Iterator[Pixels]:
    """Ten frames of the portrait, moving to the right."""
    return (np.roll(sample_portrait(), 4 * index, axis=1) for index in range(10))


if __name__ == "__main__":
    main()
