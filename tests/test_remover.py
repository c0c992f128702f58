from typing import Any

import numpy as np
import pytest
from fakes.scripted import MARGIN, MARKER, SIZE, ScriptedNetwork, box, color, fails, room, spoiled

from realtime_matte import composite, matte_frames, matte_image
from realtime_matte.errors import ModelError, SpecError
from realtime_matte.frame import Matte, Pixels


def shot(frames: int) -> list[Pixels]:
    return [room(index) for index in range(frames)]


def test_a_picture_gives_a_matte_of_its_size() -> None:
    matte = matte_image(room(0), model=ScriptedNetwork)
    assert matte.alpha.shape == (SIZE[1], SIZE[0])
    assert matte.foreground is not None
    assert matte.foreground.shape == (SIZE[1], SIZE[0], 3)
    rows, columns = box(0)
    assert matte.alpha[rows.start + MARGIN :, columns.start + MARGIN : columns.stop - MARGIN].min() == 1
    assert matte.alpha[:, : columns.start - MARGIN].max() == 0


def test_mattes_of_a_shot_are_each_their_own() -> None:
    mattes = list(matte_frames(shot(3), model=ScriptedNetwork))
    for index, matte in enumerate(mattes):
        rows, columns = box(index)
        middle = (rows.start + rows.stop) // 2, (columns.start + columns.stop) // 2
        assert matte.alpha[middle] == 1
        assert matte.alpha[0, 0] == 0
        assert matte.foreground is not None
        assert tuple(matte.foreground[middle]) == color(index)
    assert not np.shares_memory(mattes[0].alpha, mattes[1].alpha)


@pytest.mark.parametrize("fps", [0, -5, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(fps: float) -> None:
    with pytest.raises(SpecError, match="frames a second"):
        list(matte_frames(shot(1), fps=fps, model=ScriptedNetwork))


def test_the_networks_memory_goes_from_frame_to_frame_and_a_new_size_starts_anew() -> None:
    network = ScriptedNetwork()
    pictures = [room(0), room(1), room(2, (48, 32)), room(3, (48, 32))]
    mattes = list(matte_frames(pictures, model=lambda: network))
    assert network.states == [None, (0,), None, (2,)]
    assert [matte.alpha.shape for matte in mattes] == [(64, 96), (64, 96), (32, 48), (32, 48)]
    assert network.closed == 1


def test_frames_are_asked_for_one_by_one() -> None:
    asked = 0

    def pictures() -> object:
        nonlocal asked
        while True:
            asked += 1
            yield room(0)

    mattes = matte_frames(pictures(), model=ScriptedNetwork)  # type: ignore[arg-type]  # an endless generator
    next(mattes)
    assert asked == 1
    mattes.close()  # type: ignore[attr-defined]  # it is a generator


def test_a_network_that_fails_is_an_error_and_is_closed() -> None:
    network = ScriptedNetwork({0: fails})
    with pytest.raises(ModelError, match="the network failed"):
        matte_image(room(0), model=lambda: network)
    assert network.closed == 1


def test_what_is_no_alpha_is_an_error() -> None:
    network = ScriptedNetwork({0: spoiled(float("nan"))})
    with pytest.raises(
        ModelError, match=r"model 'scripted' gave nan .. nan for alphas of 0 .. 1; take another --model"
    ):
        matte_image(room(0), model=lambda: network)


@pytest.mark.parametrize(
    "picture",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)],
)
def test_what_is_no_picture_is_told(picture: Pixels) -> None:
    with pytest.raises(SpecError, match=r"a picture is \(H, W, 3\) uint8 in BGR, not \("):
        matte_image(picture, model=ScriptedNetwork)


@pytest.mark.parametrize("picture", ["me.jpg", None])
def test_what_is_no_array_is_told(picture: Any) -> None:  # noqa: ANN401 - whatever callers try
    with pytest.raises(SpecError, match=r"a picture is an array, \(H, W, 3\) uint8 in BGR, not .*; read it first"):
        matte_image(picture, model=ScriptedNetwork)


def test_a_view_that_is_not_contiguous_is_taken_too() -> None:
    assert matte_image(room(0)[:, ::-1], model=ScriptedNetwork).alpha.shape == (SIZE[1], SIZE[0])


def test_composite_is_the_person_on_the_background() -> None:
    foreground = np.full((1, 3, 3), 200, np.uint8)
    alpha = np.array([[0, 0.5, 1]], np.float32)
    picture = composite(Matte(alpha, foreground), np.full((1, 3, 3), 100, np.uint8))
    assert picture[0, :, 0].tolist() == [100, 150, 200]


def test_composite_shows_nothing_of_the_room() -> None:
    matte = matte_image(room(0), model=ScriptedNetwork)
    picture = composite(matte, np.zeros((SIZE[1], SIZE[0], 3), np.uint8))
    assert not (picture == MARKER).all(axis=2).any()


def test_a_background_of_another_size_is_told() -> None:
    matte = matte_image(room(0), model=ScriptedNetwork)
    with pytest.raises(SpecError, match=r"a background is of the foreground's shape \(64, 96, 3\), not \(2, 2, 3\)"):
        composite(matte, np.zeros((2, 2, 3), np.uint8))


def test_a_coarse_matte_cannot_be_composited() -> None:
    with pytest.raises(SpecError, match="a background is of the foreground's shape none, not"):
        composite(Matte(np.zeros((2, 2), np.float32)), np.zeros((2, 2, 3), np.uint8))
