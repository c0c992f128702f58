"""Raw frames by memory-mapped buffers: the mode, the newest frame, and buffers that always go back to the driver."""

import errno
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.v4l2_stream import StreamingCamera

from realtime_matte.v4l2 import ioctl as v4l2
from realtime_matte.v4l2.streaming import BUFFERS, NotSupported, Stream, StreamMode

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Video for Linux")

FORMATS = ("MJPG", "YUYV")


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[StreamingCamera]:
    camera = StreamingCamera(tmp_path / "video0")
    yield camera
    assert not camera.streaming


def stream(camera: StreamingCamera) -> Stream:
    return Stream(camera.path, FORMATS, size=(160, 96), fps=30, ioctl=camera.ioctl)


def test_requested_and_actual_mode(camera: StreamingCamera) -> None:
    opened = stream(camera)
    assert camera.streaming
    assert camera.requested == [("MJPG", 160, 96, 30.0)]
    assert opened.mode == StreamMode("MJPG", (160, 96), 0, 25.0, full_range=False, bt709=False)
    opened.close()
    opened.close()


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        ((0, 0, 0), (False, False)),
        ((v4l2.JPEG_COLORS, 0, 0), (True, False)),
        ((v4l2.JPEG_COLORS, 0, 2), (False, False)),
        ((0, v4l2.BT709, v4l2.FULL_RANGE), (True, True)),
    ],
)
def test_the_driver_reports_range_and_matrix(
    camera: StreamingCamera, reported: tuple[int, int, int], expected: tuple[bool, bool]
) -> None:
    camera.colors, camera.encoding, camera.quantization = reported
    opened = stream(camera)
    assert (opened.mode.full_range, opened.mode.bt709) == expected
    opened.close()


def test_the_newest_frame_is_taken_and_the_others_go_back(camera: StreamingCamera) -> None:
    opened = stream(camera)
    camera.add(b"one", b"two", b"three", None, b"four")
    taken = opened.take()
    assert taken is not None
    assert taken.tobytes() == b"three"
    assert len(camera.queued) == BUFFERS - 1
    first = opened.timestamp_s
    taken = opened.take()
    assert taken is not None
    assert taken.tobytes() == b"four"
    assert opened.timestamp_s == pytest.approx(first + 0.04, abs=1e-5)
    assert opened.take() is None
    assert len(camera.queued) == BUFFERS - 1
    opened.close()


def test_a_damaged_frame_is_empty(camera: StreamingCamera) -> None:
    opened = stream(camera)
    camera.add(b"")
    taken = opened.take()
    assert taken is not None
    assert taken.size == 0
    opened.close()


def test_a_device_that_is_gone_is_an_error(camera: StreamingCamera) -> None:
    opened = stream(camera)
    camera.add(errno.ENODEV)
    with pytest.raises(OSError, match="none"):
        opened.take()
    opened.close()


def test_a_frame_outlives_the_stream(camera: StreamingCamera) -> None:
    opened = stream(camera)
    camera.add(b"one")
    taken = opened.take()
    opened.close()
    assert taken is not None
    assert taken.tobytes() == b"one"


def test_another_format_that_can_be_read_is_taken(camera: StreamingCamera) -> None:
    camera.fourcc = "YUYV"
    opened = stream(camera)
    assert opened.mode.fourcc == "YUYV"
    opened.close()


def test_what_cannot_be_read_says_why(camera: StreamingCamera) -> None:
    camera.fourcc = "H264"
    with pytest.raises(NotSupported, match="its pixel format is H264"):
        stream(camera)
    assert [fourcc for fourcc, *_ in camera.requested] == ["MJPG", "YUYV"]
    camera.flags = v4l2.SINGLE_PLANAR_FLAG
    with pytest.raises(NotSupported, match="no memory-mapped buffers"):
        stream(camera)
    camera.flags = v4l2.CAPTURE_FLAGS ^ v4l2.SINGLE_PLANAR_FLAG
    with pytest.raises(NotSupported, match="multi-planar"):
        stream(camera)


@pytest.mark.parametrize("request_number", [v4l2.S_FMT, v4l2.REQBUFS, v4l2.STREAMON])
def test_a_busy_device_is_closed_again(camera: StreamingCamera, request_number: int) -> None:
    camera.errors[request_number] = errno.EBUSY
    with pytest.raises(OSError, match="busy") as caught:
        stream(camera)
    assert not isinstance(caught.value, NotSupported)
    assert caught.value.errno == errno.EBUSY


def test_a_driver_without_a_rate_is_read(camera: StreamingCamera) -> None:
    camera.errors[v4l2.S_PARM] = errno.ENOTTY
    opened = stream(camera)
    assert opened.mode.fps is None
    opened.close()
