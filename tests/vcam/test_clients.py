"""Programs that read the virtual camera while rtmatte runs: the format and the frames that each gets."""

import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from vcam_devices import SECOND_VCAM, Node, in_lab, wait_until
from vcam_program import Program, reading_program, rtmatte
from vcam_reader import BACKGROUND_NAME, SIZE, FrameClassifier, Reader, assert_background, opened, run_program

REQUESTED_FPS = 14
"""The fake webcam does not have this rate: the actual one is about 15."""


def actual_fps(call: Program) -> float:
    """The rate that rtmatte reports."""
    found = re.search(r"640x360 at ([\d.]+) fps", call.output)
    assert found
    return float(found[1])


@pytest.fixture(scope="module")
def call(vcam: Node, marker_camera: str) -> Iterator[Program]:
    """A run that has sent its first composite."""
    outputs = [f"virtualcam:{vcam.path}", *([f"virtualcam:{SECOND_VCAM.path}"] if in_lab() else [])]
    with rtmatte(
        camera=marker_camera, bg=BACKGROUND_NAME, size="640x360", fps=REQUESTED_FPS, output=outputs
    ) as program:
        program.wait_for_output("Ctrl-C ends")
        with Reader(vcam) as reader:
            reader.wait_for("background")
        yield program


@pytest.mark.usefixtures("call")
class TestClients:
    def test_readers_get_size_format_and_the_actual_rate(self, vcam: Node, call: Program) -> None:
        text = run_program("v4l2-ctl", "-d", str(vcam.path), "--get-fmt-video", "--get-parm")
        assert re.search(r"Width/Height\s*: 640/360", text)
        assert "'YU12'" in text  # what every browser and Zoom accept
        assert re.search(rf"Frames per second\s*: {actual_fps(call):.3f}", text)

    def test_the_device_is_a_camera_and_not_an_output(self, vcam: Node, lab: None) -> None:  # noqa: ARG002 - exclusive_caps=1
        text = run_program("v4l2-ctl", "-d", str(vcam.path), "--info").partition("Device Caps")[2]
        assert "Video Capture" in text
        assert "Video Output" not in text  # else Chromium does not list it

    def test_v4l2_ctl_sees_only_the_background(self, vcam: Node, tmp_path: Path) -> None:
        target = tmp_path / "frames.yuv"
        run_program("v4l2-ctl", "-d", str(vcam.path), "--stream-mmap=2", "--stream-count=10", f"--stream-to={target}")
        frames = np.fromfile(target, np.uint8).reshape(10, SIZE[0] * SIZE[1] * 3 // 2)
        classify = FrameClassifier()
        assert {classify(frame) for frame in frames} == {"background"}

    def test_ffmpeg_sees_only_the_background(self, vcam: Node, tmp_path: Path) -> None:
        device = ["-f", "v4l2", "-i", str(vcam.path)]
        run_program("ffmpeg", "-nostdin", "-loglevel", "error", *device, "-frames:v", "3", str(tmp_path / "%d.png"))
        for number in (1, 2, 3):
            assert_background(cv2.imread(str(tmp_path / f"{number}.png")))

    def test_opencv_sees_only_the_background(self, vcam: Node) -> None:
        with opened(vcam) as capture:
            for _ in range(5):
                success, image = capture.read()
                assert success
                assert_background(image)

    def test_a_second_reader_does_not_disturb_the_first(self, vcam: Node) -> None:
        """The newest v4l2loopback gives a camera to one program at a time; older ones give it to all."""
        with Reader(vcam) as reader:
            reader.wait_for("background")
            with reading_program(str(vcam.path)) as other:
                wait_until(lambda: "busy" in other.output or "<" in other.output, "it is refused, or gets frames")
            reader.wait_for("background", frames=3)
            assert reader.is_reading
        reader.assert_private()

    def test_two_readers_have_a_virtual_camera_each(self, vcam: Node, second_vcam: Node) -> None:
        with Reader(vcam) as one, Reader(second_vcam) as other:
            one.wait_for("background", frames=3)
            other.wait_for("background", frames=3)
        one.assert_private()
        other.assert_private()

    def test_a_reader_may_come_back(self, vcam: Node) -> None:
        for _ in range(3):
            with Reader(vcam) as reader:
                reader.wait_for("background", frames=2)
            reader.assert_private()

    def test_no_loss_was_reported(self, call: Program) -> None:
        assert "camera lost" not in call.output
        assert "no matte" not in call.output
