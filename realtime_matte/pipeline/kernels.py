"""The kernels of a pipeline: loaded in a thread, and compiled by another process where the disk cache has none."""

import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import TYPE_CHECKING

from realtime_matte.pipeline.loading import start_thread

if TYPE_CHECKING:
    from realtime_matte.render.first_frames import Compilation


class KernelCompiler:
    """Loads the kernels once, and lets them be compiled if that is necessary. Thread-safe.

    Args:
        live: Whether frames are shown while that lasts: see FirstFrames.

    Attributes:
        compiling: Whether kernels have to be compiled, as far as is known.
    """

    def __init__(self, live: Callable[[], bool]) -> None:
        self.compiling = False
        self._live = live
        self._lock = threading.Lock()  # of the futures
        self._loaded: Future[bool] | None = None
        self._ready: Future[str] | None = None
        self._compilation: Compilation | None = None
        self._closed = False

    @property
    def live(self) -> bool:
        """Whether frames are shown before the kernels are ready."""
        return self._live()

    def begin(self) -> Future[bool]:
        """Begin to load what the disk cache has; the result is whether that is all. Every call returns the same.

        Nothing is loaded any more after ``close``.
        """
        with self._lock:
            if self._loaded is None and (self._closed or _are_ready()):
                self._loaded = Future()
                self._loaded.set_result(not self._closed)
            if self._loaded is None:
                self._loaded, _ = start_thread(load_kernels, name="kernels", daemon=False)
            return self._loaded

    def start(self) -> Future[str] | None:
        """Done when the kernels are ready: a notice, or "". None if there is nothing to wait for.

        Every call returns the same future, whichever network is opened in between. If no frames are shown before they
        are ready, it waits until they are loaded, and what is missing has to be compiled by the caller.
        """
        loaded = self.begin()
        if not self.live:
            wait([loaded])
            return None
        with self._lock:
            if self._ready is None and not (loaded.done() and loaded.exception() is None and loaded.result()):
                self._ready, _ = start_thread(lambda: self._compile(loaded), name="compiling", daemon=False)
            return None if self._ready is None or self._ready.done() else self._ready

    def close(self) -> None:
        """End the process that compiles. Idempotent."""
        with self._lock:
            self._closed = True
            if self._compilation:
                self._compilation.close()

    def _compile(self, loaded: Future[bool]) -> str:
        """Wait until the kernels are loaded, or compiled and loaded; a notice if they had to be compiled here."""
        if loaded.result() or self._closed:
            return ""
        self.compiling = True
        from realtime_matte.render import first_frames, renderer  # noqa: PLC0415  # Numba is loaded already

        if renderer.can_cache_kernels():
            with self._lock, suppress(OSError):
                if not self._closed:
                    self._compilation = first_frames.Compilation()
        if self._compilation:
            self._compilation.wait()
        return "" if self._closed or (self._compilation and renderer.load_kernels()) else renderer.warm_up()


def load_kernels() -> bool:
    """Load the compiled kernels. False if they have to be compiled first."""
    from realtime_matte.render import renderer  # noqa: PLC0415  # Numba loads

    return renderer.load_kernels()


def _are_ready() -> bool:
    """Whether an earlier pipeline of this process has loaded them."""
    renderer = sys.modules.get("realtime_matte.render.renderer")
    return renderer is not None and renderer.kernels_are_ready()
