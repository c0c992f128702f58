"""Status: the state of a running pipeline as one immutable value, and how another thread reads it."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Literal, TypeAlias, cast

from realtime_matte.config.config import Config
from realtime_matte.errors import MatteError, masked
from realtime_matte.pipeline import standby
from realtime_matte.pipeline.commands import ENDED, LIVE
from realtime_matte.pipeline.outputs import OutputState
from realtime_matte.pipeline.pipeline import Pipeline
from realtime_matte.pipeline.recorder import RecordingState
from realtime_matte.v4l2.open_files import programs_using

State: TypeAlias = Literal[
    "running", "starting", "standby", "camera lost", "no matte", "paused on demand", "ended", "busy", "fault"
]

BUILD_EVERY_S: Final = 0.2
"""A status is built at most so often: the percentiles take about a millisecond of the pipeline's thread."""

ANSWER_S: Final = 2.0
"""How long the pipeline's thread may take: longer than a camera is waited for before it counts as stalled."""

SCAN_EVERY_S: Final = 2.0
"""Programs that read a device are looked for at most so often: it takes some 20 ms on a desktop."""

STARTING_CARDS: Final = {standby.STARTING, standby.SWITCHING}

CAMERA_OFF: Final = "the camera is off"

BUSY: Final = "the pipeline does not answer: a model is being opened, or an output accepts no frames"


@dataclass(frozen=True, slots=True)
class Warned:
    """A message, and what to do; empty if there is nothing."""

    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The state of a running pipeline, with reasons. Times are in seconds.

    Attributes:
        pid: The process.
        state: ``running``: composites are sent. ``ended``: nothing is sent any more. ``busy``: the pipeline does not
            answer, and the figures are old. ``fault``: no pipeline can be opened, and the control panel waits; nothing
            is sent. All others: the standby card is sent, or the pipeline is being opened.
        reason: Why it is not running; empty if it is.
        camera: What the source reports of itself: name and mode; may be empty.
        size: (width, height) of the source's frames.
        camera_fps: Actual rate of the source.
        model: The network's name.
        provider: What really runs it.
        grid: (width, height) of the network's alpha; None before the first frame, or if it is that of the frame.
        fps: Rate of the last composites.
        age_p50_s, age_p95_s: Time from capture to output; None before the first composite, or if it means nothing.
        stages_s: Median time of each stage.
        cpu: Share of one core that the process used since the last status was built; may be above 1.
        composites, standby_cards, dropped: Counts since the start.
        damaged: Frames of the camera that could not be decoded, since the start.
        readers: The programs that have a virtual camera open, where the system shows them.
        outputs: Every output, and the fault of those that failed.
        notices: What each part reports: actual modes, fall-backs with their hints.
        messages: What was reported last, oldest first.
        warnings: The same, with what to do apart.
        background: The current one.
        backgrounds: Those that ``next`` switches between.
        size_note: Why an output has another size than the output frames; empty if none has.
        recording: The recording in progress: its file, and its time; None if there is none.
        options: The options that can be changed while running, and their values.
    """

    pid: int
    state: State
    reason: str
    camera: str
    size: tuple[int, int]
    camera_fps: float
    model: str
    provider: str
    grid: tuple[int, int] | None
    fps: float
    age_p50_s: float | None
    age_p95_s: float | None
    stages_s: Mapping[str, float]
    cpu: float
    composites: int
    standby_cards: int
    dropped: int
    damaged: int
    readers: tuple[str, ...]
    outputs: tuple[OutputState, ...]
    notices: tuple[str, ...]
    messages: tuple[str, ...]
    warnings: tuple[Warned, ...]
    background: str
    backgrounds: tuple[str, ...]
    size_note: str
    recording: RecordingState | None
    options: Mapping[str, object]


def as_json(status: Status) -> dict[str, object]:
    """The status as JSON's types, and what is immutable as it is: ``asdict`` would copy it all."""
    values: dict[str, object] = {name: getattr(status, name) for name in Status.__slots__}
    return values | {
        "outputs": tuple(map(asdict, status.outputs)),
        "warnings": tuple(map(asdict, status.warnings)),
        "recording": asdict(status.recording) if status.recording else None,
        "stages_s": dict(status.stages_s),
        "options": dict(status.options),
    }


def without_pipeline(config: Config, state: State, reason: str) -> Status:
    """The status of a run that has no pipeline now: nothing but its options is known."""
    return Status(
        pid=os.getpid(),
        state=state,
        reason=masked(reason),
        camera="",
        size=(0, 0),
        camera_fps=0.0,
        model="",
        provider="",
        grid=None,
        fps=0.0,
        age_p50_s=None,
        age_p95_s=None,
        stages_s={},
        cpu=0.0,
        composites=0,
        standby_cards=0,
        dropped=0,
        damaged=0,
        readers=(),
        outputs=(),
        notices=(),
        messages=(),
        warnings=(),
        background=masked(config.bg[0]),
        backgrounds=tuple(map(masked, config.bg)),
        size_note="",
        recording=None,
        options={name: _masked_all(getattr(config, name)) for name in LIVE} | {"bg": masked(config.bg[0])},
    )


