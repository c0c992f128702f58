"""The keyer: exact on made-up screens, and no matte without one."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime_matte import models
from realtime_matte.errors import MatteError, NoMatte, SpecError
from realtime_matte.frame import Frame, Matte, Pixels
from realtime_matte.interfaces import RecurrentState
from realtime_matte.models.checked_network import check_matte

SIZE = (320, 180)
GREEN, BLUE = (64, 177, 0), (200, 70, 30)
SKIN, GREY, SHIRT = (110, 140, 200), (120, 120, 120), (40, 50, 160)


def scene(
    screen: tuple[int, int, int] | NDArray[np.float64], *, blur: float = 0.0
) -> tuple[Pixels, NDArray[np.float64], NDArray[np.float64]]:
    """The frame, its true alpha, and the person's colours: a grey figure with a face and a red shirt."""
    colors = np.zeros((SIZE[1], SIZE[0], 3))
    colors[:] = GREY
    colors[:90, :] = SKIN
    colors[130:] = SHIRT
    alpha = np.zeros((SIZE[1], SIZE[0]))
    alpha[40:, 110:210] = 1
    if blur:
        alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), blur))
    mixed = colors * alpha[..., None] + np.asarray(screen) * (1 - alpha[..., None])
    return np.rint(np.clip(mixed, 0, 255)).astype(np.uint8), alpha, colors


def keyed(pixels: Pixels, spec: str = "chromakey", state: RecurrentState | None = None) -> Matte:
    frame = Frame(pixels, 0.0, 0)
    return check_matte(models.open(spec).process(frame, state)[0], frame)


@pytest.mark.parametrize("color", [GREEN, BLUE, (90, 140, 60), (40, 230, 30)])
def test_a_screen_is_found_and_keyed(color: tuple[int, int, int]) -> None:
    pixels, alpha, colors = scene(color)
    matte = keyed(pixels)
    assert np.abs(matte.alpha - alpha).mean() < 0.003
    assert matte.foreground is not None
    inside = alpha == 1
    errors = np.abs(matte.foreground[inside].astype(int) - colors[inside])
    assert np.percentile(errors, 99) <= 2
    assert not matte.foreground[matte.alpha == 0].any()


@pytest.mark.parametrize("color", [GREEN, BLUE])
def test_soft_edges_keep_their_alpha_and_lose_the_screens_colour(color: tuple[int, int, int]) -> None:
    pixels, alpha, colors = scene(color, blur=1.5)
    matte = keyed(pixels)
    edge = (alpha > 0.25) & (alpha < 0.75)
    assert np.abs(matte.alpha - alpha)[edge].mean() < 0.13  # the ends are cut, against noise: the ramp is steeper
    assert matte.foreground is not None
    error = np.abs(matte.foreground[edge].astype(int) - colors[edge]).mean()
    mixed = np.abs(pixels[edge].astype(int) - colors[edge]).mean()
    assert error < 0.4 * mixed


def test_uneven_light_is_allowed_for() -> None:
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    light = 1 - 0.45 * np.hypot(x / SIZE[0] - 0.2, y / SIZE[1] - 0.3)
    pixels, alpha, _ = scene(np.array(GREEN) * light[..., None])
    assert np.abs(keyed(pixels).alpha - alpha).mean() < 0.005


def test_the_screens_reflection_on_the_person_is_removed() -> None:
    pixels, alpha, _ = scene(GREEN)
    lit = np.clip(pixels + (alpha * 0.12)[..., None] * np.array(GREEN), 0, 255).astype(np.uint8)
    face = np.s_[50:80, 120:200]
    matte = keyed(lit)
    assert matte.foreground is not None
    assert matte.alpha[face].min() > 0.97
    grey = matte.foreground[95:125, 120:200].astype(int)
    before = lit[95:125, 120:200].astype(int)
    assert (before[..., 1] - before[..., [0, 2]].max(axis=2)).min() > 10
    assert (grey[..., 1] - grey[..., [0, 2]].max(axis=2)).max() <= 3


