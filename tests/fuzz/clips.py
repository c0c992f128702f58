"""Clips as phones, editors and screen recorders write them, and damaged ones. Each is drawn and written here."""

import struct
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np
from av.stream import Disposition
from av.video.frame import VideoFrame
from fuzz import boxes, hdr
from fuzz.drawing import (
    GREEN,
    ORIENTATIONS,
    RED,
    SIZE,
    Image,
    encoded,
    flat,
    greys,
    noise,
    quarters,
    stored,
    thirds,
)

FPS = 25
Writer = Callable[[Path], None]
Prepare = Callable[[av.VideoStream], None]


def write(
    path: Path,
    images: Iterable[Image | VideoFrame],
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    *,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    prepare: Prepare | None = None,
) -> None:
    """Write a clip. ``prepare`` may change the stream before the first frame."""
    defaults = {"crf": "4", "bf": "0", "g": "250"} if codec == "libx264" else {}
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=FPS, options=defaults | (options or {}))
        for number, image in enumerate(images):
            frame = to_frame(image)
            if number == 0:
                stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, pixel_format
                if prepare:
                    prepare(stream)
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def to_frame(image: Image | VideoFrame) -> VideoFrame:
    """A frame of a BGR or BGRA image."""
    if isinstance(image, VideoFrame):
        return image
    return VideoFrame.from_ndarray(np.ascontiguousarray(image), "bgra" if image.shape[2] == 4 else "bgr24")


def replace(path: Path, *pairs: tuple[bytes, bytes]) -> None:
    """Replace bytes by as many others."""
    data = path.read_bytes()
    for old, new in pairs:
        assert old in data, (path, old)
        assert len(old) == len(new)
        data = data.replace(old, new)
    path.write_bytes(data)


def edit_list(path: Path, *, edits: Sequence[tuple[float, int]]) -> None:
    """30 frames and an edit list of (seconds, first frame); frame -1 shows nothing."""
    write(path, greys(30))

    def edit(root: boxes.Box) -> None:
        track = root.find(b"moov", b"trak")
        (movie_scale,) = struct.unpack_from(">I", root.find(b"moov", b"mvhd").body, 12)
        (media_scale,) = struct.unpack_from(">I", track.find(b"mdia", b"mdhd").body, 12)
        body = struct.pack(">II", 0, len(edits))
        for seconds, first in edits:
            start = first if first < 0 else first * media_scale // FPS
            body += struct.pack(">IiI", round(seconds * movie_scale), start, 1 << 16)
        track.children = [child for child in track.children if child.kind != b"edts"]
        track.children.insert(1, boxes.Box(b"edts", children=[boxes.Box(b"elst", body)]))

    boxes.change(path, edit)


def wrong_count(path: Path, *, count: int) -> None:
    """30 frames; the AVI's headers promise another number."""
    write(path, greys(30), "mpeg4", options={"qscale": "1"})
    data = bytearray(path.read_bytes())
    for chunk, offset in ((b"avih", 16), (b"strh", 32)):
        struct.pack_into("<I", data, data.index(chunk) + 8 + offset, count)
    path.write_bytes(data)


def empty_samples(path: Path) -> None:
    """Two of three samples have no bytes, as some screen recorders write for frames that did not change."""
    write(path, greys(30), options={"g": "1"})

    def edit(root: boxes.Box) -> None:
        table = root.find(b"moov", b"trak", b"mdia", b"minf", b"stbl")
        sizes, chunks, chunk_runs = (table.find(kind) for kind in (b"stsz", b"stco", b"stsc"))
        (count,) = struct.unpack_from(">I", sizes.body, 8)
        all_sizes = struct.unpack_from(f">{count}I", sizes.body, 12)
        (start,) = struct.unpack_from(">I", chunks.body, 8)
        offsets = np.cumsum([start, *all_sizes])[:-1]
        kept = [0 if number % 3 else size for number, size in enumerate(all_sizes)]
        sizes.body = struct.pack(f">III{count}I", 0, 0, count, *kept)
        chunk_runs.body = struct.pack(">II3I", 0, 1, 1, 1, 1)
        chunks.body = struct.pack(f">II{count}I", 0, count, *offsets)

    boxes.change(path, edit)


