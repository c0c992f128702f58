"""The room is painted in a marker colour: no picture that is sent may hold any of it, whatever goes wrong.

Each picture that is sent must be the standby card, or show the person of the frame it is sent for, cut out by the
matte of that very frame.
"""

import threading
from collections.abc import Callable, Sequence
from threading import Semaphore

import numpy as np
import pytest
from fakes.scripted import (
    FPS,
    MARGIN,
    MARKER,
    SIZE,
    START,
    WALL,
    Recorder,
    ScriptedFeed,
    ScriptedNetwork,
    ScriptedSource,
    Wall,
    box,
    color,
    fails,
    opening,
    spoiled,
)

from realtime_matte.capture.worker import CaptureWorker
from realtime_matte.errors import MissingFile, ModelError, SinkError
from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.interfaces import Fit, Network, OpenBackground, Source
from realtime_matte.pipeline import card, standby
from realtime_matte.pipeline import parts as assembly
from realtime_matte.pipeline.lifetime import own
from realtime_matte.pipeline.pipeline import Pipeline


class Clock:
    """Goes on a little each time it is asked, from the time of the first frame."""

    def __init__(self) -> None:
        self._now = START

    def __call__(self) -> float:
        self._now += 1e-4
        return self._now


REASONS = {standby.STARTING, standby.CAMERA_AWAY, standby.NO_MATTE, standby.SWITCHING, standby.STANDBY, standby.STOPPED}


def is_card(picture: Pixels) -> bool:
    size = picture.shape[1], picture.shape[0]
    return any(np.array_equal(picture[..., :3], card.draw(size, text=reason)) for reason in REASONS)


def marked(picture: Pixels) -> int:
    """How many pixels are nearer to the room's colour than an even mixture would be; behind zero alpha too."""
    return int((np.abs(picture[..., :3].astype(int) - MARKER).sum(axis=2) < 3 * 64).sum())


def shows(picture: Pixels, index: int, behind: tuple[int, int, int] = WALL) -> bool:
    """True when it is that frame's person, at that frame's place, on the new background everywhere else."""
    size = picture.shape[1], picture.shape[0]
    inside, near = np.zeros((2, size[1], size[0]), bool)
    rows, columns = box(index, size)
    inside[rows.start + MARGIN : rows.stop, columns.start + MARGIN : columns.stop - MARGIN] = True
    near[rows.start - MARGIN : rows.stop, columns.start - MARGIN : columns.stop + MARGIN] = True
    person = np.abs(picture[inside][:, :3].astype(int) - color(index)).max()
    wall = np.abs(picture[~near][:, :3].astype(int) - behind).max()
    return bool(person <= 2 and wall <= 2)  # 8-bit rounding of the compositing


def index_at(time: float) -> int:
    return round((time - START) * FPS)


def assert_private(sink: Recorder, *, behind: tuple[int, int, int] = WALL) -> list[int | None]:
    """Judge all that was sent; the frame each picture shows, None for a card."""
    found: list[int | None] = []
    for picture, time in zip(sink.pictures, sink.times, strict=True):
        assert marked(picture) == 0, f"the room got out at {time}"
        index = None if is_card(picture) else index_at(time)
        assert index is None or shows(picture, index, behind), f"another frame's matte, or no matte, at {time}"
        found.append(index)
    return found


Script = Sequence[int | tuple[int, Size] | None]


def played(
    script: Script,
    monkeypatch: pytest.MonkeyPatch,
    *,
    network: ScriptedNetwork | Callable[[], Network] | None = None,
    sinks: Sequence[Recorder] | None = None,
    backgrounds: Sequence[OpenBackground] | None = None,
    mirror: bool = False,
    after: Callable[[Pipeline, int], None] = lambda _pipeline, _turn: None,
    told: list[str] | None = None,
) -> Recorder:
    """Run a whole line on a scripted camera; ``after`` is called after each turn. What its first output got."""
    sinks = sinks or [Recorder(live=True)]
    network = network or ScriptedNetwork()
    monkeypatch.setattr(assembly, "watch", lambda stack, _device, _reopen: own(stack, ScriptedFeed(script)))
    with Pipeline.open(
        opening(ScriptedSource([], live=True)),
        backgrounds or Wall(),
        outputs=sinks,
        model=(lambda: network) if isinstance(network, ScriptedNetwork) else network,
        mirror=mirror,
        clock=Clock(),
        notify=(told if told is not None else []).append,
    ) as pipeline:
        turn = 0
        while pipeline.step():
            after(pipeline, turn)
            turn += 1
    return sinks[0]


def test_every_frame_is_shown_by_its_own_matte(monkeypatch: pytest.MonkeyPatch) -> None:
    found = assert_private(played(range(12), monkeypatch))
    assert found == [None, *range(12), None]


def test_at_the_start_there_is_the_card_before_the_model_is_even_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = Recorder(live=True)
    at_opening: list[bool] = []

    def open_network() -> Network:
        at_opening.extend(is_card(picture) for picture in sink.pictures)
        return ScriptedNetwork()

    played([0], monkeypatch, network=open_network, sinks=[sink])
    assert at_opening == [True]
    assert assert_private(sink) == [None, 0, None]


