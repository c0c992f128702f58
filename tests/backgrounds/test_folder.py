"""A folder of pictures as a background."""

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes.scripted import wait_until

from realtime_matte.backgrounds import folder
from realtime_matte.errors import BadFile, MissingFile, SpecError
from realtime_matte.frame import Frame, Matte, Pixels

SIZE = (16, 8)
FRAME = np.zeros((8, 16, 3), np.uint8)
MATTE = Matte(np.zeros((8, 16), np.float32))


@pytest.fixture
def pics(tmp_path: Path) -> Path:
    """Pictures of levels 0, 100 and 200, and things that are none."""
    for name, level in (("a.png", 0), ("b.PNG", 100), ("c.bmp", 200)):
        (tmp_path / name).write_bytes(cv2.imencode(Path(name).suffix.lower(), FRAME + np.uint8(level))[1].tobytes())
    (tmp_path / "notes.txt").write_text("buy milk")
    (tmp_path / "inner").mkdir()
    return tmp_path


def show(slides: folder.Slideshow, time: float) -> Pixels:
    return slides.image(Frame(FRAME, 500.0 + time, 0), MATTE)


def levels(slides: folder.Slideshow, times: list[float]) -> list[int]:
    return [int(show(slides, time)[4, 8, 1]) for time in times]


def opened(spec: str) -> folder.Slideshow:
    return folder.open(spec, size=SIZE, fit="cover")


def test_each_picture_in_turn_and_again_from_the_first(pics: Path) -> None:
    slides = opened(f"{pics}?seconds=10&fade=0")
    assert levels(slides, [0, 9.9, 10, 19.9, 20, 29.9, 30, 40]) == [0, 0, 100, 100, 200, 200, 0, 100]
    slides.close()


def test_half_a_minute_each_if_nothing_is_said(pics: Path) -> None:
    slides = opened(str(pics))
    assert levels(slides, [0, 28.9, 30.1]) == [0, 0, 100]
    slides.close()


def test_pictures_fade_into_each_other(pics: Path) -> None:
    slides = opened(f"{pics}?seconds=10&fade=2")
    assert levels(slides, [0, 8, 8.5, 9, 9.5, 10, 11, 19]) == [0, 0, 25, 50, 75, 100, 100, 150]
    slides.close()


def test_a_fade_is_no_longer_than_a_picture(pics: Path) -> None:
    slides = opened(f"{pics}?seconds=0.5&fade=9")
    assert levels(slides, [0, 0.25, 0.5, 0.75]) == [0, 50, 100, 150]
    slides.close()


def test_after_a_long_gap_comes_the_next_picture(pics: Path) -> None:
    slides = opened(f"{pics}?seconds=10&fade=0")
    assert levels(slides, [0, 1000, 1009, 1010]) == [0, 100, 100, 200]
    slides.close()


def test_the_next_picture_on_demand_stays_its_full_time(pics: Path) -> None:
    slides = opened(f"{pics}?seconds=10&fade=0")
    assert levels(slides, [0, 3]) == [0, 0]
    slides.next()
    wait_until(lambda: levels(slides, [4]) == [100])
    assert levels(slides, [13.9, 14]) == [100, 200]
    slides.close()


def test_a_picture_that_is_asked_for_is_not_waited_for(pics: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, real = threading.Event(), folder.read

    def read(path: Path) -> Pixels:
        assert path.name == "a.png" or slow.wait(30)
        return real(path)

    monkeypatch.setattr(folder, "read", read)
    slides = opened(f"{pics}?seconds=10&fade=1")
    slides.next()
    assert levels(slides, [0, 1, 8.9]) == [0, 0, 0]
    slow.set()
    wait_until(lambda: levels(slides, [8.9]) == [100])
    slides.close()


def test_the_same_array_while_nothing_changes(pics: Path) -> None:
    slides = opened(str(pics))
    assert show(slides, 0) is show(slides, 1)
    slides.close()


def test_a_single_picture_stands_still_without_a_thread(pics: Path) -> None:
    (pics / "b.PNG").unlink()
    (pics / "c.bmp").unlink()
    before = threading.active_count()
    slides = opened(f"{pics}?seconds=1")
    assert threading.active_count() == before
    assert show(slides, 0) is show(slides, 1000)
    slides.close()


def test_broken_pictures_are_passed_over(pics: Path) -> None:
    (pics / "a.png").write_text("no picture")
    slides = opened(f"{pics}?seconds=10&fade=0")
    (pics / "b.PNG").unlink()
    assert levels(slides, [0, 10, 20]) in ([100, 200, 200], [100, 200, 100])  # b may have been read before it went
    slides.close()


def test_no_picture_can_be_read_any_more(pics: Path) -> None:
    slides = opened(f"{pics}?seconds=10&fade=0")
    for path in pics.glob("?.*"):
        path.unlink()
    with pytest.raises(BadFile, match=r"none of the 3 pictures in '.*' can be read; save them as JPEGs"):
        levels(slides, [0, 10, 20, 30, 40])
    slides.close()


def test_close_leaves_no_thread(pics: Path) -> None:
    before = threading.active_count()
    for _ in range(20):
        slides = opened(str(pics))
        slides.close()
        slides.close()
    assert threading.active_count() == before


def test_pictures_fill_the_output(pics: Path) -> None:
    cv2.imwrite(str(pics / "0.png"), np.full((90, 20, 3), 50, np.uint8))
    slides = folder.open(str(pics), size=(33, 21), fit="contain")
    picture = slides.image(Frame(FRAME, 0.0, 0), MATTE)
    slides.close()
    assert picture.shape == (21, 33, 3)
    assert picture[:, 0].max() == 0


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"cannot list the folder '.*away': No such file or directory; name one that"):
        opened(str(tmp_path / "away"))


def test_a_file_is_no_folder(pics: Path) -> None:
    with pytest.raises(MissingFile, match=r"cannot list the folder '.*a\.png'"):
        opened(str(pics / "a.png"))


def test_folder_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"no pictures in the folder '.*'; put files in it such as \.avif, \.bmp"):
        opened(str(tmp_path))


def test_folder_without_a_name() -> None:
    with pytest.raises(SpecError, match=r"no folder is named after 'folder:'; name one, as in folder:pics"):
        opened("?seconds=3")


@pytest.mark.parametrize("option", ["seconds=0", "fade=-1", "seconds=soon", "speed=2"])
def test_bad_options(pics: Path, option: str) -> None:
    with pytest.raises(SpecError, match=option.partition("=")[0]):
        opened(f"{pics}?{option}")
