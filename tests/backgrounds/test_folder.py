"""A folder of images and clips as a background."""

import os
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from fakes.scripted import wait_until
from fakes.threads import started_since

from realtime_matte.backgrounds import _slides, folder
from realtime_matte.errors import BadFile, MissingFile, SpecError
from realtime_matte.frame import Frame, Matte, Pixels
from realtime_matte.media import image
from realtime_matte.media.image import LoadedImage

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
    may_read, real_load = threading.Event(), image.load

    def load(path: Path) -> LoadedImage:
        assert path.name == "a.png" or may_read.wait(30)
        return real_load(path)

    monkeypatch.setattr(image, "load", load)
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
    before = threading.enumerate()
    slides = opened(f"{folder_of_images}?seconds=1")
    assert started_since(before) == []
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


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:60])


def page(path: Path) -> None:
    path.write_text("<html>404 Not Found</html>")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def broken_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere.png")


def endless_device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


@pytest.mark.skipif(sys.platform == "win32", reason="files of POSIX")
@pytest.mark.parametrize("spoil", [cut_short, page, pipe, broken_link, endless_device])
def test_a_broken_image_is_named_once(folder_of_images: Path, spoil: Callable[[Path], None]) -> None:
    spoil(folder_of_images / "a.png")
    slides = opened(f"{folder_of_images}?seconds=10&fade=0")
    assert levels(slides, [0, 10, 20, 30, 40, 50]) == [100, 200, 100, 200, 100, 200]
    slides.close()
    (notice,) = slides.notices
    assert notice.startswith("left out of the slideshow: ")
    assert "a.png'" in notice


def test_hidden_images_are_not_shown(folder_of_images: Path) -> None:
    """Android keeps deleted photographs as .trashed-..., and macOS keeps ._a.png beside a.png on other disks."""
    for name in (".hidden.png", ".trashed-1766-a.png", "._a.png"):
        shutil.copy(folder_of_images / "c.bmp", folder_of_images / name)
    slides = opened(f"{folder_of_images}?seconds=10&fade=0")
    assert levels(slides, [0, 10, 20, 30]) == [0, 100, 200, 0]
    slides.close()


def test_a_folder_of_hidden_images_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / ".a.png"), FRAME)
    with pytest.raises(BadFile, match="no images or clips in the folder"):
        opened(str(tmp_path))


@pytest.mark.parametrize(("attribute", "flag"), [("st_file_attributes", 2), ("st_flags", 0x8000)])
def test_an_image_with_the_hidden_attribute_is_hidden(
    monkeypatch: pytest.MonkeyPatch, attribute: str, flag: int
) -> None:
    """Windows and macOS."""
    monkeypatch.setattr(Path, "stat", lambda _: SimpleNamespace(**{attribute: flag}))
    assert _slides.is_hidden(Path("a.png"))
    monkeypatch.setattr(Path, "stat", lambda _: SimpleNamespace(**{attribute: 0}))
    assert not _slides.is_hidden(Path("a.png"))


@pytest.mark.parametrize(
    "names",
    [
        ["1.png", "2.png", "10.png"],
        ["img1.png", "IMG2.png", "img10.png", "img10b.png"],
        ["a.png", "B.png", "c.png"],
        ["1-9.png", "1-10.png", "2-1.png"],
        ["007.png", "8.png", "٣.png"],
    ],
)
def test_numbers_in_names_are_in_their_order(names: list[str]) -> None:
    assert [path.name for path in sorted(map(Path, reversed(names)), key=_slides.natural_order)] == names


@pytest.mark.parametrize("real_time", [False, True])
@pytest.mark.parametrize("fade", [0, 2])
def test_an_image_stays_while_all_files_are_gone(
    folder_of_images: Path, tmp_path: Path, fade: int, *, real_time: bool
) -> None:
    """With one notice; they are shown again when they are back."""
    slides = opened(f"{folder_of_images}?seconds=10&fade={fade}")
    slides.set_real_time(real_time=real_time)
    files = sorted(folder_of_images.glob("?.*"))
    away = tmp_path / "inner"
    assert levels(slides, [0]) == [0]
    wait_until(slides._next.done)  # type: ignore[union-attr]
    for path in files:
        path.rename(away / path.name)
    slides.next()
    for time in (1, 11, 12, 20.5, 21, 22, 31, 42, 53):
        assert levels(slides, [time]) == [100]
        wait_until(slides._next.done)  # type: ignore[union-attr]
    (notice,) = slides.notices
    assert notice == (
        f"none of the 3 files in {str(folder_of_images)!r} can be read, and the slide that is shown stays; "
        "put them back, or choose another background"
    )
    for path in files:
        (away / path.name).rename(path)
    seen = set()
    for time in range(60, 160, 10):
        seen.update(levels(slides, [time]))
        wait_until(slides._next.done)  # type: ignore[union-attr]
    assert seen >= {0, 100, 200}
    assert slides.notices == ()
    slides.close()


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_folder_whose_links_lead_nowhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to("nowhere.png")
    with pytest.raises(BadFile, match=r"none of the 1 files in '.*' can be read; put them back, or choose another"):
        opened(str(tmp_path))


def test_a_folder_with_the_name_of_a_clip_is_no_slide(folder_of_images: Path) -> None:
    (folder_of_images / "0.mp4").mkdir()
    slides = opened(f"{folder_of_images}?seconds=10&fade=0")
    assert levels(slides, [0, 10]) == [0, 100]
    assert slides.notices == ()
    slides.close()


def test_close_ends_the_thread(folder_of_images: Path) -> None:
    before = threading.enumerate()
    for _ in range(20):
        slides = opened(str(folder_of_images))
        slides.close()
        slides.close()
    assert started_since(before) == []


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
    with pytest.raises(BadFile, match=r"no images or clips in the folder '.*'; put files in it such as \.jpg, \.png"):
        opened(str(tmp_path))


def test_a_folder_without_a_name_is_refused() -> None:
    with pytest.raises(SpecError, match=r"'folder:' needs a folder name; such as folder:pics"):
        opened("?seconds=3")


@pytest.mark.parametrize("option", ["seconds=0", "fade=-1", "seconds=soon", "speed=2"])
def test_invalid_options_are_refused(folder_of_images: Path, option: str) -> None:
    with pytest.raises(SpecError, match=option.partition("=")[0]):
        opened(f"{folder_of_images}?{option}")
