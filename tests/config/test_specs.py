"""Options of a spec: ``name?option=value``."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_matte.config.specs import SpecOption, at_least_zero, parse, positive, split, switch
from realtime_matte.errors import SpecError

SLIDES = {"seconds": positive, "fade": at_least_zero}


def test_name_and_options_are_separated() -> None:
    assert parse("pics?seconds=30&fade=0", SLIDES) == ("pics", {"seconds": 30.0, "fade": 0.0})


def test_options_may_be_absent() -> None:
    assert parse("pics", SLIDES) == ("pics", {})


def test_name_may_be_absent() -> None:
    assert parse("?mirror=no", {"mirror": switch}) == ("", {"mirror": False})


@pytest.mark.parametrize("name", ["what?.jpg", "a?b/c.mp4", "?", "a=b.jpg", "a?b/c=d.jpg", "a?=b"])
def test_question_marks_in_file_names_stay(name: str) -> None:
    assert parse(name, SLIDES) == (name, {})


def test_a_name_with_a_question_mark_can_have_options() -> None:
    assert parse("what?/pics?seconds=1", SLIDES) == ("what?/pics", {"seconds": 1.0})


def test_unknown_option_names_the_allowed_ones() -> None:
    with pytest.raises(
        SpecError, match=r"no option 'second' in 'pics\?second=1'; did you mean seconds\? there are: fade, seconds"
    ):
        parse("pics?second=1", SLIDES)


def test_unknown_option_where_none_is_allowed() -> None:
    with pytest.raises(SpecError, match=r"no option 'a' in '\?a=1'; there are: none"):
        parse("?a=1", {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", "a number above 0"), ("soon", "a number"), ("nan", "a number"), ("inf", "a number"), ("", "a number")],
)
def test_a_bad_value_says_what_it_should_be(text: str, expected: str) -> None:
    with pytest.raises(SpecError, match=rf"option seconds={text} in 'pics\?seconds={text}' is not {expected}$"):
        parse(f"pics?seconds={text}", SLIDES)


def test_bad_values_of_other_parsers() -> None:
    with pytest.raises(SpecError, match="is not a number of 0 or above"):
        parse("pics?fade=-1", SLIDES)
    with pytest.raises(SpecError, match=r"option mirror=maybe in '\?mirror=maybe' is not yes or no"):
        parse("?mirror=maybe", {"mirror": switch})


def test_option_given_twice_is_an_error() -> None:
    with pytest.raises(SpecError, match="option 'fade' is given twice"):
        parse("pics?fade=1&fade=2", SLIDES)


@given(st.text())
def test_any_text_parses_or_is_a_spec_error(rest: str) -> None:
    name, text = split(rest)
    assert (f"{name}?{text}" if text else name) == rest
    try:
        parse(rest, SLIDES)
    except SpecError:
        assert text


def test_a_declared_option_has_its_default() -> None:
    options = {
        "seconds": SpecOption(positive, "time of each image, s", 10.0),
        "loop": SpecOption(switch, "", default=False),
    }
    assert parse("pics", options) == ("pics", {"seconds": 10.0, "loop": False})
    assert parse("pics?loop&seconds=2", options) == ("pics", {"seconds": 2.0, "loop": True})
    with pytest.raises(SpecError, match="option 'loop' is given twice"):
        parse("pics?loop&loop=no", options)


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("?sim=3", "no option 'sim' in 'room?sim=3'"),
        ("?colour", "no option 'colour' in 'room?colour'; there are: blur"),
        ("0.1?blur=no", "option blur=no in 'room:0.1?blur=no' is not a number"),
    ],
)
def test_an_error_names_the_whole_spec(rest: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse(rest, {"blur": SpecOption(positive, "a blur", default=1.0)}, plugin="room")
    assert message in str(caught.value)
