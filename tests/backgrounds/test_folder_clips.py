"""Clips in a folder as a background: real files, written here, played at times that the tests choose."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from fakes.clips import SIZE, HeavyClip, grey, wait_for_clip, write
from fakes.scripted import wait_until
from fakes.threads import started_since

from realtime_matte.backgrounds import _slides, folder, video
from realtime_matte.backgrounds._slides import Slide
from realtime_matte.errors import MissingFile
from realtime_matte.frame import Frame, Matte

MATTE = Matte(np.zeros((48, 64), np.float32))
START = 1000.0


def clip(path: Path, levels: Sequence[int], *, rate: int = 10) -> Path:
    """Grey frames of exactly these levels."""
    return write(path, [grey(level) for level in levels], codec="ffv1", fmt="bgr0", rate=rate)


def opened(path: Path, options: str) -> folder.Slideshow:
    return folder.open(f"{path}?{options}", size=SIZE, fit="cover")


def levels(slides: folder.Slideshow, times: Sequence[float]) -> list[int]:
    return [int(slides.image(Frame(grey(0), START + time, 0), MATTE)[0, 0, 0]) for time in times]


def next_slide(slides: folder.Slideshow) -> Slide:
    """The next one, when it is open."""
    assert slides._next
    return slides._next.result(60)


def test_clips_and_images_follow_each_other_exactly_in_a_file(tmp_path: Path) -> None:
    clip(tmp_path / "1.mkv", range(10, 30))  # 2 s: cut at its time
    clip(tmp_path / "2.mkv", range(50, 56))  # 0.6 s: repeats
    write(tmp_path / "3.png", [grey(99)], codec="png", fmt="rgb24")
    with closing(opened(tmp_path, "seconds=1&fade=0")) as slides:
        shown = levels(slides, [number / 20 for number in range(80)])
    first, second = (range(10, 20), [*range(50, 56), *range(50, 54)])
    twice = [level for level in (*first, *second) for _ in range(2)]
    assert shown == [*twice, *[99] * 20, *twice[:20]]


def test_moving_images_fade_into_each_other_exactly_in_a_file(tmp_path: Path) -> None:
    clip(tmp_path / "1.mkv", range(10, 30))
    clip(tmp_path / "2.mkv", range(100, 120))
    with closing(opened(tmp_path, "seconds=1&fade=0.5")) as slides:
        shown = levels(slides, [number / 10 for number in range(14)])
    mixed = [(1 - weight) * (15 + n) + weight * (100 + n) for n, weight in enumerate((0, 0.2, 0.4, 0.6, 0.8))]
    assert shown[:6] == [10, 11, 12, 13, 14, 15]
    np.testing.assert_allclose(shown[5:10], mixed, atol=0.51)  # rounded
    assert shown[10:] == [105, 106, 107, 108], "the clip that was faded in goes on"


def test_an_animation_in_a_folder_plays(tmp_path: Path) -> None:
    write(tmp_path / "a.gif", [grey(0), grey(255)] * 2, codec="gif", fmt="rgb8")
    write(tmp_path / "b.png", [grey(99)], codec="png", fmt="rgb24")
    with closing(opened(tmp_path, "seconds=0.4&fade=0")) as slides:
        assert levels(slides, [0, 0.1, 0.2, 0.3, 0.4]) == [0, 255, 0, 255, 99]


@contextmanager
def heavy_clips(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[HeavyClip]]:
    """Clips whose steps wait for a permission, in the order in which they are opened."""
    clips: list[HeavyClip] = []

    def open_heavy(path: Path) -> HeavyClip:
        clips.append(HeavyClip(path))
        return clips[-1]

    monkeypatch.setattr(video, "LoopedClip", open_heavy)
    try:
        yield clips
    finally:
        for one in clips:
            one.permitted.release(1000)


def test_in_real_time_nothing_waits_for_heavy_clips_nor_in_their_fade(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each frame of the camera gets an image, also while neither clip has decoded one; what is decoded is shown."""
    clip(tmp_path / "1.mkv", range(10, 110), rate=30)
    clip(tmp_path / "2.mkv", range(110, 210), rate=30)
    with heavy_clips(monkeypatch) as clips, closing(opened(tmp_path, "seconds=2&fade=1")) as slides:
        slides.set_real_time(real_time=True)
        next_slide(slides)
        assert set(levels(slides, [number / 30 for number in range(31)])) == {10}
        fade = levels(slides, [1 + number / 30 for number in range(30)])
        np.testing.assert_allclose(fade, np.linspace(10, 10 + 100 * 29 / 30, 30), atol=0.51)
        assert set(levels(slides, [2, 2.1, 2.2])) == {110}
        for one in clips:
            one.permitted.release(1000)
        current = slides._current._background
        assert isinstance(current, video.VideoBackground)
        wait_for_clip(current)
        assert levels(slides, [2.3])[0] > 110


