"""One task: an input, whole or a range of it, from its first frame to its result.

Runs in any process that sees the files.
"""

import errno
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil, inf
from pathlib import Path
from statistics import median
from typing import Final, Protocol

import numpy as np

from realtime_matte import plugins
from realtime_matte.batch import parts, worker
from realtime_matte.batch.cuts import HISTORY, CutDetector
from realtime_matte.batch.image_files import encoder, write_image
from realtime_matte.batch.inputs import Input
from realtime_matte.batch.naming import Result
from realtime_matte.batch.reading import InputFrame, Reader, open_reader
from realtime_matte.batch.settings import BatchSettings
from realtime_matte.batch.video_files import VideoResult
from realtime_matte.errors import BadFile, MatteError
from realtime_matte.frame import Alpha, Frame, Matte, Pixels
from realtime_matte.interfaces import Background, FollowsCamera
from realtime_matte.render.composite import composite
from realtime_matte.render.jit import read_only

FULL: Final = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})

REPORT_INTERVAL_S: Final = 0.25

SPARE_FRAMES: Final = 3
SPARE_SHARE: Final = 0.95
"""How many frames a clip may have fewer than its header says."""

RATE_TOLERANCE: Final = 0.1
"""Of a frame's duration, by which the times of a fixed rate may waver: many containers round them to ms."""

