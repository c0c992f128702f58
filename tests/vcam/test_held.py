"""The virtual camera and those who hold it: in another format, before us, while we start, or to take it away."""

import errno
import fcntl
import os
import signal
from pathlib import Path

import cv2
import pytest
from vcam_devices import Node, until
from vcam_program import Program, feeder, holder, rtmatte
from vcam_reader import BACKDROP_NAME, ROOM, Watcher, plain

REMOVE = 0x4C81
"""V4L2LOOPBACK_CTL_REMOVE, in the number that all versions know."""


def begun(vcam: Node, camera: object) -> Program:
    return rtmatte(camera=camera, bg=BACKDROP_NAME, size="640x360", fps=15, output=f"virtualcam:{vcam.path}")


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = str(tmp_path / "room.png")
    assert cv2.imwrite(path, plain(ROOM))
    return path


def test_one_that_is_held_in_another_format_is_told_with_the_mend(
    vcam: Node,
    room: str,
    picture: str,
    lab: None,  # noqa: ARG001 - it is fed here
) -> None:
    with feeder(picture, str(vcam.path)) as other:
        until(lambda: vcam.sent_to, "ffmpeg feeds it")
        with holder(str(vcam.path)) as client:
            client.wait_told("<")
            other.end(signal.SIGTERM)
            with begun(vcam, room) as program:
                assert program.end() == 2
    assert "does not take 640x360: it is held at 640x360 in YUYV, not YU12; turn the camera off" in program.told
    assert f"v4l2-ctl (process {client.number})" in program.told


def test_a_client_that_came_before_us_finds_no_camera_and_does_no_harm(vcam: Node, room: str) -> None:
    with holder(str(vcam.path)) as early:
        early.end()
        assert "unsupported stream type" in early.told
    waiting = os.open(vcam.path, os.O_RDWR | os.O_NONBLOCK)  # as one that looks through all cameras does
    try:
        with begun(vcam, room) as program:
            with Watcher(vcam) as watcher:
                watcher.wait("backdrop", pictures=3)
            watcher.assert_private()
            assert program.end(signal.SIGTERM) == 0
    finally:
        os.close(waiting)


def test_while_we_start_the_card_comes_again_and_again(vcam: Node, room: str, lab: None) -> None:  # noqa: ARG001
    """Loading takes two seconds there, and a client that comes in the midst of it would wait for its end."""
    with begun(vcam, room), Watcher(vcam) as watcher:
        watcher.wait("backdrop")
    assert watcher.seen.index("backdrop") >= 2
    watcher.assert_private()


def test_one_that_is_sent_to_cannot_be_removed(vcam: Node, room: str, lab: None) -> None:  # noqa: ARG001
    number = int(vcam.path.name.removeprefix("video"))
    with begun(vcam, room) as program, Watcher(vcam) as watcher:
        watcher.wait("backdrop", pictures=3)
        control = os.open("/dev/v4l2loopback", os.O_RDWR)
        try:
            with pytest.raises(OSError, match="busy") as caught:
                fcntl.ioctl(control, REMOVE, number)
        finally:
            os.close(control)
        assert caught.value.errno == errno.EBUSY
        watcher.wait("backdrop", pictures=3)
        assert program.end(signal.SIGTERM) == 0
    watcher.assert_private()


def test_one_whose_name_is_taken_away_is_sent_to_all_the_same(vcam: Node, room: str, lab: None) -> None:  # noqa: ARG001
    """Of a container, or by udev: who has it open keeps it."""
    aside = vcam.path.with_name("aside")
    with begun(vcam, room) as program, Watcher(vcam) as watcher:
        watcher.wait("backdrop", pictures=3)
        vcam.path.rename(aside)
        try:
            watcher.wait("backdrop", pictures=3)
            assert program.end(signal.SIGTERM) == 0
            watcher.wait_last("card")
        finally:
            aside.rename(vcam.path)
    watcher.assert_private()