def test_in_real_time_a_clip_is_closed_without_waiting_for_its_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip(tmp_path / "1.mkv", range(10, 20))
    clip(tmp_path / "2.mkv", range(50, 60))
    closed_by: list[threading.Thread] = []

    def close(slide: Slide) -> None:
        closed_by.append(threading.current_thread())
        slide._background.close()

    monkeypatch.setattr(Slide, "close", close)
    with heavy_clips(monkeypatch) as clips, closing(opened(tmp_path, "seconds=1&fade=0")) as slides:
        slides.set_real_time(real_time=True)
        next_slide(slides)
        assert levels(slides, [0, 0.5]) == [10, 10]
        assert clips[0].begun.wait(60)
        assert levels(slides, [1, 1.1]) == [50, 50]
        wait_until(lambda: len(closed_by) == 1)
        assert closed_by[0] is not threading.current_thread()
        assert clips[0]._clip._decoder is not None, "its step still waits"
        for one in clips:
            one.permitted.release(1000)
        wait_until(lambda: clips[0]._clip._decoder is None)


def test_in_real_time_a_clip_that_opens_slowly_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip(tmp_path / "1.mkv", [10] * 10)
    clip(tmp_path / "2.mkv", [110] * 10)
    may_open, real = threading.Event(), video.open_clip

    def open_clip(path: Path, **options: object) -> video.VideoBackground:
        assert path.name == "1.mkv" or may_open.wait(60)
        return real(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(video, "open_clip", open_clip)
    with closing(opened(tmp_path, "seconds=2&fade=1")) as slides:
        slides.set_real_time(real_time=True)
        assert levels(slides, [0, 1.5, 2.5, 9]) == [10, 10, 10, 10]
        may_open.set()
        next_slide(slides)
        np.testing.assert_allclose(levels(slides, [9.1, 9.5, 9.9, 10, 11]), [20, 60, 100, 110, 110], atol=0.51)


@pytest.mark.parametrize("real_time", [False, True])
def test_a_clip_that_breaks_is_left_out_and_named_once(tmp_path: Path, *, real_time: bool) -> None:
    """It repeats after 0.2 s, by opening its file again."""
    broken = clip(tmp_path / "1.mkv", [10, 11])
    clip(tmp_path / "2.mkv", [50] * 10)
    with closing(opened(tmp_path, "seconds=1&fade=0")) as slides:
        slides.set_real_time(real_time=real_time)
        next_slide(slides)
        broken.unlink()
        times = iter(number / 100 for number in range(10000))
        seen: list[int] = []
        wait_until(lambda: seen.extend(levels(slides, [next(times)])) or seen[-1] == 50)  # type: ignore[func-returns-value]
        assert set(seen) <= {10, 11, 50}
        assert set(levels(slides, [next(times) for _ in range(300)])) == {50}, "the other one follows itself"
        (notice,) = (notice for notice in slides.notices if "the video" in notice)
        assert notice.startswith("left out of the slideshow: cannot read the video ")
        assert "1.mkv" in notice


def test_the_only_clip_of_a_folder_that_breaks_is_an_error(tmp_path: Path) -> None:
    broken = clip(tmp_path / "1.mkv", [10, 11])
    with closing(opened(tmp_path, "seconds=1")) as slides:
        assert levels(slides, [0, 0.1]) == [10, 11]
        broken.unlink()
        with pytest.raises(MissingFile, match=r"cannot read the video '.*1\.mkv'"):
            levels(slides, [0.2, 0.3])


def test_a_file_that_is_no_clip_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "0.ts").write_text("export const milk = 1;")
    clip(tmp_path / "1.mkv", [10] * 3)
    with closing(opened(tmp_path, "seconds=1&fade=0")) as slides:
        assert levels(slides, [0, 1, 2]) == [10, 10, 10]
        (notice,) = slides.notices
        assert "0.ts' is not a video that FFmpeg can read" in notice


def test_closing_ends_every_thread_and_closes_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("1.mkv", "2.mkv", "3.mkv"):
        clip(tmp_path / name, [10] * 10)
    opened_slides: list[Slide] = []

    class Recorded(Slide):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments)  # type: ignore[arg-type]
            opened_slides.append(self)

    monkeypatch.setattr(folder, "Slide", Recorded)
    before = threading.enumerate()
    slides = opened(tmp_path, "seconds=1&fade=0.5")
    slides.set_real_time(real_time=True)
    next_slide(slides)
    levels(slides, [0, 0.5, 0.9])
    assert [thread.name for thread in threading.enumerate()].count("clip") == 2, "both are decoded in their fade"
    levels(slides, [1.2])
    slides.close()
    slides.close()
    assert started_since(before) == []
    assert len(opened_slides) >= 2
    assert all(one._background._clip._clip._decoder is None for one in opened_slides)  # type: ignore[union-attr]


def test_names_of_examples_are_files_of_a_slideshow() -> None:
    assert set(_slides.EXAMPLES.split(", ")) <= _slides.SUFFIXES
