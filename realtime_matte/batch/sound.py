"""The sound of a clip in the file of its result: copied, or encoded again where that format cannot hold it."""

import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

PREROLL_S: Final = 0.05
"""Packets that begin this much before the first frame are kept: decoders of AAC need one."""

_EVERYWHERE: Final = frozenset({"aac", "ac3", "alac", "eac3", "mp3"})
_PCM: Final = frozenset(
    {f"pcm_{kind}{bits}{end}" for kind, bits in (("s", 16), ("s", 24), ("s", 32), ("f", 32)) for end in ("le", "be")}
)
COPIED: Final = {
    "mov": _EVERYWHERE | _PCM | {"pcm_alaw", "pcm_mulaw", "pcm_u8"},
    "mp4": _EVERYWHERE | {"flac", "opus"},
    "webm": frozenset({"opus", "vorbis"}),
}
"""Codecs that are copied, by container. FFmpeg names more as supported, and then cannot write or read them."""

ENCODERS: Final = {"webm": "libopus"}
AAC: Final = "aac"
"""Encoder by container, of sound that cannot be copied."""

USUAL_RATE: Final = 48_000
RATES: Final = {
    "libopus": (USUAL_RATE,),
    "aac": (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000),
}
"""Sample rates of the encoders that are kept; others become the usual one."""


class Sound:
    """Every stream of sound of a clip, muxed beside its frames.

    Args:
        path: The clip.
        output: The file of the result, to which streams are added.
        start: Time in the clip at which the result begins, s.

    ``close`` closes the clip. Raises FFmpegError.
    """

    def __init__(self, path: Path, output: OutputContainer, *, start: float) -> None:
        self._output = output
        self._start = start
        self._input = av.open(f"file:{path}", metadata_errors="replace")
        self._tracks = {
            stream.index: _Track(stream, output, start) for stream in self._input.streams.audio if _known(stream)
        }
        streams = [stream for stream in self._input.streams.audio if stream.index in self._tracks]
        self._packets: Iterator[Packet[Any]] = self._input.demux(*streams) if streams else iter(())
        self._next = self._read()

    def write_until(self, time: float) -> None:
        """Mux what is heard before that time of the result, in seconds."""
        while self._next is not None and _time(self._next) - self._start < time:
            if _time(self._next) >= self._start - PREROLL_S:
                self._output.mux(self._tracks[self._next.stream.index].convert(self._next))
            self._next = self._read()

    def finish(self) -> None:
        """Mux what the encoders still hold."""
        for track in self._tracks.values():
            self._output.mux(track.flush())

    def close(self) -> None:
        """Close the clip. Idempotent."""
        self._packets = iter(())
        self._input.close()

    def _read(self) -> "Packet[AudioStream] | None":
        """The next packet; None at the end, also at that of a damaged file: its frames are what counts."""
        while True:
            try:
                packet = next(self._packets, None)
            except av.error.FFmpegError:
                return None
            if packet is None or packet.pts is not None:
                return packet


class _Track:
    """One stream of sound, moved so that ``start`` is 0."""

    def __init__(self, source: AudioStream, output: OutputContainer, start: float) -> None:
        self._start = start
        self._end = -sys.maxsize  # of what is encoded, in samples
        self._resampler: AudioResampler | None = None
        self._target: AudioStream
        if source.codec_context.codec.canonical_name in COPIED[output.format.name]:
            self._target = output.add_stream_from_template(source)
            return
        name, rate = ENCODERS.get(output.format.name, AAC), source.codec_context.sample_rate
        rate = rate if rate in RATES[name] else USUAL_RATE
        stream = output.add_stream(name, rate=rate)
        assert isinstance(stream, AudioStream)  # noqa: S101 - both encoders are for sound
        stream.codec_context.layout = "stereo" if source.codec_context.channels > 1 else "mono"
        stream.codec_context.open()
        self._target = stream
        self._resampler = AudioResampler(
            stream.codec_context.format, stream.codec_context.layout, rate, stream.codec_context.frame_size
        )

    def convert(self, packet: "Packet[AudioStream]") -> "list[Packet[AudioStream]]":
        """Packets of the result."""
        assert packet.time_base is not None  # noqa: S101 - of a stream
        if self._resampler is None:
            ticks = round(self._start / packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts - ticks
            packet.dts = None if packet.dts is None else packet.dts - ticks
            packet.stream = self._target
            return [packet]
        try:
            decoded = packet.decode()
        except av.error.InvalidDataError:
            return []
        encoded: list[Packet[AudioStream]] = []
        for frame in decoded:
            if frame.pts is not None:  # in samples: a clip's clock may be coarser, and the resampler keeps it
                frame.pts = round((float(frame.time or 0.0) - self._start) * frame.sample_rate)
                frame.time_base = Fraction(1, frame.sample_rate)
            encoded += [one for part in self._resampler.resample(frame) for one in self._encode(part)]
        return encoded

    def flush(self) -> "list[Packet[AudioStream]]":
        """The last packets of an encoder."""
        if self._resampler is None:
            return []
        encoded = [one for part in self._resampler.resample(None) for one in self._encode(part)]
        return encoded + self._target.encode(None)

    def _encode(self, part: AudioFrame) -> "list[Packet[AudioStream]]":
        if part.pts is not None:  # muxers refuse times that go back, as those of a coarse clock may
            part.pts = max(part.pts, self._end)
            self._end = part.pts + part.samples
        return self._target.encode(part)


def _known(stream: AudioStream) -> bool:
    """Whether FFmpeg has a decoder; a stream without one cannot be opened as a template either."""
    return stream.codec_context is not None


def _time(packet: "Packet[AudioStream]") -> float:
    return float((packet.pts or 0) * (packet.time_base or 0))
