"""What is found by a name, and what its result is called."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime_matte.batch import inputs
from realtime_matte.batch.inputs import Input
from realtime_matte.batch.naming import name_results
from realtime_matte.batch.settings import BatchSettings
from realtime_matte.errors import MatteError, MissingFile, SpecError


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def found(folder: Path, *names: str, stills: bool = False) -> list[Input]:
    return inputs.find([str(folder / name) for name in names], out=folder / "out", stills=stills)


def results(folder: Path, *names: str, stills: bool = False, **settings: object) -> list[str]:
    made = BatchSettings(**settings)  # type: ignore[arg-type]
    return [one.name for one in name_results(found(folder, *names, stills=stills), folder / "out", made)]


def test_folders_and_names_are_mirrored(tmp_path: Path) -> None:
    touch(tmp_path, "in/a.mp4", "in/day 1/b.mkv", "in/day 1/c/portrait.jpg", "in/notes.txt", "in/.hidden/d.mp4")
    assert results(tmp_path, "in") == ["a.mov", "day 1/b.mov", "day 1/c/portrait.png"]
    assert results(tmp_path, "in", write="alpha") == ["a/######.png", "day 1/b/######.png", "day 1/c/portrait.png"]


def test_results_of_an_earlier_call_are_no_inputs(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "out/a.mov", "out/b/000000.png")
    assert [one.files for one in found(tmp_path, ".")] == [(str(tmp_path / "a.mp4"),)]


def test_numbered_images_are_a_sequence_with_its_numbers(tmp_path: Path) -> None:
    touch(tmp_path, "plates/shot.0101.png", "plates/shot.0102.png", "plates/shot.0104.png", "plates/ref.png")
    still, sequence = found(tmp_path, "plates")
    assert (still.kind, sequence.kind, sequence.numbers, sequence.digits) == ("still", "sequence", (101, 102, 104), 4)
    assert results(tmp_path, "plates") == ["ref.png", "shot.mov"]
    assert results(tmp_path, "plates", format="exr") == ["ref.exr", "shot.####.exr"]
    assert [one.kind for one in found(tmp_path, "plates", stills=True)] == ["still"] * 4


@pytest.mark.parametrize("pattern", ["shot.%04d.png", "shot.####.png"])
def test_a_pattern_is_a_sequence(tmp_path: Path, pattern: str) -> None:
    touch(tmp_path, "shot.0101.png", "shot.0102.png", "other.0103.png")
    (sequence,) = found(tmp_path, pattern)
    assert (sequence.numbers, sequence.stem) == ((101, 102), "shot")


def test_a_glob_mirrors_the_folders_below_its_fixed_part(tmp_path: Path) -> None:
    touch(tmp_path, "in/a/x.mp4", "in/b/x.mp4", "in/b/y.txt")
    assert results(tmp_path, "in/*/*.mp4") == ["a/x.mov", "b/x.mov"]


def test_a_file_named_twice_is_matted_once(tmp_path: Path) -> None:
    touch(tmp_path, "in/a.mp4")
    assert len(found(tmp_path, "in", "in/a.mp4", "in/*.mp4")) == 1


@pytest.mark.parametrize(
    ("files", "settings"),
    [
        (["in/a.mp4", "in/a.mkv"], {}),
        (["in/a.png", "in/a.jpg"], {}),
        (["in/a.mp4", "in/a/1.png", "in/a/2.png"], {"format": "png8"}),
        (["in/a.1.png", "in/a.2.png", "in/a.2.jpg"], {"format": "png8"}),
        (["in/a.1001.png", "in/a.1002.png", "in/a.1.jpg", "in/a.1002.jpg"], {"format": "png8"}),
    ],
)
def test_two_inputs_with_one_result_are_refused(tmp_path: Path, files: list[str], settings: dict[str, str]) -> None:
    touch(tmp_path, *files)
    with pytest.raises(SpecError, match=r"would both be written|would be in one folder"):
        results(tmp_path, "in", **settings)


def test_a_result_never_replaces_an_input(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4")
    with pytest.raises(SpecError, match="would replace an input"):
        name_results(found(tmp_path, "a.mp4"), tmp_path, BatchSettings(write="composite"))


def test_a_folder_of_results_behind_a_link_is_known(tmp_path: Path) -> None:
    """Else the second run mattes the results of the first, and a result replaces an input."""
    touch(tmp_path, "in/a.png", "in/results/b.png")
    (tmp_path / "out").symlink_to(tmp_path / "in/results", target_is_directory=True)
    assert results(tmp_path, "in") == ["a.png"]
    touch(tmp_path, "in/day/c.png")
    assert results(tmp_path, "in/*/*.png") == ["day/c.png"]
    (tmp_path / "link").symlink_to(tmp_path / "in", target_is_directory=True)
    with pytest.raises(SpecError, match="would replace an input"):
        name_results(found(tmp_path, "in/a.png"), tmp_path / "link", BatchSettings())


@pytest.mark.parametrize("name", ["in", "in/day", "link"])
def test_a_folder_of_results_as_input_is_refused_by_that_name(tmp_path: Path, name: str) -> None:
    touch(tmp_path, "in/day/a.mp4")
    (tmp_path / "link").symlink_to(tmp_path / "in", target_is_directory=True)
    with pytest.raises(SpecError, match="is the folder of results"):
        inputs.find([str(tmp_path / name)], out=tmp_path / "in", stills=False)


@pytest.mark.parametrize("name", ["in/**x", "in/a**/*.mp4"])
def test_an_impossible_glob_is_refused_with_a_hint(tmp_path: Path, name: str) -> None:
    touch(tmp_path, "in/a.mp4")
    with pytest.raises(MatteError) as raised:
        found(tmp_path, name)
    assert raised.value.hint


def test_an_empty_name_is_not_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a.mp4")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingFile, match="empty"):
        inputs.find([""], out=tmp_path / "out", stills=False)


@pytest.mark.parametrize("name", ["none.mp4", "empty", "in/*.mkv", "x.####.png"])
def test_a_name_that_stands_for_nothing_is_refused(tmp_path: Path, name: str) -> None:
    touch(tmp_path, "in/a.mp4")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingFile):
        found(tmp_path, name)


def test_a_folder_that_contains_itself_ends(tmp_path: Path) -> None:
    touch(tmp_path, "in/a.mp4")
    (tmp_path / "in/again").symlink_to(tmp_path / "in", target_is_directory=True)
    assert len(found(tmp_path, "in")) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"write": "mask"},
        {"format": "gif"},
        {"write": "foreground", "format": "mp4"},
        {"first": 9, "last": 3},
        {"warmup_s": float("nan")},
        {"fps": 0},
        {"threads": 0},
        {"fit": "fill"},
        {"write": "composite", "background": "none"},
        {"write": "composite", "background": "camera:0"},
        {"write": "composite", "background": "no such file.jpg"},
    ],
)
def test_impossible_settings_are_refused_with_a_hint(values: dict[str, object]) -> None:
    with pytest.raises(MatteError) as raised:
        BatchSettings(**values)  # type: ignore[arg-type]
    assert raised.value.hint


def test_a_changed_background_file_is_another_setting(tmp_path: Path) -> None:
    path = tmp_path / "wall.png"
    cv2.imwrite(str(path), np.zeros((4, 4, 3), np.uint8))
    before = BatchSettings(write="composite", background=str(path)).identity()
    cv2.imwrite(str(path), np.zeros((8, 4, 3), np.uint8))
    assert BatchSettings(write="composite", background=str(path)).identity() != before