def test_a_model_that_cannot_be_opened_leaves_nothing_but_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    def open_network() -> Network:
        raise ModelError("no such model")

    sink = Recorder(live=True)
    with pytest.raises(ModelError):
        played([0, 1], monkeypatch, network=open_network, sinks=[sink])
    assert set(assert_private(sink)) == {None}
    assert sink.closed == 1


@pytest.mark.parametrize("broken", [*([index] for index in range(6)), [2, 3], range(6)])
def test_a_model_failure_at_any_frame_shows_the_card(monkeypatch: pytest.MonkeyPatch, broken: Sequence[int]) -> None:
    network = ScriptedNetwork(dict.fromkeys(broken, fails))
    found = assert_private(played(range(6), monkeypatch, network=network))
    assert found == [None, *(None if index in broken else index for index in range(6)), None]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 7.0, -7.0])
def test_an_output_that_is_no_alpha_shows_the_card(monkeypatch: pytest.MonkeyPatch, value: float) -> None:
    network = ScriptedNetwork({2: spoiled(value)})
    found = assert_private(played(range(5), monkeypatch, network=network))
    assert found == [None, 0, 1, None, 3, 4, None]


def test_after_a_failure_the_networks_memory_starts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    network = ScriptedNetwork({2: fails})
    played(range(5), monkeypatch, network=network)
    assert network.states == [None, (0,), (1,), None, (3,)]


def test_camera_loss_shows_the_card_until_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    network = ScriptedNetwork()
    told: list[str] = []
    sink = played([0, 1, None, None, None, 90, 91], monkeypatch, network=network, told=told)
    assert assert_private(sink) == [None, 0, 1, None, None, None, 90, 91, None]
    assert network.states == [None, (0,), None, (90,)], "what was remembered is of another shot"
    assert told == ["camera lost: it was unplugged", "the camera is back"]


