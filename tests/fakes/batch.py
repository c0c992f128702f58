"""Small clips, and an executor that runs tasks in the caller's thread."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from realtime_matte.frame import Pixels, Size

SIZE = (64, 48)


class Inline(Executor):
    """Runs each task at once, in the caller's thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001
            future.set_exception(error)
        return future


def shade(index: int, size: Size = SIZE) -> Pixels:
    """A bright disc that moves over a dark background with some structure."""
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    image = np.dstack([20 + x % 16, 20 + y % 16, 30 + (x + y) % 16]).astype(np.uint8)
    cv2.circle(image, (size[0] // 2 + index, size[1] // 2), size[1] // 4, (230, 210, 220), -1)
    return image


def write_clip(
    path: Path,
    images: Sequence[Pixels],
    *,
    times: Sequence[int] | None = None,
    fps: int = 25,
    tags: tuple[int, int, int, int] | None = None,
    sound: str = "",
    sound_rate: int = 48_000,
) -> Path:
    """A clip of these frames. ``times``: in ms; ``tags``: primaries, transfer, matrix, range; ``sound``: its codec."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:  # a file that is cut off opens
        stream = container.add_stream("libx264", rate=fps, options={"crf": "10", "bf": "0"})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        track = container.add_stream(sound, rate=sound_rate, layout="mono") if sound else None
        if track:
            track.bit_rate = 96_000
        if times:
            stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        if tags:
            context = stream.codec_context
            context.color_primaries, context.color_trc, context.colorspace, context.color_range = tags
        for index, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            if times:
                frame.pts = times[index]
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if track:
            write_tone(container, track, len(images) / fps)
    return path


def write_tone(container: Any, track: Any, seconds: float) -> None:  # noqa: ANN401
    """A tone of 440 Hz."""
    samples = np.sin(np.arange(int(48_000 * seconds)) * (2 * np.pi * 440 / 48_000)).astype(np.float32)[None]
    resampler = av.AudioResampler(
        track.codec_context.format, "mono", track.codec_context.sample_rate, track.codec_context.frame_size
    )
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
    frame.sample_rate = 48_000
    for part in [*resampler.resample(frame), *resampler.resample(None)]:
        container.mux(track.encode(part))
    container.mux(track.encode(None))
