from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_matte.config import parsers as values
from realtime_matte.config import toml_file as settings
from realtime_matte.config.config import Config
from realtime_matte.config.toml_file import resolve
from realtime_matte.errors import BadFile, MissingFile, SpecError


def written(folder: Path, text: str) -> str:
    path = folder / "my.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The platform's configuration folder of this test, empty at first."""
    folder = tmp_path / "config"
    folder.mkdir()
    monkeypatch.setattr(settings, "user_config_path", lambda *_names, **_more: folder)
    return folder


def test_nothing_said_gives_the_defaults() -> None:
    assert resolve({}, config=None) == Config()


def test_the_file_is_over_the_defaults_and_the_command_line_over_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, 'model = "large"\nsize = "640x360"\nmirror = true\n')
    found = resolve({"size": "320x180", "fps": None, "mirror": False}, config=path)
    assert found == Config(model="large", size=(320, 180), mirror=False)


def test_the_platforms_file_is_read_when_it_is_there(home: Path) -> None:
    (home / "rtmatte.toml").write_text('bg = "beach.jpg"')
    assert resolve({}, config=None).bg == ("beach.jpg",)


def test_a_platforms_file_that_may_not_be_seen_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object, **_more: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.stat", refuse)
    assert resolve({}, config=None) == Config()


NOBODY = "~nobody-of-that-name/a"


@pytest.mark.parametrize("name", ["bg", "camera", "card", "model", "output"])
def test_a_home_of_nobody_is_told(name: str) -> None:
    value = [f"video:{NOBODY}"] if name in {"bg", "output"} else NOBODY
    with pytest.raises(SpecError, match=r"no file can be called '~nobody-of-that-name/a': .*; write the whole path"):
        resolve({name: value}, config=None)


def test_a_settings_file_in_a_home_of_nobody_is_told() -> None:
    with pytest.raises(SpecError, match=r"no file can be called '~nobody-of-that-name/a': .*; write the whole path"):
        resolve({}, config=NOBODY)


def test_a_named_file_stands_in_for_the_platforms(home: Path, tmp_path: Path) -> None:
    (home / "rtmatte.toml").write_text('bg = "beach.jpg"\nmirror = true')
    assert resolve({}, config=written(tmp_path, 'bg = ["a.jpg", "b.jpg"]')) == Config(bg=("a.jpg", "b.jpg"))


def test_every_setting_can_be_in_the_file(tmp_path: Path) -> None:
    text = """
        bg = ["beach.jpg", "blur"]
        camera = 2
        output = ["virtualcam", "call.mp4"]
        model = "large"
        provider = "cpu"
        threads = 2
        size = "1280x720"
        fps = 30
        mirror = true
        only-me = true
        fit = "contain"
        card = "card.png"
        card-text = "Back soon"
        on-demand = true
        quiet = true
        verbose = false
        seconds = 1.5
        frames = 90
    """
    found = resolve({}, config=written(tmp_path, text))
    assert found.camera == "2"
    assert found.output == ("virtualcam", "call.mp4")
    assert (found.fps, found.threads, found.frames, found.seconds) == (30.0, 2, 90, 1.5)
    assert found.card_text == "Back soon"
    assert len(text.strip().splitlines()) == len(fields(Config))


def test_an_unknown_key_names_the_file_and_the_keys_there_are(tmp_path: Path) -> None:
    path = written(tmp_path, 'sizes = "1280x720"')
    with pytest.raises(SpecError, match="no option 'sizes'; there are: bg, camera, card, card-text, fit,") as caught:
        resolve({}, config=path)
    assert str(caught.value).startswith(path)


def test_a_wrong_value_names_the_file_and_the_key(tmp_path: Path) -> None:
    path = written(tmp_path, "mirror = 1")
    with pytest.raises(SpecError) as caught:
        resolve({}, config=path)
    assert str(caught.value) == f"{path}: mirror: 1 is not true or false"


def test_a_wrong_value_on_the_command_line_names_the_option() -> None:
    with pytest.raises(SpecError, match=r"^--card-text: ' ' is not a text$"):
        resolve({"card_text": " "}, config=None)


