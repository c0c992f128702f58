"""Interlaced clips: no combs; other clips are left as they are."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import av
import numpy as np
import pytest

from realtime_matte.frame import Pixels
from realtime_matte.media.clip import Clip
from realtime_matte.media.deinterlace import deinterlaced

WIDTH, HEIGHT = 64, 48
INTERLACED = {
    "a.mp4": ("libx264", {"x264-params": "tff=1"}),
    "a.ts": ("libx264", {"x264-params": "tff=1"}),
    "a.mkv": ("libx264", {"x264-params": "bff=1"}),
    "a.mpg": ("mpeg2video", {"flags": "+ildct+ilme", "b": "4M"}),
}


def fields() -> Iterator[Pixels]:
    """A bar that moves from field to field; even rows hold the earlier one."""
    for number in range(8):
        image = np.full((HEIGHT, WIDTH, 3), 16, np.uint8)
        for parity in (0, 1):
            left = 3 * (2 * number + parity)
            image[parity::2, left : left + 12] = 235
        yield image


def write(path: Path, codec: str, options: dict[str, str]) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for image in fields():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())
    return path


def combs(image: Pixels) -> float:
    """By how much neighbouring rows are less alike than every other one."""
    level = image[..., 1].astype(float)
    return float(np.abs(level[:-1] - level[1:]).mean() - np.abs(level[:-2] - level[2:]).mean())


@pytest.mark.parametrize("name", INTERLACED)
def test_interlaced_clips_have_no_combs(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, *INTERLACED[name])
    with closing(Clip(path)) as clip:
        images, times = [], []
        while frame := clip.next():
            images.append(clip.stretched(frame, (WIDTH, HEIGHT)))
            times.append(frame.time)
    assert len(images) == 8
    np.testing.assert_allclose(times, np.arange(8) / 25, atol=0.002)
    assert max(map(combs, images[1:-1])) < 2 < combs(next(fields()))


def test_progressive_frames_are_passed_on_as_they_are() -> None:
    frames = [av.VideoFrame(WIDTH, HEIGHT, "yuv420p") for _ in range(3)]
    assert all(one is other for one, other in zip(deinterlaced(frames, None), frames, strict=True))  # type: ignore[arg-type]