def _masked_all(value: object) -> object:
    if isinstance(value, tuple) and value and isinstance(value[0], str):
        return [masked(one) for one in value]
    return masked(value) if isinstance(value, str) else value


class StatusReader:
    """Reads the status of ``pipeline``. Made in the pipeline's thread, then used by one event loop in another.

    Args:
        pipeline: Builds the status in its own thread, between two frames.
        clock: Seconds, monotonic.
        scan: Names the programs that have a device open.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        *,
        clock: Callable[[], float] = time.monotonic,
        scan: Callable[[Path], Sequence[object]] = programs_using,
    ) -> None:
        self._pipeline = pipeline
        self._clock = clock
        self._scan = scan
        self._lock = asyncio.Lock()
        self._scanned_at = float("-inf")
        self._readers: tuple[str, ...] = ()
        self._devices: tuple[str, ...] = ()  # the pipeline's thread replaces it
        self._sampled = clock(), time.process_time()  # the pipeline's thread only, as of here
        self._built_at = clock()
        self._status = self._build()

    async def read(self, *, fresh: bool = False) -> Status:
        """The status. If ``fresh``, one that was built after this call, else it may be BUILD_EVERY_S old."""
        oldest = self._clock() - (0 if fresh else BUILD_EVERY_S)
        async with self._lock:
            if self._built_at < oldest:
                await asyncio.sleep(max(0.0, self._built_at + BUILD_EVERY_S - self._clock()))
                self._built_at = self._clock()
                self._status = replace(await self._ask(), readers=self._find_readers())
            return self._status

    async def _ask(self) -> Status:
        """The status from the pipeline's thread, or the last one with the state that explains why."""
        try:
            return cast(
                "Status", await asyncio.wait_for(asyncio.wrap_future(self._pipeline.call(self._build)), ANSWER_S)
            )
        except TimeoutError:
            return replace(self._status, state="busy", reason=BUSY)
        except MatteError:
            return replace(self._status, state="ended", reason=ENDED)

    def _find_readers(self) -> tuple[str, ...]:
        now = self._clock()
        if now >= self._scanned_at + SCAN_EVERY_S:
            self._scanned_at = now
            self._readers = tuple(str(program) for path in self._devices for program in self._scan(Path(path)))
        return self._readers

    def _build(self) -> Status:
        """The status now, without readers. The pipeline's thread."""
        pipeline, source = self._pipeline, self._pipeline.source
        self._devices = tuple(pipeline.devices)
        report = pipeline.stats.report()
        state, reason = _state(pipeline)
        age = report.age if pipeline.live else None
        return Status(
            pid=os.getpid(),
            state=state,
            reason=reason,
            camera=masked(source.notices[0]) if source.notices else "",
            size=source.size,
            camera_fps=source.fps,
            model=pipeline.network,
            provider=pipeline.provider,
            grid=pipeline.grid,
            fps=round(report.fps, 2),
            age_p50_s=round(age.p50, 5) if age else None,
            age_p95_s=round(age.p95, 5) if age else None,
            stages_s={stage: round(spread.p50, 6) for stage, spread in report.stages.items()},
            cpu=round(self._cpu_share(), 3),
            composites=report.composites,
            standby_cards=report.standby_cards,
            dropped=pipeline.dropped,
            damaged=self._pipeline.source.damaged,
            readers=(),
            outputs=tuple(map(_without_passwords, pipeline.outputs)),
            notices=tuple(map(masked, pipeline.notices)),
            messages=(messages := tuple(map(masked, pipeline.messages))),
            warnings=tuple(map(_warned, messages)),
            background=str(pipeline.options["bg"]),
            backgrounds=tuple(pipeline.backgrounds),
            size_note=pipeline.size_note,
            recording=pipeline.recording,
            options=pipeline.options,
        )

    def _cpu_share(self) -> float:
        before, self._sampled = self._sampled, (self._clock(), time.process_time())
        seconds = self._sampled[0] - before[0]
        return (self._sampled[1] - before[1]) / seconds if seconds > 0 else 0.0


def _warned(line: str) -> Warned:
    """A message as ``str(MatteError)`` writes it: with its hint after a semicolon."""
    message, _, hint = line.partition("; ")
    return Warned(message, hint)


def _without_passwords(output: OutputState) -> OutputState:
    return OutputState(masked(output.name), tuple(map(masked, output.notices)), masked(output.fault))


def _state(pipeline: Pipeline) -> tuple[State, str]:
    """The state, and why it is not ``running``."""
    if pipeline.standby:
        return "standby", CAMERA_OFF if pipeline.camera_off_reason else ""
    if pipeline.camera_off_reason:
        return "paused on demand", pipeline.camera_off_reason
    if not pipeline.card_reason:
        return "running", ""
    if pipeline.source.reason:
        return "camera lost", pipeline.source.reason
    if pipeline.card_reason == standby.CAMERA_NOT_AVAILABLE:
        return "camera lost", pipeline.card_reason
    return "starting" if pipeline.card_reason in STARTING_CARDS else "no matte", pipeline.card_reason
