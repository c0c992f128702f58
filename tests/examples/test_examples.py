import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples"

WRITES = {
    "list_devices": [],
    "matte_video": ["alpha/000000.png", "alpha/000009.png"],
    "moving_gradient": ["gradient.mp4"],
    "record_pipeline": ["pipeline.mp4"],
    "replace_background": ["composite.png", "cutout.png"],
    "two_streams": ["two_streams.png"],
}


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.py")))
def test_example_runs_without_a_camera(name: str, tmp_path: Path) -> None:
    program = [sys.executable, "-W", "error", str(FOLDER / f"{name}.py")]
    found = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout
    assert [file for file in WRITES[name] if not (tmp_path / file).stat().st_size] == []


def test_the_readme_lists_every_example() -> None:
    readme = (FOLDER / "README.md").read_text("utf-8")
    assert [path.name for path in FOLDER.glob("*.py") if f"`{path.name}`" not in readme] == []
