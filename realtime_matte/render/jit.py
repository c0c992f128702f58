"""How the per-pixel loops are compiled, by Numba: each is one pass over memory, none allocates.

Kernels take C-contiguous arrays by position, scratch and results last. What they only read they take as ``constant``:
Numba compiles a loop anew for every kind of argument, and a frame may or may not be writeable. What
belongs together is a plain tuple of arrays: a class of ours would be looked up by whoever reads the disk after it was
renamed. A kernel calls those of its own file only, and a number that it finds its way in an array by is in that file
too: what is on disk is renewed when that file changes.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numpy.typing import NDArray

Kernel = TypeVar("Kernel", bound=Callable[..., object])
Array = TypeVar("Array", bound=NDArray[Any])


def kernel(function: Kernel) -> Kernel:
    """Compile on first use, keep the machine code on disk, let go of the interpreter lock while running."""
    try:
        return cast("Kernel", _compiled(function, cache=True))
    except RuntimeError:  # no folder of the package's or the user's may be written: compiled at each start then
        return cast("Kernel", _compiled(function, cache=False))


def _compiled(function: Kernel, *, cache: bool) -> object:
    return numba.njit(cache=cache, nogil=True, boundscheck=False, error_model="numpy")(function)


def constant(array: Array) -> Array:
    """The same array, read-only."""
    view = array.view()
    view.flags.writeable = False
    return view


def compiled(function: Callable[..., object]) -> int:
    """How often this process had to compile a kernel, because the disk did not have it."""
    return sum(function.stats.cache_misses.values())  # type: ignore[attr-defined]  # what ``kernel`` made of it


def kept(function: Callable[..., object]) -> bool:
    """Whether there is a folder for a kernel's machine code."""
    return function.stats.cache_path is not None  # type: ignore[attr-defined]  # likewise
