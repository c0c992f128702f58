"""Compiling ahead: told when it happens, silent when the disk already has it, and complete."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from realtime_matte.frame import Frame, Matte
from realtime_matte.render.jit import kept, kernel
from realtime_matte.render.refine import Refiner
from realtime_matte.render.warm import COMPILED, KERNELS, UNKEPT, warm_up

ASK = "from realtime_matte.render.warm import warm_up; print(warm_up()); print(warm_up())"
"""The second time there is nothing to say, as every loop is there."""


FULL = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
"""
"""Every write of this process to a disk fails from here on."""


def fresh(cache: Path, *, before: str = "") -> str:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", before + ASK], env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_a_second_warm_up_has_nothing_to_do() -> None:
    warm_up()
    assert not warm_up()


def test_compiling_is_told_once_and_kept_on_disk(tmp_path: Path) -> None:
    assert fresh(tmp_path) == COMPILED
    assert fresh(tmp_path) == ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_on_a_full_disk_loops_are_compiled_all_the_same(tmp_path: Path) -> None:
    assert fresh(tmp_path, before=FULL) == UNKEPT


def test_where_nothing_may_be_written_loops_are_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    njit = numba.njit

    def without_a_folder(*, cache: bool, **options: Any) -> Any:  # noqa: ANN401 - Numba's own
        if cache:
            raise RuntimeError("cannot cache function 'twice': no locator available for file 'x.py'")
        return njit(cache=False, **options)

    def twice(number: int) -> int:
        return 2 * number

    with monkeypatch.context() as patched:
        patched.setattr(numba, "njit", without_a_folder)
        twice = kernel(twice)
    assert twice(21) == 42
    assert not kept(twice)


def test_no_frame_compiles_anything_after_the_warm_up() -> None:
    warm_up()
    before = [len(loop.signatures) for loop in KERNELS]  # type: ignore[attr-defined]
    pixels = np.zeros((90, 160, 3), np.uint8)
    frozen = pixels.copy()
    frozen.flags.writeable = False
    for given in (pixels, frozen):
        Refiner((160, 90)).refine(
            Frame(given, 0.0, 0), Matte(np.zeros((18, 32), np.float32), guide=given[:18, :32].copy())
        )
    assert [len(loop.signatures) for loop in KERNELS] == before  # type: ignore[attr-defined]
