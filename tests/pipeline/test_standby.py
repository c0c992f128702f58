"""The standby card."""

from pathlib import Path
from unittest.mock import Mock

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_matte.errors import BadFile, MissingFile
from realtime_matte.frame import Pixels
from realtime_matte.pipeline import standby, text
from realtime_matte.pipeline.outputs import Outputs
from realtime_matte.pipeline.recorder import SinkFormat
from realtime_matte.pipeline.standby import StandbyCard, draw_card

SIZE = (640, 360)


def text_box(pixels: Pixels) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is as bright as the text."""
    rows, columns = np.nonzero(pixels[..., 1] > 150)
    return columns.min(), rows.min(), columns.max(), rows.max()


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 400), st.integers(1, 400), st.text(max_size=60))
def test_the_card_has_the_requested_size_for_every_text(width: int, height: int, text: str) -> None:
    pixels = draw_card((width, height), text=text)
    assert pixels.shape == (height, width, 3)
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous


@pytest.mark.parametrize("size", [(1, 1), (3840, 2160), (720, 1280), (1, 4000), (4000, 1)])
def test_the_card_has_extreme_sizes(size: tuple[int, int]) -> None:
    assert draw_card(size, text="Back soon").shape == (size[1], size[0], 3)


def test_text_is_centred_below_the_figure() -> None:
    left, top, right, bottom = text_box(draw_card(SIZE, text="Back in a moment"))
    assert abs((left + right) / 2 - 320) <= 6
    assert 0.6 * 360 < top < bottom < 0.8 * 360


def test_long_text_shrinks_to_fit() -> None:
    left, _, right, _ = text_box(draw_card(SIZE, text="one moment please " * 5))
    assert left > 30
    assert right < 610


def test_another_text_gives_another_card() -> None:
    assert not np.array_equal(draw_card(SIZE, text="Back soon"), draw_card(SIZE, text="The camera is not available"))


def test_the_same_text_gives_the_same_card() -> None:
    assert np.array_equal(draw_card(SIZE), draw_card(SIZE, text="Back in a moment"))


def test_a_card_with_another_text_is_a_new_image_and_its_figure_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = Mock(side_effect=standby.draw_blank_card)
    monkeypatch.setattr(standby, "draw_blank_card", drawn)
    outputs = Outputs(SinkFormat(size=SIZE, fps=30.0, alpha=False), notify=print)
    card = StandbyCard(outputs, size=SIZE, alpha=False, image=None, text=None)
    cards = {reason: card.pixels(reason) for reason in (standby.STARTING, standby.STOPPED, standby.NO_MATTE)}
    assert drawn.call_count == 1
    card.set_size((320, 180))
    assert card.pixels(standby.STARTING).shape == (180, 320, 3)
    for reason, pixels in cards.items():
        assert np.array_equal(pixels, draw_card(SIZE, text=reason)), "the next text is not drawn over it"


def test_line_breaks_become_spaces() -> None:
    assert np.array_equal(draw_card(SIZE, text=" Back\n\tsoon "), draw_card(SIZE, text="Back soon"))


def test_an_empty_text_leaves_the_figure() -> None:
    assert draw_card(SIZE, text="").max() < 150


def test_the_card_is_dark_and_has_no_visible_bands() -> None:
    pixels = draw_card(SIZE, text="").astype(int)
    assert pixels.mean() < 60
    assert np.abs(np.diff(pixels[10].mean(axis=1))).max() < 3


def test_an_image_covers_the_whole_card(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "me.png"), np.full((50, 50, 3), (90, 60, 30), np.uint8))
    for image in (tmp_path / "me.png", str(tmp_path / "me.png")):
        assert (draw_card(SIZE, text="not shown", image=image) == (90, 60, 30)).all()


def test_a_missing_or_broken_image_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="cannot read the image"):
        draw_card(SIZE, image=tmp_path / "away.png")
    (tmp_path / "notes.png").write_text("buy milk")
    with pytest.raises(BadFile, match="is a text or web page, not an image"):
        draw_card(SIZE, image=tmp_path / "notes.png")


def test_accents_are_removed_in_ascii() -> None:
    assert text.to_ascii("Größe, naïve Ærø, Łódź") == "Grosse, naive Aero, Lodz"
    assert text.to_ascii("稍等 ok") == "?? ok"


def test_older_opencv_draws_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "FontFace", raising=False)
    left, top, right, bottom = text_box(draw_card(SIZE, text="Bäck in a moment"))
    assert abs((left + right) / 2 - 320) <= 6
    assert 0.6 * 360 < top < bottom < 0.8 * 360


@pytest.mark.skipif(not hasattr(cv2, "FontFace"), reason="OpenCV before 5 has ASCII letters only")
def test_other_scripts_are_drawn() -> None:
    for word in ("Минуту", "Zażółć", "רגע"):
        assert not np.array_equal(draw_card(SIZE, text=word), draw_card(SIZE, text="?" * len(word)))
        assert text.missing_letters(word) == ""


def test_lone_surrogates_become_question_marks() -> None:
    assert np.array_equal(draw_card(SIZE, text="caf\udce9"), draw_card(SIZE, text="caf?"))


def test_missing_letters_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "FontFace", raising=False)
    assert text.missing_letters("Größe? Минута, 稍等 稍\n") == "Минута稍等"
    card = StandbyCard(
        Outputs(SinkFormat(size=SIZE, fps=30.0, alpha=False), notify=print),
        size=SIZE,
        alpha=False,
        image=None,
        text="稍等 ok",
    )
    [notice] = card.notices
    assert notice == "the card shows ? for 稍等, which OpenCV has no letters for; use --card IMAGE instead"
    assert (
        StandbyCard(
            Outputs(SinkFormat(size=SIZE, fps=30.0, alpha=False), notify=print),
            size=SIZE,
            alpha=False,
            image=None,
            text=None,
        ).notices
        == ()
    )
