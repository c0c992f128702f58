"""Cameras that go, come back, are busy or not there: what is shown meanwhile, and what is told."""

import signal
from pathlib import Path

import cv2
import pytest
from vcam_devices import Node, Vivid, until
from vcam_program import Program, feeder, holder, rtmatte
from vcam_reader import BACKDROP_NAME, ROOM, Watcher, plain


def begun(vcam: Node, camera: object) -> Program:
    return rtmatte(camera=camera, bg=BACKDROP_NAME, size="640x360", fps=15, output=f"virtualcam:{vcam.path}")


def refused(**options: object) -> str:
    """The one line that rtmatte tells instead of running."""
    with rtmatte(**options) as program:
        assert program.end() == 2
        assert len(program.told.splitlines()) == 1
        return program.told


@pytest.mark.usefixtures("room")
def test_a_webcam_that_is_pulled_out_leaves_the_card_and_comes_back(vcam: Node, vivid: Vivid) -> None:
    with begun(vcam, vivid.node.path) as program, Watcher(vcam) as watcher:
        watcher.wait("backdrop", pictures=3)
        vivid.unplug()
        watcher.wait("card", pictures=3)
        assert "unplugged; plug it in again" in program.wait_told("camera lost")
        vivid.plug()
        vivid.paint()
        program.wait_told("the camera is back")
        watcher.wait("backdrop", pictures=3)
        vivid.unplug()
        watcher.wait("card", pictures=3)
        assert program.end(signal.SIGINT) == 0  # also while the camera is away
        watcher.wait_last("card")
    watcher.assert_private()


def test_a_feeder_that_stops_leaves_the_card_and_comes_back(vcam: Node, feed: Node, tmp_path: Path) -> None:
    room = str(tmp_path / "room.png")
    assert cv2.imwrite(room, plain(ROOM))
    with feeder(room, str(feed.path)) as first:
        until(lambda: feed.sent_to, "ffmpeg feeds the camera")
        with begun(vcam, feed.path) as program, Watcher(vcam) as watcher:
            watcher.wait("backdrop", pictures=3)
            first.end(signal.SIGTERM)
            watcher.wait("card", pictures=3)
            program.wait_told("camera lost")
            with feeder(room, str(feed.path)):
                program.wait_told("the camera is back")
                watcher.wait("backdrop", pictures=3)
                assert program.end(signal.SIGTERM) == 0
    watcher.assert_private()


def test_a_camera_that_comes_back_in_another_size_is_fitted(vcam: Node, feed: Node, tmp_path: Path) -> None:
    large, small = str(tmp_path / "large.png"), str(tmp_path / "small.png")
    assert cv2.imwrite(large, plain(ROOM))
    assert cv2.imwrite(small, plain(ROOM)[:240, :320])
    with feeder(large, str(feed.path)) as first:
        until(lambda: feed.sent_to, "ffmpeg feeds the camera")
        with begun(vcam, feed.path) as program, Watcher(vcam) as watcher:
            watcher.wait("backdrop", pictures=3)
            first.end(signal.SIGTERM)
            program.wait_told("camera lost")
            with feeder(small, str(feed.path)):
                program.wait_told("came back with 320x240; its pictures are fitted to 640x360")
                watcher.wait("backdrop", pictures=3)
                assert program.end(signal.SIGTERM) == 0
    watcher.assert_private()


def test_a_busy_camera_is_told_with_who_uses_it(vcam: Node, vivid: Vivid) -> None:
    with holder(str(vivid.node.path)) as other:
        other.wait_told("<")  # it has a picture
        told = refused(camera=vivid.node.path, output=f"virtualcam:{vcam.path}")
    assert f"is used by v4l2-ctl (process {other.number}); close that" in told


def test_no_camera_is_told_with_what_there_is(vcam: Node, vivid: Vivid) -> None:
    told = refused(camera="/dev/video77", output=f"virtualcam:{vcam.path}")
    assert told.endswith("no camera at /dev/video77; there is: /dev/video0 (vivid-000-vid-cap)")
    vivid.unplug()
    told = refused(camera="0", output=f"virtualcam:{vcam.path}")
    assert "no camera at /dev/video0; no device here takes pictures; plug a camera in" in told


def test_a_virtual_camera_that_is_held_in_another_size_is_told_with_the_mend(vcam: Node) -> None:
    output = f"virtualcam:{vcam.path}"
    with rtmatte(camera="demo", size="640x360", output=output) as first:
        until(lambda: vcam.sent_to, "the first run sends")
        with holder(str(vcam.path)) as client:
            client.wait_told("<")
            assert f"sends to the virtual camera {vcam.path}" in refused(camera="demo", output=output)
            first.end(signal.SIGTERM)
            told = refused(camera="demo", size="320x240", output=output)
    assert "does not take 320x240: it is held at 640x360" in told
    assert f"turn the camera off in v4l2-ctl (process {client.number}), start this, and turn it on again" in told
    assert told.endswith("or take --size 640x360")


def test_a_virtual_camera_that_is_not_there_is_told_with_what_there_is(vcam: Node) -> None:
    told = refused(camera="demo", output="virtualcam:/dev/video99")
    assert f"no virtual camera '/dev/video99'; there is: {vcam.path} ({vcam.label})" in told