def half(path: Path) -> None:
    """Cut in half."""
    write(
        path,
        [noise(SIZE, seed) for seed in range(30)],
        container_options={"movflags": "faststart"} if path.suffix == ".mp4" else {},
    )
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def turned(path: Path, *, name: str) -> None:
    """A display matrix in an MP4's track."""
    write(path, [stored(quarters(), name)] * 10)
    a, b, c, d = (value << 16 for value in ORIENTATIONS[name].matrix)

    def edit(root: boxes.Box) -> None:
        header = root.find(b"moov", b"trak", b"tkhd")
        body = bytearray(header.body)
        struct.pack_into(">9i", body, 40, a, b, 0, c, d, 0, 0, 0, 1 << 30)
        header.body = bytes(body)

    boxes.change(path, edit)


def turned_by_sei(path: Path, *, name: str, quarter_turns: int, mirrored: bool) -> None:
    """The orientation is in the H.264 stream: SEI message 47, quarter turns to the left."""
    bits = f"0{mirrored:b}0{quarter_turns * 16384:016b}01001"
    message = b"\0\0\0\1\x09\xf0" + b"\0\0\0\1\x06\x2f\x03" + int(bits, 2).to_bytes(3, "big") + b"\x80"
    image = stored(quarters(), name)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "4", "bf": "0", "g": "1", "aud": "0"})
        stream.width, stream.height, stream.pix_fmt = image.shape[1], image.shape[0], "yuv420p"
        for number in range(11):
            frame = to_frame(image) if number < 10 else None
            if frame:
                frame.pts = number
            for packet in stream.encode(frame):
                changed = av.Packet(message + bytes(packet))
                changed.pts, changed.dts = packet.pts, packet.dts
                changed.time_base, changed.stream = packet.time_base, stream
                container.mux(changed)


def streams(path: Path, contents: Sequence[tuple[str, Disposition, Image, int]]) -> None:
    """A file of several video streams: (codec, disposition, image, number of frames) each."""
    options = {"default_mode": "passthrough"} if path.suffix == ".mkv" else {}
    with av.open(str(path), "w", options=options) as container:
        added = []
        for codec, disposition, image, _count in contents:
            stream = container.add_stream(codec, rate=FPS, options={} if codec == "mjpeg" else {"bf": "0"})
            stream.height, stream.width = image.shape[:2]
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            stream.disposition = disposition
            added.append(stream)
        for number in range(max(count for *_, count in contents)):
            for stream, (_codec, _disposition, image, count) in zip(added, contents, strict=True):
                if number < count:
                    frame = to_frame(image)
                    frame.pts = number
                    container.mux(stream.encode(frame))
        for stream in added:
            container.mux(stream.encode())


