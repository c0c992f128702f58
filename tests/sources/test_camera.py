"""The camera source: what it requests, what it gives, and how it notices a loss."""

import sys
import threading
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from fakes.devices import Clock, Event, ScriptedDevice

from realtime_matte.errors import SourceError, SourceLost, SpecError
from realtime_matte.frame import Pixels, Size
from realtime_matte.sources import _opencv, camera
from realtime_matte.sources._opencv import OpenCvReader
from realtime_matte.sources._other_systems import NumberedCameras
from realtime_matte.sources._reader import describe_mode
from realtime_matte.sources.camera import NOISY_FRAMES, RepeatDetector
from realtime_matte.v4l2.cameras import CameraInfo, LinuxCameras
from realtime_matte.v4l2.capabilities import Mode

INFO = CameraInfo("Cam", "/dev/video0")


class OneCamera:
    """A system with one camera."""

    def __init__(self) -> None:
        self.unplugged = False

    def list_cameras(self) -> list[CameraInfo]:
        return [INFO]

    def choose(self, rest: str) -> CameraInfo:
        assert rest == "0"
        return INFO

    def choice(self, rest: str, camera: CameraInfo) -> str:  # noqa: ARG002
        return ""

    def is_gone(self, camera: CameraInfo) -> bool:
        assert camera is INFO
        return self.unplugged

    def open_error(self, camera: CameraInfo) -> SourceError:
        return SourceError(f"{camera.title} is in use by zoom (pid 7)")


def running(
    *script: Event, system: OneCamera | None = None, clock: Clock | None = None, device: ScriptedDevice | None = None
) -> camera.Camera:
    """A camera that has given its first frame."""
    clock = clock or Clock()
    return camera.Camera(
        OpenCvReader(device or ScriptedDevice(0, *script)),
        INFO,
        system or OneCamera(),
        size=(8, 6),
        fps=30,
        clock=clock,
        sleep=clock.sleep,
    )


def buffer(size: Size = (8, 6)) -> Pixels:
    return np.empty((size[1], size[0], 3), np.uint8)


def lost(source: camera.Camera) -> str:
    with pytest.raises(SourceLost) as caught:
        source.read(buffer())
    return str(caught.value)


# Requested and actual mode


def test_mjpg_is_requested_before_the_size() -> None:
    device = ScriptedDevice(0)
    running(device=device)
    assert device.requested == [
        (cv2.CAP_PROP_FOURCC, float(cv2.VideoWriter.fourcc(*"MJPG"))),
        (cv2.CAP_PROP_FRAME_WIDTH, 8),
        (cv2.CAP_PROP_FRAME_HEIGHT, 6),
        (cv2.CAP_PROP_FPS, 30),
        (cv2.CAP_PROP_BUFFERSIZE, 2),
        *([(cv2.CAP_PROP_CONVERT_RGB, 0)] if sys.platform == "linux" else []),
    ]


def test_the_actual_mode_is_a_notice() -> None:
    source = running()
    assert (source.size, source.fps, source.live, source.frames) == ((8, 6), 30.0, True, None)
    assert source.notices == ("camera /dev/video0 (Cam): 8x6 at 30 fps MJPG",)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems decode the frames themselves")
def test_damaged_mjpeg_is_decoded_without_a_line_of_libjpeg(capfd: pytest.CaptureFixture[str]) -> None:
    whole, other = (
        cv2.imencode(".jpg", np.full((96, 160, 3), level, np.uint8))[1].reshape(1, -1) for level in (9, 200)
    )
    noise = cv2.imencode(".jpg", np.random.default_rng(1).integers(0, 256, (96, 160, 3), np.uint8))[1].reshape(1, -1)
    noise[0, 2000:2200] = 0
    device = ScriptedDevice(whole, noise, noise[:, :1000], other, size=(160, 96), undecoded=True)
    source = running(device=device)
    pixels = buffer((160, 96))
    assert source.size == (160, 96)
    assert source.read(pixels).pixels is pixels  # damaged inside
    assert source.read(pixels).pixels.mean() == 200
    assert source.damaged == 1
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("fourcc", "undecoded"), [("YUYV", True), ("MJPG", False)])
def test_other_formats_and_backends_are_decoded_by_opencv(fourcc: str, undecoded: bool) -> None:  # noqa: FBT001
    source = running(device=ScriptedDevice(0, 7, fourcc=fourcc, undecoded=undecoded))
    assert source.read(buffer()).pixels.mean() == 7


def test_the_size_is_that_of_the_first_frame_whatever_the_driver_reports() -> None:
    assert running(device=ScriptedDevice(np.zeros((4, 5, 3), np.uint8))).size == (5, 4)


