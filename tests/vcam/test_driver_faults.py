"""Faults that the driver of the fake webcam injects: rtmatte recovers, and MARKER never shows."""

import pytest
from vcam_devices import Node, Vivid
from vcam_program import Program, rtmatte
from vcam_reader import BACKGROUND_NAME, Reader

pytestmark = pytest.mark.usefixtures("marker_camera")


def start(vcam: Node, vivid: Vivid) -> Program:
    return rtmatte(camera=vivid.node.path, bg=BACKGROUND_NAME, size="640x360", fps=15, output=f"virtualcam:{vcam.path}")


def test_a_run_survives_each_fault(vcam: Node, vivid: Vivid) -> None:
    with start(vcam, vivid), Reader(vcam) as reader:
        reader.wait_for("background", frames=3)
        for fault in ("inject_v4l2_buf_flag_error", "inject_vidioc_qbuf_error", "inject_fatal_streaming_error") * 2:
            vivid.set(**{fault: 1})
            reader.wait_for("background", frames=20)  # more than were in the queues
    reader.assert_private()


def test_a_camera_that_does_not_start_is_tried_until_it_does(vcam: Node, vivid: Vivid) -> None:
    with start(vcam, vivid) as program, Reader(vcam) as reader:
        reader.wait_for("background", frames=3)
        for fault in ("inject_vidioc_reqbufs_error", "inject_vidioc_streamon_error"):
            program.forget_output()
            vivid.set(**{fault: 1})
            vivid.set(inject_fatal_streaming_error=1)
            reader.wait_for("card")
            program.wait_for_output("camera lost")
            program.wait_for_output("the camera is back")
            reader.wait_for("background", frames=3)
    reader.assert_private()


def test_a_disconnected_camera_leaves_the_card_and_comes_back(vcam: Node, vivid: Vivid) -> None:
    with start(vcam, vivid) as program, Reader(vcam) as reader:
        reader.wait_for("background", frames=3)
        vivid.set(disconnect=1)
        reader.wait_for("card", frames=2)
        program.wait_for_output("camera lost")
        vivid.unplug()
        vivid.plug()
        vivid.paint()
        program.wait_for_output("the camera is back")
        reader.wait_for("background", frames=3)
    reader.assert_private()


def test_a_silent_camera_leaves_the_card_and_comes_back(vcam: Node, vivid: Vivid) -> None:
    with start(vcam, vivid) as program, Reader(vcam) as reader:
        reader.wait_for("background", frames=3)
        try:
            vivid.set(percentage_of_dropped_buffers=100)
            reader.wait_for("card", frames=3)
            program.wait_for_output("gave no new frame for 2 s")
        finally:
            vivid.set(percentage_of_dropped_buffers=0)
        program.wait_for_output("the camera is back")
        reader.wait_for("background", frames=3)
    reader.assert_private()
