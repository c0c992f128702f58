"""The check that a bundle's OpenCV has everything that rtmatte uses of it."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "packaging/opencv_names.py"


def check(folder: Path) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, SCRIPT, folder]
    return subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - our own script


def test_names_that_opencv_has_are_accepted(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import cv2\ncv2.resize(x, s, interpolation=cv2.INTER_AREA).copy()\n")
    (tmp_path / "b.py").write_text("import cv2\ncv2.VideoWriter.fourcc(*'MJPG')\n")
    found = check(tmp_path)
    assert (found.returncode, found.stderr) == (0, "")


def test_names_that_opencv_lacks_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import cv2\ncv2.surprise(x).copy()\ncv2.VideoWriter.surprise\ncv2.surprise(y)\n")
    found = check(tmp_path)
    assert found.returncode == 1
    lines = found.stderr.splitlines()
    assert [line.partition("has no ")[2].partition(":")[0] for line in lines] == [
        "cv2.VideoWriter.surprise",
        "cv2.surprise",
    ]
