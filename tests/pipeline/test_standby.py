"""The standby card."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_matte.errors import BadFile, MissingFile
from realtime_matte.frame import Pixels
from realtime_matte.pipeline import card
from realtime_matte.pipeline import text as lettering
from realtime_matte.pipeline.outputs import Outputs
from realtime_matte.pipeline.standby import Standby

SIZE = (640, 360)


def letters(pixels: Pixels) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is as bright as the text."""
    rows, columns = np.nonzero(pixels[..., 1] > 150)
    return columns.min(), rows.min(), columns.max(), rows.max()


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 400), st.integers(1, 400), st.text(max_size=60))
def test_every_size_and_text(width: int, height: int, text: str) -> None:
    pixels = card.draw((width, height), text=text)
    assert pixels.shape == (height, width, 3)
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous


@pytest.mark.parametrize("size", [(1, 1), (3840, 2160), (720, 1280), (1, 4000), (4000, 1)])
def test_extreme_sizes(size: tuple[int, int]) -> None:
    assert card.draw(size, text="Back soon").shape == (size[1], size[0], 3)


def test_text_stands_in_the_middle_below_the_figure() -> None:
    left, top, right, bottom = letters(card.draw(SIZE, text="Back in a moment"))
    assert abs((left + right) / 2 - 320) <= 6
    assert 0.6 * 360 < top < bottom < 0.8 * 360


def test_long_text_shrinks_to_fit() -> None:
    left, _, right, _ = letters(card.draw(SIZE, text="one moment please " * 5))
    assert left > 30
    assert right < 610


def test_another_text_is_another_card() -> None:
    assert not np.array_equal(card.draw(SIZE, text="Back soon"), card.draw(SIZE, text="The camera is away"))


def test_the_same_text_is_the_same_card() -> None:
    assert np.array_equal(card.draw(SIZE), card.draw(SIZE, text="Back in a moment"))


def test_line_breaks_become_spaces() -> None:
    assert np.array_equal(card.draw(SIZE, text=" Back\n\tsoon "), card.draw(SIZE, text="Back soon"))


def test_without_text_only_the_figure_is_left() -> None:
    assert card.draw(SIZE, text="").max() < 150


def test_the_card_is_dark_and_has_no_hard_bands() -> None:
    pixels = card.draw(SIZE, text="").astype(int)
    assert pixels.mean() < 60
    assert np.abs(np.diff(pixels[10].mean(axis=1))).max() < 3


def test_the_users_picture_covers_it_all(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "me.png"), np.full((50, 50, 3), (90, 60, 30), np.uint8))
    for image in (tmp_path / "me.png", str(tmp_path / "me.png")):
        assert (card.draw(SIZE, text="not shown", image=image) == (90, 60, 30)).all()


def test_the_users_picture_is_away_or_broken(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="cannot read the picture"):
        card.draw(SIZE, image=tmp_path / "away.png")
    (tmp_path / "notes.png").write_text("buy milk")
    with pytest.raises(BadFile, match="is no picture"):
        card.draw(SIZE, image=tmp_path / "notes.png")


def test_accents_are_written_or_fall_off() -> None:
    assert lettering.plain("Größe, naïve Ærø, Łódź") == "Grosse, naive Aero, Lodz"
    assert lettering.plain("稍等 ok") == "?? ok"


def test_older_opencv_writes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "FontFace", raising=False)
    left, top, right, bottom = letters(card.draw(SIZE, text="Bäck in a moment"))
    assert abs((left + right) / 2 - 320) <= 6
    assert 0.6 * 360 < top < bottom < 0.8 * 360


@pytest.mark.skipif(not hasattr(cv2, "FontFace"), reason="OpenCV before 5 has ASCII letters only")
def test_other_scripts_are_written() -> None:
    for text in ("Минуту", "Zażółć", "רגע"):
        assert not np.array_equal(card.draw(SIZE, text=text), card.draw(SIZE, text="?" * len(text)))
        assert lettering.unwritten(text) == ""


def test_bytes_that_are_no_text_are_question_marks() -> None:
    assert np.array_equal(card.draw(SIZE, text="caf\udce9"), card.draw(SIZE, text="caf?"))


def test_letters_that_do_not_come_out_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "FontFace", raising=False)
    assert lettering.unwritten("Größe? Минута, 稍等 稍\n") == "Минута稍等"
    standby = Standby(Outputs(notify=print), size=SIZE, alpha=False, image=None, text="稍等 ok")
    [note] = standby.notices
    assert note == "the card shows ? for 稍等, which OpenCV has no letters for; take --card IMAGE instead"
    assert Standby(Outputs(notify=print), size=SIZE, alpha=False, image=None, text=None).notices == ()
