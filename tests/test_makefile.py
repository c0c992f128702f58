"""The Makefile works in a checkout of any name."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

TARGETS = ("demo", "test", "lint", "docs", "headline")


@pytest.mark.skipif(not shutil.which("make"), reason="no make")
@pytest.mark.parametrize("target", TARGETS)
def test_no_installed_script_is_called(target: str, tmp_path: Path) -> None:
    """The first line of a script is the path of its Python, which the kernel cuts at a space and a shell expands."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    command = ["make", "--dry-run", target]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)  # noqa: S603 - make
    programs = [word for word in done.stdout.split() if word.startswith(".venv/bin/")]
    assert programs
    assert set(programs) == {".venv/bin/python"}
