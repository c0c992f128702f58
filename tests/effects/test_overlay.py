"""Overlays: where they are, that they can be read, and that they cost little."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime_matte.config.config import Config
from realtime_matte.effects import _text, overlay
from realtime_matte.effects._placed_image import ANCHORS, PlacedImage
from realtime_matte.errors import BadFile, MatteError, MissingFile, SpecError
from realtime_matte.frame import Pixels
from realtime_matte.media import i420

SIZE = (320, 180)


@pytest.fixture
def only_pillows_font(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a system without fonts."""
    monkeypatch.setattr(_text, "FONTS", ())
    monkeypatch.setattr(_text.shutil, "which", lambda _: None)


@pytest.fixture
def logo(tmp_path: Path) -> Path:
    """A red square, 40 pixels wide, in the middle of a transparent image."""
    pixels = np.zeros((80, 80, 4), np.uint8)
    pixels[..., :3] = (255, 255, 255)
    pixels[20:60, 20:60] = (0, 0, 255, 255)
    path = tmp_path / "logo.png"
    cv2.imwrite(str(path), pixels)
    return path


def drawn(spec: str, image: Pixels | None = None) -> Pixels:
    image = np.full((SIZE[1], SIZE[0], 3), 100, np.uint8) if image is None else image
    overlay.open_overlay(spec, size=SIZE).draw(image, 0.0)
    return image


def changed(image: Pixels) -> tuple[slice, slice]:
    rows, columns = np.nonzero((image != 100).any(axis=2))
    return slice(int(rows.min()), int(rows.max()) + 1), slice(int(columns.min()), int(columns.max()) + 1)


def test_an_image_has_its_size_its_place_and_its_transparency(logo: Path) -> None:
    image = drawn(f"{logo}?at=top-right&size=0.2")
    rows, columns = changed(image)
    assert columns.stop - columns.start == rows.stop - rows.start == 18  # half of 0.2 x 180
    assert (rows.start, columns.stop) == (5 + 9, 320 - 5 - 9)  # a margin of 0.03, and the transparent border
    assert (image[rows, columns] == (0, 0, 255)).all(), "no white of the transparent pixels at its edge"


@pytest.mark.parametrize("anchor", ANCHORS)
def test_every_place_is_inside_the_output(logo: Path, anchor: str) -> None:
    for size in (0.01, 0.5, 1):
        changed(drawn(f"{logo}?at={anchor}&size={size}"))


def test_opacity_mixes(logo: Path) -> None:
    image = drawn(f"{logo}?at=center&opacity=0.5")
    np.testing.assert_allclose(image[90, 160], (50, 50, 178), atol=1)


@pytest.mark.usefixtures("only_pillows_font")
def test_a_name_can_be_read_on_any_background() -> None:
    for shade in (0, 128, 255):
        image = drawn("text:Name?size=0.1", np.full((SIZE[1], SIZE[0], 3), shade, np.uint8))
        plate = image[150:170, 10:60].astype(float) / 255
        luminance = np.where(plate <= 0.04045, plate / 12.92, ((plate + 0.055) / 1.055) ** 2.4).mean(axis=2)
        assert (luminance.max() + 0.05) / (luminance.min() + 0.05) > 4.5  # WCAG 2


@pytest.mark.usefixtures("only_pillows_font")
def test_a_letter_that_no_font_has_is_reported() -> None:
    (notice,) = overlay.open_overlay("text:Name 漢", size=SIZE).notices
    assert notice == "the overlay 'Name 漢' is drawn without 漢, which no font here has; add ?font=FILE.ttf"
    np.testing.assert_array_equal(drawn("text:Na漢me"), drawn("text:Name"))


def test_a_clock_format_that_strftime_lacks_is_refused() -> None:
    for text in ("%Q", "%H:%"):
        with pytest.raises(SpecError, match="is not a format such as %H:%M: there is no %"):
            overlay.open_overlay(f"clock?format={text}", size=SIZE)
    overlay.open_overlay("clock?format=%d.%m. %H:%M %%", size=SIZE)
    assert overlay.open_overlay("text:Jane Doe, 50 %", size=SIZE).notices == ()


def test_a_font_that_has_the_letters_is_preferred(monkeypatch: pytest.MonkeyPatch) -> None:
    default = _text.ImageFont.load_default(_text.TRIAL_PX)
    assert isinstance(default, _text.ImageFont.FreeTypeFont)
    fonts = [default, default.font_variant(size=30)]

    def candidates(_letters: list[str]) -> Iterator[_text.Font]:
        yield from fonts

    monkeypatch.setattr(_text, "_fonts", candidates)
    monkeypatch.setattr(_text, "missing", lambda font, _letters: "" if font is fonts[1] else "x")
    assert _text.find_font("x", None) == (fonts[1], "")


