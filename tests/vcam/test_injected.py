"""Faults that the fake webcam's own driver plays: what comes of each, and that the room never shows."""

import pytest
from vcam_devices import Node, Vivid
from vcam_program import Program, rtmatte
from vcam_reader import BACKDROP_NAME, Watcher

pytestmark = pytest.mark.usefixtures("room")


def begun(vcam: Node, vivid: Vivid) -> Program:
    return rtmatte(camera=vivid.node.path, bg=BACKDROP_NAME, size="640x360", fps=15, output=f"virtualcam:{vcam.path}")


@pytest.mark.parametrize(
    "fault", ["inject_v4l2_buf_flag_error", "inject_vidioc_qbuf_error", "inject_fatal_streaming_error"]
)
def test_a_fault_in_mid_run_passes(vcam: Node, vivid: Vivid, fault: str) -> None:
    with begun(vcam, vivid), Watcher(vcam) as watcher:
        watcher.wait("backdrop", pictures=3)
        for _ in range(2):
            vivid.set(**{fault: 1})
            watcher.wait("backdrop", pictures=20)  # more than were on their way
    watcher.assert_private()


@pytest.mark.parametrize("fault", ["inject_vidioc_reqbufs_error", "inject_vidioc_streamon_error"])
def test_a_camera_that_does_not_start_again_is_tried_until_it_does(vcam: Node, vivid: Vivid, fault: str) -> None:
    with begun(vcam, vivid) as program, Watcher(vcam) as watcher:
        watcher.wait("backdrop", pictures=3)
        vivid.set(**{fault: 1})
        vivid.set(inject_fatal_streaming_error=1)
        watcher.wait("card")
        program.wait_told("camera lost")
        program.wait_told("the camera is back")
        watcher.wait("backdrop", pictures=3)
    watcher.assert_private()


def test_a_camera_that_is_disconnected_while_it_is_open_leaves_the_card_and_comes_back(
    vcam: Node, vivid: Vivid
) -> None:
    with begun(vcam, vivid) as program, Watcher(vcam) as watcher:
        watcher.wait("backdrop", pictures=3)
        vivid.set(disconnect=1)
        watcher.wait("card", pictures=2)
        program.wait_told("camera lost")
        vivid.unplug()
        vivid.plug()
        vivid.paint()
        program.wait_told("the camera is back")
        watcher.wait("backdrop", pictures=3)
    watcher.assert_private()


def test_a_camera_that_goes_silent_leaves_the_card_and_comes_back(vcam: Node, vivid: Vivid) -> None:
    with begun(vcam, vivid) as program, Watcher(vcam) as watcher:
        watcher.wait("backdrop", pictures=3)
        try:
            vivid.set(percentage_of_dropped_buffers=100)
            watcher.wait("card", pictures=3)
            program.wait_told("has given nothing new for 2 s")
        finally:
            vivid.set(percentage_of_dropped_buffers=0)
        program.wait_told("the camera is back")
        watcher.wait("backdrop", pictures=3)
    watcher.assert_private()
