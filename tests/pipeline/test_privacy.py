"""What the camera sees is painted in a marker colour: nothing of it may be sent, whatever goes wrong.

Each image that is sent must be the standby card, or show the person of the frame it is sent for, cut out by the matte
of that very frame. The capture thread is the real one; only the camera and the network are scripted.
"""

import threading
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from fakes import networks
from fakes.clips import write
from fakes.gated import LONG_S, Gate, GatedCamera, run
from fakes.privacy import assert_private, is_card, marked, shows
from fakes.scripted import (
    FPS,
    SIZE,
    START,
    Recorder,
    ScriptedNetwork,
    SolidBackground,
    fails,
    filled,
    in_i420,
)

from realtime_matte import models
from realtime_matte.errors import MissingFile, ModelError, SinkError, SourceError
from realtime_matte.frame import Frame, Matte, Pixels, Size
from realtime_matte.interfaces import Fit, Network, RecurrentState
from realtime_matte.models.verify import warm_up_frames
from realtime_matte.pipeline.commands import Command
from realtime_matte.pipeline.pipeline import Pipeline
from realtime_matte.render import doubt
from realtime_matte.render.frame_session import FrameSession
from realtime_matte.render.graph_opening import ROUNDS
from realtime_matte.render.renderer import CpuRenderer


@pytest.fixture(autouse=True, params=["bgr", "i420"])
def pixel_format(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs in both formats: cameras and outputs that carry BGR, and I420 without a conversion."""
    if request.param == "i420":
        in_i420(monkeypatch)


def without_repeats(shown: list[int | None]) -> list[int | None]:
    """The frames shown, with several cards in a row counted as one."""
    return [index for index, _ in groupby(shown)]


def test_every_frame_is_shown_by_its_own_matte(monkeypatch: pytest.MonkeyPatch) -> None:
    assert assert_private(run(range(12), monkeypatch=monkeypatch)) == [None, *range(12), None]


@pytest.fixture(scope="module")
def graph_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real network, which takes what is green for the person: the marker and its mixtures with black are not."""
    return networks.green(tmp_path_factory.mktemp("networks") / "green.onnx", area=SIZE[0] * SIZE[1], ramp=(60, 100))


def open_graph(file: Path) -> Callable[[], Network]:
    """Opens the network for a graph of the whole pipeline, on the CPU provider."""
    return lambda: models.open(networks.unverified(file), provider="cpu?pipeline")


def counted_runs(monkeypatch: pytest.MonkeyPatch, fault: Callable[[int], bool] = lambda _run: False) -> list[int]:
    """Counts the runs of graphs from the first one after their verification; ``fault``: replaces the run if True."""
    real, runs = FrameSession._run_bound, list[int]()
    verification = iter(range(len(warm_up_frames()) * ROUNDS))

    def run_bound(session: FrameSession, turn: int) -> None:
        if next(verification, None) is None:
            runs.append(len(runs))
            if fault(runs[-1]):
                return
        real(session, turn)

    monkeypatch.setattr(FrameSession, "_run_bound", run_bound)
    return runs


def test_every_frame_of_the_graph_of_the_pipeline_is_shown_by_its_own_matte(
    monkeypatch: pytest.MonkeyPatch, graph_file: Path
) -> None:
    runs, reported = counted_runs(monkeypatch), list[str]()
    sink = run(range(12), monkeypatch=monkeypatch, network=open_graph(graph_file), reported=reported)
    assert assert_private(sink) == [None, *range(12), None]
    assert (len(runs), reported) == (12, [])


@pytest.mark.parametrize("raises", [True, False])
def test_a_graph_that_fails_shows_no_other_frame(
    monkeypatch: pytest.MonkeyPatch, graph_file: Path, *, raises: bool
) -> None:
    """Also if a run ends without an error and its output is still that of the frame before."""

    def fault(number: int) -> bool:
        if number == 3 and raises:
            raise RuntimeError("CUDA failure 700: an illegal memory access was encountered")
        return number >= 3

    runs, reported = counted_runs(monkeypatch, fault), list[str]()
    sink = run(range(8), monkeypatch=monkeypatch, network=open_graph(graph_file), reported=reported)
    assert assert_private(sink) == [None, *range(8), None]
    assert len(runs) == 4, "from the failure on the CPU renders"
    (notice,) = reported
    assert notice.startswith("CPU failed while running (")


def test_a_background_that_reads_the_matte_shows_nothing_of_the_camera_by_the_graph(
    monkeypatch: pytest.MonkeyPatch, graph_file: Path
) -> None:
    class ReadsMatte(SolidBackground):
        def image(self, frame: Frame, matte: Matte) -> Pixels:
            assert matte.alpha.shape == frame.size[::-1]
            return super().image(frame, matte)

    runs, other = counted_runs(monkeypatch), (10, 20, 30)
    sink = Recorder(live=True, commands={2: "next_background", 5: "next_background"})
    backgrounds = [SolidBackground(), ReadsMatte(other)]
    run(range(9), monkeypatch=monkeypatch, sinks=[sink], background=backgrounds, network=open_graph(graph_file))
    for image, time in zip(sink.images, sink.times, strict=True):
        assert marked(image) == 0
        index = round((time - START) * FPS)
        assert is_card(image) or shows(image, index) or shows(image, index, other)
    assert 0 < len(runs) < 9


def test_the_card_is_sent_before_the_model_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = Recorder(live=True)
    cards: list[bool] = []

    def open_network() -> Network:
        cards.extend(is_card(image) for image in sink.images)
        return ScriptedNetwork()

    run([0], monkeypatch=monkeypatch, network=open_network, sinks=[sink])
    assert cards == [True]
    assert assert_private(sink) == [None, 0, None]


def test_only_the_card_is_sent_if_the_model_cannot_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def open_network() -> Network:
        raise ModelError("no such model")

    sink = Recorder(live=True)
    with pytest.raises(ModelError):
        run([0, 1], monkeypatch=monkeypatch, network=open_network, sinks=[sink])
    assert set(assert_private(sink)) == {None}
    assert sink.closed == 1


@pytest.mark.parametrize("broken", [*([index] for index in range(6)), [2, 3], range(6)])
def test_a_model_failure_at_any_frame_shows_the_card(monkeypatch: pytest.MonkeyPatch, broken: Sequence[int]) -> None:
    network = ScriptedNetwork(dict.fromkeys(broken, fails))
    shown = assert_private(run(range(6), monkeypatch=monkeypatch, network=network))
    assert shown == [None, *(None if index in broken else index for index in range(6)), None]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 7.0, -7.0])
