"""Clips with headers that mislead, in both roles: edit lists, counts, several streams, orientations, shapes."""

import os
import socket
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from av.stream import Disposition

from realtime_matte.backgrounds import video as background
from realtime_matte.errors import BadFile, MissingFile
from realtime_matte.frame import Frame, Matte, Pixels, Size
from realtime_matte.media.clip import Clip, _preference
from realtime_matte.sources import video as source

SIZE: Size = (64, 48)
MATTE = Matte(np.zeros((48, 64), np.float32))
FPS = 10

OPTIONS = {
    "libx264": {"crf": "4", "bf": "0"},
    "libvpx": {"auto-alt-ref": "0"},
    "mpeg4": {"qscale": "1"},
}


def grey(level: int, size: Size = SIZE) -> Pixels:
    return np.full((size[1], size[0], 3), level, np.uint8)


def greys(count: int) -> list[Pixels]:
    return [grey(8 * index) for index in range(count)]


def write(
    path: Path,
    images: Sequence[Pixels],
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    aspect: Fraction | None = None,
    source_format: str = "bgr24",
) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=FPS, options=OPTIONS.get(codec, {}))
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pixel_format
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        for number, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format=source_format)
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def as_camera(path: Path, size: Size | None = None) -> Iterator[Pixels]:
    with closing(source.open(str(path), size=size, fps=None)) as clip:
        while frame := clip.read(np.empty((clip.size[1], clip.size[0], 3), np.uint8)):
            yield frame.pixels


def as_background(path: Path, size: Size | None = None) -> Iterator[Pixels]:
    shown = np.zeros((size[1], size[0], 3) if size else (48, 64, 3), np.uint8)
    with closing(background.open(str(path), size=size or SIZE, fit="cover")) as clip:
        for number in range(10):
            yield clip.image(Frame(shown, number / FPS, number), MATTE).copy()


roles = pytest.mark.parametrize("role", [as_camera, as_background])
Role = Callable[..., Iterator[Pixels]]


