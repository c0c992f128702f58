"""A folder of images as a background."""

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
def folder_of_images(tmp_path: Path) -> Path:
    """Images of levels 0, 100 and 200, and other files."""
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


def test_images_follow_each_other_and_start_again(folder_of_images: Path) -> None:
    slides = opened(f"{folder_of_images}?seconds=10&fade=0")
    assert levels(slides, [0, 9.9, 10, 19.9, 20, 29.9, 30, 40]) == [0, 0, 100, 100, 200, 200, 0, 100]
    slides.close()


def test_the_default_is_half_a_minute_each(folder_of_images: Path) -> None:
    slides = opened(str(folder_of_images))
    assert levels(slides, [0, 28.9, 30.1]) == [0, 0, 100]
    slides.close()


def test_images_fade_into_each_other(folder_of_images: Path) -> None:
    slides = opened(f"{folder_of_images}?seconds=10&fade=2")
    assert levels(slides, [0, 8, 8.5, 9, 9.5, 10, 11, 19]) == [0, 0, 25, 50, 75, 100, 100, 150]
    slides.close()


def test_a_fade_is_no_longer_than_an_image(folder_of_images: Path) -> None:
    slides = opened(f"{folder_of_images}?seconds=0.5&fade=9")
    assert levels(slides, [0, 0.25, 0.5, 0.75]) == [0, 50, 100, 150]
    slides.close()


def test_after_a_long_gap_the_next_image_is_shown(folder_of_images: Path) -> None:
    slides = opened(f"{folder_of_images}?seconds=10&fade=0")
    assert levels(slides, [0, 1000, 1009, 1010]) == [0, 100, 100, 200]
    slides.close()


def test_a_requested_image_stays_its_full_time(folder_of_images: Path) -> None:
    slides = opened(f"{folder_of_images}?seconds=10&fade=0")
    assert levels(slides, [0, 3]) == [0, 0]
    slides.next()
    wait_until(lambda: levels(slides, [4]) == [100])
    assert levels(slides, [13.9, 14]) == [100, 200]
    slides.close()


def test_a_requested_image_is_not_waited_for(folder_of_images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    may_read, real_read = threading.Event(), folder.read

    def read(path: Path) -> Pixels:
        assert path.name == "a.png" or may_read.wait(30)
        return real_read(path)

    monkeypatch.setattr(folder, "read", read)
    slides = opened(f"{folder_of_images}?seconds=10&fade=1")
    slides.next()
    assert levels(slides, [0, 1, 8.9]) == [0, 0, 0]
    may_read.set()
    wait_until(lambda: levels(slides, [8.9]) == [100])
    slides.close()


def test_the_same_array_while_nothing_changes(folder_of_images: Path) -> None:
    slides = opened(str(folder_of_images))
    assert show(slides, 0) is show(slides, 1)
    slides.close()


def test_a_single_image_needs_no_thread(folder_of_images: Path) -> None:
    (folder_of_images / "b.PNG").unlink()
    (folder_of_images / "c.bmp").unlink()
    before = threading.active_count()
    slides = opened(f"{folder_of_images}?seconds=1")
    assert threading.active_count() == before
    assert show(slides, 0) is show(slides, 1000)
    slides.close()


def test_broken_images_are_skipped(folder_of_images: Path) -> None:
    (folder_of_images / "a.png").write_text("no image")
    slides = opened(f"{folder_of_images}?seconds=10&fade=0")
    (folder_of_images / "b.PNG").unlink()
    assert levels(slides, [0, 10, 20]) in (
        [100, 200, 200],
        [100, 200, 100],
    )  # b may have been read before it was deleted
    slides.close()


def test_an_error_is_raised_when_all_images_are_gone(folder_of_images: Path) -> None:
    slides = opened(f"{folder_of_images}?seconds=10&fade=0")
    for path in folder_of_images.glob("?.*"):
        path.unlink()
    with pytest.raises(BadFile, match=r"none of the 3 images in '.*' can be read; save them as JPEGs"):
        levels(slides, [0, 10, 20, 30, 40])
    slides.close()


def test_close_ends_the_thread(folder_of_images: Path) -> None:
    before = threading.active_count()
    for _ in range(20):
        slides = opened(str(folder_of_images))
        slides.close()
        slides.close()
    assert threading.active_count() == before


def test_images_fill_the_output(folder_of_images: Path) -> None:
    cv2.imwrite(str(folder_of_images / "0.png"), np.full((90, 20, 3), 50, np.uint8))
    slides = folder.open(str(folder_of_images), size=(33, 21), fit="contain")
    pixels = slides.image(Frame(FRAME, 0.0, 0), MATTE)
    slides.close()
    assert pixels.shape == (21, 33, 3)
    assert pixels[:, 0].max() == 0


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"cannot list the folder '.*missing': No such file or directory; name an"):
        opened(str(tmp_path / "missing"))


def test_a_file_instead_of_a_folder_is_refused(folder_of_images: Path) -> None:
    with pytest.raises(MissingFile, match=r"cannot list the folder '.*a\.png'"):
        opened(str(folder_of_images / "a.png"))


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"no images in the folder '.*'; put files in it such as \.avif, \.bmp"):
        opened(str(tmp_path))


def test_a_folder_without_a_name_is_refused() -> None:
    with pytest.raises(SpecError, match=r"no folder is named after 'folder:'; name one, as in folder:pics"):
        opened("?seconds=3")


@pytest.mark.parametrize("option", ["seconds=0", "fade=-1", "seconds=soon", "speed=2"])
def test_invalid_options_are_refused(folder_of_images: Path, option: str) -> None:
    with pytest.raises(SpecError, match=option.partition("=")[0]):
        opened(f"{folder_of_images}?{option}")
