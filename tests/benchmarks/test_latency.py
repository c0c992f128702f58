"""The time stamp in an image, and the latency report."""

import cv2
import latency
import numpy as np
import pytest
import timestamp
from hypothesis import given
from hypothesis import strategies as st

from realtime_matte.frame import Frame, Matte


def noise(height: int = 360, width: int = 640) -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (height, width, 3), np.uint8)


@given(time=st.floats(0, 1e6), passed_ms=st.floats(0, 60_000))
def test_stamp_is_read_back_to_the_millisecond(time: float, passed_ms: float) -> None:
    stamped = noise(90, 160)
    timestamp.draw(stamped, time)
    age = timestamp.age_ms(stamped, time + passed_ms / 1e3)
    assert age is not None
    assert passed_ms - 0.01 <= age <= passed_ms + 1.01


@pytest.mark.parametrize("size", [(480, 854), (720, 1280), (1080, 1920), (90, 160)])
def test_stamp_survives_chroma_subsampling_and_jpeg(size: tuple[int, int]) -> None:
    stamped = np.full((*size, 3), 90, np.uint8)
    timestamp.draw(stamped, 12.5)
    sent = stamped[: size[0] & ~1, : size[1] & ~1]
    converted = cv2.cvtColor(cv2.cvtColor(sent, cv2.COLOR_BGR2YUV_I420), cv2.COLOR_YUV2BGR_I420)
    decoded = cv2.imdecode(cv2.imencode(".jpg", converted, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_COLOR)
    assert timestamp.age_ms(decoded, 12.6) == pytest.approx(100, abs=1)


@pytest.mark.parametrize("level", [0, 90, 255])
def test_plain_image_has_no_stamp(level: int) -> None:
    assert timestamp.age_ms(np.full((360, 640, 3), level, np.uint8), 1.0) is None


def test_half_of_another_image_is_no_stamp() -> None:
    torn, other = noise(), noise()
    timestamp.draw(torn, 10.0)
    timestamp.draw(other, 47.001)
    torn[:36] = other[:36]
    assert timestamp.age_ms(torn, 50.0) is None


def test_background_has_the_time_of_its_frame() -> None:
    background = latency.open_background("", size=(640, 360), fit="cover")
    matte = Matte(np.zeros((360, 640), np.float32), noise())
    image = background.image(Frame(noise(), 7.25, 0), matte)  # type: ignore[arg-type]  # a Matte of that size
    assert timestamp.age_ms(image, 7.3) == pytest.approx(50, abs=1)


def test_report_has_percentiles_and_the_frames_left_out() -> None:
    record = {
        "version": "1", "model": "small", "mode": "640x360 at 30 fps", "sent_ms": [10.0, 12.0],
        "machine": {"cpu": "a CPU", "cores": 2, "system": "Linux"}, "read_ms": [20.0, 30.0, None, 40.0],
    }  # fmt: skip
    report = "\n".join(latency.report(record))
    assert "p50 30.0 ms, p95 39.0 ms" in report
    assert "(3 frames; 1 without a readable stamp are not counted)" in report


def test_report_needs_a_stamp() -> None:
    record = {"read_ms": [None, None]}
    with pytest.raises(RuntimeError, match="no frame has a readable stamp"):
        latency.report(record)


def test_missing_virtual_camera_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class NoDevices:
        def choose(self, rest: str) -> None:
            raise latency.MatteError(f"no virtual camera {rest!r}")

    monkeypatch.setattr(latency, "LoopbackDevices", NoDevices)
    assert latency.main(["--device", "/dev/video99"]) == 2
    assert capsys.readouterr().err == "latency: no virtual camera '/dev/video99'\n"
