import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples"

WRITES = {
    "gstreamer_appsink": ["gstreamer-0.png", "gstreamer-1.png"],
    "list_devices": [],
    "matte_video": ["alpha/000000.png", "alpha/000009.png"],
    "moving_gradient": ["gradient.mp4"],
    "record_pipeline": ["pipeline.mp4"],
    "replace_background": ["composite.png", "cutout.png"],
    "two_streams": ["two_streams.png"],
    "webrtc_server": [],
}

NEEDS = {"gstreamer_appsink": "gi", "webrtc_server": "aiortc"}
"""Packages that are not dependencies of rtmatte."""

DEBIAN = "/usr/lib/python3/dist-packages"
"""Where Debian's python3-gi is, which an environment does not see."""


def can_import(package: str, environment: dict[str, str]) -> bool:
    command = [sys.executable, "-c", f"import {package}"]
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0  # noqa: S603


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.py")))
def test_example_runs_without_a_camera(name: str, tmp_path: Path) -> None:
    path = os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH")]), DEBIAN])
    environment = {**os.environ, "PYTHONPATH": path} if name == "gstreamer_appsink" else dict(os.environ)
    if name in NEEDS and not can_import(NEEDS[name], environment):
        pytest.skip(f"{NEEDS[name]} is not installed")
    warnings = ["-W", "error", "-W", "ignore::ImportWarning"]  # gi imports in an old way
    program = [sys.executable, *warnings, str(FOLDER / f"{name}.py")]
    found = subprocess.run(  # noqa: S603
        program, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout
    assert [file for file in WRITES[name] if not (tmp_path / file).stat().st_size] == []


def test_the_readme_lists_every_example() -> None:
    readme = (FOLDER / "README.md").read_text("utf-8")
    assert [path.name for path in FOLDER.glob("*.py") if f"`{path.name}`" not in readme] == []
