"""The camera source on the kernel's interface: decoding, damaged frames, losses, and when OpenCV is used instead."""

import errno
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes.devices import Clock, ScriptedDevice
from fakes.v4l2_stream import StreamingCamera

from realtime_matte.errors import MissingDependency, SourceError, SourceLost
from realtime_matte.frame import Pixels
from realtime_matte.media import i420
from realtime_matte.media.turbojpeg import JpegDecoder
from realtime_matte.sources import _opencv, _v4l2, camera
from realtime_matte.sources._v4l2 import V4l2Reader
from realtime_matte.v4l2 import ioctl as v4l2
from realtime_matte.v4l2.cameras import CameraInfo

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Video for Linux")

SIZE = (160, 96)


@pytest.fixture(autouse=True)
def decoder() -> Iterator[JpegDecoder]:
    try:
        decoder = JpegDecoder()
    except MissingDependency:
        pytest.skip("libturbojpeg is not installed")
    with closing(decoder):
        yield decoder


class OneSystem:
    """A system with one camera, which can be unplugged."""

    def __init__(self, info: CameraInfo) -> None:
        self.info = info
        self.gone = False

    def list_cameras(self) -> list[CameraInfo]:
        return [self.info]

    def choose(self, rest: str) -> CameraInfo:  # noqa: ARG002
        return self.info

    def choice(self, rest: str, camera: CameraInfo) -> str:  # noqa: ARG002
        return ""

    def is_gone(self, camera: CameraInfo) -> bool:  # noqa: ARG002
        return self.gone

    def open_error(self, camera: CameraInfo) -> SourceError:
        return SourceError(f"{camera.title} is in use by zoom (pid 7)")


def image() -> Pixels:
    y, x = np.mgrid[: SIZE[1], : SIZE[0]].astype(np.float32)
    return np.dstack([60 + x, 220 - y, 40 + x / 2 + y]).astype(np.uint8)


def jpeg() -> bytes:
    options = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422]
    return cv2.imencode(".jpg", image(), options)[1].tobytes()


def yuyv(planes: Pixels) -> bytes:
    luma, u, v = i420.planes(planes)
    packed = np.empty((*luma.shape, 2), np.uint8)
    packed[..., 0] = luma
    packed[:, 0::2, 1], packed[:, 1::2, 1] = u.repeat(2, axis=0), v.repeat(2, axis=0)
    return packed.tobytes()


def nv12(planes: Pixels) -> bytes:
    luma, u, v = i420.planes(planes)
    return luma.tobytes() + np.dstack([u, v]).tobytes()


def padded(content: bytes, row: int, stride: int) -> bytes:
    rows = np.frombuffer(content, np.uint8).reshape(-1, row)
    return np.pad(rows, ((0, 0), (0, stride - row))).tobytes()


def difference(first: Pixels, second: Pixels) -> int:
    return int(np.abs(first.astype(int) - second).max())


Open = Callable[..., camera.Camera]


@pytest.fixture
def device(tmp_path: Path) -> StreamingCamera:
    return StreamingCamera(tmp_path / "video0", size=SIZE)


@pytest.fixture
def system(device: StreamingCamera) -> OneSystem:
    return OneSystem(CameraInfo("Cam", device.path))