@pytest.mark.parametrize(
    "value", ["0x0", "100000x9", "8193x16", "16x15", "1280", "axb", "1280x720x3", "-2x-2", "\uff11x\uff11", ""]
)
def test_absurd_sizes_are_refused(value: str) -> None:
    with pytest.raises(
        SpecError, match=r"^--size: .* is not WIDTHxHEIGHT with each from 16 to 8192, such as 1280x720$"
    ):
        resolve({"size": value}, config=None)


@given(st.integers(16, 8192), st.integers(16, 8192))
def test_every_sane_size_is_taken(width: int, height: int) -> None:
    assert values.size(f"{width}x{height}") == (width, height)


@given(st.from_regex(r"[0-9]{0,6}x?[0-9]{0,6}", fullmatch=True) | st.text())
def test_a_text_is_a_size_in_range_or_is_refused_as_one(text: str) -> None:
    try:
        width, height = values.size(text)
    except ValueError:
        return
    assert [int(side) for side in text.split("x")] == [width, height]
    assert 16 <= min(width, height) <= max(width, height) <= 8192


@pytest.mark.parametrize(
    ("name", "value", "want"),
    [
        ("fps", "0", "a number from 1 to 240"),
        ("fps", "nan", "a number from 1 to 240"),
        ("fps", "fast", "a number from 1 to 240"),
        ("threads", "1.5", "a whole number from 1 to 256"),
        ("threads", "0", "a whole number from 1 to 256"),
        ("seconds", "-1", "a number from 0.1 to 1e+07"),
        ("frames", "inf", "a whole number from 1 to 1e+09"),
        ("frames", True, "a whole number from 1 to 1e+09"),
        ("fit", "zoom", "one of cover, contain, stretch, tile"),
        ("bg", [], "a text or a list of texts"),
        ("bg", ["a.jpg", 3], "a text"),
        ("bg", "", "a text"),
        ("model", 7, "a text"),
        ("camera", -1, "a camera's number, from 0 on, or its name"),
    ],
)
def test_a_wrong_value_says_what_it_should_be(name: str, value: object, want: str) -> None:
    with pytest.raises(SpecError) as caught:
        resolve({name: value}, config=None)
    assert str(caught.value).endswith(f" is not {want}")


def test_where_nobody_has_a_home_there_is_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(*_: object, **__: object) -> Path:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr("realtime_matte.config.toml_file.user_config_path", homeless)
    assert resolve({}, config=None) == Config()


def test_a_mark_of_windows_editors_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "rtmatte.toml"
    path.write_bytes(b"\xef\xbb\xbffps = 25\n")
    assert resolve({}, config=str(path)).fps == 25


@pytest.mark.parametrize("text", ["threads = 1" + "0" * 400, "threads = 1" + "0" * 5000, "bg = " + "[" * 5000])
def test_absurd_files_are_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rtmatte.toml"
    path.write_text(text)
    with pytest.raises((BadFile, SpecError), match=r"rtmatte\.toml"):
        resolve({}, config=str(path))


def test_a_missing_named_file_is_told() -> None:
    with pytest.raises(
        MissingFile, match=r"cannot read the options file .*none.toml: No such file or directory; check"
    ):
        resolve({}, config="none.toml")


def test_a_folder_for_a_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="cannot read the options file"):
        resolve({}, config=str(tmp_path))


@pytest.mark.parametrize("text", [b"bg = ", b"bg = 'a'\nbg = 'b'", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_told(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "my.toml"
    path.write_bytes(text)
    with pytest.raises(BadFile, match=r"my\.toml is not a TOML file: "):
        resolve({}, config=str(path))


def test_the_home_folder_is_found_behind_a_word_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("USERPROFILE", "/home/ann")
    found = resolve({"bg": ["image:~/a.jpg", "~/b.jpg", "c~.jpg"], "card": "~/card.png"}, config=None)
    assert found.bg == (f"image:{Path('/home/ann/a.jpg')}", str(Path("/home/ann/b.jpg")), "c~.jpg")
    assert found.card == str(Path("/home/ann/card.png"))