def remuxed(path: Path, *, name: str) -> None:
    """The orientation of ``turned``, as Matroska writes it."""
    mp4 = path.with_name(f"{path.stem}-source.mp4")
    turned(mp4, name=name)
    with av.open(str(mp4)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    mp4.unlink()


def cover_attached(path: Path) -> None:
    """A red cover image as an attachment of a green film."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "4"})
        (stream.width, stream.height), stream.pix_fmt = SIZE, "yuv420p"
        container.add_attachment("cover.jpg", "image/jpeg", encoded(flat(RED), ".jpg"))
        for number in range(20):
            frame = to_frame(flat(GREEN))
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def cover_first(path: Path) -> None:
    """The first stream of the MP4 is a red cover image, since its user data come first; the film is green."""
    film = "libx264", Disposition.default, flat(GREEN), 20
    streams(path, [film, ("mjpeg", Disposition.attached_pic, flat(RED), 1)])
    boxes.change(path, lambda root: root.find(b"moov").children.sort(key=lambda child: child.kind != b"udta"))


def second_is_default(path: Path) -> None:
    """First 10 red frames, then 20 green ones in the default stream."""
    second = "libx264", Disposition.default, flat(GREEN), 20
    streams(path, [("libx264", Disposition(0), flat(RED), 10), second])


def title_not_utf8(path: Path) -> None:
    """The title is in Latin-1."""
    codec = {".webm": "libvpx-vp9", ".avi": "mpeg4", ".flv": "flv"}.get(path.suffix, "libx264")
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "title cafeQ"
        stream = container.add_stream(codec, rate=FPS)
        (stream.width, stream.height), stream.pix_fmt = SIZE, "yuv420p"
        for number in range(10):
            frame = to_frame(quarters())
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    replace(path, (b"cafeQ", b"caf\xe9\xff"))


def pixel_aspect(ratio: Fraction) -> Prepare:
    """Sets the shape of a stream's pixels."""

    def prepare(stream: av.VideoStream) -> None:
        stream.codec_context.sample_aspect_ratio = ratio

    return prepare


def mp4_pixel_aspect(path: Path, *, across: int, down: int) -> None:
    """Any two numbers in the MP4's pasp box."""
    write(path, [quarters()] * 10, "mpeg4", options={"qscale": "1"}, prepare=pixel_aspect(Fraction(2)))
    data = bytearray(path.read_bytes())
    struct.pack_into(">II", data, data.index(b"pasp") + 4, across, down)
    path.write_bytes(data)


def stream_pixel_aspect(path: Path, *, ratio: Fraction) -> None:
    """The shape of pixels as the encoder writes it."""
    write(path, [quarters()] * 10, prepare=pixel_aspect(ratio))


def motion_jpeg(path: Path, *, sizes: Sequence[tuple[int, int]]) -> None:
    """Ten frames of each size."""
    path.write_bytes(b"".join(encoded(quarters(size), ".jpg") * 10 for size in sizes))


def huge_in_the_middle(path: Path) -> None:
    """One frame of 256 megapixels between small ones."""
    small = encoded(quarters(), ".jpg")
    huge = cv2.imencode(".jpg", np.full((16_000, 16_000), 128, np.uint8), [cv2.IMWRITE_JPEG_OPTIMIZE, 1])[1].tobytes()
    path.write_bytes(small * 10 + huge + small * 10)


def transport_stream(path: Path, *, parts: Sequence[tuple[tuple[int, int], int]]) -> None:
    """Ten frames of each (size, pixel aspect), one stream after the other."""
    data = b""
    for size, ratio in parts:
        write(path, [quarters(size)] * 10, prepare=pixel_aspect(Fraction(ratio)))
        data += path.read_bytes()
    path.write_bytes(data)


def interlaced(path: Path) -> None:
    """A white bar that moves ten pixels from field to field; even rows hold the earlier field."""
    frames = []
    for number in range(8):
        image = flat((16, 16, 16), (192, 128))
        for parity in range(2):
            left = (2 * number + parity) * 10
            image[parity::2, left : left + 24] = 235
        frames.append(image)
    if path.suffix == ".mpg":
        write(path, frames, "mpeg2video", options={"flags": "+ildct+ilme", "b": "4M"})
    else:
        write(path, frames, options={"x264-params": "tff=1"})


def unknown_codec(path: Path, *, codec: str, names: tuple[bytes, bytes]) -> None:
    """The file names a codec that does not exist."""
    write(path, [quarters()] * 10, codec)
    replace(path, names)


def sound_only(path: Path) -> None:
    """A second of silence, no frames."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.float32), "fltp", "mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


def broken_frame(path: Path) -> None:
    """One broken JPEG among thirty, as a bad cable gives."""
    good, broken = encoded(quarters((320, 240)), ".jpg"), bytearray(encoded(noise(), ".jpg"))
    broken[2000:2200] = bytes(200)
    path.write_bytes(good * 14 + bytes(broken) + good * 15)


ALPHA_FORMATS = {
    "alpha-vp8.webm": ("libvpx", "yuva420p", {"b": "4M", "auto-alt-ref": "0"}),
    "alpha-vp9.webm": ("libvpx-vp9", "yuva420p", {"b": "4M"}),
    "alpha-vp9.mkv": ("libvpx-vp9", "yuva420p", {"b": "4M"}),
    "alpha-prores.mov": ("prores_ks", "yuva444p10le", {"profile": "4444"}),
    "alpha-qtrle.mov": ("qtrle", "argb", {}),
    "alpha-png.mov": ("png", "rgba", {}),
    "alpha-ffv1.mkv": ("ffv1", "bgra", {}),
    "alpha.apng": ("apng", "rgba", {}),
}

PIXEL_ASPECTS = ((1, 1000), (1000, 1), (1, 0x7FFFFFFF), (0x7FFFFFFF, 1), (0, 0), (0, 1), (16, 1), (1, 16), (2, 1))

CLIPS: dict[str, Writer] = {
    "edit-list-middle.mp4": partial(edit_list, edits=[(0.4, 10)]),
    "edit-list-start-cut.mp4": partial(edit_list, edits=[(0.8, 10)]),
    "edit-list-end-cut.mp4": partial(edit_list, edits=[(0.6, 0)]),
    "edit-list-late.mp4": partial(edit_list, edits=[(1.0, -1), (1.2, 0)]),
    "edit-list-two-parts.mp4": partial(edit_list, edits=[(0.2, 0), (0.2, 20)]),
    "edit-list-of-nothing.mp4": partial(edit_list, edits=[(0.0, 0)]),
    "count-too-large.avi": partial(wrong_count, count=3000),
    "count-too-small.avi": partial(wrong_count, count=3),
    "empty-samples.mp4": empty_samples,
    "cut-short.mp4": half,
    "cut-short.mkv": half,
    **{f"display-{name}.mp4": partial(turned, name=name) for name in ORIENTATIONS},
    "display-turned-90-in-stream.ts": partial(turned_by_sei, name="turned-90", quarter_turns=3, mirrored=False),
    "display-mirrored-in-stream.ts": partial(turned_by_sei, name="mirrored", quarter_turns=0, mirrored=True),
    "display-turned-90.mkv": partial(remuxed, name="turned-90"),
    "cover-first.mp4": cover_first,
    "cover-attached.mkv": cover_attached,
    "two-films-second-default.mp4": second_is_default,
    "two-films-second-default.mkv": second_is_default,
    **{
        name: partial(write, images=[thirds()] * 10, codec=codec, pixel_format=pixel_format, options=options)
        for name, (codec, pixel_format, options) in ALPHA_FORMATS.items()
    },
    **{f"hdr-{curve}.{suffix}": partial(hdr.write, curve=curve) for curve in hdr.CURVES for suffix in ("mp4", "mkv")},
    **{f"title-not-utf8.{suffix}": title_not_utf8 for suffix in ("mp4", "mov", "mkv", "webm", "avi", "flv")},
    **{f"pixel-aspect-{x}-{y}.mp4": partial(mp4_pixel_aspect, across=x, down=y) for x, y in PIXEL_ASPECTS},
    **{f"pixel-aspect-60-1.{suffix}": partial(stream_pixel_aspect, ratio=Fraction(60)) for suffix in ("mkv", "ts")},
    **{f"pixel-aspect-1-60.{suffix}": partial(stream_pixel_aspect, ratio=Fraction(1, 60)) for suffix in ("mkv", "ts")},
    "changes-size.mjpeg": partial(motion_jpeg, sizes=[SIZE, SIZE[::-1], (160, 120)]),
    "changes-to-tiny.mjpeg": partial(motion_jpeg, sizes=[SIZE, (1, 1)]),
    "changes-to-huge.mjpeg": huge_in_the_middle,
    "changes-size.ts": partial(transport_stream, parts=[(SIZE, 1), ((160, 120), 1)]),
    "changes-pixel-aspect.ts": partial(transport_stream, parts=[(SIZE, 1), (SIZE, 60)]),
    "ribbon.mjpeg": partial(motion_jpeg, sizes=[(16_000, 2)]),
    "ribbon-upright.mjpeg": partial(motion_jpeg, sizes=[(2, 16_000)]),
    "ribbon-turns.mjpeg": partial(motion_jpeg, sizes=[(4000, 40), (40, 4000)]),
    "interlaced.mp4": interlaced,
    "interlaced.mpg": interlaced,
    "unknown-codec.avi": partial(unknown_codec, codec="mpeg4", names=(b"FMP4", b"QZQZ")),
    "unknown-codec.mp4": partial(unknown_codec, codec="libx264", names=(b"avc1\0\0\0\0", b"qzqz\0\0\0\0")),
    "unknown-codec.mkv": partial(unknown_codec, codec="libx264", names=(b"V_MPEG4/ISO/AVC", b"V_MPEG4/ISO/QZQ")),
    "sound-only.mp4": sound_only,
    "broken-one-of-30.mjpeg": broken_frame,
}
"""Writers by file name."""