@pytest.fixture
def start(device: StreamingCamera, system: OneSystem, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens the camera, of which these frames come next."""
    monkeypatch.setattr(camera, "_system", lambda: system)
    monkeypatch.setattr(camera, "V4l2Reader", lambda path: V4l2Reader(path, ioctl=device.ioctl))
    clock = Clock()
    monkeypatch.setattr(camera, "Camera", partial(camera.Camera, clock=clock, sleep=clock.sleep))

    def open_camera(*events: bytes | int | None) -> camera.Camera:
        device.add(events[0], None, *events[1:])
        return camera.open("0", size=SIZE, fps=30)

    return open_camera


def test_mjpeg_is_read_as_planes_and_as_bgr(start: Open) -> None:
    with closing(start(jpeg(), jpeg(), None, jpeg())) as source:
        assert source.notices[0].endswith("(Cam): 160x96 at 25 fps MJPG, not the requested 160x96 at 30 fps")
        assert len(source.notices) == 1
        assert (source.size, source.fps, tuple(source.pixel_formats)) == (SIZE, 25.0, ("i420", "bgr"))
        planes = source.read(i420.empty(SIZE))
        assert (planes.pixel_format, planes.size, planes.index) == ("i420", SIZE, 0)
        bgr = source.read(np.empty_like(image()))
        assert (bgr.pixel_format, bgr.size, bgr.index) == ("bgr", SIZE, 1)
        assert difference(bgr.pixels, image()) < 12  # the loss of the compression
        assert difference(planes.pixels, i420.from_bgr(bgr.pixels)) <= 2


@pytest.mark.parametrize(
    ("fourcc", "stride", "pack"),
    [
        ("YUYV", 320, yuyv),
        ("YUYV", 384, lambda planes: padded(yuyv(planes), 320, 384)),
        ("NV12", 160, nv12),
        ("NV12", 192, lambda planes: padded(nv12(planes), 160, 192)),
        ("YU12", 160, lambda planes: planes.tobytes()),
        ("YU12", 0, lambda planes: planes.tobytes()),
    ],
)
def test_uncompressed_formats_are_read_without_bgr(
    start: Open, device: StreamingCamera, fourcc: str, stride: int, pack: Callable[[Pixels], bytes]
) -> None:
    expected = i420.from_bgr(image())
    device.fourcc, device.stride = fourcc, stride
    with closing(start(pack(expected), pack(expected), None, pack(expected))) as source:
        np.testing.assert_array_equal(source.read(i420.empty(SIZE)).pixels, expected)
        assert difference(source.read(np.empty_like(image())).pixels, image()) <= 4  # chroma is subsampled


def test_padded_planes_are_read(start: Open, device: StreamingCamera) -> None:
    expected = i420.from_bgr(image())
    luma, u, v = i420.planes(expected)
    content = b"".join(padded(p.tobytes(), p.shape[1], p.shape[1] * 192 // 160) for p in (luma, u, v))
    device.fourcc, device.stride = "YU12", 192
    with closing(start(content, content)) as source:
        np.testing.assert_array_equal(source.read(i420.empty(SIZE)).pixels, expected)


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("bt709", [True, False])
@pytest.mark.parametrize("pixel_format", ["i420", "bgr"])
def test_every_range_and_matrix_becomes_what_readers_expect(
    start: Open, device: StreamingCamera, pixel_format: str, *, bt709: bool, full: bool
) -> None:
    """For three frames of a clip that moves."""
    clip = [np.roll(image(), 8 * shift, axis=1) for shift in range(3)]
    device.fourcc = "YUYV"
    device.encoding = v4l2.BT709 if bt709 else 0
    device.quantization = v4l2.FULL_RANGE if full else 0
    given = [yuyv(planes_of(frame, bt709=bt709, full=full)) for frame in clip]
    with closing(start(given[0], given[0], None, given[1], None, given[2])) as source:
        for frame in clip:
            if pixel_format == "i420":
                assert difference(source.read(i420.empty(SIZE)).pixels, i420.from_bgr(frame)) <= 2
            else:
                assert difference(source.read(np.empty_like(frame)).pixels, frame) <= 6  # chroma is subsampled


def planes_of(frame: Pixels, *, bt709: bool, full: bool) -> Pixels:
    """A frame as a camera of that matrix and range gives it, by their definitions (ITU-R BT.601 and BT.709)."""
    red, blue = (0.2126, 0.0722) if bt709 else (0.299, 0.114)
    bgr = frame.astype(np.float64)
    luma = bgr @ (blue, 1 - red - blue, red)
    u, v = (bgr[..., 0] - luma) / (2 - 2 * blue), (bgr[..., 2] - luma) / (2 - 2 * red)
    wide = (luma, 128 + u, 128 + v) if full else (16 + luma * 219 / 255, 128 + u * 224 / 255, 128 + v * 224 / 255)
    out = i420.empty(SIZE)
    for plane, values in zip(i420.planes(out), wide, strict=True):
        plane[:] = np.rint(cv2.resize(values, plane.shape[::-1], interpolation=cv2.INTER_AREA))
    return out


def test_damaged_frames_are_left_out_quietly_and_counted(start: Open, capfd: pytest.CaptureFixture[str]) -> None:
    half = jpeg()[: len(jpeg()) // 2]
    with closing(start(jpeg(), jpeg(), None, half, None, b"", None, bytes(100), None, jpeg())) as source:
        assert source.read(i420.empty(SIZE)).index == 0
        assert (source.damaged, len(source.notices)) == (0, 1)
        assert source.read(i420.empty(SIZE)).index == 1
        assert source.damaged == 3
        assert [notice for notice in source.notices if "sends damaged frames" in notice] == [source.notices[1]]
    assert capfd.readouterr() == ("", "")


def test_a_camera_with_only_damaged_frames_is_lost(start: Open) -> None:
    with closing(start(jpeg(), jpeg(), None, *[b"", None] * 40)) as source:
        source.read(i420.empty(SIZE))
        with pytest.raises(SourceLost, match="gave only damaged frames for"):
            source.read(i420.empty(SIZE))


@pytest.mark.parametrize("content", [b"short", bytes(160 * 96)])
def test_an_incomplete_uncompressed_frame_is_damaged(start: Open, device: StreamingCamera, content: bytes) -> None:
    whole = yuyv(i420.from_bgr(image()))
    device.fourcc = "YUYV"
    with closing(start(whole, content, None, whole)) as source:
        assert source.read(i420.empty(SIZE)).index == 0
        assert source.damaged == 0  # none before the first frame that was read counts


def test_frames_of_another_size_are_a_loss(start: Open) -> None:
    small = cv2.imencode(".jpg", image()[:48])[1].tobytes()
    with closing(start(jpeg(), small)) as source, pytest.raises(SourceLost, match="now gives frames of 160x48"):
        source.read(i420.empty(SIZE))


def test_an_unplugged_camera_is_lost(start: Open, system: OneSystem) -> None:
    with closing(start(jpeg(), errno.ENODEV)) as source:
        system.gone = True
        with pytest.raises(SourceLost, match="was unplugged"):
            source.read(i420.empty(SIZE))


def test_a_busy_camera_names_the_program(start: Open, device: StreamingCamera) -> None:
    device.errors[v4l2.REQBUFS] = errno.EBUSY
    with pytest.raises(SourceError, match="in use by zoom"):
        start(jpeg())


def test_the_stream_is_stopped_when_the_camera_is_closed(start: Open, device: StreamingCamera) -> None:
    source = start(jpeg())
    assert device.streaming
    source.close()
    assert not device.streaming


def by_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_opencv, "connect", lambda _: ScriptedDevice(0, size=SIZE))


def test_a_format_that_it_cannot_read_is_read_by_opencv(
    start: Open, device: StreamingCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_opencv(monkeypatch)
    device.fourcc = "H264"
    with closing(start(None)) as source:
        assert source.notices[1].endswith(
            "is read by OpenCV, which takes more processor time: its pixel format is H264"
        )
        assert source.pixel_formats == ("bgr",)
    assert not device.streaming


def test_frames_that_cannot_be_decoded_from_the_start_are_left_to_opencv(
    start: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_opencv(monkeypatch)
    with closing(start(bytes(100))) as source:
        assert source.notices[1].endswith("its frames cannot be decoded")


def test_without_libjpeg_turbo_opencv_reads_and_the_package_is_named(
    start: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise MissingDependency("libjpeg-turbo is not installed", hint="sudo apt install libturbojpeg0")

    by_opencv(monkeypatch)
    monkeypatch.setattr(_v4l2, "JpegDecoder", missing)
    with closing(start(jpeg())) as source:
        assert source.notices[1].endswith("libjpeg-turbo is not installed; sudo apt install libturbojpeg0")