def test_an_output_outside_alpha_shows_the_card(monkeypatch: pytest.MonkeyPatch, value: float) -> None:
    network = ScriptedNetwork({2: filled(value)})
    shown = assert_private(run(range(5), monkeypatch=monkeypatch, network=network))
    assert shown == [None, 0, 1, None, 3, 4, None]


@pytest.mark.parametrize("wrong", [[5], [5, 6, 7], range(3, 10)])
def test_a_matte_that_shows_what_was_background_shows_the_card(
    monkeypatch: pytest.MonkeyPatch, wrong: Sequence[int]
) -> None:
    network, reported = ScriptedNetwork(dict.fromkeys(wrong, filled(1.0))), list[str]()
    sink = run(range(12), monkeypatch=monkeypatch, network=network, card_on_doubt=True, reported=reported)
    assert assert_private(sink) == [None, *(None if index in wrong else index for index in range(12)), None]
    assert [line.partition(";")[0] for line in reported] == [doubt.REVEALED]


def test_a_matte_of_the_whole_image_shows_the_card_from_two_seconds_on(monkeypatch: pytest.MonkeyPatch) -> None:
    network, reported = ScriptedNetwork(dict.fromkeys(range(75), filled(1.0))), list[str]()
    sink = run(range(80), monkeypatch=monkeypatch, network=network, card_on_doubt=True, reported=reported)
    assert [line.partition(";")[0] for line in reported] == [doubt.COVERED]
    sink.images, sink.times = sink.images[61:], sink.times[61:]  # of the card at the start, and two seconds
    assert assert_private(sink) == [*[None] * 15, *range(75, 80), None]


