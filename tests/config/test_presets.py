"""Presets and the writer of TOML files: what was saved comes back, and comments stay."""

from pathlib import Path

import pytest

from realtime_matte.config import presets, toml_file
from realtime_matte.config.config import Config, options
from realtime_matte.config.toml_file import load, resolve
from realtime_matte.config.toml_writer import save, values_of
from realtime_matte.errors import BadFile, MatteError, MissingFile, SpecError

CHANGED = Config(
    camera="Logitech",
    size=(1280, 720),
    fps=25,
    mirror=True,
    on_demand=True,
    rotate="90",
    zoom=1.5,
    center=(0.25, 0.75),
    bg=("/pictures/beach.jpg", "blur:0.08", "color:#336699"),
    fit="contain",
    only_me=True,
    overlay=("clock", 'text:A "name" = x?at=top-left'),
    output=("virtualcam", "window"),
    model="small?quality=high",
    provider="cpu",
    threads=2,
    card="/pictures/card.png",
    card_text="Back in 5 \\ min",
    calibrate=True,
    card_on_doubt=True,
    panel=True,
    panel_port=8080,
)


@pytest.fixture(autouse=True)
def config_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "config"
    for module in (presets, toml_file):
        monkeypatch.setattr(module, "user_config_path", lambda *_names, **_more: folder)
    return folder


def test_every_option_survives_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rtmatte.toml"
    save(path, values_of(CHANGED))
    assert Config(**load(path)) == CHANGED  # type: ignore[arg-type]
    save(path, values_of(Config()))
    assert load(path) == {}, "defaults are not written"


def test_comments_order_and_what_is_equal_stay(tmp_path: Path) -> None:
    path = tmp_path / "rtmatte.toml"
    text = (
        '# mine\nbg = ["beach.jpg", "blur"]  # relative\n\nmirror   = false\n# the camera\ncamera = 2\nquiet = true\n'
    )
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    save(path, load(path))
    assert path.read_text("utf-8") == text
    save(path, load(path) | {"camera": "3", "mirror": True, "fps": 30.0})
    changed = text.replace("camera = 2", 'camera = "3"').replace("mirror   = false", "mirror   = true")
    assert path.read_text("utf-8") == changed + "fps = 30\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["rtmatte.toml"]


def test_an_option_that_is_back_to_its_default_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "rtmatte.toml"
    path.write_text("# keep\nmirror = true\nfps = 30\n", "utf-8")
    save(path, {"mirror": False, "fps": None})
    assert path.read_text("utf-8") == "# keep\n"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    real, link = tmp_path / "dotfiles/rtmatte.toml", tmp_path / "rtmatte.toml"
    real.write_text("mirror = false\n", "utf-8")
    link.symlink_to(real)
    save(link, {"mirror": True})
    assert link.is_symlink()
    assert load(real) == {"mirror": True}


def test_a_broken_file_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "rtmatte.toml"
    path.write_text("mirror = maybe\n", "utf-8")
    with pytest.raises(BadFile):
        save(path, {"mirror": True})
    assert path.read_text("utf-8") == "mirror = maybe\n"
    with pytest.raises(MatteError, match="cannot write"):
        save(path / "in a file.toml", {"mirror": True})


# presets


def test_a_preset_is_between_command_line_and_file(tmp_path: Path) -> None:
    file = tmp_path / "file.toml"
    file.write_text('bg = "blur"\nmirror = true\nfps = 20\n', "utf-8")
    presets.save("call", {"bg": ("green",), "fps": 25.0})
    found = resolve({"fps": "30"}, config=str(file), preset=presets.load("call"))
    assert (found.bg, found.mirror, found.fps) == (("green",), True, 30)


def test_presets_hold_no_options_of_one_start() -> None:
    presets.save("all", values_of(CHANGED.replace(seconds=3, quiet=True)))
    assert set(presets.load("all")) <= presets.KEPT
    assert {option.name for option in options() if option.applies == "start"} & presets.KEPT == set()


def test_presets_are_listed_replaced_and_deleted(config_folder: Path) -> None:
    assert presets.names() == []
    for name in ("b", "Ä ü", "a"):
        presets.save(name, {"mirror": True})
    presets.save("a", {"mirror": True, "fps": 9})
    assert presets.names() == ["a", "b", "Ä ü"]
    assert presets.load("a") == {"mirror": True, "fps": 9}
    presets.delete("b")
    (config_folder / "presets/.hidden.toml").write_text("", "utf-8")
    assert presets.names() == ["a", "Ä ü"]


@pytest.mark.parametrize(
    "name", ["", " ", "../x", "a/b", "a\\b", ".", "..", "a.toml", "a\0b", "a\nb", "x" * 61, "CON", "lpt1", " a", "a "]
)
def test_a_name_that_could_be_a_path_is_refused(name: str) -> None:
    for action in (presets.load, presets.delete, lambda name: presets.save(name, {})):
        with pytest.raises(SpecError, match="a preset cannot be called"):
            action(name)


def test_an_unknown_preset_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(MissingFile, match="no preset called 'meeting'; save one in the control panel"):
        presets.load("meeting")
    presets.save("meetings", {})
    with pytest.raises(MissingFile, match=r"did you mean meetings\?"):
        presets.load("meeting")


def test_there_is_a_limit_of_presets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presets, "MAX_PRESETS", 1)
    presets.save("a", {})
    presets.save("a", {"mirror": True})
    with pytest.raises(SpecError, match="there are 1 presets"):
        presets.save("b", {})
