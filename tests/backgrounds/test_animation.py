"""Animated GIF, PNG, WebP and AVIF as a background: real files, played at times that the tests choose."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realtime_matte.backgrounds import video
from realtime_matte.errors import BadFile
from realtime_matte.frame import Frame, Matte, Pixels
from realtime_matte.media import animation

SIZE = (64, 48)
MATTE = Matte(np.zeros((48, 64), np.float32))
START = 1000.0


def grey(level: int, size: tuple[int, int] = SIZE) -> Pixels:
    return np.full((size[1], size[0], 3), level, np.uint8)


def opened(path: Path) -> video.VideoBackground:
    return video.open(str(path), size=SIZE, fit="cover")


def levels(background: video.VideoBackground, times: Sequence[float]) -> list[int]:
    return [int(background.image(Frame(grey(0), START + time, 0), MATTE)[0, 0, 0]) for time in times]


def test_transparent_parts_of_a_gif_are_over_black(tmp_path: Path) -> None:
    path = tmp_path / "clear.gif"
    path.write_bytes(
        b"GIF89a\2\0\1\0\x80\0\0\xff\xff\xff\xff\0\0"  # 2 x 1, white and red
        b"!\xf9\4\1\x0a\0\1\0"  # red is transparent
        b",\0\0\0\0\2\0\1\0\0\2\2\x44\x0a\0;"
    )
    background = video.open(str(path), size=(2, 1), fit="cover")
    assert background.image(Frame(grey(0, (2, 1)), 0.0, 0), MATTE).tolist() == [[[255] * 3, [0] * 3]]
    background.close()


def write_animation(path: Path, levels: Sequence[int], *, form: str, duration_ms: float = 100) -> Path:
    images = [Image.fromarray(grey(level)) for level in levels]
    images[0].save(path, form, save_all=True, append_images=images[1:], duration=duration_ms, loop=0)
    return path


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.gif", "GIF"),
        ("a.webp", "WEBP"),
        ("a.png", "PNG"),
        ("a.apng", "PNG"),
        ("a.avif", "AVIF"),
        ("gif.webp", "GIF"),
        ("gif.png", "GIF"),
        ("webp.gif", "WEBP"),
        ("avif.jpg", "AVIF"),
    ],
)
def test_an_animation_plays_whatever_its_name(tmp_path: Path, name: str, form: str) -> None:
    path = write_animation(tmp_path / name, [40, 120, 200], form=form)
    assert video.claims(str(path))
    with closing(opened(path)) as background:
        shown = levels(background, [index / 10 for index in range(7)])
        assert list(background.notices) == []
    np.testing.assert_allclose(shown, [40, 120, 200, 40, 120, 200, 40], atol=2)  # AVIF and WebP are lossy


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "AVIF"])
@pytest.mark.parametrize(("stored_ms", "shown_ms"), [(0, 100), (1, 100), (10, 100), (20, 20), (50, 50)])
def test_frames_of_ten_milliseconds_or_less_take_a_hundred(
    tmp_path: Path, form: str, stored_ms: int, shown_ms: int
) -> None:
    """As in browsers: such files are made to play as fast as is usual."""
    path = write_animation(tmp_path / "a", [40, 120, 200], form=form, duration_ms=stored_ms)
    with closing(animation.Animation(path)) as played:
        ends = []
        for _ in range(4):
            ends.append(round(played.until * 1000))
            played.step(hurry=False)
    assert ends == [shown_ms * count for count in (1, 2, 3, 4)]


@pytest.mark.parametrize("form", ["GIF", "PNG"])
def test_an_animation_cut_short_plays_what_is_there_and_says_so(tmp_path: Path, form: str) -> None:
    noise = [Image.fromarray(np.random.default_rng(seed).integers(0, 256, (48, 64, 3), np.uint8)) for seed in range(4)]
    path = tmp_path / "a.gif"
    noise[0].save(path, form, save_all=True, append_images=noise[1:], duration=100, loop=0)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 5])
    with closing(opened(path)) as background:
        for index in range(12):
            background.image(Frame(grey(0), START + index / 10, 0), MATTE)
        assert [notice.partition("' ")[2] for notice in background.notices] == [
            "is cut short or damaged: the images before that are shown"
        ]


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "AVIF"])
def test_an_animation_cut_in_its_first_frame_is_refused(tmp_path: Path, form: str) -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8))
    path = tmp_path / "a.gif"
    noise.save(path, form, save_all=True, append_images=[Image.new("RGB", (64, 48))])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(BadFile, match=r"damaged|cut short|no frame that can be decoded"):
        opened(path)
