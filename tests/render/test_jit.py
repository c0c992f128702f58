"""Compiling: it is reported, cached on disk, complete after the warm-up, and never out of date."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

import realtime_matte.render
from realtime_matte.frame import Frame, Matte
from realtime_matte.render.jit import COMPILED_NOTICE, NOT_CACHED_NOTICE, is_cached, kernel
from realtime_matte.render.refine import Refiner
from realtime_matte.render.renderer import KERNELS, warm_up

WARM_UP_TWICE = "from realtime_matte.render.renderer import warm_up; print(warm_up()); print(warm_up())"
"""The second line is empty, as every kernel is in memory."""

FULL_DISK = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
"""
"""Every write of this process to a disk fails from here on."""


def new_process(cache: Path, *, before: str = "") -> str:
    """What a new process prints that warms up twice with this cache folder."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", before + WARM_UP_TWICE], env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_a_second_warm_up_compiles_nothing() -> None:
    warm_up()
    assert not warm_up()


def test_compiling_is_reported_once_and_cached_on_disk(tmp_path: Path) -> None:
    assert new_process(tmp_path) == COMPILED_NOTICE
    assert new_process(tmp_path) == ""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_on_a_full_disk_kernels_are_compiled_without_a_cache(tmp_path: Path) -> None:
    assert new_process(tmp_path, before=FULL_DISK) == NOT_CACHED_NOTICE


def test_without_a_writeable_folder_kernels_are_compiled_without_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    njit = numba.njit

    def njit_without_folder(*, cache: bool, **options: Any) -> Any:  # noqa: ANN401 - Numba's own
        if cache:
            raise RuntimeError("cannot cache function 'double': no locator available for file 'x.py'")
        return njit(cache=False, **options)

    def double(number: int) -> int:
        return 2 * number

    with monkeypatch.context() as patched:
        patched.setattr(numba, "njit", njit_without_folder)
        double = kernel(double)
    assert double(21) == 42
    assert not is_cached(double)


def test_no_frame_compiles_anything_after_the_warm_up() -> None:
    warm_up()
    before = [len(function.signatures) for function in KERNELS]  # type: ignore[attr-defined]
    writeable = np.zeros((90, 160, 3), np.uint8)
    read_only = writeable.copy()
    read_only.flags.writeable = False
    for pixels in (writeable, read_only):
        guide = pixels[:18, :32].copy()
        Refiner((160, 90)).refine(Frame(pixels, 0.0, 0), Matte(np.zeros((18, 32), np.float32), guide=guide))
    assert [len(function.signatures) for function in KERNELS] == before  # type: ignore[attr-defined]


def foreign_names(source: str) -> Iterator[str]:
    """The names that kernels of a module use and that it imports from this package."""
    tree = ast.parse(source)
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    ours = {name.name for node in imports if (node.module or "").startswith("realtime_matte") for name in node.names}
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and any(ast.unparse(d) == "kernel" for d in function.decorator_list):
            used = {
                node.id for statement in function.body for node in ast.walk(statement) if isinstance(node, ast.Name)
            }
            yield from (f"{function.name}: {name}" for name in used & ours)


def test_kernels_use_kernels_and_numbers_of_their_own_file_only() -> None:
    """Numba does not compile a cached kernel again when another file changes."""
    [folder] = realtime_matte.render.__path__
    sources = [path.read_text(encoding="utf-8") for path in Path(folder).glob("*.py")]
    assert sum(source.count("\n@kernel\n") for source in sources) > len(KERNELS)
    assert [name for source in sources for name in foreign_names(source)] == []
