"""Clips as a background: real files, written here, played at times that the tests choose."""

import os
import struct
import sys
import threading
from collections.abc import Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from fakes.clips import SIZE, CountingClip, HeavyClip, grey, wait_for_clip, write
from fakes.threads import started_since

from realtime_matte.backgrounds import video
from realtime_matte.backgrounds._read_ahead import BUFFERS, NICER_BY
from realtime_matte.errors import BadFile, MissingFile, SpecError
from realtime_matte.frame import Frame, Matte
from realtime_matte.media.clip import LoopedClip

MATTE = Matte(np.zeros((48, 64), np.float32))
START = 1000.0


def steps(path: Path, count: int = 10, **settings: object) -> Path:
    """A clip of ten frames a second, each 20 levels brighter than the one before."""
    return write(path, [grey(20 + 20 * index) for index in range(count)], **settings)  # type: ignore[arg-type]


def play(background: video.VideoBackground, times: Sequence[float]) -> list[int]:
    """Which of the steps is shown at each time."""
    levels = [background.image(Frame(grey(0), START + time, 0), MATTE)[24, 32].mean() for time in times]
    return [round((level - 20) / 20) for level in levels]


def levels(background: video.VideoBackground, times: Sequence[float]) -> list[int]:
    return [int(background.image(Frame(grey(0), START + time, 0), MATTE)[0, 0, 0]) for time in times]


def opened(path: Path) -> video.VideoBackground:
    return video.open(str(path), size=SIZE, fit="cover")


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov", "a.ts", "a.avi", "a.flv"])
def test_a_clip_plays_at_its_own_rate_and_starts_again(tmp_path: Path, name: str) -> None:
    background = opened(steps(tmp_path / name, codec="mpeg4" if name == "a.avi" else "libx264"))
    shown = play(background, [index / 10 for index in range(25)])
    background.close()
    assert shown == [*range(10), *range(10), *range(5)]


def test_a_faster_camera_gets_each_clip_frame_several_times(tmp_path: Path) -> None:
    background = opened(steps(tmp_path / "a.mp4"))
    assert play(background, [index / 30 for index in range(12)]) == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    background.close()


def test_a_slower_camera_skips_clip_frames(tmp_path: Path) -> None:
    background = opened(steps(tmp_path / "a.mp4"))
    assert play(background, [0, 0.35, 0.7, 1.05, 1.4]) == [0, 3, 7, 0, 4]
    background.close()


def test_an_irregular_camera_does_not_change_the_rate(tmp_path: Path) -> None:
    background = opened(steps(tmp_path / "a.mp4"))
    assert play(background, [0, 0.01, 0.11, 0.11, 0.29, 0.51, 0.52]) == [0, 0, 1, 1, 2, 5, 5]
    background.close()


def test_after_a_long_gap_it_goes_on_where_it_was(tmp_path: Path) -> None:
    background = opened(steps(tmp_path / "a.mp4"))
    assert play(background, [0, 0.1, 0.2, 60.2, 60.3]) == [0, 1, 2, 2, 3]
    background.close()


def test_times_that_go_back_do_not_stop_the_clip(tmp_path: Path) -> None:
    background = opened(steps(tmp_path / "a.mp4"))
    assert play(background, [0, 0.2, 0.1, 0.2]) == [0, 2, 2, 3]
    background.close()


@pytest.mark.parametrize("rate", [50, 120, 240])
@pytest.mark.parametrize("camera_fps", [10, 30])
def test_a_clip_that_is_faster_than_the_camera_plays_at_its_pace(tmp_path: Path, rate: int, camera_fps: int) -> None:
    """Exactly, as into a file; every 240th of the clip is another level."""
    path = write(tmp_path / "a.mkv", [grey(number) for number in range(rate)], codec="ffv1", fmt="bgr0", rate=rate)
    with closing(opened(path)) as background:
        shown = levels(background, [number / camera_fps for number in range(camera_fps)])
    assert shown == [int(number / camera_fps * rate + 1e-6) for number in range(camera_fps)]


