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


@pytest.mark.parametrize("text", ["~beach.png", "./~beach.png", "~beach.png?x", "~a b/c.png", "./~a b/c.png"])
def test_a_tilde_without_such_a_user_belongs_to_the_name(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "~a b").mkdir()
    assert named(text) == Path(text.removeprefix("./"))
    assert named(str(named(text))) == named(text)


def test_dot_and_slash_protect_the_name_of_a_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert named("./~/a") == Path("~/a")


def test_other_names_are_unchanged() -> None:
    assert named("a/b~c.jpg") == Path("a/b~c.jpg")


@pytest.mark.parametrize(
    ("text", "reason"),
    [("~no-such-user/x", "home"), ("a\0b", "null character"), ("a\ud800b", "surrogates")],
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