def middles(images: Iterator[Pixels]) -> list[int]:
    return [int(image[image.shape[0] // 2, image.shape[1] // 2].mean()) for image in images]


# Edit lists and counts


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and body of each box of an MP4 (ISO/IEC 14496-12, 4.2)."""
    while data:
        size, kind = struct.unpack_from(">I4s", data)
        yield kind, data[8:size]
        data = data[size:]


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def with_edits(path: Path, edits: Sequence[tuple[float, int]]) -> Path:
    """An edit list of (seconds, first stored frame); -1 shows nothing for so long."""
    (movie,) = struct.unpack_from(">I", path.read_bytes(), path.read_bytes().index(b"mvhd") + 16)
    (media,) = struct.unpack_from(">I", path.read_bytes(), path.read_bytes().index(b"mdhd") + 16)
    entries = b"".join(
        struct.pack(">IiI", round(seconds * movie), first if first < 0 else first * media // FPS, 1 << 16)
        for seconds, first in edits
    )
    new = box(b"edts", box(b"elst", struct.pack(">II", 0, len(edits)) + entries))

    def changed(data: bytes) -> bytes:
        result = b""
        for kind, body in boxes(data):
            if kind == b"edts":
                result += new
            else:
                result += box(kind, changed(body) if kind in {b"moov", b"trak"} else body)
        return result

    path.write_bytes(changed(path.read_bytes()))
    return path


@pytest.mark.parametrize(
    ("edits", "shown"),
    [
        ([(1.0, 10)], range(10, 20)),
        ([(2.0, 10)], range(10, 30)),
        ([(1.5, 0)], range(15)),
        ([(0.5, 0), (0.5, 20)], [*range(5), *range(20, 25)]),
        ([(1.0, -1), (3.0, 0)], range(30)),
    ],
    ids=["middle", "start cut", "end cut", "two parts", "late"],
)
def test_an_edit_list_is_followed(tmp_path: Path, edits: list[tuple[float, int]], shown: Sequence[int]) -> None:
    path = with_edits(write(tmp_path / "a.mp4", greys(30)), edits)
    np.testing.assert_allclose(middles(as_camera(path)), [8 * index for index in shown], atol=4)
    with closing(Clip(path)) as clip:
        assert clip.frames == len(shown)


def test_an_edit_list_that_shows_nothing_is_one_error(tmp_path: Path) -> None:
    path = with_edits(write(tmp_path / "a.mp4", greys(30)), [(1.0, -1)])
    with pytest.raises(BadFile, match="no frame that can be decoded"):
        list(as_camera(path))


@pytest.mark.parametrize("count", [3, 3000])
def test_a_count_in_the_header_that_is_wrong_does_not_matter(tmp_path: Path, count: int) -> None:
    path = write(tmp_path / "a.avi", greys(30), codec="mpeg4")
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(b"avih") + 8 + 16, count)
    struct.pack_into("<I", data, data.index(b"strh") + 8 + 32, count)
    path.write_bytes(data)
    assert len(list(as_camera(path))) == 30


@pytest.mark.parametrize("part", [0.6, 0.9])
def test_a_clip_that_ends_before_its_index_does_is_cut_short(tmp_path: Path, part: float) -> None:
    """The count of frames in its header is right, and its index is in front."""
    noise = [np.random.default_rng(seed).integers(0, 255, (48, 64, 3), np.uint8) for seed in range(20)]
    with av.open(str(tmp_path / "a.mp4"), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("mjpeg", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuvj420p"
        for image in noise:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())
    path = tmp_path / "a.mp4"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    with pytest.raises(BadFile, match=r"is cut short: it has \d+ of 20 frames|breaks off"):
        list(as_camera(path))
    assert list(as_background(path))


# Which stream


def two_streams(path: Path, dispositions: Sequence[int]) -> Path:
    """Streams of level 40 and 200; a cover is a JPEG."""
    codecs = ["mjpeg" if disposition & Disposition.attached_pic else "libx264" for disposition in dispositions]
    with av.open(str(path), "w", options={"default_mode": "passthrough"} if path.suffix == ".mkv" else {}) as container:
        streams = [container.add_stream(codec, rate=FPS) for codec in codecs]
        for stream, disposition in zip(streams, dispositions, strict=True):
            stream.width, stream.height = SIZE
            stream.pix_fmt = "yuvj420p" if stream.codec_context.name == "mjpeg" else "yuv420p"
            stream.disposition = Disposition(disposition)
        for number in range(5):
            for stream, level in zip(streams, (40, 200), strict=True):
                if number and stream.disposition & Disposition.attached_pic:
                    continue
                frame = av.VideoFrame.from_ndarray(grey(level), format="bgr24")
                frame.pts = number
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode())
    return path


@roles
@pytest.mark.parametrize(
    ("name", "dispositions", "level"),
    [
        ("a.mp4", (0, 1), 200),
        ("a.mkv", (0, 1), 200),
        ("a.mkv", (1, 0), 40),
        ("a.mkv", (1, 1), 40),
        ("a.mp4", (0, 0x400), 40),
    ],
)
def test_the_stream_that_players_show_is_shown(
    tmp_path: Path, role: Role, name: str, dispositions: Sequence[int], level: int
) -> None:
    path = two_streams(tmp_path / name, dispositions)
    np.testing.assert_allclose(middles(role(path)), level, atol=4)


def test_a_cover_that_comes_first_is_not_the_clip() -> None:
    cover, clip, default = (SimpleNamespace(disposition=Disposition(value)) for value in (0x401, 0, 1))
    assert max([cover, clip], key=_preference) is clip  # type: ignore[arg-type]
    assert max([cover, clip, default], key=_preference) is default  # type: ignore[arg-type]


# Orientations

MATRICES = {
    "as stored": (1, 0, 0, 1),
    "turned by 90": (0, 1, -1, 0),
    "turned by 180": (-1, 0, 0, -1),
    "turned by 270": (0, -1, 1, 0),
    "mirrored": (-1, 0, 0, 1),
    "upside down": (1, 0, 0, -1),
    "transposed": (0, 1, 1, 0),
    "transversed": (0, -1, -1, 0),
}


def stored_for(shown: Pixels, matrix: tuple[int, int, int, int]) -> Pixels:
    """What to store so that ``shown`` is seen: a stored (p, q) is shown at (a p + c q, b p + d q)."""
    a, b, c, d = matrix
    height, width = shown.shape[:2]
    stored = np.zeros((width, height, 3) if b else shown.shape, np.uint8)
    q, p = np.indices(stored.shape[:2])
    x, y = a * p + c * q, b * p + d * q
    return shown[y - y.min(), x - x.min()]


@roles
@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES.keys())
def test_a_clip_is_upright_and_not_mirrored(tmp_path: Path, role: Role, matrix: tuple[int, int, int, int]) -> None:
    quarters = np.kron(np.array([[40, 90], [150, 230]], np.uint8), np.ones((24, 32), np.uint8))
    shown = np.dstack([quarters] * 3)
    path = write(tmp_path / "a.mp4", [stored_for(shown, matrix)] * 3)
    data = bytearray(path.read_bytes())
    a, b, c, d = (value << 16 for value in matrix)
    struct.pack_into(">5i", data, data.index(b"tkhd") + 44, a, b, 0, c, d)
    path.write_bytes(data)
    for image in role(path):
        assert image.shape == (48, 64, 3)
        np.testing.assert_allclose(image[12::24, 16::32, 0], [[40, 90], [150, 230]], atol=4)


# Alpha


@roles
@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [
        ("a.webm", "libvpx", "yuva420p"),
        ("a.webm", "libvpx-vp9", "yuva420p"),
        ("a.mkv", "libvpx-vp9", "yuva420p"),
        ("a.mov", "prores_ks", "yuva444p10le"),
        ("a.mov", "qtrle", "argb"),
        ("a.mov", "png", "rgba"),
        ("a.mkv", "ffv1", "bgra"),
        ("a.mkv", "ffv1", "yuva420p"),
        ("a.apng", "apng", "rgba"),
    ],
)
def test_alpha_is_over_black(tmp_path: Path, role: Role, name: str, codec: str, pixel_format: str) -> None:
    straight = np.zeros((48, 64, 4), np.uint8)
    straight[:, :24] = (0, 255, 0, 255)
    straight[:, 24:40] = (255, 255, 255, 128)
    straight[:, 40:] = (255, 0, 255, 0)
    path = write(tmp_path / name, [straight] * 3, codec=codec, pixel_format=pixel_format, source_format="bgra")
    for image in role(path):
        np.testing.assert_allclose(image[24, 10], (0, 255, 0), atol=12)  # lossy
        np.testing.assert_allclose(image[24, 32], (128, 128, 128), atol=12)
        np.testing.assert_allclose(image[24, 56], (0, 0, 0), atol=12)


# Metadata


@roles
@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.webm", "a.avi", "a.flv"])
def test_metadata_that_are_not_utf_8_do_not_matter(tmp_path: Path, role: Role, name: str) -> None:
    codec = {".webm": "libvpx-vp9", ".avi": "mpeg4", ".flv": "flv"}.get(Path(name).suffix, "libx264")
    with av.open(str(tmp_path / name), "w") as container:
        container.metadata["title"] = "cafeQQ"
        stream = container.add_stream(codec, rate=FPS)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey(90), format="bgr24")))
        container.mux(stream.encode())
    data = (tmp_path / name).read_bytes()
    assert b"cafeQQ" in data
    (tmp_path / name).write_bytes(data.replace(b"cafeQQ", b"caf\xe9\xff\xfe"))
    np.testing.assert_allclose(middles(role(tmp_path / name)), 90, atol=6)


# Shapes


@pytest.mark.parametrize(
    ("aspect", "size"),
    [
        (Fraction(1, 1000), (4, 48)),
        (Fraction(1000), (1024, 48)),
        (Fraction(2**31 - 1), (1024, 48)),
        (Fraction(1, 2**31 - 1), (4, 48)),
        (Fraction(16), (1024, 48)),
        (Fraction(1, 16), (4, 48)),
        (Fraction(2), (128, 48)),
    ],
)
def test_pixels_are_at_most_sixteen_times_as_wide_as_high(tmp_path: Path, aspect: Fraction, size: Size) -> None:
    path = write(tmp_path / "a.mp4", [grey(90)] * 3, codec="mpeg4", aspect=Fraction(2))
    data = bytearray(path.read_bytes())
    struct.pack_into(">II", data, data.index(b"pasp") + 4, aspect.numerator, aspect.denominator)
    path.write_bytes(data)
    images = list(as_camera(path))
    assert [(image.shape[1], image.shape[0]) for image in images] == [size] * 3
    np.testing.assert_allclose(middles(as_background(path)), 90, atol=4)  # lossy


@roles
@pytest.mark.parametrize("sizes", [[(16000, 2)], [(2, 16000)], [(4000, 40), (40, 4000)], [(64, 48), (2, 2), (64, 48)]])
def test_a_ribbon_is_cut_before_it_is_enlarged(tmp_path: Path, role: Role, sizes: list[Size]) -> None:
    path, data = tmp_path / "a.mjpeg", b""
    for size in sizes:
        write(tmp_path / "b.mjpeg", [grey(90, size)] * 2, codec="mjpeg", pixel_format="yuvj420p")
        data += (tmp_path / "b.mjpeg").read_bytes()
    path.write_bytes(data)
    images = list(role(path, (1280, 720)))
    assert max(image.nbytes for image in images) <= max(
        1280 * 720 * 3, *(width * height * 3 for width, height in sizes)
    )
    assert role is as_camera or {image.shape for image in images} == {(720, 1280, 3)}
    np.testing.assert_allclose(middles(iter(images)), 90, atol=3)


# What is not a file


def fifo(path: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.skipif(sys.platform == "win32", reason="files of POSIX")
@roles
@pytest.mark.parametrize("make", [fifo, unix_socket, device])
@pytest.mark.parametrize("name", ["a.mp4", "a.gif"])
def test_what_is_not_a_file_is_refused_at_once(
    tmp_path: Path, role: Role, make: Callable[[Path], None], name: str
) -> None:
    make(tmp_path / name)
    with pytest.raises((BadFile, MissingFile)):
        list(role(tmp_path / name))
