"""Cameras that are unplugged, come back, are busy or missing: what readers see, and what is reported."""

import signal
from contextlib import ExitStack
from pathlib import Path

import cv2
import pytest
from vcam_devices import Node, Vivid, wait_until
from vcam_program import Program, reading_program, rtmatte, sending_program
from vcam_reader import BACKGROUND_NAME, MARKER, Reader, plain


def start(vcam: Node, camera: object) -> Program:
    return rtmatte(camera=camera, bg=BACKGROUND_NAME, size="640x360", fps=15, output=f"virtualcam:{vcam.path}")


def refused(**options: object) -> str:
    """The one line that rtmatte prints instead of running."""
    with rtmatte(**options) as program:
        assert program.end() == 2
        assert len(program.output.splitlines()) == 1
        return program.output


@pytest.mark.usefixtures("marker_camera")
def test_an_unplugged_webcam_leaves_the_card_and_comes_back(vcam: Node, vivid: Vivid) -> None:
    with start(vcam, vivid.node.path) as program, Reader(vcam) as reader:
        reader.wait_for("background", frames=3)
        vivid.unplug()
        reader.wait_for("card", frames=3)
        assert "unplugged; plug it in again" in program.wait_for_output("camera lost")
        vivid.plug()
        vivid.paint()
        program.wait_for_output("the camera is back")
        reader.wait_for("background", frames=3)
        vivid.unplug()
        reader.wait_for("card", frames=3)
        assert program.end(signal.SIGINT) == 0  # also while the camera is lost
        reader.wait_last("card")
    reader.assert_private()


def test_a_virtual_camera_whose_writer_stops_leaves_the_card_and_comes_back_also_in_another_size(
    vcam: Node, second_vcam: Node, tmp_path: Path
) -> None:
    large, small = str(tmp_path / "large.png"), str(tmp_path / "small.png")
    assert cv2.imwrite(large, plain(MARKER))
    assert cv2.imwrite(small, plain(MARKER)[:240, :320])
    with ExitStack() as stack:
        first = stack.enter_context(sending_program(large, str(second_vcam.path)))
        wait_until(lambda: second_vcam.has_writer, "ffmpeg sends to the camera")
        with start(vcam, second_vcam.path) as program, Reader(vcam) as reader:
            reader.wait_for("background", frames=3)
            for image, size in ((large, ""), (small, "came back with 320x240; its frames are fitted to 640x360")):
                program.forget_output()
                first.end(signal.SIGTERM)
                reader.wait_for("card", frames=3)
                program.wait_for_output("camera lost")
                first = stack.enter_context(sending_program(image, str(second_vcam.path)))
                program.wait_for_output(size or "the camera is back")
                reader.wait_for("background", frames=3)
            assert program.end(signal.SIGTERM) == 0
    reader.assert_private()


def test_a_busy_camera_is_reported_with_the_program_that_uses_it(vcam: Node, vivid: Vivid) -> None:
    with reading_program(str(vivid.node.path)) as other:
        other.wait_for_output("<")  # it has a frame
        text = refused(camera=vivid.node.path, output=f"virtualcam:{vcam.path}")
    assert f"is in use by v4l2-ctl (pid {other.pid}); close that program" in text


def test_a_missing_camera_is_reported_with_the_available_ones(vcam: Node, vivid: Vivid) -> None:
    text = refused(camera="/dev/video77", output=f"virtualcam:{vcam.path}")
    assert text.endswith("no camera at /dev/video77; available: /dev/video0 (vivid-000-vid-cap)")
    vivid.unplug()
    text = refused(camera="0", output=f"virtualcam:{vcam.path}")
    assert "no camera at /dev/video0; no device here captures frames; plug a camera in" in text


def test_a_virtual_camera_that_a_reader_holds_at_another_size_is_reported_with_the_fix(vcam: Node) -> None:
    output = f"virtualcam:{vcam.path}"
    with rtmatte(camera="demo", size="640x360", output=output) as first:
        wait_until(lambda: vcam.has_writer, "the first run sends")
        with reading_program(str(vcam.path)) as client:
            client.wait_for_output("<")
            refusal = refused(camera="demo", output=output)
            assert f"the virtual camera {vcam.path} ({vcam.label}) is in use: " in refusal
            assert "sends to it" in refusal
            first.end(signal.SIGTERM)
            text = refused(camera="demo", size="320x240", output=output)
    assert "does not accept 320x240: a reader holds it at 640x360" in text
    assert f"turn the camera off in v4l2-ctl (pid {client.pid}), start rtmatte, and turn it on again" in text
    assert text.endswith("or use --size 640x360")


def test_a_missing_virtual_camera_is_reported_with_the_available_ones(vcam: Node) -> None:
    text = refused(camera="demo", output="virtualcam:/dev/video99")
    assert f"no virtual camera '/dev/video99'; available: {vcam.path} ({vcam.label})" in text
