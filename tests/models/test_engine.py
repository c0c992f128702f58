"""Networks on two grids: the base grid finds people, the fine grid draws edges."""

import cv2
import numpy as np
import pytest
from fakes.networks import cpu, grey

from realtime_matte.frame import Alpha, Frame
from realtime_matte.models.engine import REACH_CELLS, AlphaLimit

FINE = "464x256"
"""Input size of ``quality=best`` for a frame of 16:9."""


def square(side: int) -> Frame:
    """White on black."""
    frame = grey(0)
    frame.pixels[360 : 360 + side, 640 : 640 + side] = 255
    return frame


def alpha(spec: str, frame: Frame) -> Alpha:
    return cpu(spec).process(frame, None)[0].alpha.copy()


def test_what_only_the_fine_grid_finds_is_limited_by_the_base_grid(ours: str) -> None:
    dot = square(3)
    base, fine, limited = (alpha(ours + options, dot) for options in ("", f"?size={FINE}", "?quality=best"))
    assert limited.shape == fine.shape
    assert base.max() < fine.max() - 0.1
    assert limited.max() == pytest.approx(base.max(), abs=0.02)


def test_edges_are_those_of_the_fine_grid(ours: str) -> None:
    frame = square(301)
    base, fine, limited = (alpha(ours + options, frame) for options in ("", f"?size={FINE}", "?quality=best"))
    np.testing.assert_allclose(limited, fine, atol=0.01)
    assert np.abs(cv2.resize(base, fine.shape[::-1]) - fine).max() > 0.2


def test_fine_alpha_is_free_only_near_an_edge() -> None:
    base, fine = np.zeros((40, 60), np.float32), np.full((80, 120), 0.5, np.float32)
    base[:, 30:] = 1
    AlphaLimit(base.shape, fine.shape).apply(fine, base)
    far = 2 * (REACH_CELLS + 1)
    assert (fine[:, : 60 - far] == 0).all()
    assert (fine[:, 60 + far :] == 1).all()
    assert (fine[:, 60 - far + 4 : 60 + far - 4] == 0.5).all()


def test_both_grids_keep_their_recurrent_state(ours: str) -> None:
    network = cpu(f"{ours}?quality=best")
    state = None
    for number in (1, 2, 3):
        matte, state = network.process(grey(51), state)
        np.testing.assert_allclose(matte.alpha, 0.2 + 0.01 * number, atol=1e-6)
    fresh, _ = network.process(grey(51), None)
    np.testing.assert_allclose(fresh.alpha, 0.2 + 0.01, atol=1e-6)


def test_earlier_state_stays_valid(ours: str) -> None:
    network = cpu(f"{ours}?quality=high")
    _, first = network.process(grey(51), None)
    network.process(grey(51), first)
    again, _ = network.process(grey(51), first)
    np.testing.assert_allclose(again.alpha, 0.2 + 0.02, atol=1e-6)


def test_another_frame_size_starts_a_shot(ours: str) -> None:
    network = cpu(f"{ours}?quality=high")
    _, state = network.process(grey(51), None)
    matte, _ = network.process(grey(51, (480, 640)), state)
    np.testing.assert_allclose(matte.alpha, 0.2 + 0.01, atol=1e-6)
    assert network.notices == ()


@pytest.mark.parametrize("options", ["", "?quality=low", "?quality=normal", f"?size={FINE}"])
def test_base_grid_runs_only_below_a_fine_grid(ours: str, options: str) -> None:
    network = cpu(ours + options)
    network.process(grey(51), None)
    _, state = network.process(grey(51), None)
    assert not any(isinstance(part, tuple) for part in state)
