"""Environment variables that end the process of OpenCV or Numba."""

import os
from importlib.metadata import version

import pytest

from realtime_matte.cli.environment import check_variables
from realtime_matte.cli.main import main

NUMBA = tuple(int(part) for part in version("numba").split(".")[:2])


@pytest.mark.parametrize(
    ("library", "name", "reason"),
    [
        ("OpenCV", "OPENCV_TRACE", "Invalid value for parameter OPENCV_TRACE: foo"),
        ("OpenCV", "OPENCV_ENABLE_MEMALIGN", "Invalid value for parameter OPENCV_ENABLE_MEMALIGN: foo"),
        ("OpenCV", "OPENCV_IO_MAX_IMAGE_PIXELS", "it ends the program"),
        ("OpenCV", "OPENCV_FOR_THREADS_NUM", "it ends the program"),
        pytest.param(
            *("Numba", "NUMBA_CPU_FEATURES", "it ends the program"),
            marks=pytest.mark.skipif(NUMBA < (0, 62), reason="LLVM before 20 ignores features that it does not know"),
        ),
    ],
)
def test_a_variable_that_ends_the_process_is_one_line(
    library: str, name: str, reason: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, "foo")
    assert main(["models"]) == 2
    printed = capfd.readouterr()
    expected = f"rtmatte: {library} does not accept its environment variables ({reason}); correct or unset {name}\n"
    assert (printed.out, printed.err) == ("", expected)


def test_variables_that_are_accepted_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCV_TRACE", "0")
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    check_variables(["OPENCV_TRACE", "NUMBA_CPU_NAME", "NUMBA_NUM_THREADS"])
    assert os.environ["OPENCV_TRACE"] == "0"
