"""The renderer of one graph: what the graph renders, what is left to the CPU, and what a failure leads to."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fakes import networks as tiny
from fakes.frame_graphs import Still, cpu_network, frame_session, network_file, noisy_image

from realtime_matte.backgrounds import blur
from realtime_matte.config.config import Config
from realtime_matte.effects.chain import Effects
from realtime_matte.errors import SpecError
from realtime_matte.frame import Frame, Pixels, RefinedMatte, Size
from realtime_matte.interfaces import Background
from realtime_matte.media import i420
from realtime_matte.render import doubt
from realtime_matte.render.gpu_renderer import ALPHA, BACKGROUND, EFFECTS, GpuRenderer
from realtime_matte.render.renderer import CpuRenderer

SIZE: Size = (96, 64)
PERSON, ROOM = (20, 200, 40), (255, 0, 255)

Make = Callable[..., GpuRenderer]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(background: Background | None, *, effects: Effects | None = None, **network: object) -> GpuRenderer:
        file = network_file(tiny.green(tmp_path / "green.onnx", **network))  # type: ignore[arg-type]
        cpu = CpuRenderer(cpu_network(file), size=SIZE, background=background, effects=effects)
        return GpuRenderer(frame_session(file, SIZE, tmp_path)[1], cpu, effects=effects)

    return made


def frame(index: int, columns: int = 48) -> Frame:
    pixels = np.full((SIZE[1], SIZE[0], 3), ROOM, np.uint8)
    pixels[:, :columns] = PERSON
    return Frame(pixels, index / 30, index)


def background_of(image: Pixels) -> Pixels:
    """The part where no person is."""
    return image[:, 60:]


class Moving:
    """A background that is another image each time, in one array."""

    def __init__(self) -> None:
        self.pixels = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)

    def image(self, frame: Frame, matte: RefinedMatte) -> Pixels:  # noqa: ARG002 - as every background
        self.pixels += 10
        return self.pixels

    def close(self) -> None: ...


class ReadsMatte(Moving):
    """A background that reads the matte."""

    def image(self, frame: Frame, matte: RefinedMatte) -> Pixels:
        assert matte.alpha.shape == frame.pixels.shape[:2]
        return super().image(frame, matte)


def test_the_person_is_kept_and_the_room_is_not(make: Make) -> None:
    renderer = make(Still(noisy_image(SIZE)))
    image = renderer.render(frame(0))
    assert (image[:, :36] == PERSON).all()
    assert (background_of(image) == background_of(noisy_image(SIZE))).all()
    assert not (image == ROOM).all(axis=2).any()
    assert renderer.grid == SIZE
    assert renderer.covered == pytest.approx(0.5, abs=0.02)


def test_a_still_background_is_uploaded_once(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    renderer, uploads = make(Still(noisy_image(SIZE))), list[Pixels]()
    upload = renderer._session.set_background
    monkeypatch.setattr(renderer._session, "set_background", lambda image: (uploads.append(image), upload(image)))
    for index in range(3):
        renderer.render(frame(index))
    assert len(uploads) == 1
    renderer.background = Still(np.full((SIZE[1], SIZE[0], 3), 7, np.uint8))
    assert (background_of(renderer.render(frame(3))) == 7).all()
    assert len(uploads) == 2


def test_a_moving_background_is_uploaded_each_time(make: Make) -> None:
    renderer = make(Moving())
    shown = [int(background_of(renderer.render(frame(index)))[0, 0, 0]) for index in range(3)]
    assert shown == [10, 20, 30]


def test_a_background_of_another_shape_is_refused(make: Make) -> None:
    renderer = make(Still(np.zeros((10, 10, 3), np.uint8)))
    with pytest.raises(SpecError, match="must be"):
        renderer.render(frame(0))


def test_frames_in_i420_are_rendered(make: Make) -> None:
    renderer, planes = make(Still(noisy_image(SIZE))), i420.empty(SIZE)
    i420.from_bgr(frame(0).pixels, planes)
    image = renderer.render(Frame(planes, 0.0, 0, "i420"))
    assert np.abs(image[:, :36].astype(int) - PERSON).max() <= 3
    assert renderer.on_gpu


def effects(**options: object) -> Effects:
    return Effects(Config().replace(**options), size=SIZE)


def open_blur() -> Background:
    opened = blur.open("", size=SIZE, fit="cover")
    assert opened
    return opened


@pytest.mark.parametrize(
    ("open_background", "options", "reason"),
    [
        (lambda: None, {}, ALPHA),
        (ReadsMatte, {}, BACKGROUND),
        (open_blur, {}, BACKGROUND),
        (Moving, {"white_balance": "auto"}, EFFECTS),
        (Moving, {"auto_frame": True}, EFFECTS),
    ],
)
def test_what_the_graph_cannot_do_is_rendered_on_the_cpu(
    make: Make, tmp_path: Path, open_background: Callable[[], Background], options: dict[str, object], reason: str
) -> None:
    renderer = make(open_background(), effects=effects(**options))
    network = cpu_network(network_file(tmp_path / "green.onnx"))
    cpu = CpuRenderer(network, size=SIZE, background=open_background(), effects=effects(**options))
    for index in range(2):
        assert np.array_equal(renderer.render(frame(index)), cpu.render(frame(index)))
    assert not renderer.on_gpu
    assert renderer.notices == [f"{reason}: such frames are rendered on the CPU, not by CPU"]
    assert renderer.covered == pytest.approx(0.5, abs=0.02)


def test_the_graph_continues_with_a_shot_of_its_own_after_frames_on_the_cpu(make: Make) -> None:
    renderer, beach = make(Still(noisy_image(SIZE))), Still(noisy_image(SIZE))
    renderer.render(frame(0, columns=20))
    renderer.background = ReadsMatte()
    renderer.render(frame(1))
    assert not renderer.on_gpu
    renderer.background = beach
    image = renderer.render(frame(2))
    assert renderer.on_gpu
    assert (renderer._session.states["network_m8"].numpy() == 1).all(), "its earlier states are of another shot"
    assert (image[:, :36] == PERSON).all()


def nothing(_turn: int) -> None:
    """A run that computes nothing."""


def broken(_turn: int) -> None:
    raise RuntimeError("CUDA failure 700: an illegal memory access was encountered")


@pytest.mark.parametrize(
    ("fault", "reason"), [(broken, "CUDA failure 700"), (nothing, "a run ended without computing its frame")]
)
def test_the_frame_on_which_it_fails_is_rendered_on_the_cpu(
    make: Make, monkeypatch: pytest.MonkeyPatch, fault: Callable[[int], None], reason: str
) -> None:
    renderer = make(Still(noisy_image(SIZE)))
    renderer.render(frame(0, columns=20))
    monkeypatch.setattr(renderer._session, "_run_bound", fault)
    for index in range(1, 3):
        assert (renderer.render(frame(index))[:, :36] == PERSON).all()
    assert renderer._session is None
    (notice,) = renderer.notices
    assert notice.startswith("CPU failed while running (")
    assert reason in notice


def test_nan_is_not_shown(make: Make) -> None:
    """The CPU renders the frame, with a network that starts a new shot; on it this one fails as well from then on."""
    renderer = make(Still(noisy_image(SIZE)), spoils_state=True)
    for index in range(4):
        image = renderer.render(frame(index))
        assert (image[:, :36] == PERSON).all()
    assert any("its output is not finite" in notice for notice in renderer.notices)


def test_background_that_is_suddenly_foreground_is_doubted(make: Make) -> None:
    renderer = make(Still(noisy_image(SIZE)), ramp=(30, 34))
    doubts = []
    for index, level in enumerate((28, 28, 28, 36)):
        renderer.render(Frame(np.full((SIZE[1], SIZE[0], 3), level, np.uint8), index / 30, index))
        doubts.append(renderer.doubt)
    assert doubts == ["", "", "", doubt.REVEALED]
    renderer.reset()
    assert renderer.doubt == ""


def test_a_reset_starts_a_new_shot(make: Make) -> None:
    renderer = make(Still(noisy_image(SIZE)))
    for index in range(3):
        renderer.render(frame(index))
    renderer.reset()
    renderer.render(frame(3))
    assert (renderer._session.states["network_m8"].numpy() == 1).all()


def test_the_plate_is_taken_over_by_the_next_network(make: Make) -> None:
    first, second = make(Still(noisy_image(SIZE))), make(Still(noisy_image(SIZE)))
    first.render(frame(0))
    second.continue_shot(first)
    assert second._session.states["plate"].numpy().any()
    first.close()
    assert (second.render(frame(1))[:, :36] == PERSON).all()
    assert second.on_gpu


def test_stages_are_timed(tmp_path: Path) -> None:
    file, laps = network_file(tiny.green(tmp_path / "green.onnx")), list[str]()
    cpu = CpuRenderer(cpu_network(file), size=SIZE, background=Still(noisy_image(SIZE)))
    GpuRenderer(frame_session(file, SIZE, tmp_path)[1], cpu, lap=laps.append).render(frame(0))
    assert laps == ["background", "matte"]