def test_the_recurrent_state_is_reset_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    network = ScriptedNetwork({2: fails})
    run(range(5), monkeypatch=monkeypatch, network=network)
    assert network.states == [None, (0,), (1,), None, (3,)]


def test_a_lost_camera_shows_the_card_until_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    network = ScriptedNetwork()
    reported: list[str] = []
    busy = SourceError("the camera is busy")
    cameras = [0, 1, "unplugged"], busy, busy, [2, 3]
    sink = run(*cameras, monkeypatch=monkeypatch, network=network, reported=reported)
    assert without_repeats(assert_private(sink)) == [None, 0, 1, None, 2, 3, None]
    assert network.states == [None, (0,), None, (2,)], "a state from before the loss belongs to another shot"
    assert reported[0] == "camera lost: the camera is unplugged; trying again"
    assert reported[-1] == "the camera is back"


def test_a_lost_camera_is_closed_before_it_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate()
    cameras = [GatedCamera([0, 1, "unplugged"], gate), GatedCamera([2, 3], gate)]
    sink = run(*cameras, monkeypatch=monkeypatch, gate=gate)
    assert without_repeats(assert_private(sink)) == [None, 0, 1, None, 2, 3, None]
    assert [camera.closed for camera in cameras] == [1, 1]


def test_a_camera_that_comes_back_in_another_size_is_cut_out_in_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    double, half = (2 * SIZE[0], 2 * SIZE[1]), (SIZE[0] // 2, SIZE[1] // 2)
    gate = Gate()
    cameras = [
        GatedCamera([0, "lost"], gate),
        GatedCamera([1, 2, "lost"], gate, size=double),
        GatedCamera([3, "lost"], gate, size=half),
        GatedCamera([4], gate),
    ]
    sink = run(*cameras, monkeypatch=monkeypatch, gate=gate)
    assert without_repeats(assert_private(sink)) == [None, 0, None, 1, 2, None, 3, None, 4, None]
    assert {image.shape for image in sink.images} == {(SIZE[1], SIZE[0], 3)}


@pytest.mark.parametrize("factor", [1.5, 2, 4])
def test_a_camera_of_another_size_is_cut_out_in_the_outputs(monkeypatch: pytest.MonkeyPatch, factor: float) -> None:
    """Planes are scaled as planes, so that no matte of another size is used."""
    gate, rendered = Gate(), set[str]()
    render = CpuRenderer.render

    def recording(renderer: CpuRenderer, frame: Frame) -> Pixels:
        rendered.add(frame.pixel_format)
        return render(renderer, frame)

    monkeypatch.setattr(CpuRenderer, "render", recording)
    camera = GatedCamera(range(8), gate, size=(round(SIZE[0] * factor), round(SIZE[1] * factor)))
    sink = run(camera, monkeypatch=monkeypatch, gate=gate, options={"size": SIZE})
    assert assert_private(sink) == [None, *range(8), None]
    assert rendered == {"i420" if hasattr(Recorder, "send_i420") else "bgr"}


def test_standby_shows_the_card_until_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = Recorder(live=True, commands={2: "standby", 4: "standby"})
    shown = assert_private(run(range(6), [3, 4], monkeypatch=monkeypatch, sinks=[sink]))
    assert without_repeats(shown) == [None, 0, 1, None, 3, 4, None]


def test_quit_ends_with_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = Recorder(live=True, commands={2: "quit"})
    assert assert_private(run(range(6), monkeypatch=monkeypatch, sinks=[sink])) == [None, 0, 1, None]


@pytest.mark.parametrize("failing", [False, True])
def test_a_model_switch_shows_the_old_one_until_the_new_one_is_open(
    monkeypatch: pytest.MonkeyPatch, *, failing: bool
) -> None:
    """Where the old one fails in between, its frames are cards."""
    may_open, old = threading.Event(), ScriptedNetwork(dict.fromkeys([3], fails) if failing else None)
    new = ScriptedNetwork()

    def open_network() -> Network:
        assert may_open.wait(LONG_S)
        return new

    def after(pipeline: Pipeline, step: int) -> None:
        if step == 1:
            pipeline.switch_model(open_network)
        if step == 4:
            may_open.set()
            opening = pipeline._options._networks._current
            assert opening
            opening[1].result(LONG_S)

    shown = assert_private(run(range(8), monkeypatch=monkeypatch, network=old, after=after))
    assert shown == [None, 0, 1, 2, None if failing else 3, 4, 5, 6, 7, None]
    assert len(old.states) == 5
    assert new.states == [None, (0,), None, (5,), (6,)], "two trials, and then its own states only"
    assert (old.closed, new.closed) == (1, 1)


def test_a_new_model_may_have_another_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    class CoarseNetwork(ScriptedNetwork):
        def process(self, frame: Frame, state: RecurrentState | None) -> tuple[Matte, RecurrentState]:
            matte, after = super().process(frame, state)
            return Matte(np.ascontiguousarray(matte.alpha[::2, ::2])), after

    def after(pipeline: Pipeline, step: int) -> None:
        if step in {1, 5}:
            reply = pipeline.submit(Command("model", CoarseNetwork if step == 1 else ScriptedNetwork))
            pipeline._run_commands()
            pipeline._options.update(wait=True)
            assert reply.result() is None

    assert assert_private(run(range(9), monkeypatch=monkeypatch, after=after)) == [None, *range(9), None]


@pytest.mark.parametrize("fault", ["open", "trial"])
def test_a_model_that_cannot_be_opened_or_tried_keeps_the_old_one_on(
    monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    new = ScriptedNetwork({0: fails})

    def open_network() -> Network:
        if fault == "open":
            raise MissingFile("no model file x.onnx")
        return new

    def after(pipeline: Pipeline, step: int) -> None:
        if step == 1:
            pipeline.switch_model(open_network)
            pipeline._run_commands()
            pipeline._options.update(wait=True)

    reported, old = list[str](), ScriptedNetwork()
    shown = assert_private(run(range(4), monkeypatch=monkeypatch, network=old, after=after, reported=reported))
    assert shown == [None, 0, 1, 2, 3, None]
    reason = "no model file x.onnx" if fault == "open" else "the network failed"
    assert reported == [f"the model is unchanged: {reason}"]
    assert old.states == [None, (0,), (1,), (2,)]
    assert new.closed == (fault == "trial")


def test_a_new_model_replaces_one_that_cannot_be_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    networks = [ScriptedNetwork(dict.fromkeys(range(99), fails))]

    def open_network() -> Network:
        if networks:
            return networks.pop()
        raise ModelError("no driver")

    def after(pipeline: Pipeline, step: int) -> None:
        if step == 5:
            pipeline.switch_model(ScriptedNetwork)
            pipeline._run_commands()
            pipeline._options.update(wait=True)

    shown = assert_private(run(range(9), monkeypatch=monkeypatch, network=open_network, after=after))
    assert shown == [*[None] * 7, 6, 7, 8, None]


def test_a_background_switch_shows_nothing_of_the_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    other = 10, 20, 30
    sink = Recorder(live=True, commands={2: "next_background"})
    may_open = threading.Event()

    def open_slowly(rest: str, /, *, size: Size, fit: Fit) -> SolidBackground:
        assert may_open.wait(LONG_S)
        return SolidBackground(other)(rest, size=size, fit=fit)

    def after(pipeline: Pipeline, step: int) -> None:
        if step == 3:
            may_open.set()
            opening = pipeline._parts.backgrounds._opening
            assert opening
            opening.result(LONG_S)

    run(range(6), monkeypatch=monkeypatch, sinks=[sink], background=[SolidBackground(), open_slowly], after=after)
    images, times = sink.images[:], sink.times[:]
    sink.images, sink.times = images[:5], times[:5]
    assert assert_private(sink) == [None, 0, 1, 2, 3], "the old one stays until the other is open"
    sink.images, sink.times = images[5:], times[5:]
    assert assert_private(sink, background=other) == [4, 5, None]


def test_a_background_that_fails_shows_nothing_of_the_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[str] = []
    sink = run(range(4), monkeypatch=monkeypatch, background=[SolidBackground(fails_at=1)], reported=reported)
    assert [marked(image) for image in sink.images] == [0] * 6
    assert [is_card(image) for image in sink.images] == [True, False, True, False, False, True]
    assert reported == ["the background failed and is replaced by 'studio': the clip is gone"]


def test_a_slideshow_with_a_clip_that_breaks_shows_nothing_of_the_camera(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    color = 10, 20, 30
    for name in ("1.mkv", "2.mkv"):
        write(tmp_path / name, [np.full((SIZE[1], SIZE[0], 3), color, np.uint8)] * 2, codec="ffv1", fmt="bgr0", rate=30)

    def after(_pipeline: Pipeline, step: int) -> None:
        if step == 2:
            (tmp_path / "1.mkv").unlink()

    background = [f"folder:{tmp_path}?seconds=0.2&fade=0.1"]
    sink = run(range(20), monkeypatch=monkeypatch, background=background, after=after)
    assert assert_private(sink, background=color) == [None, *range(20), None]


def test_a_mirrored_frame_is_cut_out_mirrored(monkeypatch: pytest.MonkeyPatch) -> None:
    class MirroredNetwork(ScriptedNetwork):
        def process(self, frame: Frame, state: object) -> object:  # type: ignore[override]
            matte, after = super().process(frame, state)  # type: ignore[arg-type]
            return type(matte)(np.ascontiguousarray(matte.alpha[:, ::-1])), after

    sink = run(range(4), monkeypatch=monkeypatch, network=MirroredNetwork(), mirror=True)
    sink.images = [image if is_card(image) else image[:, ::-1] for image in sink.images]
    assert assert_private(sink) == [None, 0, 1, 2, 3, None]


def test_no_colour_of_the_camera_is_kept_behind_zero_alpha(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = Recorder(live=True, alpha=True)
    run(range(4), monkeypatch=monkeypatch, network=ScriptedNetwork({2: fails}), sinks=[sink], background="none")
    assert {image.shape[2] for image in sink.images} == {4}
    assert [is_card(image) for image in sink.images] == [True, False, False, True, False, True]
    for image in sink.images:
        assert marked(image) == 0


def test_shutdown_by_an_error_in_the_body_ends_with_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    def after(_pipeline: Pipeline, step: int) -> None:
        if step == 1:
            raise ZeroDivisionError

    sink = Recorder(live=True)
    with pytest.raises(ZeroDivisionError):
        run(range(4), monkeypatch=monkeypatch, sinks=[sink], after=after)
    assert assert_private(sink) == [None, 0, 1, None]
    assert sink.closed == 1


def test_an_output_that_fails_changes_nothing_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = Recorder(live=True), Recorder(live=True, fails_at=3)
    run(range(5), monkeypatch=monkeypatch, sinks=[good, bad])
    assert assert_private(good) == [None, *range(5), None]
    assert assert_private(bad) == [None, 0, 1]


def test_the_failure_of_the_only_output_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = Recorder(live=True, fails_at=3)
    with pytest.raises(SinkError, match="the output went away"):
        run(range(5), monkeypatch=monkeypatch, sinks=[sink])
    assert assert_private(sink) == [None, 0, 1]
    assert sink.closed == 1


def test_a_recording_has_no_card_at_its_start_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = Recorder()
    assert assert_private(run(range(3), monkeypatch=monkeypatch, sinks=[sink])) == [0, 1, 2]


def test_a_recording_has_the_card_where_there_was_no_matte(monkeypatch: pytest.MonkeyPatch) -> None:
    network = ScriptedNetwork({1: fails})
    assert assert_private(run(range(3), monkeypatch=monkeypatch, network=network, sinks=[Recorder()])) == [0, None, 2]