def test_in_real_time_a_faster_clip_keeps_its_pace_by_leaving_out_frames(tmp_path: Path) -> None:
    """Of 240 a second with B-frames, which no other frame needs."""
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=240, options={"bf": "3", "b-adapt": "0", "crf": "4"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for number in range(240):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey(number), format="bgr24")))
        container.mux(stream.encode())
    decoded = []
    for real_time in (False, True):
        clip = CountingClip(path)
        with closing(video.VideoBackground(clip, SIZE, "cover", clock=lambda: 0.0)) as background:
            background.set_real_time(real_time=real_time)
            shown = []
            for number in range(30):
                shown += levels(background, [number / 30])
                if real_time:
                    wait_for_clip(background)
                    shown[-1:] = levels(background, [number / 30])
        np.testing.assert_allclose(
            shown, [8 * number for number in range(30)], atol=8 if real_time else 5
        )  # lossy; at most three B-frames
        decoded.append(clip.steps)
    assert decoded[0] == 8 * 29
    assert decoded[1] < 0.8 * decoded[0]


def test_in_real_time_nothing_waits_for_a_heavy_clip(tmp_path: Path) -> None:
    """A clip of 30 frames a second that decodes 20: each frame of the camera gets an image; the clip plays slower."""
    clip = HeavyClip(write(tmp_path / "a.mp4", [grey(2 * index) for index in range(100)], rate=30))
    with closing(video.VideoBackground(clip, SIZE, "cover", clock=clip.clock)) as background:
        background.set_real_time(real_time=True)
        assert set(levels(background, [number / 30 for number in range(60)])) == {0}, "no step is permitted yet"
        shown = []
        for number in range(60, 120):
            if number % 3:  # two steps in three frames of the camera
                clip.permitted.release()
                with background._ahead._changed:  # type: ignore[union-attr]
                    background._ahead._changed.wait_for(lambda: background._ahead._decoded, 60)  # type: ignore[union-attr]
            shown += levels(background, [number / 30])
        for _ in range(BUFFERS):
            clip.permitted.release()
    assert shown == sorted(shown)
    assert len(set(shown)) >= 39, "every frame that was decoded is shown"


@pytest.mark.skipif(sys.platform != "linux", reason="there a thread has no priority of its own")
def test_in_real_time_decoding_gives_way_to_the_network(tmp_path: Path) -> None:
    """Where cores are rare: all its threads are nicer than those of the program."""
    with closing(opened(steps(tmp_path / "a.mp4"))) as background:
        before = set(Path("/proc/self/task").iterdir())
        background.set_real_time(real_time=True)
        assert play(background, [0]) == [0]
        wait_for_clip(background)
        started = {int(task.name) for task in set(Path("/proc/self/task").iterdir()) - before}
        assert len(started) >= 2, "the clip's thread, and its decoder's"
        expected = min(19, os.getpriority(os.PRIO_PROCESS, 0) + NICER_BY)
        assert {os.getpriority(os.PRIO_PROCESS, task) for task in started} == {expected}


def test_closing_ends_the_thread_at_once(tmp_path: Path) -> None:
    before = threading.enumerate()
    clip = LoopedClip(steps(tmp_path / "a.mp4"))
    background = video.VideoBackground(clip, SIZE, "cover")
    background.set_real_time(real_time=True)
    levels(background, [0, 0.1])
    assert "clip" in {thread.name for thread in threading.enumerate()}
    background.close()
    background.close()
    assert "clip" not in {thread.name for thread in threading.enumerate()}
    assert started_since(before) == []
    assert clip._clip._decoder is None, "the file is closed"


def test_in_real_time_a_clip_that_breaks_is_an_error(tmp_path: Path) -> None:
    path = steps(tmp_path / "a.mp4", 4)
    with closing(opened(path)) as background:
        background.set_real_time(real_time=True)
        path.rename(tmp_path / "b.mp4")
        with pytest.raises(MissingFile, match=r"cannot read the video '.*a\.mp4'"):  # noqa: PT012 - in one of the frames
            for number in range(20):
                levels(background, [number / 10])
                wait_for_clip(background)