@pytest.mark.usefixtures("only_pillows_font")
def test_a_long_text_gets_smaller_letters() -> None:
    rows, columns = changed(drawn(f"text:{'long ' * 60}?size=0.2&at=bottom"))
    assert columns.stop - columns.start <= SIZE[0]
    assert rows.stop - rows.start < 20


@pytest.mark.usefixtures("only_pillows_font")
def test_a_clock_is_drawn_again_when_its_text_changes() -> None:
    now = [0.0]
    clock = overlay.open_overlay("clock?format=%M:%S", size=SIZE, clock=lambda: now[0])
    images: list[Pixels] = []
    drawn_images: list[object] = []
    for second in (0.0, 0.9, 1.1, 61.0):
        now[0] = second
        image = np.full((SIZE[1], SIZE[0], 3), 100, np.uint8)
        clock.draw(image, 0.0)
        images.append(image)
        drawn_images.append(clock._image)
    assert drawn_images[0] is drawn_images[1]
    assert not np.array_equal(images[0], images[2])
    assert not np.array_equal(images[2], images[3])


def test_a_still_overlay_draws_nothing_again(logo: Path) -> None:
    still = overlay.open_overlay(f"{logo}", size=SIZE)
    shown = still._image
    for _ in range(3):
        still.draw(np.zeros((SIZE[1], SIZE[0], 3), np.uint8), 0.0)
    assert still._image is shown


def test_alpha_is_composited_too() -> None:
    pixels = np.zeros((10, 10, 4), np.uint8)
    pixels[:] = (0, 0, 255, 128)
    placed = PlacedImage(pixels, size=(10, 10), anchor="center")
    image = np.zeros((10, 10, 4), np.uint8)
    image[:, 5:] = (255, 0, 0, 255)
    placed.draw(image)
    np.testing.assert_array_equal(image[5, 2], (0, 0, 255, 128))
    np.testing.assert_array_equal(image[5, 7], (127, 0, 128, 255))


def test_several_are_drawn_in_their_order(logo: Path) -> None:
    opened = overlay.open(Config(overlay=(f"{logo}?at=center&opacity=0.5", f"{logo}?at=center")), size=SIZE)
    image = np.full((SIZE[1], SIZE[0], 3), 100, np.uint8)
    for one in opened:
        one.draw(image, 0.0)
    np.testing.assert_array_equal(image[90, 160], (0, 0, 255))


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("gone.png", MissingFile, "cannot read the image 'gone.png'"),
        ("text:", SpecError, "'text:' needs a text"),
        ("image:", SpecError, "'image:' needs a file name; such as image:logo.png"),
        ("?size=0.1", SpecError, "'\\?size=0.1' names no image; such as logo.png, text:Name or clock"),
        ("text:x?at=nowhere", SpecError, "option at=nowhere in 'text:x[?]at=nowhere' is not one of top-left, "),
        ("text:x?size=2", SpecError, "is not a number above 0, and 1 at most"),
        ("text:x?opacity=2", SpecError, "is not a number from 0 to 1"),
        ("text:x?font=/gone.ttf", MissingFile, "cannot open the font '/gone.ttf'"),
        ("clock?nonsense=1", SpecError, "no option 'nonsense'"),
        ("/dev/zero", BadFile, "/dev/zero"),
    ],
)
def test_what_cannot_be_drawn_is_a_readable_error(spec: str, error: type[MatteError], message: str) -> None:
    with pytest.raises(error, match=message):
        overlay.open_overlay(spec, size=SIZE)


def test_a_text_may_contain_anything() -> None:
    for text in ("Really?", "a:b", "https://example.org/x?y=z", "~me", "50 %", "\u202ex", "🙂", "x" * 500):
        spec = Config(overlay=f"text:{text}").overlay[0]
        assert spec == f"text:{text}"
        try:
            drawn(spec)
        except SpecError as problem:
            assert "no option 'y'" in problem.message  # noqa: PT017 - of the URL alone


@pytest.mark.usefixtures("only_pillows_font")
@pytest.mark.parametrize("options", ["?at=top-right&size=0.23", "?at=center&size=0.16&opacity=0.6", "?at=left&size=1"])
@pytest.mark.parametrize("name", ["logo", "text"])
def test_on_planes_it_looks_as_in_bgr(logo: Path, name: str, options: str) -> None:
    """Within 2 of 255, at odd places and of odd sizes too."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    planes = i420.from_bgr(np.dstack([60 + x // 3, 180 - y // 2, 90 + x // 5]).astype(np.uint8))
    effect = overlay.open_overlay(f"{logo if name == 'logo' else 'text:Name'}{options}", size=SIZE)
    in_bgr = i420.to_bgr(planes)
    effect.draw(in_bgr, 0.0)
    effect.draw_planes(planes, 0.0)
    for plane, expected in zip(i420.planes(planes), i420.planes(i420.from_bgr(in_bgr)), strict=True):
        assert np.abs(plane.astype(int) - expected).max() <= 2
