"""The specs of sources: a name and its options."""

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_matte.config.specs import count, parse, split, switch
from realtime_matte.errors import SpecError
from realtime_matte.sources import image, video

ALLOWED = {"live": switch, "loop": switch}


@pytest.mark.parametrize(
    ("rest", "name", "values"),
    [
        ("clip.mp4", "clip.mp4", {}),
        ("clip.mp4?live", "clip.mp4", {"live": True}),
        ("clip.mp4?loop&live", "clip.mp4", {"loop": True, "live": True}),
        ("clip.mp4?loop&live=no", "clip.mp4", {"loop": True, "live": False}),
        ("?live", "", {"live": True}),
        ("what?.mp4", "what?.mp4", {}),
        ("what?.mp4?loop", "what?.mp4", {"loop": True}),
        ("live.mp4", "live.mp4", {}),
        ("clip.mp4?lively", "clip.mp4?lively", {}),  # a name: there is no such file, and the error says so
    ],
)
def test_an_option_without_a_value_is_switched_on(rest: str, name: str, values: dict[str, bool]) -> None:
    assert parse(rest, ALLOWED) == (name, values)
    assert split(rest, ALLOWED)[0] == name


def test_a_wrong_option_is_refused_with_the_right_ones() -> None:
    with pytest.raises(SpecError, match=r"no option 'speed' in 'clip\.mp4\?speed=2'; there are: live, loop"):
        parse("clip.mp4?speed=2", ALLOWED)
    with pytest.raises(SpecError, match=r"option live=maybe in .* is not yes or no"):
        parse("clip.mp4?live=maybe", ALLOWED)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", "", "²"])
def test_a_count_is_a_whole_number_above_0(text: str) -> None:
    with pytest.raises(ValueError, match="a whole number above 0"):
        count(text)


def test_a_count_is_read() -> None:
    assert count("300") == 300


@given(st.text(max_size=30))
def test_every_spec_is_a_name_with_options_or_a_spec_error(rest: str) -> None:
    try:
        name, values = parse(rest, ALLOWED)
    except SpecError:
        return
    assert rest.startswith(name)
    assert set(values) <= set(ALLOWED)


@pytest.mark.parametrize(("module", "noun"), [(image, "image"), (video, "video")])
def test_a_file_has_to_be_named(module: ModuleType, noun: str) -> None:
    with pytest.raises(SpecError, match=rf"'{noun}:' needs a file name; such as "):
        module.open("", size=None, fps=None)
    with pytest.raises(SpecError, match="no file can be called '~no-such-user/a'"):
        module.open("~no-such-user/a", size=None, fps=None)
    with pytest.raises(SpecError, match="it contains a null character"):
        module.open("a\0b", size=None, fps=None)
