"""The kernels of a pipeline whose frames are shown at once: compiled by another process, where the cache has none."""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING

from realtime_matte.pipeline.loading import start_thread

if TYPE_CHECKING:
    from realtime_matte.render.first_frames import Compilation


class KernelCompiler:
    """Compiles the kernels once, if that is necessary, and loads them in a thread.

    Args:
        live: Whether frames are shown while that lasts: see FirstFrames.
    """

    def __init__(self, live: Callable[[], bool]) -> None:
        self._live = live
        self._compilation: Compilation | None = None
        self._compiled: Future[str] | None = None

    def start(self) -> Future[str] | None:
        """Done when the kernels are ready: a notice, or "". None if there is nothing to wait for. One thread at a time.

        Every call returns the same future, whichever network is opened in between.
        """
        if self._compiled is None and self._live():
            self._compilation = _start_process()
            if self._compilation:
                self._compiled, _ = start_thread(self._load, name="kernels", daemon=False)
        return None if self._compiled is None or self._compiled.done() else self._compiled

    def close(self) -> None:
        """End the process. Idempotent."""
        if self._compilation:
            self._compilation.close()

    def _load(self) -> str:
        """Wait for the kernels and load them; a notice if they had to be compiled here."""
        from realtime_matte.render import renderer  # noqa: PLC0415  # Numba is loaded already

        assert self._compilation  # noqa: S101
        self._compilation.wait()
        return "" if renderer.load_kernels() or self._compilation.closed else renderer.warm_up()


def _start_process() -> "Compilation | None":
    """A process that compiles the kernels; None if they are ready, or if another process cannot compile them."""
    from realtime_matte.render import first_frames, renderer  # noqa: PLC0415  # Numba loads

    if renderer.load_kernels() or not renderer.can_cache_kernels():
        return None
    with suppress(OSError):
        return first_frames.Compilation()
    return None
