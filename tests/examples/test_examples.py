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

GSTREAMER = """
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
from gi.repository import Gst, GstApp
Gst.init(None)
names = "appsink appsrc decodebin imagefreeze jpegdec multifilesink pngenc videoconvert videoflip videoscale".split()
assert all(Gst.ElementFactory.find(name) for name in names)
"""

NEEDS = {
    "gstreamer_appsink": ("GStreamer with its plug-ins and PyGObject", GSTREAMER),
    "webrtc_server": ("aiortc", "import aiortc"),
}
"""What is no dependency of rtmatte, and a program that fails without it."""

DEBIAN_GI = Path("/usr/lib/python3/dist-packages/gi")
"""Where Debian's python3-gi is, which an environment does not see."""


def runs(program: str, environment: dict[str, str]) -> bool:
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0  # noqa: S603


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.py")))
def test_example_runs_without_a_camera(name: str, tmp_path: Path) -> None:
    environment = dict(os.environ)
    if name == "gstreamer_appsink":
        packages = tmp_path / "packages"  # of Debian's this one alone: others would replace the environment's
        packages.mkdir()
        (packages / "gi").symlink_to(DEBIAN_GI)
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(packages)]))
    if name in NEEDS and not runs(NEEDS[name][1], environment):
        pytest.skip(f"needs {NEEDS[name][0]}")
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
