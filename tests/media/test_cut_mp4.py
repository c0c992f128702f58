"""Fragmented files that were cut at any byte, as by a full disk, play to their last whole frame without an error."""

from pathlib import Path

import av
import numpy as np
import pytest

from realtime_matte.frame import Pixels
from realtime_matte.media import encoder
from realtime_matte.media.cut_mp4 import SIZE, cut_to_whole_frames

SHOWN = (64, 48)


def fragmented(path: Path, *, alpha: bool, still: bool = False) -> bytes:
    """What a writer has written that did not come to its end. ``still``: of one image, again and again."""
    file_format, codec = encoder.choose(path.suffix, alpha=alpha)
    container, stream = encoder.start(path, file_format, codec, size=SHOWN, fps=30.0)
    images = np.random.default_rng(0).integers(0, 256, (1 if still else 26, SHOWN[1], SHOWN[0], 3), np.uint8)
    for index in range(26):
        image = images[index % len(images)]
        frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format=codec.pixel_format)
        frame.pts = index * 3000
        container.mux(stream.encode(frame))
    content = path.read_bytes()
    container.close()
    return content


def played(path: Path) -> list[Pixels]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


@pytest.mark.parametrize(("suffix", "alpha"), [(".mp4", False), (".mov", True)])
def test_a_file_that_is_cut_anywhere_keeps_every_whole_frame(tmp_path: Path, suffix: str, *, alpha: bool) -> None:
    path = tmp_path / f"out{suffix}"
    content = fragmented(path, alpha=alpha)
    path.write_bytes(content)
    with av.open(str(path)) as container:
        ends = sorted(packet.pos + packet.size for packet in container.demux(video=0) if packet.size)
    whole = played(path)
    first = content.index(b"moof") - 4  # where the header ends
    some = ends[:2] + ends[-6:]
    points = {*np.linspace(first, len(content) - 1, 12).astype(int), *(end - 1 for end in some), *some}
    for point in sorted(points):
        path.write_bytes(content[:point])
        cut_to_whole_frames(path)
        kept = played(path)
        assert len(kept) == sum(end <= point for end in ends), point
        assert not kept or np.array_equal(kept[-1], whole[len(kept) - 1])


def test_what_is_no_fragment_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    content = fragmented(path, alpha=False)
    closed = path.read_bytes()
    for other in (closed, closed[: len(closed) // 2], content[:200], b"", b"\0\0", b"buy milk" * 99, content):
        path.write_bytes(other)
        cut_to_whole_frames(path)
        assert path.read_bytes() == other


def test_frames_of_one_size_are_counted_too(tmp_path: Path) -> None:
    """Then their size is stated once for all of a fragment."""
    path = tmp_path / "out.mov"
    content = fragmented(path, alpha=True, still=True)
    assert not content[content.rindex(b"trun") + 6] & SIZE >> 8, "no frame has its own"
    path.write_bytes(content)
    whole = len(played(path))
    path.write_bytes(content[:-1])
    cut_to_whole_frames(path)
    assert len(played(path)) == whole - 1


def test_a_damaged_list_of_frames_takes_the_fragment_off(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    content = bytearray(fragmented(path, alpha=False))
    last = content.rindex(b"moof") - 4
    run = content.rindex(b"trun")
    content[run - 4 : run] = b"\xff\xff\xff\xff"
    content[run : run + 4] = b"what"
    path.write_bytes(content[:-1])
    cut_to_whole_frames(path)
    assert path.read_bytes() == content[:last]
