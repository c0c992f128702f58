"""Paths as users write them: ``~`` and impossible names."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from realtime_matte.errors import SpecError
from realtime_matte.paths import is_file, is_folder, named


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "beach.jpg").touch()
    assert named("~/beach.jpg") == tmp_path / "beach.jpg"
    assert is_folder("~")
    assert is_file("~/beach.jpg")


def test_other_names_are_unchanged() -> None:
    assert named("a/b~c.jpg") == Path("a/b~c.jpg")


@pytest.mark.parametrize(
    ("text", "reason"),
    [("~nobody-of-that-name/x", "home"), ("a\0b", "null character"), ("a\ud800b", "surrogates")],
)
def test_impossible_names_say_why(text: str, reason: str) -> None:
    with pytest.raises(SpecError, match=rf"no file can be called .*: .*{reason}.*; write the whole path"):
        named(text)


@given(st.text())
@example("~")
def test_any_text_is_a_path_or_a_spec_error(text: str) -> None:
    assert not is_file(text + "\0")
    assert not is_folder(text + "x" * 5000)
    try:
        named(text)
    except SpecError:
        assert "\0" in text or "~" in text or not text.isascii()
