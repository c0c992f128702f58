"""The hint about a turned camera: once, off the main thread, three inferences a shot at most."""

import threading
from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from realtime_matte import models
from realtime_matte.errors import ModelError
from realtime_matte.frame import Frame, Matte, Pixels
from realtime_matte.interfaces import Network
from realtime_matte.media.fit import fit_image
from realtime_matte.pipeline.orientation import HINTS, TURNS, OrientationHint
from realtime_matte.portrait import sample_portrait

LONG_S = 30.0


class UprightNetwork:
    """Finds a person, a third of the image, if the frame's first pixel is white."""

    name = "upright"
    provider = "fake"
    notices: Sequence[str] = ()

    def __init__(self) -> None:
        self.calls = 0
        self.closed = 0
        self.threads: set[str] = set()

    def process(self, frame: Frame, state: object) -> tuple[Matte, tuple[object, ...]]:  # noqa: ARG002
        self.calls += 1
        self.threads.add(threading.current_thread().name)
        alpha = np.zeros((9, 16), np.float32)
        alpha[:3] = 1 if frame.pixels[0, 0, 0] == 255 else 0.01
        return Matte(alpha), ()

    def close(self) -> None:
        self.closed += 1


def marked(turn: int | None) -> Pixels:
    """A frame that UprightNetwork knows after this turn; None: in no orientation."""
    upright = np.zeros((36, 64, 3), np.uint8)
    upright[0, 0] = 0 if turn is None else 255
    return upright if turn is None else cv2.rotate(upright, TURNS[360 - turn])


def watch(hint: OrientationHint, pixels: Pixels, *, seconds: float, covered: float = 0.01, rotate: int = 0) -> None:
    for index in range(round(seconds * 30) + 1):
        hint.update(Frame(pixels, index / 30, index), covered=covered, rotate=rotate)
    if hint._trial:
        hint._trial.result(LONG_S)
        hint.update(Frame(pixels, seconds, 0), covered=covered, rotate=rotate)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("rotate", [0, 90])
def test_a_person_in_a_turned_frame_is_reported_with_the_option(turn: int, rotate: int) -> None:
    network, reported = UprightNetwork(), list[str]()
    watch(OrientationHint(lambda: network, notify=reported.append), marked(turn), seconds=2.1, rotate=rotate)
    total = (rotate + turn) % 360
    assert reported == [HINTS[False].format(fix=f"add --rotate {total}" if total else "leave out --rotate")]
    assert (network.calls, network.closed, network.threads) == (3, 1, {"orientation"})


def test_it_is_said_once() -> None:
    reported: list[str] = []
    hint = OrientationHint(UprightNetwork, notify=reported.append)
    for _ in range(3):
        hint.start_shot()
        watch(hint, marked(180), seconds=3)
    assert len(reported) == 1


def test_a_shot_is_tried_once_and_the_next_one_again() -> None:
    networks: list[UprightNetwork] = []

    def open_network() -> Network:
        networks.append(UprightNetwork())
        return networks[-1]

    hint = OrientationHint(open_network, notify=pytest.fail)
    watch(hint, marked(None), seconds=10)
    assert [network.calls for network in networks] == [3]
    hint.start_shot()
    watch(hint, marked(None), seconds=10)
    assert [network.calls for network in networks] == [3, 3]


def test_a_person_who_is_partly_found_is_reported_too() -> None:
    reported: list[str] = []
    watch(OrientationHint(UprightNetwork, notify=reported.append), marked(180), seconds=3, covered=0.2)
    assert reported == [HINTS[True].format(fix="add --rotate 180")]


def test_a_person_who_is_found_as_well_upright_is_not_reported() -> None:
    watch(OrientationHint(UprightNetwork, notify=pytest.fail), marked(180), seconds=3, covered=0.25)


def test_what_is_half_transparent_is_no_person() -> None:
    class Haze(UprightNetwork):
        def process(self, frame: Frame, state: object) -> tuple[Matte, tuple[object, ...]]:  # noqa: ARG002
            return Matte(np.full((9, 16), 0.5, np.float32)), ()

    watch(OrientationHint(Haze, notify=pytest.fail), marked(180), seconds=3)


@pytest.mark.parametrize(("seconds", "covered"), [(1.9, 0.01), (10, 0.31)])
def test_nothing_is_tried_before_two_seconds_or_while_there_is_a_person(seconds: float, covered: float) -> None:
    def open_network() -> Network:
        pytest.fail("a network was opened")

    watch(OrientationHint(open_network, notify=pytest.fail), marked(180), seconds=seconds, covered=covered)


def test_a_network_that_cannot_be_opened_changes_nothing() -> None:
    def open_network() -> Network:
        raise ModelError("no memory")

    watch(OrientationHint(open_network, notify=pytest.fail), marked(180), seconds=3)


def seen(pixels: Pixels) -> list[str]:
    """What is reported of a camera that shows this, with the real network."""
    reported: list[str] = []
    network = models.open("small", provider="cpu")
    matte, _ = network.process(Frame(pixels, 0.0, 0), None)
    covered = float(matte.alpha.mean())
    watch(OrientationHint(lambda: network, notify=reported.append), pixels, seconds=2.1, covered=covered)
    return reported


def portrait(zoom: float) -> Pixels:
    """The portrait in a grey room, ``zoom`` times a third of the height wide."""
    upright = np.full((360, 640, 3), 120, np.uint8)
    side = round(240 * zoom)
    shown = fit_image(sample_portrait(), (side, side), "cover")[: min(side, 360)]
    left = (640 - side) // 2
    upright[360 - len(shown) :, left : left + side] = shown
    return upright


@pytest.mark.parametrize("turn", [180, 90, 270])
def test_the_shipped_network_knows_the_portrait_only_upright(turn: int) -> None:
    pixels = np.ascontiguousarray(cv2.rotate(portrait(1), TURNS[360 - turn]))
    assert [line.partition(": ")[2] for line in seen(pixels)] == [f"add --rotate {turn}"]


@pytest.mark.parametrize("zoom", [1, 1.5])
def test_the_shipped_network_reports_nothing_of_an_upright_person(zoom: float) -> None:
    assert seen(portrait(zoom)) == []


def test_close_waits_for_the_trial_which_ends_after_its_present_call() -> None:
    class GatedNetwork(UprightNetwork):
        def process(self, frame: Frame, state: object) -> tuple[Matte, tuple[object, ...]]:
            entered.set()
            assert gate.wait(LONG_S)
            return super().process(frame, state)

    entered, gate, network = threading.Event(), threading.Event(), GatedNetwork()
    hint = OrientationHint(lambda: network, notify=pytest.fail)
    for index in range(61):
        hint.update(Frame(marked(None), index / 30, index), covered=0.01, rotate=0)
    assert entered.wait(LONG_S)
    threading.Timer(0.05, gate.set).start()
    hint.close()
    assert (network.calls, network.closed) == (1, 1)
    assert "orientation" not in {thread.name for thread in threading.enumerate()}


def test_close_without_a_trial_is_idempotent() -> None:
    hint = OrientationHint(UprightNetwork, notify=pytest.fail)
    hint.close()
    hint.close()
