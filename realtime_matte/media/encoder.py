"""The encoder of each video format, and options with which a file plays even when its writer was killed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

from realtime_matte.errors import SinkError, SpecError
from realtime_matte.frame import Size

TICKS_PER_S: Final = 90_000
"""Each frame has its own time: a file has no fixed rate."""

KEY_FRAME_EVERY_S: Final = 2
BT709: Final = 1  # of AVColorPrimaries, AVColorTransferCharacteristic and AVColorSpace alike
LIMITED: Final = 1  # of AVColorRange

# Without B-frames a file starts at 0 and keeps its times. The encoder holds two frames: with look-ahead and a thread
# for each core it held 15 on 2 cores, which a killed program lost. CRF 22 is then as large and as good as 20 was.
H264: Final = {
    "preset": "veryfast",
    "crf": "22",
    "bf": "0",
    "rc-lookahead": "0",
    "threads": "3",
    "x264-params": "sync-lookahead=0:mbtree=0",
}
VP9: Final = {"deadline": "realtime", "cpu-used": "8", "row-mt": "1", "lag-in-frames": "0", "crf": "30", "b": "0"}

# Written out every quarter of a second, so that a cut file plays; closed, it becomes an ordinary MP4 (FFmpeg 7.1).
# ``empty_moov``: the header lists no frames, so that a file cut within its first fragment plays too.
FRAGMENTS: Final = {"movflags": "hybrid_fragmented+empty_moov", "frag_duration": "250000", "flush_packets": "1"}
CLUSTERS: Final = {"cluster_time_limit": "250", "flush_packets": "1"}


@dataclass(frozen=True, slots=True)
class Encoder:
    """An encoder of FFmpeg: its name, its title for users, its pixel format and its options."""

    name: str
    title: str
    pixel_format: str
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Format:
    """A file format: FFmpeg's name for it, its options, and its encoders without and with alpha, best first."""

    container: str
    options: Mapping[str, str]
    opaque: Sequence[Encoder]
    with_alpha: Sequence[Encoder] = ()


AVC: Final = (Encoder("libx264", "H.264", "yuv420p", H264), Encoder("libopenh264", "H.264", "yuv420p"))
VP9_OPAQUE: Final = (Encoder("libvpx-vp9", "VP9", "yuv420p", VP9),)
VP9_ALPHA: Final = (Encoder("libvpx-vp9", "VP9 with alpha", "yuva420p", VP9),)
PRORES: Final = (Encoder("prores_aw", "ProRes 4444", "yuva444p10le", {"profile": "4"}),)

FORMATS: Final = {
    ".mp4": Format("mp4", FRAGMENTS, AVC),
    ".m4v": Format("mp4", FRAGMENTS, AVC),
    ".mov": Format("mov", FRAGMENTS, AVC, PRORES),
    ".mkv": Format("matroska", CLUSTERS, AVC, VP9_ALPHA),
    ".webm": Format("webm", CLUSTERS, VP9_OPAQUE, VP9_ALPHA),
}


FRAGMENTED: Final = frozenset(suffix for suffix, written in FORMATS.items() if written.options is FRAGMENTS)


def choose(suffix: str, *, alpha: bool) -> tuple[Format, Encoder]:
    """The format and encoder of a file that ends in ``suffix``.

    Raises:
        SpecError: no such format, or one without alpha.
        SinkError: this FFmpeg has no encoder for it.
    """
    if suffix.lower() not in FORMATS:
        *others, last = FORMATS
        raise SpecError(f"video format {suffix} is not supported", hint=f"use {', '.join(others)} or {last}")
    file_format = FORMATS[suffix.lower()]
    encoders = file_format.with_alpha if alpha else file_format.opaque
    if not encoders:
        with_alpha = ", ".join(ending for ending, other in FORMATS.items() if other.with_alpha)
        raise SpecError(
            f"{suffix} files carry no alpha (background 'none')", hint=f"use one of {with_alpha}, or frames:folder"
        )
    for encoder in encoders:
        if encoder.name in av.codecs_available:
            return file_format, encoder
    names = " or ".join(encoder.name for encoder in encoders)
    raise SinkError(f"this FFmpeg has no encoder {names} for {suffix} files", hint="pip install --force-reinstall av")


def start(
    path: Path, file_format: Format, encoder: Encoder, *, size: Size, fps: float
) -> tuple[OutputContainer, VideoStream]:
    """Open file and encoder; the file header is written with the first frame, as FFmpeg crashes on a file without any.

    Raises FFmpegError.
    """
    container = av.open(f"file:{path}", "w", format=file_format.container, options=dict(file_format.options))
    try:
        stream = _stream(container, encoder, size, fps)
        stream.codec_context.open(strict=False)
    except BaseException:
        container.close()  # breaks the reference cycle of container and stream, which would keep the encoder
        raise
    return container, stream


def _stream(container: OutputContainer, encoder: Encoder, size: Size, fps: float) -> VideoStream:
    rate = Fraction(fps).limit_denominator(1001)
    stream = container.add_stream(encoder.name, rate=rate, options=dict(encoder.options))
    assert isinstance(stream, VideoStream)  # noqa: S101 - all encoders here are for video
    context = stream.codec_context
    context.width, context.height = size
    context.pix_fmt = encoder.pixel_format
    context.time_base = stream.time_base = Fraction(1, TICKS_PER_S)
    context.gop_size = max(1, round(KEY_FRAME_EVERY_S * fps))
    context.thread_type = "AUTO"  # several frames at a time; PyAV's default is slices, for which the caller waits
    context.color_primaries = context.color_trc = context.colorspace = BT709
    context.color_range = LIMITED
    return stream
