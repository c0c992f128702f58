"""What Linux-Fake-Background-Webcam does with one frame, rebuilt from a description of its steps (2026-02).

    python benchmarks/linux_fake_background_webcam.py FRAMES.npy selfie_landscape.tflite [--show FILE]

A program for side_by_side.py that needs NumPy, OpenCV and mediapipe, each with its default number of threads, and
nothing of this package.
"""

import sys
from argparse import ArgumentParser
from itertools import cycle
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Final

import cv2
import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision
from numpy.typing import NDArray
from side_by_side import serve

INPUT_WIDTH: Final = 256
"""Width of the image that the segmenter gets, with the frame's aspect ratio."""

THRESHOLD: Final = 0.75
KEPT: Final = 0.5
"""The part of the previous mask in a mask."""

QUEUE: Final = 2
"""Frames between the processing and the thread that sends them."""

WARM_UP_FRAMES: Final = 20

Pixels = NDArray[np.uint8]
Mask = NDArray[np.float32]


class Recipe:
    """From a frame to the output frame. ``background``: of the frames' size."""

    def __init__(self, model: Path, background: Pixels) -> None:
        height, width = background.shape[:2]
        options = vision.ImageSegmenterOptions(
            base_options=BaseOptions(model_asset_path=str(model), delegate=BaseOptions.Delegate.CPU),
            running_mode=vision.RunningMode.IMAGE,
            output_category_mask=True,
            output_confidence_masks=False,
        )
        self._segmenter = vision.ImageSegmenter.create_from_options(options)
        self._input_size = INPUT_WIDTH, round(INPUT_WIDTH * height / width)
        self._size = width, height
        self._background = background
        self._average: Mask | None = None
        self._kernel = np.ones((5, 5), np.uint8)

    def __call__(self, frame: Pixels) -> Pixels:
        """The output frame."""
        mask = self._mask(frame)
        return np.asarray(cv2.blendLinear(frame, self._background, mask, 1 - mask), np.uint8)

    def _mask(self, frame: Pixels) -> Mask:
        rgb = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        small = cv2.resize(rgb, self._input_size, interpolation=cv2.INTER_AREA)
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=small)
        category = self._segmenter.segment(image).category_mask.numpy_view()
        mask = (category.reshape(category.shape[:2]) == 0).astype(np.float32)
        mask = cv2.resize(mask, self._size, interpolation=cv2.INTER_LINEAR)
        mask = cv2.GaussianBlur(mask, (7, 7), 0)
        _, mask = cv2.threshold(mask, THRESHOLD, 1, cv2.THRESH_BINARY)
        mask = cv2.dilate(mask, self._kernel, iterations=1)
        mask = cv2.blur(mask, (10, 10))
        average = np.asarray(mask if self._average is None else self._average, np.float32)
        cv2.accumulateWeighted(mask, average, 1 - KEPT)
        self._average = average
        return average


def start_sender() -> "Queue[Pixels]":
    """The queue of a thread that drops every frame."""
    frames: Queue[Pixels] = Queue(QUEUE)

    def send() -> None:
        while True:
            frames.get()

    Thread(target=send, name="sender", daemon=True).start()
    return frames


def _ramp(shape: tuple[int, ...]) -> Pixels:
    """A background of (H, W, 3)."""
    ramp = np.linspace(40, 220, shape[1], dtype=np.float32).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], shape))


def _decoded(image: Pixels) -> Pixels:
    return np.asarray(cv2.imdecode(image, cv2.IMREAD_COLOR), np.uint8)


def serve_bytes(images: list[Pixels], model: Path) -> int:
    """Serve rounds from JPEG images to the I420 bytes that its virtual camera carries."""
    endless = cycle(images)
    recipe = Recipe(model, _ramp(_decoded(images[0]).shape))
    queue = start_sender()

    def work() -> None:
        composite = recipe(_decoded(next(endless)))
        queue.put(np.asarray(cv2.cvtColor(composite, cv2.COLOR_BGR2YUV_I420), np.uint8))

    for _ in range(WARM_UP_FRAMES):
        work()
    serve(work)
    return 0


def main() -> int:
    """Serve rounds; with ``--show``, first write an output frame to a file."""
    parser = ArgumentParser(description="The steps of Linux-Fake-Background-Webcam, measured in rounds.")
    parser.add_argument(
        "frames",
        type=Path,
        help="array (N, H, W, 3) uint8, BGR (.npy); or JPEG images (.npz), then from bytes to bytes",
    )
    parser.add_argument("model", type=Path, help="MediaPipe's selfie segmenter, landscape, as .tflite")
    parser.add_argument("--show", type=Path, metavar="FILE", help="write a PNG of an output frame")
    options = parser.parse_args()
    if options.frames.suffix == ".npz":
        return serve_bytes(list(np.load(options.frames).values()), options.model)
    frames = np.load(options.frames)
    recipe = Recipe(options.model, _ramp(frames.shape[1:]))
    queue, endless = start_sender(), cycle([*frames, *frames[-2:0:-1]])
    for _ in range(WARM_UP_FRAMES):
        output = recipe(next(endless))
    if options.show:
        cv2.imwrite(str(options.show), output)
    serve(lambda: queue.put(recipe(next(endless))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