def test_noise_does_not_show_on_the_screen() -> None:
    pixels, alpha, _ = scene(GREEN)
    noisy = np.clip(pixels + np.random.default_rng(0).normal(0, 6, pixels.shape), 0, 255).astype(np.uint8)
    assert keyed(noisy).alpha[alpha == 0].mean() < 0.003


def test_the_colour_can_be_given() -> None:
    pixels, alpha, _ = scene((0, 150, 150))  # a yellow one, which is not looked for
    with pytest.raises(NoMatte):
        keyed(pixels)
    assert np.abs(keyed(pixels, "chromakey?color=#969600").alpha - alpha).mean() < 0.02


def test_similarity_and_smoothness_move_the_ends() -> None:
    pixels, alpha, _ = scene(GREEN, blur=6)
    middle = (alpha > 0.45) & (alpha < 0.55)
    assert keyed(pixels, "chromakey?similarity=600").alpha[middle].max() < 0.1
    assert keyed(pixels, "chromakey?similarity=0&smoothness=300").alpha[middle].mean() > 0.9


@pytest.mark.parametrize("share", [0.0, 0.10, 0.14])
def test_too_little_screen_gives_no_matte(share: float) -> None:
    pixels = np.full((SIZE[1], SIZE[0], 3), SKIN, np.uint8)
    pixels[:, : round(share * SIZE[0])] = GREEN
    with pytest.raises(NoMatte, match="there is no green or blue screen on at least 15 % of the image"):
        keyed(pixels)
    with pytest.raises(NoMatte):
        keyed(pixels, "chromakey?color=#00b140")


def test_enough_screen_gives_one() -> None:
    pixels = np.full((SIZE[1], SIZE[0], 3), SKIN, np.uint8)
    pixels[:, : round(0.18 * SIZE[0])] = GREEN
    assert keyed(pixels).alpha.mean() == pytest.approx(0.82, abs=0.02)


def test_a_screen_that_vanishes_gives_no_matte_at_once() -> None:
    keyer = models.open("chromakey")
    _, state = keyer.process(Frame(scene(GREEN)[0], 0.0, 0), None)
    room = np.full((SIZE[1], SIZE[0], 3), (60, 90, 120), np.uint8)
    with pytest.raises(NoMatte):
        keyer.process(Frame(room, 0.03, 1), state)


def test_frames_of_any_size_are_keyed() -> None:
    keyer = models.open("chromakey")
    for size in ((1920, 1080), (64, 48), (17, 31), (1280, 720)):
        pixels = cv2.resize(scene(GREEN)[0], size, interpolation=cv2.INTER_NEAREST)
        matte, _ = keyer.process(Frame(pixels, 0.0, 0), None)
        assert matte.alpha.shape == (size[1], size[0])
        assert 0.2 < matte.alpha.mean() < 0.3


def test_buffers_are_allocated_once() -> None:
    keyer = models.open("chromakey")
    first, state = keyer.process(Frame(scene(GREEN)[0], 0.0, 0), None)
    second, _ = keyer.process(Frame(scene(GREEN)[0], 0.1, 1), state)
    assert first.alpha is second.alpha
    assert first.foreground is second.foreground


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("chromakey?color=green", "is not auto, or a code such as #00b140"),
        ("chromakey?color=#808080", "too grey to be distinguished from a person"),
        ("chromakey?similarity=2000", "is not a number from 0 to 1000"),
        ("chromakey?spill=x", "is not a number from 0 to 1000"),
        ("chromakey?quality=high", "no option 'quality'"),
        ("chromakei", "did you mean chromakey"),
    ],
)
def test_a_wrong_spec_is_refused(spec: str, message: str) -> None:
    with pytest.raises(MatteError, match=message):
        models.open(spec)


def test_it_runs_on_the_cpu_only() -> None:
    assert models.open("chromakey", provider="cpu").provider == "cpu"
    with pytest.raises(SpecError, match="the model chromakey does not run on cuda"):
        models.open("chromakey", provider="cuda")
