"""Which encoder each kind of video file takes, and how it must be written so that it plays even when cut short."""

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

TICKS: Final = 90_000  # a second: pictures come at times of their own, so a file has no fixed rate
KEY_EVERY_S: Final = 2
BT709: Final = 1  # of AVColorPrimaries, AVColorTransferCharacteristic and AVColorSpace alike
LIMITED: Final = 1  # of AVColorRange

H264: Final = {"preset": "veryfast", "crf": "20", "bf": "0"}  # without B-frames a file starts at 0 and stays in step
VP9: Final = {"deadline": "realtime", "cpu-used": "8", "row-mt": "1", "lag-in-frames": "0", "crf": "30", "b": "0"}

# Half a second at a time is written out as a whole; a file that is closed becomes an ordinary MP4 (FFmpeg 7.1).
FRAGMENTS: Final = {"movflags": "hybrid_fragmented", "frag_duration": "500000", "flush_packets": "1"}
CLUSTERS: Final = {"cluster_time_limit": "500", "flush_packets": "1"}


@dataclass(frozen=True, slots=True)
class Encoder:
    """One of FFmpeg's, and how it is set."""

    name: str
    title: str
    pixels: str
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file: FFmpeg's name for it, how it is written, and the encoders to take, best first."""

    container: str
    writing: Mapping[str, str]
    opaque: Sequence[Encoder]
    clear: Sequence[Encoder] = ()


AVC: Final = (Encoder("libx264", "H.264", "yuv420p", H264), Encoder("libopenh264", "H.264", "yuv420p"))
VP9_OPAQUE: Final = (Encoder("libvpx-vp9", "VP9", "yuv420p", VP9),)
VP9_CLEAR: Final = (Encoder("libvpx-vp9", "VP9 with alpha", "yuva420p", VP9),)
PRORES: Final = (Encoder("prores_aw", "ProRes 4444", "yuva444p10le", {"profile": "4"}),)

FORMATS: Final = {
    ".mp4": Format("mp4", FRAGMENTS, AVC),
    ".m4v": Format("mp4", FRAGMENTS, AVC),
    ".mov": Format("mov", FRAGMENTS, AVC, PRORES),
    ".mkv": Format("matroska", CLUSTERS, AVC, VP9_CLEAR),
    ".webm": Format("webm", CLUSTERS, VP9_OPAQUE, VP9_CLEAR),
}


def choose(suffix: str, *, alpha: bool) -> tuple[Format, Encoder]:
    """How to write a file that ends like this.

    Raises:
        SpecError: no such kind, or one that carries no alpha.
        SinkError: this FFmpeg has no encoder for it.
    """
    if suffix.lower() not in FORMATS:
        raise SpecError(f"no video file ends in {suffix!r}", hint=f"there are: {', '.join(FORMATS)}")
    kind = FORMATS[suffix.lower()]
    encoders = kind.clear if alpha else kind.opaque
    if not encoders:
        carrying = ", ".join(ending for ending, other in FORMATS.items() if other.clear)
        raise SpecError(
            f"{suffix} files carry no alpha (background 'none')", hint=f"take one of {carrying}, or frames:folder"
        )
    for encoder in encoders:
        if encoder.name in av.codecs_available:
            return kind, encoder
    names = " or ".join(encoder.name for encoder in encoders)
    raise SinkError(f"this FFmpeg has no encoder {names} for {suffix} files", hint="pip install --force-reinstall av")


def start(path: Path, kind: Format, encoder: Encoder, *, size: Size, fps: float) -> tuple[OutputContainer, VideoStream]:
    """Open the encoder, for a file whose head is written with its first picture: FFmpeg crashes on one without any.

    Raises FFmpeg's own errors.
    """
    container = av.open(f"file:{path}", "w", format=kind.container, options=dict(kind.writing))
    stream = _stream(container, encoder, size, fps)
    stream.codec_context.open(strict=False)
    return container, stream


def _stream(container: OutputContainer, encoder: Encoder, size: Size, fps: float) -> VideoStream:
    rate = Fraction(fps).limit_denominator(1001)
    stream = container.add_stream(encoder.name, rate=rate, options=dict(encoder.options))
    assert isinstance(stream, VideoStream)  # noqa: S101 - all encoders here are for video
    context = stream.codec_context
    context.width, context.height = size
    context.pix_fmt = encoder.pixels
    context.time_base = stream.time_base = Fraction(1, TICKS)
    context.gop_size = max(1, round(KEY_EVERY_S * fps))
    context.thread_type = "AUTO"  # several pictures at a time; PyAV's own choice is slices, for which the caller waits
    context.color_primaries = context.color_trc = context.colorspace = BT709
    context.color_range = LIMITED
    return stream
