import os
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_matte.config import parsers, toml_file, toml_writer
from realtime_matte.config.arguments import Parser, add_options, from_arguments
from realtime_matte.config.config import Config, options, parse_values
from realtime_matte.config.toml_file import resolve
from realtime_matte.errors import BadFile, MatteError, MissingFile, SpecError
from realtime_matte.interfaces import Fit


def write_file(folder: Path, text: str) -> str:
    path = folder / "my.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.fixture(autouse=True)
def config_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The platform's configuration folder, empty at first."""
    folder = tmp_path / "config"
    folder.mkdir()
    monkeypatch.setattr(toml_file, "user_config_path", lambda *_names, **_more: folder)
    return folder


def test_without_options_the_defaults_are_used() -> None:
    assert resolve({}, config=None) == Config()


def test_the_file_overrides_defaults_and_the_command_line_overrides_the_file(tmp_path: Path) -> None:
    path = write_file(tmp_path, 'model = "large"\nsize = "640x360"\nmirror = true\n')
    found = resolve({"size": "320x180", "fps": None, "mirror": False}, config=path)
    assert found == Config(model="large", size=(320, 180), mirror=False)


def test_the_platforms_file_is_read_if_it_exists(config_folder: Path) -> None:
    (config_folder / "rtmatte.toml").write_text('bg = "beach.jpg"')
    assert resolve({}, config=None).bg == (str(config_folder / "beach.jpg"),)


def test_an_inaccessible_platforms_file_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object, **_more: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.stat", refuse)
    assert resolve({}, config=None) == Config()


UNKNOWN_HOME = "~no-such-user/a"


@pytest.mark.parametrize("name", ["bg", "camera", "card", "model", "output"])
def test_an_unknown_home_folder_is_an_error(name: str) -> None:
    value = [f"video:{UNKNOWN_HOME}"] if name in {"bg", "output"} else UNKNOWN_HOME
    with pytest.raises(SpecError, match=r"no file can be called '~no-such-user/a': .*; write the whole path"):
        resolve({name: value}, config=None)


def test_an_options_file_in_an_unknown_home_folder_is_an_error() -> None:
    with pytest.raises(SpecError, match=r"no file can be called '~no-such-user/a': .*; write the whole path"):
        resolve({}, config=UNKNOWN_HOME)


def test_a_named_file_replaces_the_platforms(config_folder: Path, tmp_path: Path) -> None:
    (config_folder / "rtmatte.toml").write_text('bg = "beach.jpg"\nmirror = true')
    assert resolve({}, config=write_file(tmp_path, 'bg = ["blur", "green"]')) == Config(bg=("blur", "green"))


def test_every_option_can_be_in_the_file(tmp_path: Path) -> None:
    text = """
        bg = ["beach.jpg", "blur"]
        camera = 2
        output = ["virtualcam", "call.mp4"]
        model = "large"
        provider = "cpu"
        power-saver = "on"
        threads = 2
        size = "1280x720"
        fps = 30
        mirror = true
        only-me = true
        rotate = 90
        zoom = 1.5
        center = [0.4, 0.6]
        camera-fit = "contain"
        auto-frame = true
        auto-frame-size = 0.6
        auto-frame-place = [0.5, 0.2]
        low-light = "auto"
        white-balance = "auto"
        harmonize = 0.5
        overlay = ["clock", "text:Name"]
        fit = "contain"
        card = "card.png"
        card-text = "Back soon"
        calibrate = true
        plate = "room.png"
        card-on-doubt = true
        on-demand = true
        control = false
        panel = true
        panel-port = 8000
        panel-host = "::1"
        panel-password-file = "password"
        panel-cert = "cert.pem"
        panel-key = "key.pem"
        quiet = true
        verbose = false
        seconds = 1.5
        frames = 90
    """
    found = resolve({}, config=write_file(tmp_path, text))
    assert found.camera == "2"
    assert found.output == ("virtualcam", str(tmp_path / "call.mp4"))
    assert (found.fps, found.threads, found.frames, found.seconds) == (30.0, 2, 90, 1.5)
    assert found.card_text == "Back soon"
    assert found.card_on_doubt is True
    assert len(text.strip().splitlines()) == len(fields(Config))


def test_an_unknown_key_names_the_file_and_the_known_keys(tmp_path: Path) -> None:
    path = write_file(tmp_path, 'sizes = "1280x720"')
    known = "there are: .*bg, calibrate, camera, camera-fit, card, card-on-doubt, card-text, center, control, fit,"
    with pytest.raises(SpecError, match=rf"no option 'sizes'; did you mean size[?] {known}") as caught:
        resolve({}, config=path)
    assert str(caught.value).startswith(path)


def test_a_wrong_value_names_the_file_and_the_key(tmp_path: Path) -> None:
    path = write_file(tmp_path, "mirror = 1")
    with pytest.raises(SpecError) as caught:
        resolve({}, config=path)
    assert str(caught.value) == f"{path}: mirror: 1 is not true or false"