STEP_S: Final = 0.5
"""Backgrounds that move are brought to the first frame of a range in steps they accept as time that passes."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker needs; it is pickled. ``run``: eight hexadecimal digits, the same for all tasks of a call."""

    input: Input
    result: Result
    settings: BatchSettings
    run: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task ended.

    Attributes:
        frames: How many were written.
        seconds: How long it took.
        size: (width, height) of the frames.
        fps: Frames a second of the input, on average.
        cuts: Numbers of the first frames of all later shots.
        provider: What ran the network.
        notices: Messages to the user.
        result_bytes: Of a single file.
        reason: Why there is no result; empty if there is one.
        hint: What to do about it.
        disk_full: The disk of the result is full, so that no task can go on.
        trace: Of a bug.
    """

    frames: int = 0
    seconds: float = 0.0
    size: tuple[int, int] = (0, 0)
    fps: float = 0.0
    cuts: tuple[int, ...] = ()
    provider: str = ""
    notices: tuple[str, ...] = ()
    result_bytes: int | None = None
    reason: str = ""
    hint: str = ""
    disk_full: bool = False
    trace: str = ""


def run_task(task: Task) -> Outcome:
    """Matte the input of a task. An error is part of the outcome, since other tasks go on."""
    start = time.perf_counter()
    try:
        part = parts.new_part(task.result, task.run)
        try:
            return _matte(task, part, start)
        finally:
            parts.remove(part)
    except MatteError as error:
        full = any(getattr(one, "errno", None) in FULL for one in (error, error.__cause__))
        return Outcome(reason=error.message, hint=error.hint, disk_full=full)
    except MemoryError:
        return Outcome(reason="not enough memory", hint="use fewer --jobs, or a smaller clip")
    except Exception as error:  # noqa: BLE001 - the top of a worker: a bug of one clip must not end the others
        return Outcome(reason=f"{type(error).__name__}: {error}", hint="report this bug", trace=traceback.format_exc())


class _Writer(Protocol):
    def add(self, frame: InputFrame, matte: Matte, composite: Pixels | None) -> None: ...

    def finish(self) -> None: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class _Progress:
    """What a running task has done so far."""

    name: str
    count: int | None
    frames: int = 0
    cuts: list[int] = field(default_factory=list)
    due: float = 0.0
    end: float = 0.0

    def wrote(self, frame: InputFrame) -> None:
        self.frames += 1
        self.end = frame.time + frame.duration
        now = time.monotonic()
        if now >= self.due:
            self.due = now + REPORT_INTERVAL_S
            worker.report(self.name, self.frames, self.count)


def _matte(task: Task, part: Path, start: float) -> Outcome:
    settings = task.settings
    with ExitStack() as stack:
        reader = stack.enter_context(open_reader(task.input, fps=settings.fps))
        remover = stack.enter_context(worker.borrowed(settings))
        background = _open_background(settings, reader)
        if background:
            stack.callback(background.close)
        writer = _open_writer(task, part, reader)
        stack.callback(writer.close)
        progress = _Progress(task.result.name, _count(task, reader))
        for frame, matte, image in _mattes(settings, reader, remover, background, progress):
            writer.add(frame, matte, image)
            progress.wrote(frame)
        if not progress.frames:
            raise BadFile(f"{task.input.name!r} has no frame in the range", hint="choose another --range")
        writer.finish()
        notices = (
            *reader.notices,
            *remover.notices,
            *getattr(writer, "notices", ()),
            *_missing(settings, reader, progress),
        )
        size = _place(task, part)
        worker.report(progress.name, progress.frames, progress.frames)
    return Outcome(
        frames=progress.frames,
        seconds=time.perf_counter() - start,
        size=reader.size,
        fps=reader.fps,
        cuts=tuple(progress.cuts),
        provider=remover.provider,
        notices=notices,
        result_bytes=size,
    )


def _mattes(
    settings: BatchSettings,
    reader: Reader,
    remover: worker.SharedRemover,
    background: Background | None,
    progress: _Progress,
) -> Iterator[tuple[InputFrame, Matte, Pixels | None]]:
    """Each frame to be written, with its matte, and over the background if there is one."""
    shot, detector, compositor = remover.shot(), CutDetector(), _Compositor(background)
    first, last = settings.first or 0, inf if settings.last is None else settings.last
    warm_from = first - max(ceil(settings.warmup_s * reader.fps), 0)
    for frame in reader.frames:
        if frame.number > last:
            break
        if frame.number < warm_from - HISTORY:
            compositor.skip(frame)
            continue
        pixels = frame.draw()
        cut = settings.cuts and detector.is_cut(pixels)
        if frame.number < min(warm_from, first):
            compositor.skip(frame)
            continue
        if cut:
            shot.reset()
            if frame.number >= first:
                progress.cuts.append(frame.number)
        matte = remover.process(shot, pixels, frame.time)
        image = compositor.image(frame, pixels, matte)
        if frame.number >= first:
            yield frame, matte, image


@dataclass(frozen=True, slots=True)
class _Composed:
    """A refined matte, as backgrounds get it."""

    alpha: Alpha
    foreground: Pixels


class _Compositor:
    """Puts a background behind mattes; does nothing without one."""

    def __init__(self, background: Background | None) -> None:
        self._background = background
        self._skipped_at = -inf
        self._weights = np.zeros(0, np.uint16)
        self._follows_camera = isinstance(background, FollowsCamera)

    def skip(self, frame: InputFrame) -> None:
        """Let the background's time pass without a frame; one made of the camera's image has none."""
        if self._background is None or self._follows_camera or frame.time < self._skipped_at + STEP_S:
            return
        self._skipped_at = frame.time
        nothing = np.zeros((8, 8, 3), np.uint8)
        self._background.image(
            Frame(nothing, frame.time, frame.number), _Composed(np.zeros((8, 8), np.float32), nothing)
        )

    def image(self, frame: InputFrame, pixels: Pixels, matte: Matte) -> Pixels | None:
        """The composite (H, W, 3), in a new array."""
        if self._background is None:
            return None
        assert matte.foreground is not None  # noqa: S101 - a refined matte has colours
        if self._weights.size != 3 * pixels.shape[1]:
            self._weights = np.zeros(3 * pixels.shape[1], np.uint16)
        refined = _Composed(matte.alpha, matte.foreground)
        behind = self._background.image(Frame(pixels, frame.time, frame.number), refined)
        out = np.empty_like(pixels)
        composite(read_only(matte.foreground), matte.alpha, read_only(behind), self._weights, out)
        return out


class _Images:
    """One file a frame, in a folder."""

    def __init__(self, folder: Path, result: Result, settings: BatchSettings) -> None:
        self._folder, self._result = folder, result
        self._encode = encoder(result.file_format.name, settings.write)
        self._times: list[float] = []
        self._durations: list[float] = []
        self._has_times = result.own_folder and not settings.has_range
        folder.mkdir()

    def add(self, frame: InputFrame, matte: Matte, composite: Pixels | None) -> None:
        write_image(self._folder / self._result.image(frame.number), self._encode(matte, composite))
        self._times.append(frame.time)
        self._durations.append(frame.duration)

    def finish(self) -> None:
        """Every image is whole already. The times of a variable rate, which images cannot hold, become a text file."""
        usual = median(self._durations)
        if self._has_times and any(abs(one - usual) > RATE_TOLERANCE * usual for one in self._steps()):
            lines = ["# timestamp format v2", *(f"{time * 1000:.3f}" for time in self._times)]
            write_image(self._folder / parts.TIMES_NAME, ("\n".join(lines) + "\n").encode())

    def _steps(self) -> list[float]:
        return [after - before for before, after in pairwise(self._times)]

    def close(self) -> None:
        """Nothing is open."""


class _Still:
    """One file of one frame."""

    def __init__(self, path: Path, result: Result, settings: BatchSettings) -> None:
        self._path = path
        self._encode = encoder(result.file_format.name, settings.write)

    def add(self, frame: InputFrame, matte: Matte, composite: Pixels | None) -> None:  # noqa: ARG002 - there is one
        write_image(self._path, self._encode(matte, composite))

    def finish(self) -> None:
        """The file is whole already."""

    def close(self) -> None:
        """Nothing is open."""


def _open_writer(task: Task, part: Path, reader: Reader) -> _Writer:
    settings, file_format = task.settings, task.result.file_format
    if task.result.digits:
        return _Images(part, task.result, settings)
    if not file_format.video:
        return _Still(part, task.result, settings)
    sound = task.input.kind == "clip" and settings.write != "alpha"
    sound_of = Path(task.input.files[0]) if sound else None
    return VideoResult(part, file_format.name, settings.write, reader, sound_of=sound_of)


def _open_background(settings: BatchSettings, reader: Reader) -> Background | None:
    if settings.write != "composite":
        return None
    plugin = plugins.background(settings.background)
    return plugin.open(plugin.rest, size=reader.size, fit=settings.fit)


def _place(task: Task, part: Path) -> int | None:
    """Give the result its name. The size of a single file, which other machines may not see yet."""
    if task.result.digits:
        parts.place_images(part, task.result, whole_clip=not task.settings.has_range)
        return None
    size = part.stat().st_size
    parts.place_file(part, task.result.path)
    return size


def _missing(settings: BatchSettings, reader: Reader, progress: _Progress) -> tuple[str, ...]:
    """A message where a clip has clearly fewer frames than its header says, and ends earlier.

    Many headers are a little wrong; of a variable rate, they give the duration, but neither number nor rate of frames.
    """
    expected = progress.count or 0
    if progress.frames + SPARE_FRAMES >= expected * SPARE_SHARE:
        return ()
    if progress.end * reader.fps + SPARE_FRAMES >= ((settings.first or 0) + expected) * SPARE_SHARE:
        return ()
    return (f"it has {progress.frames} frames, its header says {expected}: it may be cut short",)


def _count(task: Task, reader: Reader) -> int | None:
    """How many frames will be written, as far as that is known."""
    first, last = task.settings.first or 0, inf if task.settings.last is None else task.settings.last
    if task.input.kind == "sequence":
        return sum(first <= number <= last for number in task.input.numbers)
    end = min(inf if reader.count is None else reader.count - 1, last)
    return None if end == inf else max(1, int(end) - first + 1)
