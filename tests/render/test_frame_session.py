"""A session of the graph: states go from frame to frame, and what was not computed is noticed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fakes import networks as tiny
from fakes.frame_graphs import frame_session, network_file, noisy_image

from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.models.engine import NotFinite
from realtime_matte.models.family import OutOfRange
from realtime_matte.render.frame_controls import Controls, ControlValues
from realtime_matte.render.frame_session import FrameSession, NotComputed

SIZE: Size = (96, 64)
FIRST = Controls(0.0, 1.0, 0.0, 0.0, 0.0, 0.0)
LATER = Controls(0.03, 0.1, 0.1, 0.1, 0.0, 0.0)


@pytest.fixture
def session(tmp_path: Path) -> FrameSession:
    return frame_session(network_file(tiny.green(tmp_path / "green.onnx")), SIZE, tmp_path)[1]


def half_green(columns: int = 48) -> Pixels:
    pixels = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    pixels[:, :columns] = (20, 200, 40)
    return pixels


def state(session: FrameSession, name: str) -> np.ndarray:
    values: np.ndarray = session.states[name].numpy()
    return values


def test_states_are_passed_on_from_frame_to_frame(session: FrameSession) -> None:
    for number in range(1, 6):
        session.run(half_green(), FIRST if number == 1 else LATER)
        assert (state(session, "network_m8") == number).all()


def test_a_reset_starts_with_empty_states(session: FrameSession) -> None:
    for _ in range(3):
        session.run(half_green(), LATER)
    session.reset()
    assert not any(state(session, name).any() for name in session.states)
    session.run(half_green(), FIRST)
    assert (state(session, "network_m8") == 1).all()


def test_the_person_is_over_the_background(session: FrameSession) -> None:
    session.set_background(noisy_image(SIZE))
    image, measures = session.run(half_green(), FIRST)
    assert (image[:, :40] == (20, 200, 40)).all()
    assert (image[:, 56:] == noisy_image(SIZE)[:, 56:]).all()
    assert measures["covered"] == pytest.approx(0.5, abs=0.02)


def test_small_changes_of_alpha_are_smoothed(session: FrameSession) -> None:
    pixels = np.full((SIZE[1], SIZE[0], 3), 60, np.uint8)
    pixels[:, : SIZE[0] // 3] = 200  # otherwise it is sure of nothing, and all is removed
    grey = np.s_[..., SIZE[0] // 2 : SIZE[0] * 3 // 4]
    session.run(pixels, FIRST)
    before = state(session, "alpha")[grey].mean()
    session.run(pixels + np.uint8(4), LATER)
    assert before == pytest.approx(0.5)
    assert state(session, "alpha")[grey].mean() == pytest.approx(0.5 + (4 / 60) * (4 / 60 / 0.2), abs=1e-4)


def test_another_network_continues_the_shot_on_the_same_grid(session: FrameSession, tmp_path: Path) -> None:
    file = network_file(tiny.green(tmp_path / "other.onnx"))
    other = frame_session(file, SIZE, tmp_path)[1]
    coarse = frame_session(network_file(tiny.green(tmp_path / "coarse.onnx", area=48 * 32)), SIZE, tmp_path)[1]
    session.run(half_green(), FIRST)
    assert other.continue_shot(session)
    assert np.array_equal(state(other, "plate"), state(session, "plate"))
    assert state(other, "plate").any()
    assert not state(other, "network_m8").any()
    assert not coarse.continue_shot(session)
    assert not state(coarse, "plate").any()


def nothing(_turn: int) -> None:
    """A run that ends without an error and computes nothing."""


def test_a_run_that_computes_nothing_is_noticed(session: FrameSession, monkeypatch: pytest.MonkeyPatch) -> None:
    session.run(half_green(), FIRST)
    monkeypatch.setattr(session, "_run_bound", nothing)
    with pytest.raises(NotComputed):
        session.run(half_green(20), LATER)


def test_a_network_that_gives_nan_is_noticed(tmp_path: Path) -> None:
    file = network_file(tiny.green(tmp_path / "nan.onnx", spoils_state=True))
    session = frame_session(file, SIZE, tmp_path)[1]
    session.run(half_green(), FIRST)
    with pytest.raises(NotFinite):
        session.run(half_green(), LATER)


def test_an_output_that_is_no_alpha_is_noticed(session: FrameSession, monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., None] = session._check

    def check(measures: dict[str, float]) -> None:
        real(measures | {"most": 7.0})

    monkeypatch.setattr(session, "_check", check)
    with pytest.raises(OutOfRange, match=r"its output is in 0 \.\. 7"):
        session.run(half_green(), FIRST)


def test_controls_follow_the_times_of_the_frames() -> None:
    values = ControlValues(SIZE)
    frame = half_green()
    first, second = values.of(Frame(frame, 5.0, 0)), values.of(Frame(frame, 5.12, 1))
    assert (first.alpha_weight, first.plate_weight, first.epsilon) == (1.0, 0.0, 0.0)
    assert second.alpha_weight == pytest.approx(1 - np.exp(-1))
    assert second.plate_weight == pytest.approx(1 - np.exp(-0.4))
    values.reset()
    assert values.of(Frame(frame, 6.0, 2)).alpha_weight == 1.0


def test_noise_changes_the_controls() -> None:
    values, generator = ControlValues(SIZE), np.random.default_rng(1)
    for index in range(2):
        noisy = np.clip(generator.normal(128, 10, (SIZE[1], SIZE[0], 3)), 0, 255).astype(np.uint8)
        controls = values.of(Frame(noisy, index / 30, index))
    assert controls.epsilon == pytest.approx(32 * ((10 / 255) ** 2 - (3 / 255) ** 2), rel=0.3)
    assert controls.anchored > 0.9
