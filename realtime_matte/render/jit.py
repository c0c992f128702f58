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

Numba is imported when the first kernel is used: that takes 0.3 s, in which a standby card can already be shown.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import RLock
from types import FunctionType
from typing import Any, Final, TypeVar, cast

from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., object])
Array = TypeVar("Array", bound=NDArray[Any])

COMPILING_NOTICE: Final = "compiling the pixel loops for this processor, which can take a minute"
COMPILED_NOTICE: Final = "compiled the pixel loops for this processor, once: later starts are seconds quicker"
DAMAGED_NOTICE: Final = "compiled the pixel loops again: their cached code in {folder} was damaged, and is replaced"
NOT_CACHED_NOTICE: Final = (
    "compiled the pixel loops, as at every start: no folder can cache them; set NUMBA_CACHE_DIR to one with free space"
)
NOT_COMPILED_NOTICE: Final = (
    "the pixel loops run in Python, far too slowly for live video, since NUMBA_DISABLE_JIT is set; unset it"
)

OPTIONS: Final[Mapping[str, object]] = {"nogil": True, "boundscheck": False, "error_model": "numpy", "_nrt": False}
"""Numba's options of every kernel. Without its runtime ("nrt"), no references are counted: each row of an array that is
passed to a loop would be counted by atomic instructions, and each array of a call would get a block of memory."""

_preparing: Final = RLock()


class Kernel:
    """A kernel: the function compiled on its first call, from the disk cache where that has it."""

    def __init__(self, function: Callable[..., object], *, disjoint: bool = False) -> None:
        self._function = function
        self._disjoint = disjoint
        self._compiled: Callable[..., object] | None = None

    def __call__(self, *arrays: object) -> object:
        """Run it."""
        return (self._compiled or self.compiled)(*arrays)

    @property
    def compiled(self) -> Callable[..., object]:
        """Numba's function; the Python function if compiling is turned off, as debuggers need it."""
        with _preparing:
            if self._compiled is None:
                self._compiled = _compiled(self._function, disjoint=self._disjoint)
        return self._compiled

    @property
    def ready(self) -> bool:
        """Whether a call waits for no compiler."""
        return self._compiled is not None and bool(getattr(self._compiled, "signatures", True))


def is_ready(function: Callable[..., object]) -> bool:
    """Whether a kernel has run, so that a frame need not wait for the compiler."""
    return cast("Kernel", function).ready


def kernel(function: Function) -> Function:
    """Compile on first use, cache the machine code on disk, release the interpreter lock while running."""
    return cast("Function", Kernel(function))


def vector_loop(function: Function) -> Function:
    """As ``kernel``, for loops inside kernels: the arrays must not overlap where one of them is written.

    Otherwise each loop begins by comparing all addresses, which in a short run takes longer than the run, and with
    more than eight arrays vector instructions are not used at all. A product and a sum may be rounded once.
    """
    return cast("Function", Kernel(function, disjoint=True))


def _compiled(function: Callable[..., object], *, disjoint: bool) -> Callable[..., object]:
    import numba  # noqa: PLC0415 -- see the module's docstring

    from realtime_matte.render.kernel_cache import KernelCache  # noqa: PLC0415 -- imports Numba

    if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]  # set from the environment
        return function
    compilable = _calling_compiled(cast("FunctionType", function))
    options: dict[str, Any] = {**OPTIONS, **(_disjoint_options() if disjoint else {})}
    compiled = cast("Any", numba.njit(**options)(compilable))
    with suppress(RuntimeError):  # neither the package's nor the user's cache folder is writeable
        compiled._cache = KernelCache(compilable, options=f"{OPTIONS} {disjoint}")  # noqa: SLF001 -- as numba.njit(cache=True) does
    return cast("Callable[..., object]", compiled)


def _disjoint_options() -> dict[str, Any]:
    """Numba's options of a ``vector_loop``. Its flag ``noalias`` has no option, so that a compiler class sets it."""
    from numba.core.compiler import Compiler  # noqa: PLC0415 -- as above

    class Disjoint(Compiler):
        def define_pipelines(self) -> Any:  # noqa: ANN401 -- Numba's
            self.state.flags.noalias = True
            return super().define_pipelines()  # type: ignore[no-untyped-call]  # Numba's

    return {"pipeline_class": Disjoint, "fastmath": {"contract"}}


def _calling_compiled(function: FunctionType) -> FunctionType:
    """A copy whose calls of other kernels reach their compiled functions: Numba compiles no other calls."""
    names, called = function.__globals__, function.__code__.co_names
    kernels = {name: names[name].compiled for name in called if isinstance(names.get(name), Kernel)}
    copy = FunctionType(
        function.__code__, names | kernels, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__qualname__, copy.__module__ = function.__qualname__, function.__module__
    return copy


def read_only(array: Array) -> Array:
    """A view of the same array that cannot be written."""
    view = array.view()
    view.flags.writeable = False
    return view


def is_cacheable(kernels: Sequence[Callable[..., object]]) -> bool:
    """Whether all ``kernels`` are compiled, and a folder can cache them."""
    from realtime_matte.render.kernel_cache import KernelCache  # noqa: PLC0415 -- as above

    caches = [getattr(cast("Any", function).compiled, "_cache", None) for function in kernels]
    return all(isinstance(cache, KernelCache) for cache in caches)


def load_all(kernels: Sequence[Callable[..., object]], run: Callable[[], None]) -> bool:
    """Load ``kernels`` from the disk cache by ``run``, which calls each of them once; compile none.

    Returns:
        Whether all of them are ready now.
    """
    if not all(is_ready(function) for function in kernels) and is_cacheable(kernels):
        from realtime_matte.render.kernel_cache import NotCached, nothing_compiled  # noqa: PLC0415 -- as above

        with suppress(NotCached), nothing_compiled():
            run()
    return all(is_ready(function) for function in kernels)


def compile_all(kernels: Sequence[Callable[..., object]], run: Callable[[], None]) -> str:
    """Compile ``kernels`` by ``run``, which calls each of them once.

    Returns:
        A notice for the user if something had to be compiled, which takes seconds; otherwise "".
    """
    functions = [cast("Any", function).compiled for function in kernels]
    if not all(hasattr(function, "stats") for function in functions):
        return NOT_COMPILED_NOTICE
    compiled_before = _compile_count(functions)
    run()
    if _compile_count(functions) == compiled_before:
        return ""
    from realtime_matte.render.kernel_cache import KernelCache  # noqa: PLC0415 -- as above

    caches = [function._cache for function in functions]  # noqa: SLF001
    if not all(isinstance(cache, KernelCache) and not cache.unsaved for cache in caches):
        return NOT_CACHED_NOTICE
    damaged = [cache for cache in caches if cache.damaged]
    return DAMAGED_NOTICE.format(folder=damaged[0].cache_path) if damaged else COMPILED_NOTICE


def _compile_count(functions: Sequence[Any]) -> int:
    """How often this process had to compile one of them, because it was not in the disk cache."""
    return sum(misses for function in functions for misses in function.stats.cache_misses.values())
