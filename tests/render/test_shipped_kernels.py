"""Kernels compiled ahead: which level a processor gets, and that its files are used only where they fit."""

from pathlib import Path

import numba
import numpy as np
import pytest

from realtime_matte.render import shipped_kernels
from realtime_matte.render.jit import is_ready, kernel
from realtime_matte.render.kernel_cache import NotCached, nothing_compiled
from realtime_matte.render.shipped_kernels import LEVELS, best_level, compiled_into

V3 = set(LEVELS["x86-64-v3"])


def double(values, result):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    for index in range(values.size):
        result[index] = 2 * values[index]


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of compiled kernels with ``double``, and an empty cache of the user's."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "level"
    folder.mkdir()
    with compiled_into(folder):
        run(kernel(double))
    assert list(folder.glob("*.nbc"))
    for path in (tmp_path / "cache").rglob("*.nb?"):
        path.unlink()
    return folder


def run(function: object) -> np.ndarray:
    result = np.zeros(3, np.int64)
    function(np.arange(3), result)  # type: ignore[operator]
    return result


def use(folder: Path | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped_kernels, "level_folder", lambda: folder)


@pytest.mark.parametrize(
    ("features", "level"),
    [
        (set(LEVELS["x86-64-v4"]) | {"amx-tile"}, "x86-64-v4"),
        (V3 | {"avx512f"}, "x86-64-v3"),
        (V3 - {"fma"}, "x86-64-v2"),
        ({"sse2"}, None),
    ],
)
def test_a_processor_gets_the_best_level_that_it_has_in_full(
    tmp_path: Path, features: set[str], level: str | None
) -> None:
    for name in LEVELS:
        (tmp_path / name).mkdir()
    assert best_level(tmp_path, features) == (tmp_path / level if level else None)


def test_a_level_that_is_not_shipped_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "x86-64-v2").mkdir()
    assert best_level(tmp_path, V3) == tmp_path / "x86-64-v2"


def test_a_shipped_kernel_is_loaded_and_not_compiled(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(shipped, monkeypatch)
    loaded = kernel(double)
    with nothing_compiled():
        assert run(loaded).tolist() == [0, 2, 4]
    assert is_ready(loaded)


def test_without_shipped_kernels_it_would_be_compiled(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    use(None, monkeypatch)
    with nothing_compiled(), pytest.raises(NotCached):
        run(kernel(double))


def test_a_damaged_file_is_compiled_again(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(shipped, monkeypatch)
    (data,) = shipped.glob("*.nbc")
    data.write_bytes(data.read_bytes()[:-40])
    with nothing_compiled(), pytest.raises(NotCached):
        run(kernel(double))
    assert run(kernel(double)).tolist() == [0, 2, 4]


def test_a_kernel_of_another_source_is_compiled_again(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(shipped, monkeypatch)
    monkeypatch.setattr(shipped_kernels, "source_stamp", lambda _: "another")
    with nothing_compiled(), pytest.raises(NotCached):
        run(kernel(double))


def test_a_checkout_ships_none() -> None:
    assert shipped_kernels.level_folder() is None
