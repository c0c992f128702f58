"""A whole ONNX network that finds people only by the clean plate, as the renderer and BackgroundRemover run it."""

from pathlib import Path

import numpy as np
import pytest
from fakes import networks as tiny
from fakes.scripted import SolidBackground

from realtime_matte.frame import Frame, Pixels
from realtime_matte.models.checked_network import CheckedNetwork
from realtime_matte.remover import BackgroundRemover
from realtime_matte.render.main_person import MainPerson
from realtime_matte.render.renderer import CpuRenderer

SIZE = (160, 96)
ROOM, NEW = (90, 120, 60), (10, 20, 30)
SCENE = np.full((96, 160, 3), ROOM, np.uint8)
BOX = slice(30, 96), slice(60, 110)


def scene(index: int) -> Pixels:
    """An empty room for a second, then a person in red."""
    pixels = SCENE.copy()
    if index >= 30:
        pixels[BOX] = (40, 40, 240)
    return pixels


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tiny.with_plate(tmp_path / "plate.onnx", difference=1.0)


@pytest.mark.parametrize("only_me", [False, True])
@pytest.mark.parametrize("options", ["", "?quality=high"])
def test_who_enters_a_room_that_is_known_is_composited(path: Path, options: str, only_me: bool) -> None:  # noqa: FBT001
    network = CheckedNetwork(tiny.cpu(f"{path}{options}"))
    renderer = CpuRenderer(
        MainPerson(network) if only_me else network,
        size=SIZE,
        background=SolidBackground(NEW)("", size=SIZE, fit="cover"),
    )
    for index in range(32):
        composite = renderer.render(Frame(scene(index), index / 30, index)).copy()
        if index == 29:
            assert np.abs(composite.astype(int) - NEW).max() <= 2
    inner = composite[40:, 66:104].astype(int)
    assert np.abs(inner - (40, 40, 240)).max() <= 4
    assert np.abs(composite[:, :50].astype(int) - NEW).max() <= 2
    renderer.reset()
    composite = renderer.render(Frame(scene(40), 40 / 30, 40))
    assert np.abs(composite.astype(int) - NEW).max() <= 2, "a new shot knows nothing"


def test_another_renderer_of_the_shot_has_the_plate_in_its_first_frame(path: Path) -> None:
    first, second = (
        CpuRenderer(
            CheckedNetwork(tiny.cpu(str(path))), size=SIZE, background=SolidBackground(NEW)("", size=SIZE, fit="cover")
        )
        for _ in range(2)
    )
    for index in range(30):
        first.render(Frame(scene(index), index / 30, index))
    second.continue_shot(first)
    composite = second.render(Frame(scene(30), 1.0, 30))
    assert np.abs(composite[40:, 66:104].astype(int) - (40, 40, 240)).max() <= 4


def test_shots_of_the_remover_have_plates_of_their_own(path: Path) -> None:
    with BackgroundRemover(lambda: tiny.cpu(str(path))) as remover:
        known, unknown = remover.shot(), remover.shot()
        for index in range(32):
            alpha = known.process(scene(index), index / 30).alpha
        assert alpha[40:, 66:104].min() > 0.95
        assert alpha[:, :50].max() < 0.05
        assert unknown.process(scene(40), 0.0).alpha.max() < 0.05
