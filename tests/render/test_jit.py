"""Compiling: it is reported, cached on disk, complete after the warm-up, and never out of date."""

import ast
import hashlib
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core.caching import CacheImpl

import realtime_matte.render
from realtime_matte.frame import Frame, Matte
from realtime_matte.render.frame_fitter import FrameFitter
from realtime_matte.render.jit import (
    COMPILED_NOTICE,
    DAMAGED_NOTICE,
    NOT_CACHED_NOTICE,
    NOT_COMPILED_NOTICE,
    compile_all,
    kernel,
    load_all,
)
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


COMPILER: str = "numba.np.linalg"
"""A module that only compiling needs."""


def test_cached_kernels_are_loaded_without_importing_the_compilers_parts() -> None:
    loaded = (
        f"from realtime_matte.render.renderer import load_kernels; print(load_kernels(), {COMPILER!r} in sys.modules)"
    )
    command = [sys.executable, "-c", f"import sys; {loaded}"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - as above
    assert output.split() == ["True", "False"]


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
    monkeypatch.setattr(CacheImpl, "_locator_classes", [])  # none finds a folder

    @kernel
    def double(number: int) -> int:
        return 2 * number

    run = lambda: double(21)  # noqa: E731
    assert compile_all([double], run) == NOT_CACHED_NOTICE
    assert double(21) == 42


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "one byte": lambda _: b"x",
    "cut in half": lambda data: data[: len(data) // 2],
    "cut by a byte": lambda data: data[:-1],
    "longer": lambda data: data + b"x",
    "zeros": lambda data: bytes(len(data)),
    "text": lambda _: b"<!DOCTYPE html>",
    "first byte changed": lambda data: bytes([data[0] ^ 255]) + data[1:],
    "a byte of the content changed": lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:],
    "last byte changed": lambda data: data[:-1] + bytes([data[-1] ^ 255]),
    "of plain Numba": lambda data: data[:-32],
    "unpickled to something else": lambda _: signed(pickle.dumps(numba.__version__) + pickle.dumps(3)),
    "a class that is gone": lambda _: signed(b"cnowhere\nnothing\n."),
}
"""Ways to damage a file of the cache."""


def signed(data: bytes) -> bytes:
    return data + hashlib.sha256(data).digest()


def double_of_21(numbers: list[int]) -> tuple[Callable[[int], int], Callable[[], None]]:
    """A kernel as a new process has it, and a function that appends its result to ``numbers``."""

    def double(number: int) -> int:
        return 2 * number

    compiled = kernel(double)
    return compiled, lambda: numbers.append(compiled(21))


def test_loading_compiles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    numbers: list[int] = []
    compiled, run = double_of_21(numbers)
    assert not load_all([compiled], run)
    assert (numbers, [*tmp_path.glob("**/*.nb?")]) == ([], [])
    assert compile_all([compiled], run) == COMPILED_NOTICE
    cached, run = double_of_21(numbers)
    assert load_all([cached], run)
    assert numbers == [42, 42]


def test_loading_leaves_a_damaged_file_to_the_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    compile_all([(first := double_of_21([]))[0]], first[1])
    [path] = tmp_path.glob("**/*.nbc")
    path.write_bytes(b"")
    compiled, run = double_of_21([])
    assert not load_all([compiled], run)
    assert compile_all([compiled], run) == DAMAGED_NOTICE.format(folder=path.parent)


@pytest.fixture
def compile_double(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Compiles a kernel, as a new process does that finds the cache in ``tmp_path``. Returns the notice."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))

    def compile_it() -> str:
        def double(number: int) -> int:
            return 2 * number

        compiled = kernel(double)

        def run() -> None:
            assert compiled(21) == 42

        return compile_all([compiled], run)

    assert compile_it() == COMPILED_NOTICE
    assert compile_it() == ""
    return compile_it


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("way", DAMAGE)
def test_a_damaged_cache_file_is_compiled_again_and_replaced(
    tmp_path: Path, compile_double: Callable[[], str], suffix: str, way: str
) -> None:
    [path] = tmp_path.glob(f"**/*.{suffix}")
    path.write_bytes(DAMAGE[way](path.read_bytes()))
    assert compile_double() == DAMAGED_NOTICE.format(folder=path.parent)
    assert compile_double() == ""
    assert not [*tmp_path.glob("**/*.tmp.*")]


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_a_missing_cache_file_is_compiled_again(tmp_path: Path, compile_double: Callable[[], str], suffix: str) -> None:
    [path] = tmp_path.glob(f"**/*.{suffix}")
    path.unlink()
    assert compile_double() == COMPILED_NOTICE
    assert compile_double() == ""


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_a_folder_in_the_place_of_a_cache_file_is_no_error(
    tmp_path: Path, compile_double: Callable[[], str], suffix: str
) -> None:
    [path] = tmp_path.glob(f"**/*.{suffix}")
    path.unlink()
    path.mkdir()
    assert compile_double() == NOT_CACHED_NOTICE


@kernel
def rows_to_sums(values: np.ndarray, out: np.ndarray) -> None:
    """A kernel that passes rows to another one."""
    for y in range(values.shape[0]):
        add_row(values[y], out)


@kernel
def add_row(values: np.ndarray, out: np.ndarray) -> None:
    for x in range(values.shape[0]):
        out[x] += values[x]


def test_kernels_count_no_references_to_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Atomic instructions, which take longer than a short row."""
    monkeypatch.setattr(CacheImpl, "_locator_classes", [])  # machine code from a cache has no text
    values, out = np.ones((3, 4), np.float32), np.zeros(4, np.float32)
    rows_to_sums(values, out)
    assert out.tolist() == [3, 3, 3, 3]
    text = "".join(rows_to_sums.compiled.inspect_llvm().values())  # type: ignore[attr-defined]
    assert "rows_to_sums" in text
    assert "NRT_incref" not in text


def test_kernels_run_uncompiled_where_compiling_is_turned_off() -> None:
    lines = new_process(Path(), before="import os; os.environ['NUMBA_DISABLE_JIT'] = '1'\n").splitlines()
    assert lines == [NOT_COMPILED_NOTICE, NOT_COMPILED_NOTICE]


def test_no_frame_compiles_anything_after_the_warm_up() -> None:
    warm_up()
    before = signatures()
    writeable = np.zeros((90, 160, 3), np.uint8)
    read_only = writeable.copy()
    read_only.flags.writeable = False
    for pixels in (writeable, read_only):
        guide = pixels[:18, :32].copy()
        Refiner((160, 90)).refine(Frame(pixels, 0.0, 0), Matte(np.zeros((18, 32), np.float32), guide=guide))
        FrameFitter((120, 60), mirror=True)(Frame(pixels, 0.0, 0))
    assert signatures() == before


def signatures() -> list[int]:
    """For how many combinations of argument types each kernel is compiled."""
    return [len(function.compiled.signatures) for function in KERNELS]  # type: ignore[attr-defined]


KINDS = "kernel", "vector_loop"


def foreign_names(source: str) -> Iterator[str]:
    """The names that kernels of a module use and that it imports from this package."""
    tree = ast.parse(source)
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    ours = {name.name for node in imports if (node.module or "").startswith("realtime_matte") for name in node.names}
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and any(ast.unparse(d) in KINDS for d in function.decorator_list):
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
