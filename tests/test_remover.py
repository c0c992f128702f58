from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import networks
from fakes.scripted import MARGIN, MARKER, SIZE, ScriptedNetwork, camera_image, fails, filled, person_box, person_color

from realtime_matte import BackgroundRemover, Matte, Shot, composite, matte_frames, matte_image
from realtime_matte.errors import ModelError, SpecError
from realtime_matte.frame import Pixels
from realtime_matte.remover import NO_PIPELINE
from realtime_matte.render import composite as kernels

LENGTH = 20
"""Frames until the recurrent state of the test network shows in the refined alpha."""


def test_a_graph_of_the_whole_pipeline_is_reported_as_not_used(tmp_path: Path) -> None:
    spec = networks.unverified(networks.green(tmp_path / "green.onnx"))
    with BackgroundRemover(spec, provider="cpu?pipeline") as remover:
        assert remover.process(np.full((64, 96, 3), (0, 200, 0), np.uint8)).alpha.min() == 1
        assert list(remover.notices) == [NO_PIPELINE]
    with BackgroundRemover(spec, provider="cpu") as remover:
        assert list(remover.notices) == []


def frames(count: int) -> list[Pixels]:
    return [camera_image(index) for index in range(count)]


def moving_square(index: int, size: tuple[int, int]) -> Pixels:
    """A bright square on black, moving one pixel a frame."""
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[10:40, 5 + index : 35 + index] = 255
    return pixels


def alphas(shot: Shot, size: tuple[int, int]) -> list[Any]:
    return [shot.process(moving_square(index, size), index / 30).alpha for index in range(LENGTH)]


def test_an_image_gives_a_matte_of_its_size() -> None:
    matte = matte_image(camera_image(0), model=ScriptedNetwork)
    assert matte.alpha.shape == (SIZE[1], SIZE[0])
    assert matte.foreground is not None
    assert matte.foreground.shape == (SIZE[1], SIZE[0], 3)
    rows, columns = person_box(0)
    assert matte.alpha[rows.start + MARGIN :, columns.start + MARGIN : columns.stop - MARGIN].min() == 1
    assert matte.alpha[:, : columns.start - MARGIN].max() == 0


def test_every_frame_gets_its_own_matte_to_keep() -> None:
    mattes = list(matte_frames(frames(3), model=ScriptedNetwork))
    for index, matte in enumerate(mattes):
        rows, columns = person_box(index)
        middle = (rows.start + rows.stop) // 2, (columns.start + columns.stop) // 2
        assert matte.alpha[middle] == 1
        assert matte.alpha[0, 0] == 0
        assert matte.foreground is not None
        assert tuple(matte.foreground[middle]) == person_color(index)
    assert not np.shares_memory(mattes[0].alpha, mattes[1].alpha)


@pytest.mark.parametrize("fps", [0, -5, float("nan"), float("inf")])
def test_an_impossible_frame_rate_is_refused(fps: float) -> None:
    with pytest.raises(SpecError, match=r"^fps is .*, not a number above 0; give the frame rate of the video"):
        list(matte_frames(frames(1), fps=fps, model=ScriptedNetwork))


def test_state_passes_from_frame_to_frame_and_a_new_size_starts_a_new_shot() -> None:
    network = ScriptedNetwork()
    images = [camera_image(0), camera_image(1), camera_image(2, (48, 32)), camera_image(3, (48, 32))]
    mattes = list(matte_frames(images, model=lambda: network))
    assert network.states == [None, (0,), None, (2,)]
    assert [matte.alpha.shape for matte in mattes] == [(64, 96), (64, 96), (32, 48), (32, 48)]
    assert network.closed == 1


def test_frames_are_taken_one_by_one() -> None:
    taken = 0

    def endless() -> object:
        nonlocal taken
        while True:
            taken += 1
            yield camera_image(0)

    mattes = matte_frames(endless(), model=ScriptedNetwork)  # type: ignore[arg-type]  # an endless generator
    next(mattes)
    assert taken == 1
    mattes.close()  # type: ignore[attr-defined]  # it is a generator


