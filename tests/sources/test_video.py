"""Video files as sources: every frame, or in real time like a camera."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace
from fakes.devices import Clock
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_matte import plugins
from realtime_matte.errors import BadFile, MissingFile, SpecError
from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.interfaces import Source
from realtime_matte.media.clip import Clip
from realtime_matte.media.fit import scaled_size
from realtime_matte.sources import video
from realtime_matte.sources._clock import LiveTicks

TOLERANCE = 6
"""Of 255: grey values through a lossy codec."""

SIZE: Size = (64, 48)


def greys(count: int, size: Size = SIZE) -> list[Pixels]:
    return [np.full((size[1], size[0], 3), 20 + number * 20, np.uint8) for number in range(count)]


def write(
    path: Path,
    images: Sequence[Pixels],
    *,
    codec: str = "mpeg4",
    pixel_format: str = "yuv420p",
    fps: int = 10,
    times: Sequence[int] | None = None,
    sar: Fraction | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """A file of these images, at these ``times`` in tenths of a second."""
    with av.open(path, "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=fps)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pixel_format
        if sar:
            stream.codec_context.sample_aspect_ratio = sar
        for number, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            if pixel_format == "rgb8":
                frame = frame.reformat(format="rgb8")
            frame.pts = times[number] if times else number
            frame.time_base = Fraction(1, 10) if times else Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def opened(path: Path | str, size: Size | None = None, fps: float | None = None) -> Source:
    return video.open(str(path), size=size, fps=fps)


def buffer(source: Source) -> Pixels:
    return np.empty((source.size[1], source.size[0], 3), np.uint8)


def read_all(source: Source) -> list[Frame]:
    """Every frame, with a copy of its pixels."""
    frames = []
    while frame := source.read(buffer(source)):
        frames.append(frame)
    return frames


def grey(frame: Frame | None) -> int:
    """The number of an image of ``greys``."""
    assert frame is not None
    assert frame.pixels.std() < TOLERANCE
    return round((frame.pixels.mean() - 20) / 20)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("clip") / "clip.mp4", greys(8))


# Every frame


def test_every_frame_comes_once_in_order(clip: Path) -> None:
    source = opened(clip)
    assert (source.size, source.fps, source.live, source.frames) == (SIZE, 10.0, False, 8)
    frames = read_all(source)
    assert [grey(frame) for frame in frames] == list(range(8))
    assert [frame.index for frame in frames] == list(range(8))
    assert np.diff([frame.time for frame in frames]) == pytest.approx([0.1] * 7)
    assert source.read(buffer(source)) is None
    source.close()
    source.close()


def test_a_frame_is_written_into_the_given_buffer(clip: Path) -> None:
    source = opened(clip)
    pixels = buffer(source)
    frame = source.read(pixels)
    assert frame is not None
    assert frame.pixels is pixels


def test_two_runs_give_the_same_pixels(clip: Path) -> None:
    first, second = ([frame.pixels for frame in read_all(opened(clip))] for _ in range(2))
    assert np.array_equal(first, second)


def test_uneven_times_are_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "clip.mkv", greys(4), times=[0, 1, 5, 20])
    times = [frame.time for frame in read_all(opened(path))]
    assert [time - times[0] for time in times] == pytest.approx([0, 0.1, 0.5, 2.0])


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [
        ("a.mkv", "mpeg4", "yuv420p"),
        ("a.avi", "mjpeg", "yuvj420p"),
        ("a.mov", "prores_ks", "yuv422p10le"),
        ("a.webm", "libvpx", "yuv420p"),
        ("a.gif", "gif", "rgb8"),
        ("a.mpg", "mpeg1video", "yuv420p"),
        ("a.mp4", "libx264", "yuv444p"),
    ],
)
def test_any_container_and_codec_is_read(tmp_path: Path, name: str, codec: str, pixel_format: str) -> None:
    path = write(tmp_path / name, greys(5), codec=codec, pixel_format=pixel_format, fps=25)
    source = opened(path)
    assert [round(frame.pixels.mean() / 20) for frame in read_all(source)] == [1, 2, 3, 4, 5]
    assert source.frames == (None if name == "a.mpg" else 5)


def test_a_name_that_looks_like_a_protocol_is_a_file(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("concat:what?%d.mp4").write_bytes(clip.read_bytes())
    assert len(read_all(opened("concat:what?%d.mp4"))) == 8


# Size and rotation


@settings(max_examples=30, deadline=None)
@given(size=st.tuples(st.integers(1, 90), st.integers(1, 90)) | st.sampled_from([(1, 1), (1080, 1920), (3840, 2160)]))
def test_a_clip_is_whole_for_any_size(clip: Path, size: Size) -> None:
    source = opened(clip, size)
    assert source.size in {size, (64, 48), scaled_size((64, 48), size, "cover")}
    frame = source.read(buffer(source))
    assert grey(frame) == 0
    source.close()


@settings(max_examples=10, deadline=None)
@given(size=st.tuples(st.integers(2, 70), st.integers(1, 70)))  # FFV1 itself writes no column of single pixels
def test_clips_of_any_size_are_read(tmp_path_factory: pytest.TempPathFactory, size: Size) -> None:
    path = write(tmp_path_factory.mktemp("sizes") / "a.avi", greys(2, size), codec="ffv1", pixel_format="bgr0")
    source = opened(path)
    assert source.size == size
    assert [grey(frame) for frame in read_all(source)] == [0, 1]


def test_a_clip_of_another_shape_is_neither_cut_nor_stretched(tmp_path: Path) -> None:
    stripes = np.zeros((32, 96, 3), np.uint8)
    stripes[:, 32:64] = 255
    source = opened(write(tmp_path / "a.avi", [stripes], codec="ffv1", pixel_format="bgr0"), (64, 64))
    frame = source.read(buffer(source))
    assert frame is not None
    assert (frame.pixels == cv2.resize(stripes, source.size)).mean() > 0.9
    assert source.size == (96, 32)


def test_pixels_that_are_not_square_are_made_square(tmp_path: Path) -> None:
    source = opened(write(tmp_path / "a.mkv", greys(1), sar=Fraction(2)))
    assert source.size == (128, 48)
    assert grey(source.read(buffer(source))) == 0


def quarters() -> Pixels:
    """Bright at the upper left."""
    image = np.full((48, 64, 3), 20, np.uint8)
    image[:24, :32] = 220
    return image


@pytest.mark.parametrize(
    ("matrix", "size", "bright"),
    [
        ((1, 0, 0, 1), (64, 48), (0, 0)),
        ((0, 1, -1, 0), (48, 64), (0, -1)),  # as a phone held upright writes it: turned to the right for display
        ((-1, 0, 0, -1), (64, 48), (-1, -1)),
        ((0, -1, 1, 0), (48, 64), (-1, 0)),
    ],
)
def test_a_clip_of_a_phone_is_upright(
    tmp_path: Path, matrix: tuple[int, ...], size: Size, bright: tuple[int, int]
) -> None:
    path = write(tmp_path / "a.mp4", [quarters()])
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 4 + 24 + 16  # the display matrix, of 16.16 numbers, in the track's header
    a, b, c, d = (number * 65536 for number in matrix)
    data[place : place + 20] = b"".join(number.to_bytes(4, "big", signed=True) for number in (a, b, 0, c, d))
    path.write_bytes(data)
    source = opened(path)
    assert source.size == size
    frame = source.read(buffer(source))
    assert frame is not None
    corners = frame.pixels[[5, 5, -5, -5], [5, -5, 5, -5]].mean(1).reshape(2, 2)
    assert (corners > 128).nonzero() == (np.array([bright[0] % 2]), np.array([bright[1] % 2]))


# Colours

ORANGE = (40, 120, 230)


@pytest.mark.parametrize("size", [(64, 48), (1280, 720)])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("tagged", [Colorspace.ITU601, Colorspace.ITU709, None])
def test_colours_are_kept_with_every_matrix_and_range(
    tmp_path: Path, tagged: Colorspace | None, *, full: bool, size: Size
) -> None:
    """Untagged files are BT.709 from 720 lines on, as in players."""
    stored = tagged or (Colorspace.ITU709 if size[1] >= 720 else Colorspace.ITU601)
    color_range = ColorRange.JPEG if full else ColorRange.MPEG
    path = tmp_path / "a.mkv"
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "1"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p10le"  # in 8 bits the range is in the format's name as well
        stream.codec_context.color_range = color_range.value
        stream.codec_context.colorspace = {Colorspace.ITU601: 6, Colorspace.ITU709: 1, None: 2}[tagged]
        frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), ORANGE, np.uint8), format="bgr24")
        frame = frame.reformat(
            format="yuv420p10le", dst_colorspace=stored, src_color_range=ColorRange.JPEG, dst_color_range=color_range
        )
        container.mux([*stream.encode(frame), *stream.encode()])
    source = opened(path)
    frame = source.read(buffer(source))
    assert frame.pixels.reshape(-1, 3).mean(0) == pytest.approx(ORANGE, abs=3)


# In real time


def real_time(path: Path, clock: Clock, *, fps: float = 10, loop: bool = False) -> video.RealTime:
    return video.RealTime(Clip(path), LiveTicks(fps, clock=clock, sleep=clock.sleep), size=None, loop=loop)


@pytest.mark.parametrize("option", ["live", "loop", "live&loop", "live=yes"])
def test_a_clip_in_real_time_is_live(clip: Path, option: str) -> None:
    source = opened(f"{clip}?{option}")
    frames = None if "loop" in option else 8
    assert (source.live, source.frames, source.fps, source.size) == (True, frames, 10.0, SIZE)
    source.close()


def test_a_clip_with_live_no_is_not_live(clip: Path) -> None:
    assert not opened(f"{clip}?live=no").live


def test_a_live_clip_gives_each_frame_at_its_time_and_ends(clip: Path) -> None:
    clock = Clock()
    source = real_time(clip, clock)
    seen = []
    while frame := source.read(buffer(source)):
        seen.append((grey(frame), frame.index, round(frame.time, 6), round(clock.now, 6)))
    assert seen == [(number, number, 100 + number / 10, 100 + number / 10) for number in range(8)]


@pytest.mark.parametrize(("fps", "expected"), [(20, [0, 0, 1, 1, 2, 2]), (5, [0, 2, 4, 6])])
def test_a_live_clip_keeps_its_speed_at_another_rate(clip: Path, fps: float, expected: list[int]) -> None:
    assert [grey(frame) for frame in read_all(real_time(clip, Clock(), fps=fps))][: len(expected)] == expected


def test_a_slow_animation_is_still_shown_at_ten_a_second(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", greys(3), times=[0, 10, 20], fps=1)
    source = opened(f"{path}?live")
    assert source.fps >= video.LOWEST_LIVE_FPS
    assert [grey(frame) for frame in read_all(real_time(path, Clock()))][:21] == [0] * 10 + [1] * 10 + [2]


def test_a_looping_clip_starts_again_at_its_end(clip: Path) -> None:
    source = real_time(clip, Clock(), loop=True)
    seen = [grey(source.read(buffer(source))) for _ in range(20)]
    assert seen == [number % 8 for number in range(20)]


def test_a_loop_of_one_frame_stays(tmp_path: Path) -> None:
    source = real_time(write(tmp_path / "a.gif", greys(1), codec="gif", pixel_format="rgb8"), Clock(), loop=True)
    assert [round(frame.pixels.mean() / 20) for _ in range(5) if (frame := source.read(buffer(source)))] == [1] * 5


def test_late_frames_are_left_out(clip: Path) -> None:
    clock = Clock()
    source = real_time(clip, clock)
    source.read(buffer(source))
    clock.now += 0.5
    frame = source.read(buffer(source))
    assert (grey(frame), frame and frame.index) == (5, 5)


def test_after_a_long_sleep_a_clip_continues_where_it_was(clip: Path) -> None:
    clock = Clock()
    source = real_time(clip, clock)
    for _ in range(3):
        source.read(buffer(source))
    clock.now += 3600
    assert [grey(source.read(buffer(source))) for _ in range(3)] == [3, 4, 5]


# Files that are not videos


@pytest.mark.parametrize(
    "spec", ["clip.mp4", "a/b.MOV", "x.mkv", "x.webm", "x.avi", "x.gif", "x.mp4?live", "C:\\x.mp4"]
)
def test_videos_are_claimed(spec: str) -> None:
    assert video.claims(spec)
    assert plugins.source(spec).name == "video"


@pytest.mark.parametrize("spec", ["mp4", "me.jpg", "clip.mp4.txt", ""])
def test_other_specs_are_not_claimed_as_videos(spec: str) -> None:
    assert not video.claims(spec)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(
        MissingFile, match=r"cannot read the video '.*none\.mp4': No such file .*; name an existing file"
    ):
        opened(tmp_path / "none.mp4")
    with pytest.raises(MissingFile, match=r"Is a directory|Permission denied"):
        opened(tmp_path)


def test_a_text_is_not_a_video(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_text("this is no video\n" * 100)
    with pytest.raises(
        BadFile, match=r"a\.mp4' is not a video that FFmpeg can read \(Invalid data.*\); save it as an MP4"
    ):
        opened(path)


def test_an_empty_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    with pytest.raises(BadFile, match=r"a\.mp4' is an empty file; give a video such as an MP4"):
        opened(tmp_path / "a.mp4")


def test_sound_alone_is_not_a_video(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(path, "w") as container:
        stream = container.add_stream("aac", rate=44100, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.rate = 44100
        container.mux([*stream.encode(frame), *stream.encode()])
    with pytest.raises(BadFile, match=r"a\.mp4' has no video stream; name a file with a video in it"):
        opened(path)


def test_a_file_cut_before_its_index_is_not_a_video(clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(clip.read_bytes()[:-300])
    with pytest.raises(BadFile, match="is not a video that FFmpeg can read"):
        opened(path)


@pytest.mark.parametrize("suffix", ["", "?live", "?loop"])
def test_a_file_cut_in_the_middle_is_one_clear_error(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index in front promises more than there is: what is left is played, then the cut is reported."""
    random = np.random.default_rng(0)
    images = [random.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(8)]
    path = write(tmp_path / "a.mp4", images, codec="mjpeg", pixel_format="yuvj420p", options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    clock = Clock()
    monkeypatch.setattr(video, "LiveTicks", lambda fps: LiveTicks(fps, clock=clock, sleep=clock.sleep))
    source = opened(f"{path}{suffix}")
    with pytest.raises(BadFile, match=r"a\.mp4' (is cut short: it has \d of 8 frames|breaks off: .*); make a new copy"):
        read_all(source)


def test_a_video_without_a_frame_is_reported(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", greys(1), codec="ffv1", pixel_format="bgr0")
    with av.open(path) as container:
        (size,) = [packet.size for packet in container.demux(video=0) if packet.size]
    data = path.read_bytes()
    start = data.index(_payload(path))
    path.write_bytes(data[:start] + b"\xff" * size + data[start + size :])
    with pytest.raises(BadFile, match=r"has no frame that can be decoded|breaks off"):
        opened(path)


def _payload(path: Path) -> bytes:
    with av.open(path) as container:
        return bytes(next(iter(container.demux(video=0))))


def test_a_wrong_option_is_refused_with_the_right_ones(clip: Path) -> None:
    with pytest.raises(SpecError, match=r"no option 'speed' in '.*clip\.mp4\?speed=2'; there are: live, loop"):
        opened(f"{clip}?speed=2")


def test_a_rate_out_of_range_is_refused_before_the_file_is_opened() -> None:
    with pytest.raises(SpecError, match="out of range"):
        opened("none.mp4?live", fps=0)


def test_a_file_that_fails_at_its_first_frame_is_closed(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []
    monkeypatch.setattr(Clip, "next", lambda _: None)
    monkeypatch.setattr(Clip, "close", lambda _: closed.append(True))
    with pytest.raises(BadFile, match="has no frame that can be decoded; make a new copy of it"):
        Clip(clip)
    assert closed
