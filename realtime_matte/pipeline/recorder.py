"""Recorder: a video file that is recorded beside the outputs, from ``record_start`` to ``record_stop``."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Final

from realtime_matte.errors import MatteError, SinkError, SpecError, refused_by_system
from realtime_matte.frame import Pixels, Size
from realtime_matte.interfaces import Sink
from realtime_matte.paths import named
from realtime_matte.pipeline.commands import ENDED, Reply, refuse
from realtime_matte.pipeline.loading import close_result, start_thread
from realtime_matte.pipeline.output_fitter import OutputFitter
from realtime_matte.pipeline.recording_queue import RecordingQueue

NAME: Final = "rtmatte-%Y%m%d-%H%M%S"
"""Name of a recording that the user has not named, by its local time."""


@dataclass(frozen=True, slots=True)
class RecordingState:
    """The recording in progress: its file, and the seconds since it began."""

    file: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkFormat:
    """What a sink is opened for: (width, height) of the output frames, nominal frames per second, BGRA or BGR."""

    size: Size
    fps: float
    alpha: bool


class Recorder:
    """Records what is sent to the outputs: composites, and the standby card where there is none.

    The file is opened, written and completed in other threads. A recording that fails ends, and is reported; the
    outputs continue. The pipeline's thread only.

    Args:
        notify: Gets the messages: the file, dropped frames, a failure.
        clock: Seconds.
    """

    def __init__(self, *, notify: Callable[[str], None], clock: Callable[[], float] = time.perf_counter) -> None:
        self._notify = notify
        self._clock = clock
        self._opening: tuple[Path, SinkFormat, Future[Sink], Reply] | None = None
        self._recording: tuple[Path, RecordingQueue] | None = None
        self._completing: list[tuple[Future[None], Reply]] = []
        self._reports: list[str] = []  # of the queue; its thread of completion appends too
        self._began = 0.0
        self._fitter: OutputFitter

    @property
    def active(self) -> bool:
        """True while frames are recorded."""
        return self._recording is not None

    @property
    def state(self) -> RecordingState | None:
        """The recording in progress; None if there is none."""
        if self._recording is None:
            return None
        return RecordingState(str(self._recording[0]), round(self._clock() - self._began, 1))

    def start(self, name: str | None, frames: SinkFormat, reply: Reply) -> None:
        """Begin a recording.

        Args:
            name: The file, which must not exist. None: a new one in the user's folder for videos.
            frames: The output frames.
            reply: Is set when the file is open, or refused.
        """
        if self._opening or self._recording:
            refuse(reply, SpecError("a recording is in progress already", hint="stop the recording first"))
            return
        try:
            path = named(name) if name is not None else new_path(alpha=frames.alpha)
        except (MatteError, OSError) as error:
            refuse(reply, refused_by_system(error) if isinstance(error, OSError) else error)
            return
        future, _ = start_thread(partial(_open, path, frames), name="recording", daemon=True)
        self._opening = path, frames, future, reply

    def stop(self, reply: Reply) -> None:
        """End the recording; ``reply`` is set when the file is complete."""
        if self._recording is None:
            refuse(reply, SpecError("there is no recording to stop", hint="start a recording first"))
            return
        self._end(reply)

    def send(self, image: Pixels, time: float) -> None:
        """Record one output frame, or card. Never waits, and raises nothing."""
        if self._recording is None:
            return
        try:
            self._recording[1].send(self._fitter(image), time)
        except MatteError as error:
            self._reports.append(f"the recording {str(self._recording[0])!r} ended: {error}")
            self._end(Future())

    def complete(self, sink: Sink, reply: Reply | None = None) -> None:
        """Close a sink in a thread: a slow disk may take seconds to complete a file."""
        future, _ = start_thread(sink.close, name="recording", daemon=True)
        self._completing.append((future, reply or Future()))

    def update(self, *, wait: bool = False) -> None:
        """Continue what other threads have finished, and report it. ``wait``: until there is nothing to wait for."""
        if self._opening and (wait or self._opening[2].done()):
            path, frames, future, reply = self._opening
            self._opening = None
            try:
                self._begin(path, frames, future.result())
            except MatteError as error:
                refuse(reply, error)
            else:
                reply.set_result(None)
        for item in [item for item in self._completing if wait or item[0].done()]:
            self._completing.remove(item)
            self._finish(*item)
        while self._reports:
            self._notify(self._reports.pop(0))

    def close(self) -> None:
        """Complete the recording. Idempotent."""
        if self._opening:
            _, _, future, reply = self._opening
            self._opening = None
            future.add_done_callback(close_result)
            refuse(reply, MatteError(ENDED))
        if self._recording:
            self._end(Future())
        self.update(wait=True)

    def _begin(self, path: Path, frames: SinkFormat, sink: Sink) -> None:
        queue = RecordingQueue(
            sink,
            f"the recording {str(path)!r}",
            size=frames.size,
            fps=frames.fps,
            alpha=frames.alpha,
            notify=self._reports.append,
        )
        self._recording = path, queue
        self._fitter = OutputFitter(frames.size)
        self._began = self._clock()
        self._notify(f"recording to {str(path)!r}")

    def _end(self, reply: Reply) -> None:
        assert self._recording  # noqa: S101
        queue, self._recording = self._recording[1], None
        self.complete(queue, reply)

    def _finish(self, future: Future[None], reply: Reply) -> None:
        try:
            future.result()
        except MatteError as error:
            self._reports.append(f"an output that was closed is not complete: {error}")
            refuse(reply, error)
        else:
            reply.set_result(None)


def new_path(*, alpha: bool) -> Path:
    """A file that does not exist, in the user's folder for videos, which is made if it is not there.

    Raises:
        SinkError: The folder cannot be made.
    """
    from platformdirs import user_videos_path  # noqa: PLC0415 -- needed for a recording only

    folder = user_videos_path()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(
            f"cannot make the folder {str(folder)!r}: {error.strerror}", hint="name a file: record start FILE"
        ) from error
    stem, suffix = time.strftime(NAME), ".webm" if alpha else ".mp4"
    names = (f"{stem}{number}{suffix}" for number in chain([""], (f"-{number}" for number in count(2))))
    return next(folder / name for name in names if not (folder / name).exists())


def _open(path: Path, frames: SinkFormat) -> Sink:
    """The file, open. In a thread: encoder and libraries take a while. Raises MatteError."""
    from realtime_matte.sinks.file import record  # noqa: PLC0415 -- as above

    if path.exists():
        raise SinkError(f"{str(path)!r} already exists", hint="name another file")
    return record(path, size=frames.size, fps=frames.fps, alpha=frames.alpha, overwrite=False)