def test_a_camera_that_comes_back_in_another_size_is_cut_out_in_that_size(monkeypatch: pytest.MonkeyPatch) -> None:
    double, half = (2 * SIZE[0], 2 * SIZE[1]), (SIZE[0] // 2, SIZE[1] // 2)
    sink = played([0, None, (1, double), (2, double), (3, half), 4], monkeypatch)
    assert assert_private(sink) == [None, 0, None, 1, 2, 3, 4, None]
    assert {picture.shape for picture in sink.pictures} == {(SIZE[1], SIZE[0], 3)}


def test_standby_shows_the_card_until_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = Recorder(live=True, commands={2: "standby", 4: "standby"})
    assert assert_private(played(range(6), monkeypatch, sinks=[sink])) == [None, 0, 1, None, None, 4, 5, None]


def test_quit_ends_with_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = Recorder(live=True, commands={2: "quit"})
    assert assert_private(played(range(6), monkeypatch, sinks=[sink])) == [None, 0, 1, None]


def test_a_model_switch_shows_the_card_while_the_new_one_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    sink, new = Recorder(live=True), ScriptedNetwork()
    at_opening: list[bool] = []

    def open_network() -> Network:
        at_opening.append(is_card(sink.pictures[-1]))
        return new

    def after(pipeline: Pipeline, turn: int) -> None:
        if turn == 1:
            pipeline.switch_model(open_network)

    assert assert_private(played(range(4), monkeypatch, sinks=[sink], after=after)) == [None, 0, 1, None, 2, 3, None]
    assert at_opening == [True]
    assert new.states == [None, (2,)]


def test_a_switch_to_a_model_that_cannot_be_opened_keeps_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def open_network() -> Network:
        raise MissingFile("no model file x.onnx")

    def after(pipeline: Pipeline, turn: int) -> None:
        if turn == 1:
            pipeline.switch_model(open_network)

    told: list[str] = []
    found = assert_private(played(range(4), monkeypatch, after=after, told=told))
    assert found == [None, 0, 1, None, 2, 3, None]
    assert told == ["the model stays as it is: no model file x.onnx"]


def test_a_background_switch_shows_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    other = 10, 20, 30
    sink = Recorder(live=True, commands={2: "next_background"})
    may_open = threading.Event()

    def slow(rest: str, /, *, size: Size, fit: Fit) -> Wall:
        assert may_open.wait(30)
        return Wall(other)(rest, size=size, fit=fit)

    def after(pipeline: Pipeline, turn: int) -> None:
        if turn == 3:
            may_open.set()
            coming = pipeline._line.backgrounds._coming
            assert coming
            coming.result(30)

    played(range(6), monkeypatch, sinks=[sink], backgrounds=[Wall(), slow], after=after)
    pictures, times = sink.pictures[:], sink.times[:]
    sink.pictures, sink.times = pictures[:5], times[:5]
    assert assert_private(sink) == [None, 0, 1, 2, 3], "the old one stays until the other is open"
    sink.pictures, sink.times = pictures[5:], times[5:]
    assert assert_private(sink, behind=other) == [4, 5, None]


def test_a_background_that_fails_shows_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    sink = played(range(4), monkeypatch, backgrounds=[Wall(fails_at=1)], told=told)
    assert [marked(picture) for picture in sink.pictures] == [0] * 6
    assert [is_card(picture) for picture in sink.pictures] == [True, False, True, False, False, True]
    assert told == ["the background failed, 'studio' stands in for it: the clip is gone"]


def test_a_mirrored_picture_is_cut_out_mirrored(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mirrored(ScriptedNetwork):
        def process(self, frame: Frame, state: object) -> object:  # type: ignore[override]
            matte, after = super().process(frame, state)  # type: ignore[arg-type]
            return type(matte)(np.ascontiguousarray(matte.alpha[:, ::-1])), after

    sink = played(range(4), monkeypatch, network=Mirrored(), mirror=True)
    sink.pictures = [picture if is_card(picture) else picture[:, ::-1] for picture in sink.pictures]
    assert assert_private(sink) == [None, 0, 1, 2, 3, None]


def test_no_colour_of_the_room_is_kept_behind_zero_alpha(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = Recorder(live=True, alpha=True)
    monkeypatch.setattr(assembly, "watch", lambda stack, _device, _reopen: own(stack, ScriptedFeed(range(4))))
    network = ScriptedNetwork({2: fails})
    source = opening(ScriptedSource([], live=True))
    with Pipeline.open(
        source, "none", outputs=[sink], model=lambda: network, clock=Clock(), notify=[].append
    ) as pipeline:
        pipeline.run()
    assert {picture.shape[2] for picture in sink.pictures} == {4}
    assert [is_card(picture) for picture in sink.pictures] == [True, False, False, True, False, True]
    for picture in sink.pictures:
        assert marked(picture) == 0


def test_shutdown_by_an_error_in_the_body_ends_with_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    def after(_pipeline: Pipeline, turn: int) -> None:
        if turn == 1:
            raise ZeroDivisionError

    sink = Recorder(live=True)
    with pytest.raises(ZeroDivisionError):
        played(range(4), monkeypatch, sinks=[sink], after=after)
    assert assert_private(sink) == [None, 0, 1, None]
    assert sink.closed == 1


def test_an_output_that_fails_lets_nothing_out_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = Recorder(live=True), Recorder(live=True, fails_at=3)
    played(range(5), monkeypatch, sinks=[good, bad])
    assert assert_private(good) == [None, *range(5), None]
    assert assert_private(bad) == [None, 0, 1]


def test_the_only_output_failing_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = Recorder(live=True, fails_at=3)
    with pytest.raises(SinkError, match="the output went away"):
        played(range(5), monkeypatch, sinks=[sink])
    assert assert_private(sink) == [None, 0, 1]
    assert sink.closed == 1


class Unplugged(ScriptedSource):
    """A camera that gives a frame for each picture that was sent."""

    def __init__(self, script: Sequence[int | str], sent: Semaphore) -> None:
        super().__init__(script, live=True)
        self._sent = sent

    def read(self, pixels: Pixels) -> Frame | None:
        assert self._sent.acquire(timeout=10), "nothing was sent"
        return super().read(pixels)


class Signalling(Recorder):
    """Says when a picture, and when a card in mid-run, was sent."""

    def __init__(self) -> None:
        super().__init__(live=True)
        self.sent = Semaphore(0)
        self.away = Semaphore(0)

    def send(self, picture: Pixels, time: float) -> None:
        super().send(picture, time)
        if is_card(picture) and len(self.pictures) > 1:
            self.away.release()
        else:
            self.sent.release()


def test_a_camera_pulled_out_and_put_in_again_shows_the_card_between(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = Signalling()
    cameras = [Unplugged([0, 1, "unplugged"], sink.sent), Unplugged([2, 3], sink.sent)]
    opened: list[Unplugged] = []

    def open_camera(_rest: str, /, *, size: Size | None, fps: float | None) -> Source:  # noqa: ARG001
        if opened:
            assert sink.away.acquire(timeout=10), "no card was sent"
            sink.sent.release()
        opened.append(cameras[len(opened)])
        return opened[-1]

    monkeypatch.setattr(
        assembly, "CaptureWorker", lambda again, ahead: CaptureWorker(again, ahead=ahead, pauses_s=(0,))
    )
    with Pipeline.open(
        open_camera, Wall(), outputs=[sink], model=ScriptedNetwork, clock=Clock(), notify=[].append
    ) as pipeline:
        pipeline.run()
    found = assert_private(sink)
    assert found[:4] == [None, 0, 1, None]
    assert [index for index in found if index is not None] == [0, 1, 2, 3]
    assert [camera.closed for camera in cameras] == [1, 1]


def test_a_recording_holds_pictures_only(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = Recorder()
    assert assert_private(played(range(3), monkeypatch, sinks=[sink])) == [0, 1, 2]


def test_a_recording_shows_the_card_where_there_was_no_matte(monkeypatch: pytest.MonkeyPatch) -> None:
    network = ScriptedNetwork({1: fails})
    assert assert_private(played(range(3), monkeypatch, network=network, sinks=[Recorder()])) == [0, None, 2]
