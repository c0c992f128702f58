"""How the per-pixel loops ("kernels") are compiled by Numba, and how they are compiled before the first frame.

Each kernel is one pass over memory and allocates nothing. It takes C-contiguous arrays by position: inputs first, then
scratch, then results. Arrays that it only reads are passed through ``read_only``, because Numba compiles a kernel again
for each combination of argument types, and a frame may or may not be writeable. Arrays that belong together are passed
as a plain tuple: the disk cache pickles argument types, and one that names a class of ours could not be loaded after
that class was renamed.

Caching rule: Numba stores machine code per source file and discards it when that file changes, and only then. Calls are
inlined and global numbers are frozen when a kernel is compiled. So a kernel calls kernels of its own file only, and
reads numbers that are defined in its own file only; otherwise the stored code would keep the old ones.
``tests/render/test_jit.py`` checks this.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar, cast

import numba
from numpy.typing import NDArray

Kernel = TypeVar("Kernel", bound=Callable[..., object])
Array = TypeVar("Array", bound=NDArray[Any])

COMPILED_NOTICE: Final = "compiled the pixel loops for this processor, once: later starts are seconds quicker"
NOT_CACHED_NOTICE: Final = (
    "compiled the pixel loops, as at every start: no folder can cache them; set NUMBA_CACHE_DIR to one with free space"
)

MAX_ATTEMPTS: Final = 100
"""More than there are kernels, inner ones included: where the cache cannot be written, each attempt compiles one."""


def kernel(function: Kernel) -> Kernel:
    """Compile on first use, cache the machine code on disk, release the interpreter lock while running."""
    try:
        return cast("Kernel", _compiled(function, cache=True))
    except RuntimeError:  # neither the package's nor the user's cache folder is writeable: compile at each start
        return cast("Kernel", _compiled(function, cache=False))


def _compiled(function: Kernel, *, cache: bool) -> object:
    return numba.njit(cache=cache, nogil=True, boundscheck=False, error_model="numpy")(function)


def read_only(array: Array) -> Array:
    """A view of the same array that cannot be written."""
    view = array.view()
    view.flags.writeable = False
    return view


def is_cached(function: Callable[..., object]) -> bool:
    """Whether there is a folder for a kernel's machine code."""
    return function.stats.cache_path is not None  # type: ignore[attr-defined]  # Numba's dispatcher


def compile_all(kernels: Sequence[Callable[..., object]], run: Callable[[], None]) -> str:
    """Compile ``kernels`` by ``run``, which calls each of them once.

    Returns:
        A notice for the user if something had to be compiled, which takes seconds; otherwise "".
    """
    compiled_before, disk_full = _compile_count(kernels), False
    for attempts_left in reversed(range(MAX_ATTEMPTS)):
        try:
            run()
            break
        except OSError:  # the machine code cannot be written to disk; the kernel is compiled in memory nevertheless
            disk_full = True
            if not attempts_left:
                raise
    if _compile_count(kernels) == compiled_before:
        return ""
    return NOT_CACHED_NOTICE if disk_full or not all(map(is_cached, kernels)) else COMPILED_NOTICE


def _compile_count(kernels: Sequence[Callable[..., object]]) -> int:
    """How often this process had to compile one of them, because it was not in the disk cache."""
    return sum(misses for function in kernels for misses in function.stats.cache_misses.values())  # type: ignore[attr-defined]
