"""A virtual camera that other programs have open: in another format, before or during the start, or to remove it."""

import errno
import fcntl
import os
import signal
from contextlib import ExitStack
from pathlib import Path

import cv2
import pytest
from vcam_devices import Node, wait_until
from vcam_program import Program, reading_program, rtmatte, sending_program
from vcam_reader import BACKGROUND_NAME, MARKER, SIZE, Reader, plain

from realtime_matte import Network, Pipeline
from realtime_matte.pipeline.network_opening import network_opener
from realtime_matte.pipeline.standby import CARD_EVERY_S

REMOVE = 0x4C81
"""V4L2LOOPBACK_CTL_REMOVE, the number that all versions have."""


def start(vcam: Node, camera: object) -> Program:
    return rtmatte(camera=camera, bg=BACKGROUND_NAME, size="640x360", fps=15, output=f"virtualcam:{vcam.path}")


@pytest.fixture
def marker_image(tmp_path: Path) -> str:
    path = str(tmp_path / "marker.png")
    assert cv2.imwrite(path, plain(MARKER))
    return path


def test_a_device_that_a_reader_holds_in_another_format_is_reported_with_the_fix(
    vcam: Node,
    marker_camera: str,
    marker_image: str,
    lab: None,  # noqa: ARG001 - the test sends to it
) -> None:
    with sending_program(marker_image, str(vcam.path)) as other:
        wait_until(lambda: vcam.has_writer, "ffmpeg sends to it")
        with reading_program(str(vcam.path)) as client:
            client.wait_for_output("<")
            other.end(signal.SIGTERM)
            with start(vcam, marker_camera) as program:
                assert program.end() == 2
    assert (
        "does not accept 640x360: a reader holds it at 640x360 in YUYV, not YU12; turn the camera off" in program.output
    )
    assert f"v4l2-ctl (pid {client.pid})" in program.output


def test_a_program_that_opened_the_device_before_the_start_does_no_harm(vcam: Node, marker_camera: str) -> None:
    with reading_program(str(vcam.path)) as early:
        early.end()
        assert "unsupported stream type" in early.output
    waiting = os.open(vcam.path, os.O_RDWR | os.O_NONBLOCK)  # as programs do that list all cameras
    try:
        with start(vcam, marker_camera) as program:
            with Reader(vcam) as reader:
                reader.wait_for("background", frames=3)
            reader.assert_private()
            assert program.end(signal.SIGTERM) == 0
    finally:
        os.close(waiting)


def test_the_card_is_repeated_during_the_start(
    vcam: Node,
    marker_camera: str,
    lab: None,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The network is there only when a reader that came during the start has three cards."""
    monkeypatch.setattr("realtime_matte.pipeline.builder.CARD_EVERY_S", CARD_EVERY_S)
    with ExitStack() as stack:
        readers: list[Reader] = []

        def open_network() -> Network:
            readers.append(stack.enter_context(Reader(vcam)))
            readers[0].wait_for("card", frames=3)
            return network_opener("small", provider="cpu", threads=1)()

        output = f"virtualcam:{vcam.path}"
        pipeline = stack.enter_context(
            Pipeline.open(marker_camera, BACKGROUND_NAME, outputs=output, model=open_network, size=SIZE, fps=15)
        )
        pipeline.run(until=lambda: "background" in readers[0].seen)
        readers[0].assert_private()


def test_a_device_that_is_sent_to_cannot_be_removed_and_may_be_renamed(
    vcam: Node,
    marker_camera: str,
    lab: None,  # noqa: ARG001
) -> None:
    """Renamed as by udev, or in a container: a program that has it open keeps it."""
    number, aside = int(vcam.path.name.removeprefix("video")), vcam.path.with_name("aside")
    with start(vcam, marker_camera) as program, Reader(vcam) as reader:
        reader.wait_for("background", frames=3)
        control = os.open("/dev/v4l2loopback", os.O_RDWR)
        try:
            with pytest.raises(OSError, match="busy") as caught:
                fcntl.ioctl(control, REMOVE, number)
        finally:
            os.close(control)
        assert caught.value.errno == errno.EBUSY
        vcam.path.rename(aside)
        try:
            reader.wait_for("background", frames=3)
            assert program.end(signal.SIGTERM) == 0
            reader.wait_last("card")
        finally:
            aside.rename(vcam.path)
    reader.assert_private()
