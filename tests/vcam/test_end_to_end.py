"""A real camera device, the real program, a real virtual camera: what a reader sees."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from vcam_devices import LIMIT_S, Node, Vivid, wait_until
from vcam_program import Program, rtmatte, sending_program
from vcam_reader import BACKGROUND_NAME, SIZE, Reader, opened

from realtime_matte import plugins
from realtime_matte.frame import Pixels

FACE = slice(120, 200), slice(250, 315)
"""Rows and columns where the person of the demo has skin ..."""
WALLS = (slice(0, 100), slice(85, 160)), (slice(0, 50), slice(400, 470))
"""... and where there is wall, on either side."""

LEFT, RIGHT = (255, 0, 0), (0, 200, 255)
"""The colours of the two halves of a background, which show whether it is mirrored."""


def start(vcam: Node, marker_camera: str) -> Program:
    return rtmatte(camera=marker_camera, bg=BACKGROUND_NAME, size="640x360", fps=15, output=f"virtualcam:{vcam.path}")


def test_a_reader_sees_only_card_and_background_through_end_restart_and_kill(vcam: Node, marker_camera: str) -> None:
    with start(vcam, marker_camera) as program, Reader(vcam) as reader:
        reader.wait_for("background", frames=5)
        assert reader.seen[0] == "card"  # from before the first matte
        assert program.end(signal.SIGTERM) == 0
        reader.wait_last("card")
        with start(vcam, marker_camera) as again:
            reader.wait_for("background", frames=5)
            assert again.end(signal.SIGINT) == 0
        reader.wait_last("card")
        with start(vcam, marker_camera) as killed:
            reader.wait_for("background", frames=5)
            assert killed.end(signal.SIGKILL) == -signal.SIGKILL
        assert not vcam.has_writer  # a new reader finds no camera, and no old frame in it
        reader.wait_for("card", frames=3)  # from the driver itself
        with start(vcam, marker_camera):
            reader.wait_for("background", frames=5)
        assert reader.is_reading
    reader.assert_private()


@pytest.fixture(scope="module")
def person() -> Pixels:
    """A frame of the demo: a person in a room, off centre."""
    source = plugins.source("demo").open("?frames=1", size=SIZE, fps=None)
    frame = source.read(np.empty((SIZE[1], SIZE[0], 3), np.uint8))
    assert frame
    return frame.pixels


@contextmanager
def camera_showing(person: Pixels, second_vcam: Node, folder: Path) -> Iterator[Program]:
    """A virtual camera that shows the person."""
    assert cv2.imwrite(str(folder / "person.png"), person)
    with sending_program(str(folder / "person.png"), str(second_vcam.path)) as program:
        wait_until(lambda: second_vcam.has_writer, "ffmpeg sends to the camera")
        yield program


@pytest.mark.parametrize("mirror", [False, True])
def test_the_person_is_kept_and_the_room_is_replaced(
    vcam: Node, second_vcam: Node, person: Pixels, tmp_path: Path, *, mirror: bool
) -> None:
    halves = np.repeat(np.array([[LEFT, RIGHT]], np.uint8), SIZE[0] // 2, axis=1).repeat(SIZE[1], axis=0)
    assert cv2.imwrite(str(tmp_path / "halves.png"), halves)
    options = {"camera": second_vcam.path, "bg": tmp_path / "halves.png", "size": "640x360", "mirror": mirror}
    with camera_showing(person, second_vcam, tmp_path), rtmatte(**options, output=f"virtualcam:{vcam.path}"):
        image = matted(vcam, mirror=mirror)
    assert cv2.imwrite(str(tmp_path / "composite.png"), image)
    unmirrored, background = (image[:, ::-1], halves[:, ::-1]) if mirror else (image, halves)
    assert distance(unmirrored[FACE], person[FACE]) < 10  # of 255: conversion to two YUV formats
    for wall in WALLS:
        assert distance(unmirrored[wall], background[wall]) < 10


def test_on_standby_the_webcam_is_closed(vcam: Node, vivid: Vivid, marker_camera: str) -> None:
    with rtmatte(
        camera=marker_camera, bg=BACKGROUND_NAME, size="640x360", fps=15, output=f"virtualcam:{vcam.path}"
    ) as program:
        program.wait_for_output("Ctrl-C ends")
        with Reader(vcam) as reader:
            reader.wait_for("background", frames=2)
            program.send(signal.SIGUSR1)
            wait_until(lambda: not program.has_open(vivid.node.path), "the camera is closed")
            reader.wait_for("card", frames=3)
            program.send(signal.SIGUSR1)
            reader.wait_for("background", frames=2)
        reader.assert_private()
        assert program.end(signal.SIGTERM) == 0
    assert "camera lost" not in program.output


def matted(vcam: Node, *, mirror: bool) -> Pixels:
    """The first frame that is not the standby card, which is dark where the background is bright."""
    wait_until(lambda: vcam.has_writer, "rtmatte sends")
    with opened(vcam) as capture:
        ends_at = time.monotonic() + LIMIT_S
        while time.monotonic() < ends_at:
            success, image = capture.read()  # fails when no frame came for 10 s
            unmirrored = image[:, ::-1] if success and mirror else image
            if success and all(unmirrored[wall].max(axis=2).mean() > 150 for wall in WALLS):
                return np.asarray(image, np.uint8)
    raise AssertionError(f"only the card within {LIMIT_S:g} s")


def distance(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(np.abs(one.astype(float) - other.astype(float)).mean())