def test_a_clip_whose_frames_take_almost_no_time_does_not_block(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", [grey(90)] * 3, codec="ffv1", fmt="bgr0", rate=1000)
    clip = CountingClip(path)
    with closing(video.VideoBackground(clip, SIZE, "cover")) as background:
        levels(background, [0, 0.9])
    assert clip.steps <= video.MAX_STEPS + 1


def test_one_frame_is_decoded_for_each_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    background = opened(steps(tmp_path / "a.mp4"))
    decoded: list[bool] = []
    step = LoopedClip.step
    monkeypatch.setattr(LoopedClip, "step", lambda clip, *, hurry: (decoded.append(hurry), step(clip, hurry=hurry))[1])
    play(background, [index / 10 for index in range(30)])
    background.close()
    assert decoded == [False] * 29


def test_the_same_array_until_the_next_frame_is_due(tmp_path: Path) -> None:
    background = opened(steps(tmp_path / "a.mp4"))
    first = background.image(Frame(grey(0), 0.0, 0), MATTE)
    assert background.image(Frame(grey(0), 0.05, 1), MATTE) is first
    background.close()


@pytest.mark.parametrize("name", ["one.mp4", "one.gif"])
def test_a_clip_of_one_frame_is_shown_without_end(tmp_path: Path, name: str) -> None:
    settings = {"codec": "gif", "fmt": "rgb8"} if name == "one.gif" else {}
    background = opened(write(tmp_path / name, [grey(255)], **settings))  # type: ignore[arg-type]
    images = [background.image(Frame(grey(0), time, 0), MATTE) for time in (0.0, 0.5, 5.0)]
    background.close()
    assert all(image.min() > 245 for image in images)


def test_an_animated_gif_plays(tmp_path: Path) -> None:
    path = write(tmp_path / "a.gif", [grey(0), grey(255), grey(0), grey(255)], codec="gif", fmt="rgb8")
    with closing(opened(path)) as background:
        assert levels(background, [index / 10 for index in range(8)]) == [0, 255] * 4


COLORS = [(40, 200, 90), (230, 30, 60), (20, 20, 220)]


@pytest.mark.parametrize("height", [480, 720])
def test_untagged_clips_have_the_colors_of_players(tmp_path: Path, height: int) -> None:
    """BT.601 below 720 lines, BT.709 from there on."""
    matrix = "ITU709" if height >= 720 else "ITU601"
    for color in COLORS:
        path, size = tmp_path / f"{color[0]}.mkv", (64, height)
        pixels = np.full((height, 64, 3), color, np.uint8)
        frame = av.VideoFrame.from_ndarray(pixels, format="bgr24").reformat(format="yuv420p", dst_colorspace=matrix)
        planes = [bytes(plane)[:1][0] for plane in frame.planes]
        stored = av.VideoFrame(64, height, "yuv420p")
        for plane, value in zip(stored.planes, planes, strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        with av.open(str(path), "w") as container:
            stream = container.add_stream("ffv1", rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, height, "yuv420p"
            container.mux(stream.encode(stored))
            container.mux(stream.encode())
        background = video.open(str(path), size=size, fit="cover")
        shown = background.image(Frame(grey(0, size), 0.0, 0), MATTE)[9, 9]
        background.close()
        np.testing.assert_allclose(shown, color, atol=4)  # eight-bit YUV


def test_full_range_clips_are_not_washed_out(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 10)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(grey(255), format="bgr24").reformat(format="yuvj420p")))
        container.mux(stream.encode())
    background = opened(path)
    assert background.image(Frame(grey(0), 0.0, 0), MATTE).min() >= 253
    background.close()


def with_rotation(path: Path, matrix: tuple[int, ...]) -> Path:
    """The same file with another display matrix in its track header, as phones write it."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    data[at : at + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(data)
    return path


ONE, UNIT = 1 << 16, 1 << 30


@pytest.mark.parametrize(
    ("matrix", "bright"),
    [
        ((ONE, 0, 0, 0, ONE, 0, 0, 0, UNIT), "top"),
        ((0, ONE, 0, -ONE, 0, 0, 0, 0, UNIT), "right"),  # a quarter clockwise
        ((-ONE, 0, 0, 0, -ONE, 0, 0, 0, UNIT), "bottom"),
        ((0, -ONE, 0, ONE, 0, 0, 0, 0, UNIT), "left"),
    ],
)
def test_clips_of_a_phone_are_upright(tmp_path: Path, matrix: tuple[int, ...], bright: str) -> None:
    pixels = grey(20)
    pixels[:16] = 230
    background = opened(with_rotation(write(tmp_path / "held.mp4", [pixels] * 3), matrix))
    shown = background.image(Frame(grey(0), 0.0, 0), MATTE)[..., 0]
    background.close()
    sides = {"top": shown[2, 32], "bottom": shown[-3, 32], "left": shown[24, 2], "right": shown[24, -3]}
    assert max(sides, key=sides.__getitem__) == bright
    assert sides[bright] > 200


@pytest.mark.parametrize("size", [(64, 48), (31, 77), (1, 1), (640, 360)])
def test_images_have_the_output_size(tmp_path: Path, size: tuple[int, int]) -> None:
    background = video.open(str(steps(tmp_path / "a.mp4", 3)), size=size, fit="contain")
    for time in (0.0, 0.1, 0.2):
        assert background.image(Frame(grey(0, size), time, 0), MATTE).shape == (size[1], size[0], 3)
    background.close()


def test_a_file_cut_short_plays_what_is_there(tmp_path: Path) -> None:
    path = steps(tmp_path / "a.ts", 10)
    path.write_bytes(path.read_bytes()[:-700])
    background = opened(path)
    shown = play(background, [index / 10 for index in range(30)])
    background.close()
    assert shown[:6] == [0, 1, 2, 3, 4, 5]
    assert shown.count(0) >= 3  # it starts again


def test_damage_in_the_middle_is_skipped(tmp_path: Path) -> None:
    path = steps(tmp_path / "a.avi", 10, codec="mjpeg", fmt="yuvj420p")
    data = bytearray(path.read_bytes())
    start = -1
    for _ in range(6):  # the index, and five frames
        start = data.index(b"00dc", start + 1)
    size = int.from_bytes(data[start + 4 : start + 8], "little")
    data[start + 8 : start + 8 + size] = bytes(size)
    path.write_bytes(data)
    background = opened(path)
    shown = play(background, [index / 10 for index in range(10)])
    background.close()
    assert shown == [0, 1, 2, 3, 3, 5, 6, 7, 8, 9]


def test_a_file_that_is_deleted_raises_an_error(tmp_path: Path) -> None:
    path = steps(tmp_path / "a.mp4", 4)
    background = opened(path)
    path.rename(tmp_path / "b.mp4")
    with pytest.raises(
        MissingFile, match=r"cannot read the video '.*a\.mp4': No such file or directory; name an existing file"
    ):
        play(background, [index / 10 for index in range(20)])
    background.close()


def test_pixels_that_are_not_square_are_shown_as_in_players(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    pixels = np.hstack([grey(0), grey(255)])[:, 32:96]  # the edge is in the middle
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(2)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="bgr24")))
        container.mux(stream.encode())
    background = video.open(str(path), size=(64, 48), fit="contain")
    shown = background.image(Frame(grey(0), 0.0, 0), MATTE)
    background.close()
    assert shown[:12].max() == shown[-12:].max() == 0, "a frame of 128x48 has bars above and below"
    assert shown[24, 60].min() > 240


def test_text_named_like_a_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("buy milk " * 999)
    with pytest.raises(
        BadFile, match=r"'.*a\.mp4' is not a video that FFmpeg can read \(Invalid data.*\); save it as an MP4"
    ):
        opened(tmp_path / "a.mp4")


def test_sound_without_video_is_refused(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(BadFile, match=r"'.*a\.mkv' has no video stream; name a file with a video in it"):
        opened(tmp_path / "a.mkv")


def test_a_video_without_frames_is_refused(tmp_path: Path) -> None:
    path = steps(tmp_path / "a.ts", 10)
    data = bytearray(path.read_bytes())
    for start in range(3 * 188, len(data), 188):  # the tables at the start stay
        data[start + 24 : start + 188] = bytes(164)
    path.write_bytes(data)
    with pytest.raises(BadFile, match=r"a\.ts'"):
        opened(path)


def test_a_missing_video_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"no video file '.*missing\.mp4'; name an existing file"):
        opened(tmp_path / "missing.mp4")


def test_a_video_without_a_name_is_refused() -> None:
    with pytest.raises(SpecError, match=r"'video:' needs a file name; such as video:waves\.mp4"):
        video.open("", size=SIZE, fit="cover")


def test_close_may_be_called_twice(tmp_path: Path) -> None:
    background = opened(steps(tmp_path / "a.mp4", 2))
    background.close()
    background.close()
