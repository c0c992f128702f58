"""A second camera as the background: ``camera:2``, ``camera:/dev/video4`` or a part of its name.

A thread of its own reads it, so that neither camera waits for the other; the newest image is shown.
"""

import threading
from contextlib import closing
from typing import Final

import cv2
import numpy as np

from realtime_matte import plugins
from realtime_matte.errors import MatteError, MissingFile, SourceError
from realtime_matte.frame import Frame, Pixels, RefinedMatte, Size
from realtime_matte.interfaces import Fit, Source
from realtime_matte.media import i420
from realtime_matte.media.fit import crop, fit_image

BUFFERS: Final = 3
"""One that is written, one that is shown, and the newest."""


def open(rest: str, /, *, size: Size, fit: Fit) -> "CameraBackground":
    """Open the camera and wait for its first frame. Raises SpecError, MissingFile."""
    plugin = plugins.source(f"camera:{rest}")
    try:
        return CameraBackground(plugin.open(plugin.rest, size=size, fps=None), size, fit)
    except SourceError as error:
        raise MissingFile(f"the background {f'camera:{rest}'!r}: {error.message}", hint=error.hint) from error


class CameraBackground:
    """Shows the newest frame of a source, which its thread owns and closes.

    Raises:
        SourceError: The source has no first frame.
    """

    def __init__(self, source: Source, size: Size, fit: Fit) -> None:
        self.notices = tuple(source.notices)
        self._size = size
        self._fit: Fit = fit
        width, height = source.size
        self._lock = threading.Lock()
        self._buffers = [np.empty((height, width, 3), np.uint8) for _ in range(BUFFERS)]
        self._newest = 0  # this and the next two: under the lock
        self._shown: int | None = None
        self._error: MatteError | None = None
        self._fitted_count = -1
        self._count = 0  # of frames; written by the thread
        self._image = np.empty((size[1], size[0], 3), np.uint8)
        self._closing = threading.Event()
        try:
            self._read_into(source, 0)
        except BaseException:
            source.close()
            raise
        self._thread = threading.Thread(target=self._run, args=(source,), name="background-camera", daemon=True)
        self._thread.start()

    def image(self, frame: Frame, matte: RefinedMatte) -> Pixels:  # noqa: ARG002 - of another camera
        """The newest image.

        Raises:
            MatteError: The camera was lost; the pipeline shows another background then.
        """
        with self._lock:
            if self._error:
                raise self._error
            self._shown, count = self._newest, self._count
        if count != self._fitted_count:
            self._fit_image(self._buffers[self._shown])
            self._fitted_count = count
        return self._image

    def close(self) -> None:
        """End the thread, which closes the camera when its read returns. Does not wait for it. Idempotent."""
        self._closing.set()

    def _fit_image(self, pixels: Pixels) -> None:
        if self._fit != "cover":
            self._image = fit_image(pixels, self._size, self._fit)
            return
        part = crop(pixels, self._size)
        shrinks = part.shape[1] > self._size[0]
        cv2.resize(part, self._size, dst=self._image, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)

    # The thread

    def _run(self, source: Source) -> None:
        try:
            with closing(source):
                while not self._closing.is_set():
                    with self._lock:
                        target = next(one for one in range(BUFFERS) if one not in {self._newest, self._shown})
                    self._read_into(source, target)
        except MatteError as error:
            with self._lock:
                self._error = error

    def _read_into(self, source: Source, target: int) -> None:
        """Read a frame into a buffer and make that the newest. Raises SourceError."""
        buffer = self._buffers[target]
        frame = source.read(buffer)
        if frame is None:
            raise SourceError("the camera of the background has ended", hint="check its cable")
        if frame.pixel_format == "i420":
            frame = i420.bgr_frame(frame, buffer)
        if frame.pixels is not buffer:
            np.copyto(buffer, frame.pixels)
        with self._lock:
            self._newest = target
            self._count += 1
