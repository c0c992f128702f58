"""The work of Linux-Fake-Background-Webcam on one picture, rebuilt from a description of its steps (2026-02).

    python benchmarks/lfbw.py PICTURES.npy selfie_landscape.tflite [--show FILE]

A contender (contest.py) that needs NumPy, OpenCV and mediapipe, each with its own default threads, and nothing of ours.
"""

import sys
from argparse import ArgumentParser
from itertools import cycle
from pathlib import Path
from queue import Queue
from threading import Thread

import cv2
import mediapipe
import numpy as np
from contest import serve
from mediapipe.tasks.python import BaseOptions, vision
from numpy.typing import NDArray

WIDTH = 256
"""Of the picture that the segmenter gets; its aspect is kept."""

THRESHOLD = 0.75
KEPT = 0.5
"""The part of the last mask in a mask."""

WAITING = 2
"""Pictures between the line and the thread that sends them."""

WARM = 20

Pixels = NDArray[np.uint8]
Mask = NDArray[np.float32]


class Recipe:
    """From one picture to the next. ``background``: of the pictures' size."""

    def __init__(self, model: Path, background: Pixels) -> None:
        height, width = background.shape[:2]
        options = vision.ImageSegmenterOptions(
            base_options=BaseOptions(model_asset_path=str(model), delegate=BaseOptions.Delegate.CPU),
            running_mode=vision.RunningMode.IMAGE,
            output_category_mask=True,
            output_confidence_masks=False,
        )
        self._segmenter = vision.ImageSegmenter.create_from_options(options)
        self._small = WIDTH, round(WIDTH * height / width)
        self._size = width, height
        self._background = background
        self._average: Mask | None = None
        self._kernel = np.ones((5, 5), np.uint8)

    def __call__(self, frame: Pixels) -> Pixels:
        """The picture that is sent."""
        mask = self._mask(frame)
        return cv2.blendLinear(frame, self._background, mask, 1 - mask)

    def _mask(self, frame: Pixels) -> Mask:
        rgb = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        small = cv2.resize(rgb, self._small, interpolation=cv2.INTER_AREA)
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=small)
        category = self._segmenter.segment(image).category_mask.numpy_view()
        mask = (category.reshape(category.shape[:2]) == 0).astype(np.float32)
        mask = cv2.resize(mask, self._size, interpolation=cv2.INTER_LINEAR)
        mask = cv2.GaussianBlur(mask, (7, 7), 0)
        _, mask = cv2.threshold(mask, THRESHOLD, 1, cv2.THRESH_BINARY)
        mask = cv2.dilate(mask, self._kernel, iterations=1)
        mask = cv2.blur(mask, (10, 10))
        if self._average is None:
            self._average = mask
        cv2.accumulateWeighted(mask, self._average, 1 - KEPT)
        return self._average


def sender() -> "Queue[Pixels]":
    """The queue of a thread that sends to nowhere."""
    pictures: Queue[Pixels] = Queue(WAITING)

    def send() -> None:
        while True:
            pictures.get()

    Thread(target=send, name="sender", daemon=True).start()
    return pictures


def main() -> int:
    """Serve rounds; with ``--show``, write what it makes of the last picture first."""
    parser = ArgumentParser(description="Linux-Fake-Background-Webcam's recipe, in rounds.")
    parser.add_argument("pictures", type=Path, help="array (N, H, W, 3) uint8, BGR")
    parser.add_argument("model", type=Path, help="MediaPipe's selfie segmenter, landscape, as .tflite")
    parser.add_argument("--show", type=Path, metavar="FILE", help="write a PNG to look at")
    options = parser.parse_args()
    frames = np.load(options.pictures)
    ramp = np.linspace(40, 220, frames.shape[2], dtype=np.float32).astype(np.uint8)
    recipe = Recipe(options.model, np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], frames.shape[1:])))
    out, endless = sender(), cycle([*frames, *frames[-2:0:-1]])
    for _ in range(WARM):
        picture = recipe(next(endless))
    if options.show:
        cv2.imwrite(str(options.show), picture)
    serve(lambda: out.put(recipe(next(endless))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
