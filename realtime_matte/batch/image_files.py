"""Results of one file a frame: PNG by OpenCV, EXR by FFmpeg."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from realtime_matte.batch import pixels
from realtime_matte.batch.formats import Write
from realtime_matte.errors import SinkError
from realtime_matte.frame import Matte, Pixels
from realtime_matte.media.new_file import write_error

FAST_PNG: Final = (cv2.IMWRITE_PNG_COMPRESSION, 1)

EXR: Final = {"compression": "zip16", "format": "half"}

LAYOUTS: Final = {1: "grayf32le", 3: "gbrpf32le", 4: "gbrapf32le"}
"""FFmpeg's pixel formats by the number of channels: grey, RGB, RGBA."""


def encoder(name: str, write: Write) -> Callable[[Matte, Pixels | None], bytes]:
    """A function from a matte, or a composite, to the bytes of a file of that format."""
    if name == "exr":
        return lambda matte, composite: _exr(_floats(matte, composite, write))
    deep = name == "png16"
    return lambda matte, composite: _png(_integers(matte, composite, write, deep=deep))


def write_image(path: Path, data: bytes) -> None:
    """Write a new file. Raises SinkError."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise write_error(path, error.errno, error.strerror) from error


def _integers(matte: Matte, composite: Pixels | None, write: Write, *, deep: bool) -> NDArray[np.integer[Any]]:
    if composite is not None:
        return composite.astype(np.uint16) * np.uint16(257) if deep else composite
    if write == "alpha":
        return pixels.alpha16(matte.alpha) if deep else pixels.alpha8(matte.alpha)
    return pixels.bgra16(matte) if deep else pixels.bgra8(matte)


def _floats(matte: Matte, composite: Pixels | None, write: Write) -> NDArray[np.float32]:
    if composite is not None:
        return pixels.linear(composite[..., ::-1])
    return matte.alpha if write == "alpha" else pixels.premultiplied(matte)


def _png(samples: NDArray[np.integer[Any]]) -> bytes:
    encoded, data = cv2.imencode(".png", samples, FAST_PNG)
    if not encoded:
        raise SinkError(f"OpenCV cannot encode a PNG of {samples.shape}", hint="choose another --format")
    return data.tobytes()


def _exr(samples: NDArray[np.float32]) -> bytes:
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(samples), format=LAYOUTS[samples[0, 0].size])
    context = av.CodecContext.create("exr", "w")
    assert isinstance(context, VideoCodecContext)  # noqa: S101 - EXR is an image
    context.width, context.height = frame.width, frame.height
    context.pix_fmt = frame.format.name
    context.time_base = Fraction(1, 25)
    context.options = dict(EXR)
    packets = [*context.encode(frame), *context.encode(None)]
    return b"".join(map(bytes, packets))
