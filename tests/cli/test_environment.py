"""Environment variables that OpenCV refuses."""

import os

import pytest

from realtime_matte.cli.environment import check_opencv_variables
from realtime_matte.cli.main import main


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("OPENCV_TRACE", "Invalid value for parameter OPENCV_TRACE: foo"),
        ("OPENCV_BUFFER_AREA_ALWAYS_SAFE", "Invalid value for parameter OPENCV_BUFFER_AREA_ALWAYS_SAFE: foo"),
        ("OPENCV_IO_MAX_IMAGE_PIXELS", "it ends the program"),
        ("OPENCV_FOR_THREADS_NUM", "it ends the program"),
    ],
)
def test_a_variable_that_ends_opencv_is_one_line(
    name: str, reason: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, "foo")
    assert main(["models"]) == 2
    printed = capfd.readouterr()
    expected = f"rtmatte: OpenCV does not accept its environment variables ({reason}); correct or unset {name}\n"
    assert (printed.out, printed.err) == ("", expected)


def test_variables_that_opencv_accepts_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCV_TRACE", "0")
    check_opencv_variables(["OPENCV_TRACE"])
    assert os.environ["OPENCV_TRACE"] == "0"
