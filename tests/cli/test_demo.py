import re
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from realtime_matte import plugins
from realtime_matte.cli.demo import GAP_PX
from realtime_matte.cli.main import main
from realtime_matte.frame import Pixels, Size
from realtime_matte.models.catalog import weights_folder

SIZE: Size = (1280, 720)
FRAMES = 15

Part = tuple[slice, slice]

FACE: Part = slice(240, 400), slice(500, 630)
"""Rows and columns that show skin in every frame of the demo."""

BACKGROUND: Part = slice(0, 200), slice(170, 320)
"""Rows and columns that show the old background in every frame."""

CODING_ERROR = 14.0
"""Mean error of noise and the clip's coding, of 255."""


def part(image: Pixels, where: Part) -> Pixels:
    return image[where].astype(np.float32)


def distance(one: Pixels, other: Pixels, where: Part) -> float:
    return float(np.abs(part(one, where) - part(other, where)).mean())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `rtmatte demo` writes with the shipped network, over the clip of an earlier run."""
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
def frames() -> list[Pixels]:
    """The frames of the demo source."""
    source = plugins.source("demo").open(f"?frames={FRAMES}", size=SIZE, fps=None)
    taken = [source.read(np.empty((SIZE[1], SIZE[0], 3), np.uint8)) for _ in range(FRAMES)]
    return [frame.pixels for frame in taken if frame]


@pytest.fixture(scope="module")
def studio() -> Pixels:
    background = plugins.background("studio").open("", size=SIZE, fit="cover")
    assert background is not None
    return background.image(None, None)  # type: ignore[arg-type]  # a still image needs neither


def test_the_clip_has_every_frame(clip: list[Pixels]) -> None:
    assert len(clip) == FRAMES
    assert {composite.shape for composite in clip} == {(SIZE[1], SIZE[0], 3)}


def test_every_composite_shows_the_person(clip: list[Pixels], frames: list[Pixels], studio: Pixels) -> None:
    for composite, frame in zip(clip, frames, strict=True):
        assert distance(composite, frame, FACE) < CODING_ERROR
        assert distance(composite, studio, FACE) > 2 * CODING_ERROR


def test_no_composite_shows_the_old_background(clip: list[Pixels], frames: list[Pixels], studio: Pixels) -> None:
    for composite, frame in zip(clip, frames, strict=True):
        assert distance(composite, studio, BACKGROUND) < CODING_ERROR
        assert distance(composite, frame, BACKGROUND) > 2 * CODING_ERROR


def test_the_clip_moves_as_the_source_does(clip: list[Pixels], frames: list[Pixels]) -> None:
    first, last = frames[0], frames[-1]
    assert distance(clip[0], first, FACE) < distance(clip[0], last, FACE)
    assert distance(clip[-1], last, FACE) < distance(clip[-1], first, FACE)


def test_side_by_side_shows_frame_alpha_and_composite(folder: Path, frames: list[Pixels], clip: list[Pixels]) -> None:
    image = cv2.imread(str(folder / "side-by-side.png"))
    assert image is not None
    assert image.shape == (SIZE[1], 3 * SIZE[0] + 2 * GAP_PX, 3)
    panels = [image[:, start : start + SIZE[0]] for start in (0, SIZE[0] + GAP_PX, 2 * (SIZE[0] + GAP_PX))]
    at = FRAMES // 2
    assert np.array_equal(panels[0], frames[at])
    assert part(panels[1], FACE).min() > 250
    assert part(panels[1], BACKGROUND).max() < 5
    assert distance(panels[2], clip[at], FACE) < CODING_ERROR


def test_a_folder_in_an_unknown_home_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--out", "~no-such-user/demo"]) == 2
    assert "no file can be called '~no-such-user/demo'" in capsys.readouterr().err


def test_it_prints_figures_and_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (weights_folder() / "small.onnx").exists():
        pytest.skip("no weights/small.onnx to show")
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--seconds", "0.1", "--quiet", "--provider", "cpu"]) == 0
    printed = capsys.readouterr().out
    assert re.match(r"3 frames of 1280x720, [\d.]+ fps with encoding; [\d.]+ s in all, with start-up\n", printed)
    assert "\nmodel small on " in printed
    assert f"\nwrote {Path('demo') / 'demo.mp4'} (" in printed
    assert f"\nwrote {Path('demo') / 'side-by-side.png'} (" in printed


def test_a_folder_that_cannot_be_created_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["demo", "--out", str(tmp_path / "file" / "demo")]) == 2
    assert "cannot create the folder " in capsys.readouterr().err


def test_the_demo_needs_a_background(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--out", str(tmp_path), "--bg", "none"]) == 2
    assert "the demo needs a background, and 'none' is none; choose another --bg" in capsys.readouterr().err