def test_a_failing_network_is_an_error_and_is_closed() -> None:
    network = ScriptedNetwork({0: fails})
    with pytest.raises(ModelError, match="the network failed"):
        matte_image(camera_image(0), model=lambda: network)
    assert network.closed == 1


def test_an_invalid_alpha_is_an_error() -> None:
    network = ScriptedNetwork({0: filled(float("nan"))})
    with pytest.raises(ModelError, match=r"model 'scripted' .*nan .* --model"):
        matte_image(camera_image(0), model=lambda: network)


@pytest.mark.parametrize(
    "image",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)],
)
def test_an_array_that_is_not_an_image_is_refused(image: Pixels) -> None:
    with pytest.raises(SpecError, match=r"an image must be \(H, W, 3\) uint8 in BGR, not \("):
        matte_image(image, model=ScriptedNetwork)


@pytest.mark.parametrize("image", ["me.jpg", None])
def test_an_image_that_is_not_an_array_is_refused(image: Any) -> None:  # noqa: ANN401 - whatever callers try
    with pytest.raises(SpecError, match=r"an image must be an array, \(H, W, 3\) uint8 in BGR, not .*; read it with"):
        matte_image(image, model=ScriptedNetwork)


@pytest.mark.parametrize("model", [3, "", None])
def test_a_model_that_is_not_a_name_is_refused(model: Any) -> None:  # noqa: ANN401 - whatever callers try
    with pytest.raises(SpecError, match=r"^model: .* is not a text$"):
        BackgroundRemover(model)


def test_a_view_that_is_not_contiguous_is_accepted() -> None:
    assert matte_image(camera_image(0)[:, ::-1], model=ScriptedNetwork).alpha.shape == (SIZE[1], SIZE[0])


def test_the_network_is_opened_once_and_closed_with_the_remover() -> None:
    opened: list[ScriptedNetwork] = []

    def open_network() -> ScriptedNetwork:
        opened.append(ScriptedNetwork())
        return opened[-1]

    with BackgroundRemover(open_network) as remover:
        for image in frames(3):
            remover.process(image)
        remover.shot().process(camera_image(0))
        assert opened[0].closed == 0
    assert [network.closed for network in opened] == [1]


def test_reset_starts_a_new_shot() -> None:
    network = ScriptedNetwork()
    with BackgroundRemover(lambda: network) as remover:
        remover.process(camera_image(0))
        remover.process(camera_image(1))
        remover.reset()
        remover.process(camera_image(2))
    assert network.states == [None, (0,), None]


def test_each_shot_has_its_own_state() -> None:
    network = ScriptedNetwork()
    with BackgroundRemover(lambda: network) as remover:
        first, second = remover.shot(), remover.shot()
        for shot in (first, second, first, second):
            shot.process(camera_image(0))
    assert network.states == [None, None, (0,), (0,)]


@pytest.mark.parametrize("other", [(96, 64), (128, 72)])
def test_interleaved_shots_are_as_if_alone(ours: str, other: tuple[int, int]) -> None:
    with BackgroundRemover(f"{ours}?unverified", provider="cpu") as remover:
        alone = [alphas(remover.shot(), size) for size in ((96, 64), other)]
        assert not np.array_equal(alone[0][-1], remover.shot().process(moving_square(LENGTH - 1, (96, 64))).alpha)
        shots = remover.shot(), remover.shot()
        for index in range(LENGTH):
            for shot, size, want in zip(shots, ((96, 64), other), alone, strict=True):
                matte = shot.process(moving_square(index, size), index / 30)
                np.testing.assert_array_equal(matte.alpha, want[index])


def test_a_frame_without_a_time_is_a_thirtieth_of_a_second_later(ours: str) -> None:
    with BackgroundRemover(f"{ours}?unverified", provider="cpu") as remover:
        timed, untimed = remover.shot(), remover.shot()
        for index in range(3):
            image = moving_square(index, SIZE)
            np.testing.assert_array_equal(timed.process(image, index / 30).alpha, untimed.process(image).alpha)