@pytest.mark.parametrize("fps", [0.0, -1.0, 1e6])
def test_a_rate_the_driver_does_not_know_is_the_requested_one(fps: float) -> None:
    source = running(device=ScriptedDevice(0, fps=fps))
    assert source.fps == 30
    assert "not the" not in source.notices[0]


MODES = (Mode("MJPG", (1280, 720), (30.0,)), Mode("YUYV", (640, 480), (30.0, 15.0)), Mode("YUYV", (1280, 720), (10.0,)))


@pytest.mark.parametrize(
    ("modes", "requested", "actual", "reason"),
    [
        ((), ((9, 6), 30), ((8, 6), 30.0), "8x6 at 30 fps MJPG, not the requested 9x6 at 30 fps"),
        (
            MODES,
            ((1920, 1080), 30),
            ((1280, 720), 30.0),
            (
                "1280x720 at 30 fps MJPG, not the requested 1920x1080 at 30 fps: "
                "it has no such size (its largest is 1280x720); rtmatte devices lists its modes"
            ),
        ),
        (
            MODES,
            ((640, 480), 60),
            ((640, 480), 30.0),
            "640x480 at 30 fps MJPG, not the requested 640x480 at 60 fps: its rates at that size are 30, 15",
        ),
        (
            MODES,
            ((1280, 720), 30),
            ((640, 480), 30.0),
            "640x480 at 30 fps MJPG, not the requested 1280x720 at 30 fps; another program may have set its mode",
        ),
    ],
)
def test_the_notice_says_why_it_is_not_the_requested_mode(
    modes: tuple[Mode, ...], requested: tuple[Size, float], actual: tuple[Size, float], reason: str
) -> None:
    info = CameraInfo("Cam", "0", modes)
    notice = describe_mode("MJPG", info, requested=requested, actual=actual)
    assert notice == f"camera 0 (Cam): {reason}"


@pytest.mark.parametrize(
    ("code", "text"), [(-1.0, ""), (0.0, ""), (1.0, ""), (1196444237.0, "MJPG"), (540422490.0, "Z16")]
)
def test_an_unknown_pixel_format_is_left_out(code: float, text: str) -> None:
    device = ScriptedDevice()
    device._settings[cv2.CAP_PROP_FOURCC] = code
    assert _opencv.fourcc(device) == text


# Opening


@pytest.fixture
def only_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    """On every system, cameras are opened as on those without Video for Linux."""
    monkeypatch.setattr(sys, "platform", "darwin")


@pytest.mark.usefixtures("only_opencv")
def test_defaults_are_720p_at_30(monkeypatch: pytest.MonkeyPatch) -> None:
    device = ScriptedDevice(0, size=(1280, 720))
    monkeypatch.setattr(_opencv, "connect", lambda _: device)
    monkeypatch.setattr(camera, "_system", OneCamera)
    source = camera.open("0", size=None, fps=None)
    assert source.size == (1280, 720)
    assert {number: value for number, value in device.requested if number < 6} == {3: 1280, 4: 720, 5: 30}
    assert camera.list_cameras() == [INFO]


@pytest.mark.usefixtures("only_opencv")
def test_where_there_was_a_choice_it_is_a_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_opencv, "connect", lambda _: ScriptedDevice(0))
    monkeypatch.setattr(camera, "_system", OneCamera)
    assert len(camera.open("0", size=None, fps=None).notices) == 1
    monkeypatch.setattr(OneCamera, "choice", lambda *_: "the first of two")
    assert camera.open("0", size=None, fps=None).notices[1] == "the first of two"