def test_a_wrong_value_on_the_command_line_names_the_option() -> None:
    with pytest.raises(SpecError, match=r"^--card-text: 7 is not a text$"):
        resolve({"card_text": 7}, config=None)


@pytest.mark.parametrize(("name", "value"), [("card_text", " "), ("bg", ""), ("bg", ["blur", ""]), ("camera", "")])
def test_an_empty_value_has_a_hint(name: str, value: object) -> None:
    """As of a script's variable that is not set."""
    with pytest.raises(SpecError, match=r"^--[a-z-]+: ' ?' is not a text; give a value, or leave the option out$"):
        resolve({name: value}, config=None)


@pytest.mark.parametrize(
    "value", ["0x0", "100000x9", "8193x16", "16x15", "1280", "axb", "1280x720x3", "-2x-2", "\uff11x\uff11", ""]
)
def test_invalid_sizes_are_refused(value: str) -> None:
    with pytest.raises(
        SpecError, match=r"^--size: .* is not WIDTHxHEIGHT with each from 16 to 8192, such as 1280x720$"
    ):
        resolve({"size": value}, config=None)


@given(st.integers(16, 8192), st.integers(16, 8192))
def test_every_size_in_range_is_accepted(width: int, height: int) -> None:
    assert parsers.size(f"{width}x{height}") == (width, height)


@given(st.from_regex(r"[0-9]{0,6}x?[0-9]{0,6}", fullmatch=True) | st.text())
def test_any_text_is_a_size_in_range_or_is_refused(text: str) -> None:
    try:
        width, height = parsers.size(text)
    except ValueError:
        return
    assert [int(side) for side in text.split("x")] == [width, height]
    assert 16 <= min(width, height) <= max(width, height) <= 8192


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("fps", "0", "a number from 1 to 240"),
        ("fps", "nan", "a number from 1 to 240"),
        ("fps", "fast", "a number from 1 to 240"),
        ("threads", "1.5", "a whole number from 1 to 256"),
        ("threads", "0", "a whole number from 1 to 256"),
        ("seconds", "-1", "a number from 0.1 to 10000000"),
        ("frames", "inf", "a whole number from 1 to 1000000000"),
        ("frames", True, "a whole number from 1 to 1000000000"),
        ("fit", "zoom", "one of cover, contain, stretch, tile"),
        ("bg", [], "a text or a list of texts"),
        ("bg", ["a.jpg", 3], "a text"),
        ("bg", "", "a text; give a value, or leave the option out"),
        ("model", 7, "a text"),
        ("camera", -1, "a camera's number, from 0 on, or its name"),
    ],
)
def test_a_wrong_value_says_what_it_should_be(name: str, value: object, expected: str) -> None:
    with pytest.raises(SpecError) as caught:
        resolve({name: value}, config=None)
    assert str(caught.value).endswith(f" is not {expected}")


def test_without_a_home_folder_there_is_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home(*_: object, **__: object) -> Path:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr("realtime_matte.config.toml_file.user_config_path", no_home)
    assert resolve({}, config=None) == Config()


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "rtmatte.toml"
    path.write_bytes(b"\xef\xbb\xbffps = 25\n")
    assert resolve({}, config=str(path)).fps == 25


@pytest.mark.parametrize("text", ["threads = 1" + "0" * 400, "threads = 1" + "0" * 5000, "bg = " + "[" * 5000])
def test_absurd_values_and_nesting_are_errors(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rtmatte.toml"
    path.write_text(text)
    with pytest.raises((BadFile, SpecError), match=r"rtmatte\.toml"):
        resolve({}, config=str(path))


def test_a_missing_named_file_is_an_error() -> None:
    with pytest.raises(
        MissingFile, match=r"cannot read the configuration file .*none.toml: No such file or directory; check"
    ):
        resolve({}, config="none.toml")


def test_a_folder_instead_of_a_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="cannot read the configuration file"):
        resolve({}, config=str(tmp_path))