def test_over_puts_the_foreground_on_the_background() -> None:
    foreground = np.full((1, 3, 3), 200, np.uint8)
    matte = Matte(np.array([[0, 0.5, 1]], np.float32), foreground)
    assert matte.over(np.full((1, 3, 3), 100, np.uint8))[0, :, 0].tolist() == [100, 150, 200]
    assert matte.over((100, 0, 0))[0].tolist() == [[100, 0, 0], [150, 100, 100], [200, 200, 200]]
    assert composite(matte, np.full((1, 3, 3), 100, np.uint8))[0, :, 0].tolist() == [100, 150, 200]


def test_over_equals_the_compiled_compositing() -> None:
    random = np.random.default_rng(1)
    foreground, background = random.integers(0, 256, (2, 40, 50, 3), np.uint8)
    alpha = np.clip(random.uniform(-0.2, 1.2, (40, 50)), 0, 1).astype(np.float32)
    out = np.empty_like(background)
    kernels.composite(foreground, alpha, background, np.zeros(150, np.uint16), out)
    np.testing.assert_array_equal(Matte(alpha, foreground).over(background), out)


def test_over_shows_nothing_of_the_old_background() -> None:
    matte = matte_image(camera_image(0), model=ScriptedNetwork)
    image = matte.over(np.zeros((SIZE[1], SIZE[0], 3), np.uint8))
    assert not (image == MARKER).all(axis=2).any()


def test_alpha_is_straight_and_last() -> None:
    matte = Matte(np.array([[0, 0.5, 1]], np.float32), np.full((1, 3, 3), (10, 20, 30), np.uint8))
    assert matte.bgra()[0].tolist() == [[0, 0, 0, 0], [10, 20, 30, 128], [10, 20, 30, 255]]
    assert matte.rgba()[0].tolist() == [[0, 0, 0, 0], [30, 20, 10, 128], [30, 20, 10, 255]]
    assert matte.rgba().flags.c_contiguous


def test_a_background_of_another_size_is_refused() -> None:
    matte = matte_image(camera_image(0), model=ScriptedNetwork)
    with pytest.raises(SpecError, match=r"background has shape \(2, 2, 3\), the matte \(64, 96, 3\); resize the"):
        composite(matte, np.zeros((2, 2, 3), np.uint8))


@pytest.mark.parametrize("color", [(0, 0), (0, 0, 256), (-1, 0, 0), (0.5, 0, 0), (0, 0, 0, 0)])
def test_an_invalid_colour_is_refused(color: Any) -> None:  # noqa: ANN401 - whatever callers try
    matte = Matte(np.zeros((2, 2), np.float32), np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(SpecError, match=r"^a colour must be \(blue, green, red\) from 0 to 255, not \("):
        matte.over(color)


def test_a_coarse_matte_cannot_be_composited() -> None:
    with pytest.raises(SpecError, match="this matte has no foreground colours"):
        composite(Matte(np.zeros((2, 2), np.float32)), np.zeros((2, 2, 3), np.uint8))


def test_alpha_and_foreground_of_different_sizes_are_refused() -> None:
    matte = Matte(np.zeros((9, 16), np.float32), np.zeros((90, 160, 3), np.uint8))
    for use in (lambda: matte.over((0, 0, 0)), matte.bgra, matte.rgba):
        with pytest.raises(SpecError, match=r"alpha has shape \(9, 16\), foreground \(90, 160, 3\); take a refined"):
            use()


def test_an_invalid_time_is_refused_and_the_shot_goes_on() -> None:
    with BackgroundRemover(ScriptedNetwork) as remover:
        with pytest.raises(SpecError, match="time must be a number of seconds, not 'x'"):
            remover.process(camera_image(0), time="x")  # type: ignore[arg-type]
        assert remover.process(camera_image(0)).alpha.shape == (SIZE[1], SIZE[0])
