"""Programs that read the virtual camera while rtmatte runs: what each is told and given."""

import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from vcam_devices import FEED, Node, in_lab, until
from vcam_program import Program, holder, rtmatte
from vcam_reader import BACKDROP_NAME, SIZE, Judge, Watcher, ask, assert_backdrop, opened

ASKED_FPS = 14
"""The fake webcam has none such: it grants 15 or so."""


def granted(call: Program) -> float:
    """The rate that rtmatte says it got."""
    found = re.search(r"640x360 at ([\d.]+) fps", call.told)
    assert found
    return float(found[1])


@pytest.fixture(scope="module")
def call(vcam: Node, room: str) -> Iterator[Program]:
    """A run that has come to its first picture."""
    outputs = [f"virtualcam:{vcam.path}", *([f"virtualcam:{FEED.path}"] if in_lab() else [])]
    with rtmatte(camera=room, bg=BACKDROP_NAME, size="640x360", fps=ASKED_FPS, output=outputs) as program:
        program.wait_told("Ctrl-C ends")
        with Watcher(vcam) as watcher:
            watcher.wait("backdrop")
        yield program


@pytest.mark.usefixtures("call")
class TestClients:
    def test_size_format_and_the_rate_that_was_granted_are_told(self, vcam: Node, call: Program) -> None:
        told = ask("v4l2-ctl", "-d", str(vcam.path), "--get-fmt-video", "--get-parm")
        assert re.search(r"Width/Height\s*: 640/360", told)
        assert "'YU12'" in told  # what every browser and Zoom take
        assert re.search(rf"Frames per second\s*: {granted(call):.3f}", told)

    def test_it_is_a_camera_and_nothing_else(self, vcam: Node, lab: None) -> None:  # noqa: ARG002 - exclusive_caps=1
        told = ask("v4l2-ctl", "-d", str(vcam.path), "--info").partition("Device Caps")[2]
        assert "Video Capture" in told
        assert "Video Output" not in told  # else Chromium does not list it

    def test_v4l2_ctl_is_given_the_background_alone(self, vcam: Node, tmp_path: Path) -> None:
        target = tmp_path / "pictures.yuv"
        ask("v4l2-ctl", "-d", str(vcam.path), "--stream-mmap=2", "--stream-count=10", f"--stream-to={target}")
        pictures = np.fromfile(target, np.uint8).reshape(10, SIZE[0] * SIZE[1] * 3 // 2)
        judge = Judge()
        assert {judge(picture) for picture in pictures} == {"backdrop"}

    def test_ffmpeg_is_given_the_background_alone(self, vcam: Node, tmp_path: Path) -> None:
        device = ["-f", "v4l2", "-i", str(vcam.path)]
        ask("ffmpeg", "-nostdin", "-loglevel", "error", *device, "-frames:v", "3", str(tmp_path / "%d.png"))
        for number in (1, 2, 3):
            assert_backdrop(cv2.imread(str(tmp_path / f"{number}.png")))

    def test_opencv_is_given_the_background_alone(self, vcam: Node) -> None:
        with opened(vcam) as capture:
            for _ in range(5):
                done, picture = capture.read()
                assert done
                assert_backdrop(picture)

    def test_a_second_one_does_no_harm_to_the_first(self, vcam: Node) -> None:
        """The newest v4l2loopback shows a camera to one program at a time; older ones show it to all."""
        with Watcher(vcam) as watcher:
            watcher.wait("backdrop")
            with holder(str(vcam.path)) as other:
                until(lambda: "busy" in other.told or "<" in other.told, "refused, or given pictures")
            watcher.wait("backdrop", pictures=3)
            assert watcher.reads
        watcher.assert_private()

    def test_two_have_a_virtual_camera_each(self, vcam: Node, feed: Node) -> None:
        with Watcher(vcam) as one, Watcher(feed) as other:
            one.wait("backdrop", pictures=3)
            other.wait("backdrop", pictures=3)
        one.assert_private()
        other.assert_private()

    def test_one_that_left_may_come_back(self, vcam: Node) -> None:
        for _ in range(3):
            with Watcher(vcam) as watcher:
                watcher.wait("backdrop", pictures=2)
            watcher.assert_private()

    def test_nothing_went_wrong_meanwhile(self, call: Program) -> None:
        assert "lost" not in call.told
        assert "no matte" not in call.told
