"""The per-pixel loops, compiled by Numba: each is one pass over memory, none allocates.

Arrays are C-contiguous. Kernels take their arrays by position, scratch and results last.
"""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., object])


def kernel(function: Kernel) -> Kernel:
    """Compile on first use, keep the machine code on disk, let go of the interpreter lock while running."""
    compile_on_use = numba.njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
    return cast("Kernel", compile_on_use(function))