@pytest.mark.parametrize("script", [(), ("nothing",), ("broken", "broken")])
def test_a_camera_that_gives_no_frame_is_refused_and_released(
    script: tuple[Event, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    device, clock, released = ScriptedDevice(*script), Clock(), []
    open_error = OneCamera.open_error

    def recorded(system: OneCamera, info: CameraInfo) -> SourceError:
        released.append(device.released)  # else the system finds the device busy because of us
        return open_error(system, info)

    monkeypatch.setattr(OneCamera, "open_error", recorded)
    with pytest.raises(SourceError, match="is in use by zoom"):
        running(device=device, clock=clock)
    assert released == [1]
    assert clock.now == pytest.approx(100 + camera.FIRST_FRAME_S, abs=0.1)


@pytest.mark.usefixtures("only_opencv")
def test_a_camera_that_does_not_open_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    device = ScriptedDevice(0)
    device.opened = False
    monkeypatch.setattr(_opencv, "connect", lambda _: device)
    monkeypatch.setattr(camera, "_system", OneCamera)
    with pytest.raises(SourceError, match="is in use by zoom"):
        camera.open("0", size=None, fps=None)
    assert device.requested == []


# Frames


def test_a_frame_is_decoded_into_the_given_buffer() -> None:
    source, pixels = running(7), buffer()
    frame = source.read(pixels)
    assert frame.pixels is pixels
    assert (pixels == 7).all()


def test_frames_are_counted() -> None:
    source = running(1, 2, 3)
    assert [source.read(buffer()).index for _ in range(3)] == [0, 1, 2]


def test_the_drivers_time_is_used_where_it_is_of_our_clock() -> None:
    clock = Clock(now=2.5)
    assert running(1, clock=clock).read(buffer()).time == 2.0  # stamped 2 s, 0.5 s ago


@pytest.mark.parametrize("now", [100.0, 1.9])
def test_the_time_of_another_clock_is_not_used(now: float) -> None:
    assert running(1, clock=Clock(now)).read(buffer()).time == now


def test_time_never_goes_back() -> None:
    clock = Clock(now=2.5)
    source = running(1, lambda: clock.sleep(2), 2, lambda: setattr(clock, "now", 4.2), 3, clock=clock)
    times = [source.read(buffer()).time for _ in range(3)]
    assert times == [2.0, 4.5, 4.5]


def test_a_broken_frame_is_skipped() -> None:
    clock = Clock()
    source, pixels = running("broken", "empty", "torn", "nothing", 5, clock=clock), buffer()
    assert source.read(pixels).index == 0
    assert (pixels == 5).all()
    assert clock.slept == [camera.RETRY_S] * 4


# Losses


def test_silence_is_a_loss_without_a_busy_loop() -> None:
    clock = Clock()
    source = running("nothing", "broken", "nothing", clock=clock)
    assert lost(source) == (
        "camera /dev/video0 (Cam) gave no new frame for 2 s; close other programs that use it, or plug it in again"
    )
    assert clock.now == pytest.approx(102, abs=0.1)
    assert min(clock.slept) > 0


def test_an_unplugged_camera_is_lost_at_once() -> None:
    clock, system = Clock(), OneCamera()

    def unplug() -> None:
        system.unplugged = True

    source = running(unplug, "nothing", clock=clock, system=system)
    assert lost(source) == "camera /dev/video0 (Cam) was unplugged; plug it in again"
    assert clock.now <= 100 + camera.RETRY_S


def test_the_last_frame_repeated_as_a_success_is_a_loss() -> None:
    source = running(1, *["repeat"] * 1000)
    source.read(buffer())
    assert "no new frame for 2 s" in lost(source)


def test_equal_frames_with_new_stamps_are_no_loss() -> None:
    source = running(*[9] * 200)
    assert [source.read(buffer()).index for _ in range(200)] == list(range(200))


def test_a_frame_of_another_size_is_a_loss() -> None:
    source = running(np.zeros((3, 4, 3), np.uint8))
    assert lost(source) == "camera /dev/video0 (Cam) now gives frames of 4x3; it has to be opened again"


def test_close_is_idempotent_and_ends_reading() -> None:
    device = ScriptedDevice(0, 1)
    source = running(device=device)
    source.close()
    source.close()
    assert not device.opened
    assert lost(source) == "camera /dev/video0 (Cam) was closed"


def test_close_from_another_thread_lets_the_reading_thread_release_the_device() -> None:
    device: ScriptedDevice

    def close_during_the_read() -> None:
        thread = threading.Thread(target=source.close)
        thread.start()
        thread.join()
        assert device.released == 0

    device = ScriptedDevice(0, close_during_the_read, "nothing")
    source = running(device=device)
    assert lost(source) == "camera /dev/video0 (Cam) was closed"
    assert device.released > 0


# Repeats


def noise(number: int) -> Pixels:
    return np.random.default_rng(number).integers(0, 255, (48, 64, 3), np.uint8)


def test_a_new_stamp_is_a_new_frame() -> None:
    repeats, still = RepeatDetector(), noise(0)
    assert [repeats.is_new(still, stamp) for stamp in (1, 2, 2, 3, 3)] == [True, True, False, True, False]


def test_without_stamps_frames_of_a_still_camera_are_new() -> None:
    repeats = RepeatDetector()
    assert all(repeats.is_new(noise(0), 0) for _ in range(500))


def test_without_stamps_an_equal_frame_of_a_noisy_camera_is_a_repeat() -> None:
    repeats = RepeatDetector()
    assert all(repeats.is_new(noise(number), -1) for number in range(NOISY_FRAMES))
    assert [repeats.is_new(noise(number), -1) for number in (NOISY_FRAMES - 1, NOISY_FRAMES - 1, 77, 77)] == [
        False,
        False,
        True,
        False,
    ]


def test_a_scene_that_moves_now_and_then_is_not_noisy() -> None:
    repeats = RepeatDetector()
    assert all(repeats.is_new(noise(min(number % 40, 20)), 0) for number in range(400))


def test_a_slide_show_is_not_noisy() -> None:
    repeats = RepeatDetector()
    assert all(repeats.is_new(noise(number // 3), 0) for number in range(300))


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (1280, 720)])
def test_frames_of_any_size_are_compared(size: Size) -> None:
    repeats, pixels = RepeatDetector(), buffer(size)
    for number in range(NOISY_FRAMES):
        pixels[:] = number
        assert repeats.is_new(pixels, 0)
    assert not repeats.is_new(pixels, 0)


# OpenCV


class FakeOpenCV(ScriptedDevice):
    """``cv2.VideoCapture`` itself, with its constructor and ``waitAny``."""

    opened_with: tuple[object, ...] = ()
    camera_count = 3
    waited: Callable[[], tuple[bool, tuple[int, ...]]]

    def __init__(self, address: str | int, backend: int) -> None:
        super().__init__(0)
        type(self).opened_with = (address, backend)
        assert _opencv.LOGGING.getLogLevel() == _opencv.LEVEL_SILENT
        self.opened = not isinstance(address, int) or address < self.camera_count

    @classmethod
    def waitAny(cls, devices: list[object], *, timeoutNs: int) -> tuple[bool, tuple[int, ...]]:  # noqa: N802, N803
        assert len(devices) == 1
        assert timeoutNs == 250_000_000
        return cls.waited()


@pytest.fixture
def opencv(monkeypatch: pytest.MonkeyPatch) -> type[FakeOpenCV]:
    monkeypatch.setattr(cv2, "VideoCapture", FakeOpenCV)
    return FakeOpenCV


@pytest.mark.parametrize(
    ("platform", "backend"),
    [("linux", cv2.CAP_V4L2), ("darwin", cv2.CAP_AVFOUNDATION), ("win32", cv2.CAP_DSHOW), ("beos", cv2.CAP_ANY)],
)
def test_each_system_has_its_own_backend(
    opencv: type[FakeOpenCV], monkeypatch: pytest.MonkeyPatch, platform: str, backend: int
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    level = _opencv.LOGGING.getLogLevel()
    _opencv.connect(CameraInfo("", "1"))
    assert opencv.opened_with == (1, backend)
    _opencv.connect(INFO)
    assert opencv.opened_with == ("/dev/video0", backend)
    assert _opencv.LOGGING.getLogLevel() == level


def _error() -> tuple[bool, tuple[int, ...]]:
    raise cv2.error("Error is reported for camera stream: 0")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(lambda: (True, (0,)), True), (lambda: (False, ()), False), (lambda: (True, ()), False), (_error, False)],
)
def test_a_frame_is_grabbed_only_when_it_is_ready(
    opencv: type[FakeOpenCV],
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[[], tuple[bool, tuple[int, ...]]],
    expected: bool,  # noqa: FBT001
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    opencv.waited = staticmethod(answer)
    assert _opencv.ready(_opencv.connect(INFO), 0.25) is expected


def test_where_opencv_cannot_wait_a_frame_is_grabbed_at_once(
    opencv: type[FakeOpenCV], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    opencv.waited = staticmethod(_error)
    assert _opencv.ready(_opencv.connect(INFO), 0.25)


# macOS and Windows


def test_on_other_systems_cameras_are_probed_by_number(opencv: type[FakeOpenCV]) -> None:
    cameras = NumberedCameras("win32", _opencv.probe).list_cameras()
    assert len(cameras) == opencv.camera_count
    assert cameras[2] == CameraInfo("", "2", (Mode("MJPG", (8, 6), (30.0,)),))


def test_on_other_systems_cameras_are_numbers() -> None:
    system = NumberedCameras("darwin", _opencv.probe)
    assert system.choose("").address == "0"
    assert system.choose("01").address == "1"
    assert not system.is_gone(INFO)
    with pytest.raises(SpecError, match="no camera called 'logi': on this system cameras are numbers; try camera:0"):
        system.choose("logi")


@pytest.mark.parametrize(
    ("platform", "hint"),
    [
        ("darwin", "Privacy & Security > Camera"),
        ("win32", "Settings > Privacy > Camera"),
        ("beos", "plug it in, or close"),
    ],
)
def test_on_other_systems_an_error_has_the_hint_of_the_system(platform: str, hint: str) -> None:
    text = str(NumberedCameras(platform, _opencv.probe).open_error(CameraInfo("", "1")))
    assert text.startswith("camera 1 cannot be opened or gives no frames; plug it in")
    assert hint in text


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_on_other_systems_cameras_are_known_by_number(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert isinstance(camera._system(), NumberedCameras)


@pytest.mark.skipif(sys.platform != "linux", reason="Video for Linux")
def test_on_linux_cameras_are_those_of_the_kernel() -> None:
    assert camera._system() == LinuxCameras()
