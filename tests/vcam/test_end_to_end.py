"""A real camera device, the real program, a real virtual camera: what a program that watches is given."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from vcam_devices import LIMIT_S, Node, Vivid, until
from vcam_program import Program, feeder, rtmatte
from vcam_reader import BACKDROP_NAME, SIZE, Watcher, opened

from realtime_matte import plugins
from realtime_matte.frame import Pixels

FACE = slice(120, 200), slice(250, 315)
"""Rows and columns where the demo's person has skin ..."""
WALLS = (slice(0, 100), slice(85, 160)), (slice(0, 50), slice(400, 470))
"""... and where there is wall, on either side."""

LEFT, RIGHT = (255, 0, 0), (0, 200, 255)
"""The two halves of a background that would show if it were mirrored."""


def begun(vcam: Node, room: str) -> Program:
    return rtmatte(camera=room, bg=BACKDROP_NAME, size="640x360", fps=15, output=f"virtualcam:{vcam.path}")


def test_who_stays_on_sees_card_and_background_alone_through_end_restart_and_kill(vcam: Node, room: str) -> None:
    with begun(vcam, room) as program, Watcher(vcam) as watcher:
        watcher.wait("backdrop", pictures=5)
        assert watcher.seen[0] == "card"  # from before the first matte
        assert program.end(signal.SIGTERM) == 0
        watcher.wait_last("card")
        with begun(vcam, room) as again:
            watcher.wait("backdrop", pictures=5)
            assert again.end(signal.SIGINT) == 0
        watcher.wait_last("card")
        with begun(vcam, room) as killed:
            watcher.wait("backdrop", pictures=5)
            assert killed.end(signal.SIGKILL) == -signal.SIGKILL
        assert not vcam.sent_to  # who comes now finds no camera, and no old picture in it
        watcher.wait("card", pictures=3)  # from the driver itself
        with begun(vcam, room):
            watcher.wait("backdrop", pictures=5)
        assert watcher.reads
    watcher.assert_private()


@pytest.fixture(scope="module")
def person() -> Pixels:
    """A person in a room, somewhat to the side."""
    source = plugins.source("demo").open("?frames=1", size=SIZE, fps=None)
    frame = source.read(np.empty((SIZE[1], SIZE[0], 3), np.uint8))
    assert frame
    return frame.pixels


@contextmanager
def shown(person: Pixels, feed: Node, folder: Path) -> Iterator[Program]:
    """The person before a camera."""
    assert cv2.imwrite(str(folder / "person.png"), person)
    with feeder(str(folder / "person.png"), str(feed.path)) as program:
        until(lambda: feed.sent_to, "ffmpeg feeds the camera")
        yield program


@pytest.mark.parametrize("mirror", [False, True])
def test_a_person_stays_and_the_room_goes(
    vcam: Node, feed: Node, person: Pixels, tmp_path: Path, *, mirror: bool
) -> None:
    halves = np.repeat(np.array([[LEFT, RIGHT]], np.uint8), SIZE[0] // 2, axis=1).repeat(SIZE[1], axis=0)
    assert cv2.imwrite(str(tmp_path / "halves.png"), halves)
    options = {"camera": feed.path, "bg": tmp_path / "halves.png", "size": "640x360", "mirror": mirror}
    with shown(person, feed, tmp_path), rtmatte(**options, output=f"virtualcam:{vcam.path}"):
        picture = matted(vcam, mirror=mirror)
    assert cv2.imwrite(str(tmp_path / "picture.png"), picture)
    turned, behind = (picture[:, ::-1], halves[:, ::-1]) if mirror else (picture, halves)
    assert distance(turned[FACE], person[FACE]) < 10  # of 255: the way through two YUV formats
    for wall in WALLS:
        assert distance(turned[wall], behind[wall]) < 10


def test_on_standby_the_webcam_is_let_go_of(vcam: Node, vivid: Vivid, room: str) -> None:
    with rtmatte(camera=room, bg=BACKDROP_NAME, size="640x360", fps=15, output=f"virtualcam:{vcam.path}") as program:
        program.wait_told("Ctrl-C ends")
        with Watcher(vcam) as watcher:
            watcher.wait("backdrop", pictures=2)
            for _ in range(2):
                program.send(signal.SIGUSR1)
                until(lambda: not program.holds(vivid.node.path), "the camera is let go of")
                watcher.wait("card", pictures=3)
                program.send(signal.SIGUSR1)
                watcher.wait("backdrop", pictures=2)
        watcher.assert_private()
        assert program.end(signal.SIGTERM) == 0
    assert "lost" not in program.told


def matted(vcam: Node, *, mirror: bool) -> Pixels:
    """The first picture that is no standby card, which is dark where the background shines."""
    until(lambda: vcam.sent_to, "rtmatte sends")
    with opened(vcam) as capture:
        ends_at = time.monotonic() + LIMIT_S
        while time.monotonic() < ends_at:
            done, picture = capture.read()  # not done when nothing came for 10 s
            turned = picture[:, ::-1] if done and mirror else picture
            if done and all(turned[wall].max(axis=2).mean() > 150 for wall in WALLS):
                return np.asarray(picture, np.uint8)
    raise AssertionError(f"{LIMIT_S:g} s, and nothing but the card")


def distance(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(np.abs(one.astype(float) - other.astype(float)).mean())
