"""The stamp that a picture carries through a camera, and what is told of it."""

import cv2
import latency
import numpy as np
import pytest
import stamp
from hypothesis import given
from hypothesis import strategies as st

from realtime_matte.frame import Frame, Matte


def picture(height: int = 360, width: int = 640) -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (height, width, 3), np.uint8)


@given(time=st.floats(0, 1e6), passed_ms=st.floats(0, 60_000))
def test_a_stamp_is_read_back_to_the_millisecond(time: float, passed_ms: float) -> None:
    stamped = picture(90, 160)
    stamp.draw(stamped, time)
    age = stamp.age_ms(stamped, time + passed_ms / 1e3)
    assert age is not None
    assert passed_ms - 0.01 <= age <= passed_ms + 1.01


@pytest.mark.parametrize("size", [(480, 854), (720, 1280), (1080, 1920), (90, 160)])
def test_a_stamp_survives_the_colours_of_a_camera_and_a_lossy_program(size: tuple[int, int]) -> None:
    stamped = np.full((*size, 3), 90, np.uint8)
    stamp.draw(stamped, 12.5)
    sent = stamped[: size[0] & ~1, : size[1] & ~1]
    carried = cv2.cvtColor(cv2.cvtColor(sent, cv2.COLOR_BGR2YUV_I420), cv2.COLOR_YUV2BGR_I420)
    packed = cv2.imdecode(cv2.imencode(".jpg", carried, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_COLOR)
    assert stamp.age_ms(packed, 12.6) == pytest.approx(100, abs=1)


@pytest.mark.parametrize("level", [0, 90, 255])
def test_a_plain_picture_carries_no_stamp(level: int) -> None:
    assert stamp.age_ms(np.full((360, 640, 3), level, np.uint8), 1.0) is None


def test_half_of_another_picture_is_no_stamp() -> None:
    torn, other = picture(), picture()
    stamp.draw(torn, 10.0)
    stamp.draw(other, 47.001)
    torn[:36] = other[:36]
    assert stamp.age_ms(torn, 50.0) is None


def test_the_background_carries_the_time_of_its_frame() -> None:
    background = latency.stamped("", size=(640, 360), fit="cover")
    matte = Matte(np.zeros((360, 640), np.float32), picture())
    shown = background.image(Frame(picture(), 7.25, 0), matte)  # type: ignore[arg-type]  # a Matte of that size
    assert stamp.age_ms(shown, 7.3) == pytest.approx(50, abs=1)


def test_the_report_tells_spread_and_what_was_left_out() -> None:
    record = {
        "version": "1", "model": "small", "mode": "640x360 at 30 fps", "handed_over_ms": [10.0, 12.0],
        "machine": {"cpu": "a CPU", "cores": 2, "system": "Linux"}, "read_ms": [20.0, 30.0, None, 40.0],
    }  # fmt: skip
    told = "\n".join(latency.report(record))
    assert "p50 30.0 ms, p95 39.0 ms" in told
    assert "(3 pictures; 1 without a readable stamp left out)" in told


def test_without_a_single_stamp_there_is_no_figure() -> None:
    record = {"read_ms": [None, None]}
    with pytest.raises(RuntimeError, match="no picture carried a readable stamp"):
        latency.report(record)


def test_without_a_virtual_camera_that_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Nowhere:
        def choose(self, rest: str) -> None:
            raise latency.MatteError(f"no virtual camera {rest!r}")

    monkeypatch.setattr(latency, "LoopbackDevices", Nowhere)
    assert latency.main(["--device", "/dev/video99"]) == 2
    assert capsys.readouterr().err == "latency: no virtual camera '/dev/video99'\n"
