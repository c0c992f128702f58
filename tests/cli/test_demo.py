from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from realtime_matte import plugins
from realtime_matte.cli import main
from realtime_matte.cli.exhibit import GAP_PX
from realtime_matte.frame import Pixels, Size
from realtime_matte.models.catalog import weights_folder

SIZE: Size = (1280, 720)
FRAMES = 15

Part = tuple[slice, slice]

FACE: Part = slice(240, 400), slice(500, 630)
"""Rows and columns where there is skin in every frame of the demo."""

ROOM: Part = slice(0, 200), slice(170, 320)
"""... and of the wall behind."""

CODED = 14.0
"""Of 255: mean error that noise and the clip's coding may make."""


def part(picture: Pixels, where: Part) -> Pixels:
    return picture[where].astype(np.float32)


def distance(one: Pixels, other: Pixels, where: Part) -> float:
    return float(np.abs(part(one, where) - part(other, where)).mean())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `rtmatte demo` writes with the shipped network, over what lay there before."""
    if not (weights_folder() / "small.onnx").exists():
        pytest.skip("no weights/small.onnx to show")
    out = tmp_path_factory.mktemp("demo")
    (out / "demo.mp4").write_bytes(b"of an earlier run")
    assert main(["demo", "--out", str(out), "--seconds", str(FRAMES / 30), "--quiet"]) == 0
    return out


@pytest.fixture(scope="module")
def clip(folder: Path) -> list[Pixels]:
    with av.open(str(folder / "demo.mp4")) as opened:
        return [frame.to_ndarray(format="bgr24") for frame in opened.decode(video=0)]


@pytest.fixture(scope="module")
def room() -> list[Pixels]:
    """What the demo camera saw."""
    source = plugins.source("demo").open(f"?frames={FRAMES}", size=SIZE, fps=None)
    taken = [source.read(np.empty((SIZE[1], SIZE[0], 3), np.uint8)) for _ in range(FRAMES)]
    return [frame.pixels for frame in taken if frame]


@pytest.fixture(scope="module")
def studio() -> Pixels:
    background = plugins.background("studio").open("", size=SIZE, fit="cover")
    assert background is not None
    return background.image(None, None)  # type: ignore[arg-type]  # a still asks for neither


def test_the_clip_has_every_frame(clip: list[Pixels]) -> None:
    assert len(clip) == FRAMES
    assert {picture.shape for picture in clip} == {(SIZE[1], SIZE[0], 3)}


def test_the_person_is_there_in_every_frame(clip: list[Pixels], room: list[Pixels], studio: Pixels) -> None:
    for picture, seen in zip(clip, room, strict=True):
        assert distance(picture, seen, FACE) < CODED
        assert distance(picture, studio, FACE) > 2 * CODED


def test_the_room_is_gone_in_every_frame(clip: list[Pixels], room: list[Pixels], studio: Pixels) -> None:
    for picture, seen in zip(clip, room, strict=True):
        assert distance(picture, studio, ROOM) < CODED
        assert distance(picture, seen, ROOM) > 2 * CODED


def test_the_clip_moves_as_the_demo_does(clip: list[Pixels], room: list[Pixels]) -> None:
    first, last = room[0], room[-1]
    assert distance(clip[0], first, FACE) < distance(clip[0], last, FACE)
    assert distance(clip[-1], last, FACE) < distance(clip[-1], first, FACE)


def test_side_by_side_shows_room_matte_and_result(folder: Path, room: list[Pixels], clip: list[Pixels]) -> None:
    picture = cv2.imread(str(folder / "side-by-side.png"))
    assert picture is not None
    assert picture.shape == (SIZE[1], 3 * SIZE[0] + 2 * GAP_PX, 3)
    panels = [picture[:, start : start + SIZE[0]] for start in (0, SIZE[0] + GAP_PX, 2 * (SIZE[0] + GAP_PX))]
    at = FRAMES // 2
    assert np.array_equal(panels[0], room[at])
    assert part(panels[1], FACE).min() > 250
    assert part(panels[1], ROOM).max() < 5
    assert distance(panels[2], clip[at], FACE) < CODED


def test_a_folder_in_a_home_of_nobody_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--out", "~nobody-of-that-name/demo"]) == 2
    assert "no file can be called '~nobody-of-that-name/demo'" in capsys.readouterr().err


def test_it_prints_figures_and_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (weights_folder() / "small.onnx").exists():
        pytest.skip("no weights/small.onnx to show")
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--seconds", "0.1", "--quiet", "--provider", "cpu"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("3 pictures of 1280x720 at 30 fps in ")
    assert "\nmodel small on " in told
    assert f"\nwrote {Path('demo') / 'demo.mp4'} (" in told
    assert f"\nwrote {Path('demo') / 'side-by-side.png'} (" in told


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["demo", "--out", str(tmp_path / "file" / "demo")]) == 2
    assert "cannot make the folder " in capsys.readouterr().err


def test_a_background_of_nothing_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--out", str(tmp_path), "--bg", "none"]) == 2
    assert "the demo shows a background, and 'none' is none; take another --bg" in capsys.readouterr().err
