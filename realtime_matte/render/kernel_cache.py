"""The compiled kernels on disk: Numba's cache, with a checksum in each file.

Numba unpickles its files without a check. A file left incomplete by a power cut or a full disk then makes every start
fail, and changed machine code ends the process, since LLVM aborts. Here a damaged file is a cache miss: the kernel is
compiled again and its files are replaced, each by a rename.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, BinaryIO, Final

from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.runtime.nrt import rtsys

from realtime_matte.render import shipped_kernels

_compiles: Final = ContextVar("compiles", default=True)  # of this thread: see nothing_compiled


class NotCached(Exception):
    """A kernel is not in the disk cache, or its file is damaged."""


@contextmanager
def nothing_compiled() -> Iterator[None]:
    """In this thread, a kernel that would have to be compiled raises NotCached."""
    token = _compiles.set(False)
    try:
        yield
    finally:
        _compiles.reset(token)


class KernelCache(FunctionCache):
    """The cache of one kernel. Failing to load or save is no error: the kernel is compiled again.

    Args:
        function: The kernel.
        options: How it is compiled, as text: machine code of other options is not used.

    Attributes:
        damaged: A file existed that could not be loaded.
        unsaved: The machine code could not be written, such as on a full disk.

    Raises:
        RuntimeError: There is no folder that can be written.
    """

    def __init__(self, function: Callable[..., object], *, options: str) -> None:
        super().__init__(function)
        self.damaged = False
        self.unsaved = False
        self._cache_file = _CheckedFiles(
            cache_path=self._cache_path,
            filename_base=self._impl.filename_base,
            source_stamp=(self._impl.locator.get_source_stamp(), options),
        )

    def load_overload(self, sig: Any, target_context: Any) -> Any:  # noqa: ANN401 -- Numba's
        """The compiled kernel for argument types ``sig``; None if it has to be compiled.

        Numba's own method first imports everything that compiling may need, and SciPy where that is installed: twice
        the time of loading every kernel. Compiling imports it too. Machine code needs the runtime's symbols only.

        Raises:
            NotCached: in ``nothing_compiled``.
        """
        loaded = self._load(sig, target_context)
        if loaded is None and not _compiles.get():
            raise NotCached
        return loaded

    def _load(self, sig: Any, target_context: Any) -> Any:  # noqa: ANN401 -- Numba's
        try:
            rtsys.initialize(target_context)
            if shipped_kernels.target():
                return None
            if shipped := self._load_shipped(sig, target_context):
                return shipped
            with self._guard_against_spurious_io_errors():
                return self._load_overload(sig, target_context)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 -- whatever pickle and LLVM raise for a file of another version
            self.damaged = True
            return None

    def _load_shipped(self, sig: Any, target_context: Any) -> Any:  # noqa: ANN401 -- Numba's
        """The kernel as it was compiled ahead for processors like this one; None if there is none."""
        folder = shipped_kernels.level_folder()
        if folder is None:
            return None
        try:
            data = self._shipped_files(folder).load(shipped_kernels.index_key(sig, self._py_func))
            return None if data is None else self._impl.rebuild(target_context, data)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 -- as below; the kernel is loaded from the user's cache, or compiled
            return None

    def _shipped_files(self, folder: Path) -> "_CheckedFiles":
        stamp = shipped_kernels.source_stamp(self._py_func)
        return _CheckedFiles(cache_path=str(folder), filename_base=self._impl.filename_base, source_stamp=stamp)

    def save_overload(self, sig: Any, data: Any) -> None:  # noqa: ANN401 -- Numba's
        """Save a compiled kernel; without success it stays in memory."""
        if (folder := shipped_kernels.target()) and self._impl.check_cachable(data):
            key = shipped_kernels.index_key(sig, self._py_func)
            self._shipped_files(folder).save(key, self._impl.reduce(data))
        try:
            super().save_overload(sig, data)
        except OSError:
            self.unsaved = True


class DamagedFile(Exception):
    """A cache file is incomplete or was changed."""


class _CheckedFiles(IndexDataCacheFile):
    """The files of a kernel, each with the SHA-256 of its content at the end, which pickle does not read."""

    def save(self, key: Any, data: Any) -> None:  # noqa: ANN401 -- Numba's
        """Save one compiled kernel. A damaged index is replaced."""
        try:
            self._load_index()
        except Exception:  # noqa: BLE001 -- as KernelCache.load_overload
            self.flush()
        super().save(key, data)

    def _load_index(self) -> Any:  # noqa: ANN401 -- Numba's
        _check(Path(self._index_path))
        return super()._load_index()

    def _load_data(self, name: str) -> Any:  # noqa: ANN401 -- Numba's
        _check(Path(self._data_path(name)))
        return super()._load_data(name)

    @contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[BinaryIO]:
        """A new file, renamed to ``filepath`` when it is complete."""
        with super()._open_for_write(filepath) as file:
            signed = _Signed(file)
            yield signed  # type: ignore[misc]  # only ``write`` is used
            file.write(signed.digest.digest())


class _Signed:
    """Writes to ``file``, and updates the hash with the same bytes."""

    def __init__(self, file: BinaryIO) -> None:
        self.digest = hashlib.sha256()
        self._file = file

    def write(self, data: bytes) -> int:
        """Write ``data``."""
        self.digest.update(data)
        return self._file.write(data)


def _check(path: Path) -> None:
    """Raise DamagedFile if a file does not end with the hash of the bytes before it; a missing file is accepted."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    size = hashlib.sha256().digest_size
    if hashlib.sha256(data[:-size]).digest() != data[-size:]:
        raise DamagedFile(path)
