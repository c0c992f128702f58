"""Source switcher: the source that is read, which can be replaced by another one while the pipeline runs."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol, runtime_checkable

from realtime_matte.capture.state import Capture, CaptureState
from realtime_matte.errors import SourceError
from realtime_matte.frame import Frame, Size
from realtime_matte.interfaces import OpenSource, Source
from realtime_matte.pipeline.commands import CommandQueue, Reply
from realtime_matte.pipeline.loading import start_thread
from realtime_matte.pipeline.on_demand import Pausable

RELEASE_S: Final = 5.0
"""How long another source waits for the present one to be closed: a read takes two seconds at most."""

CLOSE_S: Final = 2.0
"""How long ``close`` waits for sources that were replaced."""


@dataclass(frozen=True, slots=True)
class SourceChoice:
    """What the user chose: a spec or an ``open`` callable, and what is requested of it."""

    source: str | OpenSource
    size: Size | None
    fps: float | None


@dataclass(frozen=True, slots=True)
class OpenedSource:
    """An open source that is not read yet, and how it is opened again."""

    choice: SourceChoice
    source: Source
    reopen: Callable[[], Source]

    def close(self) -> None:
        """Close the source, which is no longer needed."""
        self.source.close()


@runtime_checkable
class Releasable(Protocol):
    """A capture whose source is closed some time after it was paused."""

    def wait_released(self, timeout_s: float) -> bool:
        """Wait until it is closed; False if it is not in time."""


class SourceSwitcher:
    """Takes frames from the present source. The pipeline's thread only, except ``open``.

    Args:
        opened: The first source.
        opener: Returns the function that opens a choice. Raises SpecError.
        capture: Returns a Capture that reads an open source, closes it, and opens it again.
    """

    def __init__(
        self,
        opened: OpenedSource,
        *,
        opener: Callable[[SourceChoice], Callable[[], Source]],
        capture: Callable[[Source, Callable[[], Source]], Capture],
    ) -> None:
        self.choice = opened.choice
        self._opener = opener
        self._make_capture = capture
        self._paused_by: set[object] = set()
        self._replaced: list[threading.Thread] = []  # closing
        self._dropped, self._damaged = 0, 0  # of the sources before
        self._use(opened)

    @property
    def state(self) -> CaptureState:
        """The state of the present source; ``dropped`` and ``damaged`` count those before too."""
        state = self._capture.state
        if not self._dropped and not self._damaged:
            return state
        return replace(state, dropped=state.dropped + self._dropped, damaged=state.damaged + self._damaged)

    @property
    def is_camera(self) -> bool:
        """Whether the source can be paused. A clip that plays live would begin again."""
        return self.live and self.frames is None and isinstance(self._capture, Pausable)

    def take(self, timeout_s: float) -> Frame | None:
        """As ``Capture.take``."""
        return self._capture.take(timeout_s)

    def pause(self, owner: object) -> None:
        """Close a camera until every ``owner`` that paused it has resumed it; later ones too. Does not wait for it."""
        self._paused_by.add(owner)
        if self.is_camera and isinstance(self._capture, Pausable):
            self._capture.pause(owner)

    def resume(self, owner: object) -> None:
        """Open the camera again, unless another owner paused it too."""
        self._paused_by.discard(owner)
        if self.is_camera and isinstance(self._capture, Pausable):
            self._capture.resume(owner)

    def prepare(self, choice: SourceChoice, commands: CommandQueue) -> Callable[[], OpenedSource]:
        """The function that opens another source, for another thread.

        The present one is shown until the other is open. A device that cannot be opened twice, or beside the other on
        one USB hub, is opened again after the present one was closed. Raises SpecError.
        """
        return partial(self._open, choice, self._opener(choice), commands)

    def use(self, opened: OpenedSource) -> None:
        """Take frames from this source from now on, and close the one before."""
        before, state = self._capture, self.state
        self._use(opened)
        self._dropped, self._damaged = state.dropped, state.damaged
        self._paused_by.discard(self)
        for owner in self._paused_by:
            self.pause(owner)
        self._replaced.append(start_thread(before.close, name="capture", daemon=True)[1])

    def keep(self) -> None:
        """The other source cannot be used: open the present one again if it was closed for that."""
        self.resume(self)

    def close(self) -> None:
        """Close the source. Idempotent."""
        self._capture.close()
        for thread in self._replaced:
            thread.join(CLOSE_S)
        self._replaced.clear()

    def _use(self, opened: OpenedSource) -> None:
        self.choice = opened.choice
        self.live, self.frames = opened.source.live, opened.source.frames
        self._capture = self._make_capture(opened.source, opened.reopen)

    # Another thread

    def _open(self, choice: SourceChoice, reopen: Callable[[], Source], commands: CommandQueue) -> OpenedSource:
        if choice.source != self.choice.source:
            try:
                return OpenedSource(choice, reopen(), reopen)
            except SourceError:
                if not self.is_camera:
                    raise
        if self.is_camera:
            try:
                commands.put(self._pause_for_another).result(RELEASE_S)
            except TimeoutError as error:
                raise SourceError("the present camera cannot be closed", hint="try again in a moment") from error
            if isinstance(self._capture, Releasable):
                self._capture.wait_released(RELEASE_S)
        return OpenedSource(choice, reopen(), reopen)

    def _pause_for_another(self, reply: Reply) -> None:
        self.pause(self)
        reply.set_result(None)
