"""How the per-pixel loops ("kernels") are compiled by Numba, and how they are compiled before the first frame.

Each kernel is one pass over memory and allocates nothing. It takes C-contiguous arrays by position: inputs first, then
scratch, then results. Arrays that it only reads are passed through ``read_only``, because Numba compiles a kernel again
for each combination of argument types, and a frame may or may not be writeable. Arrays that belong together are passed
as a plain tuple: the disk cache pickles argument types, and a type that names a class of this package could not be
loaded after the class was renamed.

Caching rule: Numba stores machine code per source file and discards it when that file changes, and only then. Calls are
inlined and global numbers are frozen when a kernel is compiled. So a kernel calls only kernels of the same file, and
reads only numbers that are defined in the same file; otherwise the stored code would keep the old ones.
``tests/render/test_jit.py`` checks this.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar, cast

import numba
from numpy.typing import NDArray

from realtime_matte.render.kernel_cache import KernelCache

Kernel = TypeVar("Kernel", bound=Callable[..., object])
Array = TypeVar("Array", bound=NDArray[Any])

COMPILED_NOTICE: Final = "compiled the pixel loops for this processor, once: later starts are seconds quicker"
DAMAGED_NOTICE: Final = "compiled the pixel loops again: their cached code in {folder} was damaged, and is replaced"
NOT_CACHED_NOTICE: Final = (
    "compiled the pixel loops, as at every start: no folder can cache them; set NUMBA_CACHE_DIR to one with free space"
)
NOT_COMPILED_NOTICE: Final = (
    "the pixel loops run in Python, far too slowly for live video, since NUMBA_DISABLE_JIT is set; unset it"
)


def kernel(function: Kernel) -> Kernel:
    """Compile on first use, cache the machine code on disk, release the interpreter lock while running."""
    if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]  # set from the environment; for debuggers
        return function
    compiled = numba.njit(nogil=True, boundscheck=False, error_model="numpy")(function)
    with suppress(RuntimeError):  # neither the package's nor the user's cache folder is writeable
        setattr(compiled, "_cache", KernelCache(function))  # noqa: B010 -- as numba.njit(cache=True) does; it is private
    return cast("Kernel", compiled)


def read_only(array: Array) -> Array:
    """A view of the same array that cannot be written."""
    view = array.view()
    view.flags.writeable = False
    return view


def compile_all(kernels: Sequence[Callable[..., object]], run: Callable[[], None]) -> str:
    """Compile ``kernels`` by ``run``, which calls each of them once.

    Returns:
        A notice for the user if something had to be compiled, which takes seconds; otherwise "".
    """
    if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]  # as above
        return NOT_COMPILED_NOTICE
    compiled_before = _compile_count(kernels)
    run()
    if _compile_count(kernels) == compiled_before:
        return ""
    caches = [function._cache for function in kernels]  # type: ignore[attr-defined]  # noqa: SLF001
    if not all(isinstance(cache, KernelCache) and not cache.unsaved for cache in caches):
        return NOT_CACHED_NOTICE
    damaged = [cache for cache in caches if cache.damaged]
    return DAMAGED_NOTICE.format(folder=damaged[0].cache_path) if damaged else COMPILED_NOTICE


def _compile_count(kernels: Sequence[Callable[..., object]]) -> int:
    """How often this process had to compile one of them, because it was not in the disk cache."""
    return sum(misses for function in kernels for misses in function.stats.cache_misses.values())  # type: ignore[attr-defined]