@pytest.mark.parametrize("text", [b"bg = ", b"bg = 'a'\nbg = 'b'", b"\xff\xfe"])
def test_a_file_that_is_not_toml_is_an_error(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "my.toml"
    path.write_bytes(text)
    with pytest.raises(BadFile, match=r"my\.toml is not a TOML file: "):
        resolve({}, config=str(path))


def test_the_home_folder_is_expanded_after_a_word_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("USERPROFILE", "/home/ann")
    found = resolve({"bg": ["image:~/a.jpg", "~/b.jpg", "c~.jpg"], "card": "~/card.png"}, config=None)
    assert found.bg == (f"image:{Path('/home/ann/a.jpg')}", str(Path("/home/ann/b.jpg")), "c~.jpg")
    assert found.card == str(Path("/home/ann/card.png"))


def test_python_values_are_accepted() -> None:
    config = Config().replace(
        camera=0, bg=Path("beach.jpg"), output=["window", Path("out.mp4")], size=(1280, 720), fps=25, threads=2
    )
    assert (config.camera, config.bg, config.output) == ("0", ("beach.jpg",), ("window", "out.mp4"))
    assert (config.size, config.fps, config.threads) == ((1280, 720), 25.0, 2)


@pytest.mark.parametrize("letter", ["\0", "\x1b", "\x7f", "\x85", "\r", "\ud800"])
def test_control_characters_and_lone_surrogates_are_refused_everywhere(letter: str) -> None:
    texts = [option for option in options() if option.kind in {"text", "list"}]
    assert texts
    for option in texts:
        with pytest.raises(SpecError, match="is not"):
            Config().replace(**{option.name: f"clock{letter}"})
    for overlay in ("text:a", "clock?format="):
        with pytest.raises(SpecError, match="control characters and wrong bytes"):
            Config(overlay=f"{overlay}{letter}")


def test_the_name_of_a_file_need_not_be_utf_8_but_a_text_must(tmp_path: Path) -> None:
    name = os.fsdecode(b"beach-\xff.jpg")
    config = Config(bg=name, overlay=name, card=name)
    assert (config.bg, config.overlay, config.card) == ((name,), (name,), name)
    for option in ("card_text", "overlay"):
        with pytest.raises(SpecError, match="wrong bytes"):
            Config().replace(**{option: f"text:{name}"})
    with pytest.raises(MatteError, match="not in UTF-8"):
        toml_writer.save(tmp_path / "saved/config.toml", {"card": name})
    assert not list((tmp_path / "saved").iterdir())
    assert Config(card_text="two\nlines").card_text == "two\nlines"


def test_none_is_the_default() -> None:
    assert Config(model="large", threads=2).replace(model=None, threads=None) == Config()


@pytest.mark.parametrize("size", [(1280,), (1280, 720, 3), (15, 16), (1280.0, 720.0), (True, 720), ("1280", "720"), 5])
def test_invalid_pairs_are_not_a_size(size: object) -> None:
    with pytest.raises(SpecError, match=r"^size: .* is not WIDTHxHEIGHT with each from 16 to 8192"):
        Config().replace(size=size)


def test_an_unknown_option_names_the_known_ones() -> None:
    known = "there are: .*bg, calibrate, camera, camera_fit, card, card_on_doubt, card_text, center, control, fit,"
    with pytest.raises(SpecError, match=rf"^no option 'background'; did you mean bg[?] {known}"):
        Config().replace(background="blur")


def test_an_invalid_config_does_not_exist() -> None:
    with pytest.raises(SpecError, match=r"^threads: 0 is not a whole number from 1 to 256$"):
        Config(threads=0)
    wrong: Any = "no"
    with pytest.raises(SpecError, match=r"^mirror: 'no' is not true or false$"):
        Config(mirror=wrong)


@pytest.mark.parametrize("option", options(), ids=lambda option: option.name)
def test_every_option_is_described(option: Any) -> None:  # noqa: ANN401
    assert option.help
    assert option.default == getattr(Config(), option.name)
    assert option.default_text or option.kind == "switch"
    assert bool(option.metavar) == (option.kind != "switch")
    assert bool(option.choices) == (option.kind == "choice")
    assert bool(option.range) == (option.kind in {"integer", "number"})
    assert option.default is None or option.parse(option.default) == option.default


def test_options_of_a_group_stand_together() -> None:
    groups = [option.group for option in options()]
    assert [group for group, before in zip(groups, [None, *groups], strict=False) if group != before] == list(
        dict.fromkeys(groups)
    )


def test_all_fits_can_be_chosen() -> None:
    assert get_args(Fit) == parsers.FITS


def test_the_command_line_has_every_option() -> None:
    parser = Parser("rtmatte", "")
    add_options(parser)
    words = ["--bg", "a.jpg", "--bg", "blur", "--no-mirror", "--size", "640x360", "--no-quiet"]
    arguments = vars(parser.parse_args(words))
    assert set(arguments) == {field.name for field in fields(Config)}
    assert from_arguments(arguments) == {"bg": ("a.jpg", "blur"), "mirror": False, "size": (640, 360), "quiet": False}


def test_the_command_line_can_undo_a_switch_of_the_file(tmp_path: Path) -> None:
    path = write_file(tmp_path, "quiet = true\n")
    assert resolve({"quiet": False}, config=path).quiet is False


@pytest.mark.parametrize("name", ["bg", "output", "overlay"])
@pytest.mark.parametrize(("item", "problem"), [(7, "a text"), ("http://host/beach.jpg", "a file: download it first")])
def test_of_several_values_the_wrong_one_is_shown(name: str, item: object, problem: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_values({name: ["green", item]}, prefix="--")
    assert str(caught.value) == f"--{name}: {item!r} is not {problem}"
