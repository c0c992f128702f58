"""Kernels that a bundle or a package has compiled ahead, for levels of processors instead of for one processor.

Numba's own cache is valid for exactly the processor that compiled it. A level, such as x86-64-v3, is a list of features
that many processors have (x86-64 psABI, 3.1.1); its machine code runs on each of them. The files are read only, and
used only with the Numba, the Python and the source that they were made with. `packaging/kernels.py` makes them.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parents[1] / "_kernels"
"""It has a folder for each level; in a checkout and in a wheel there is none."""

_V2: Final = frozenset({"cx16", "popcnt", "sse3", "sse4.1", "sse4.2", "ssse3"})
_V3: Final = _V2 | {"avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "xsave"}
_V4: Final = _V3 | {"avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"}

LEVELS: Final[Mapping[str, frozenset[str]]] = {"x86-64-v4": _V4, "x86-64-v3": _V3, "x86-64-v2": _V2}
"""The levels, the best first, with the features that they need, as LLVM names both."""

_target: Final = ContextVar[Path | None]("target", default=None)  # of this thread: see compiled_into


@contextmanager
def compiled_into(folder: Path) -> Iterator[None]:
    """In this thread, each kernel that is compiled is also saved to ``folder``, as those of a level."""
    token = _target.set(folder)
    try:
        yield
    finally:
        _target.reset(token)


def target() -> Path | None:
    """The folder of ``compiled_into``; None outside of it."""
    return _target.get()


@cache
def level_folder(root: Path = FOLDER) -> Path | None:
    """The folder of the best level that this processor has; None if there is none."""
    if not root.is_dir():
        return None
    from llvmlite import binding  # noqa: PLC0415 -- loaded by Numba, long before a kernel is

    return best_level(root, {name for name, present in binding.get_host_cpu_features().items() if present})


def best_level(root: Path, features: set[str]) -> Path | None:
    """The folder of the best level whose features are all among ``features``."""
    levels = (root / level for level, needed in LEVELS.items() if needed <= features)
    return next((folder for folder in levels if folder.is_dir()), None)


def source_stamp(function: Callable[..., object]) -> str:
    """The hash of the file that has ``function``: unlike a time, it is the same in every copy."""
    return _file_hash(Path(function.__code__.co_filename))


@cache
def _file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def index_key(signature: Any, function: Callable[..., object]) -> Any:  # noqa: ANN401 -- Numba's
    """Numba's key of a compiled kernel, without the processor."""
    return signature, hashlib.sha256(function.__code__.co_code).hexdigest()
