"""Calibration: the user steps out of the camera's view for two seconds, and the clean plate is complete and sure.

It counts down, then waits for two seconds in which no person is seen and nothing moves. What looks like a person but
has not moved at all for longer is none. The plate stays in memory, for this run, until the camera moves or a new shot
starts; it is written to a file only if the request names one.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from math import ceil
from typing import Final

from realtime_matte.errors import MatteError
from realtime_matte.pipeline.commands import Reply, refuse
from realtime_matte.render.clean_plate import CleanPlate

COUNTDOWN_S: Final = 5.0
"""Time to step out of the camera's view."""

MEASURE_S: Final = 2.0
"""How long it has to be empty and at rest without a break."""

GIVE_UP_S: Final = 10.0
"""How long it is waited for that, after the countdown."""

MAX_PERSON: Final = 0.005
"""Mean alpha up to which no person is seen: a hand, or a matte that is not quite 0."""

STILL_S: Final = 4.0
"""What looks like a person but has not moved at all for so long is a statue, a poster, a coat: a breath is shorter."""

MAX_MOVING: Final = 0.01
"""Share of the image that may differ from what it was: a clock, a screen in the background."""

STEP_OUT: Final = f"step out of the camera's view within {COUNTDOWN_S:.0f} s, and stay out for {MEASURE_S:.0f} s"
COUNT: Final = "calibrating: {seconds}"
STAY_OUT: Final = "calibrating: stay out of the camera's view"
NO_PERSON: Final = (
    "calibrating: what looks like a person in {percent} % of the image has not moved at all, and counts as the room"
)
DONE: Final = "calibrated: the empty room is known until the camera moves or rtmatte ends; it is kept in memory only"
WRITTEN: Final = "calibrated: the empty room is known, and kept in {file!r}, which only your user can read"
WRITE_S: Final = 10.0
"""How long the end of a run waits for the file."""

Write = Callable[[CleanPlate, str], Future[None]]
"""Begins to write a plate to a file."""


@dataclass(frozen=True, slots=True)
class Writing:
    """A file that is being written, and the requests that get its result."""

    file: str
    written: Future[None]
    replies: Sequence[Reply]


class Calibration:
    """Calibrates on request. The pipeline's thread only.

    Args:
        notify: Gets the countdown and the result.
        write: Writes the plate for requests that name a file.
    """

    def __init__(self, *, notify: Callable[[str], None], write: Write | None = None) -> None:
        self._notify = notify
        self._write = write
        self._file: str | None = None
        self._writing: list[Writing] = []
        self._replies: list[Reply] = []
        self._running = False
        self._started: float | None = None  # time of the first frame after the request
        self._empty_since: float | None = None
        self._counted = 0
        self._obstacle = ""
        self._plate: CleanPlate | None = None  # hidden from the network while it is measured

    @property
    def running(self) -> bool:
        """Whether it counts down or measures."""
        return self._running

    def start(self, reply: Reply | None = None, *, file: str | None = None) -> None:
        """Begin with the next frame, unless it runs already. ``reply`` is set at the end.

        ``file``: where the plate is written to; None: nowhere. The last one that was named counts.
        """
        if reply:
            self._replies.append(reply)
        self._file = file or (self._file if self._running else None)
        if not self._running:
            self._running, self._started, self._empty_since = True, None, None
            self._counted = ceil(COUNTDOWN_S)
            self._obstacle = ""

    def update(self, time: float, *, covered: float, plate: CleanPlate | None) -> None:
        """Continue with a frame that was rendered.

        Args:
            time: The frame's.
            covered: Mean of the network's alpha.
            plate: The clean plate; None if the network does not see one.
        """
        self._end_written()
        if not self._running:
            return
        if plate is None:
            self.stop("this model makes no use of an empty room", hint="choose a --model that sees the clean plate")
            return
        if self._started is None or time < self._started:
            self._started = time
            self._notify(f"calibrating: {STEP_OUT}")
        left_s = COUNTDOWN_S - (time - self._started)
        if left_s > 0:
            self._count(left_s)
        else:
            self._measure(time, covered, plate)

    def stop(self, reason: str, *, hint: str = "calibrate again") -> None:
        """End without a result, and report it; nothing if it does not run. Waits for no file."""
        self._end_written()
        if not self._running:
            return
        self._end()
        self._refuse(MatteError(f"not calibrated: {reason}", hint=hint), self._taken_replies())

    def close(self) -> None:
        """The run ends: as ``stop``, but files are completed."""
        for writing in self._writing[:]:
            self._end_writing(writing, WRITE_S)
        self.stop("the run has ended")

    def _refuse(self, error: MatteError, replies: Sequence[Reply]) -> None:
        for reply in replies:
            refuse(reply, error)
        self._notify(str(error))

    def _succeed(self, message: str, replies: Sequence[Reply]) -> None:
        self._notify(message)
        for reply in replies:
            reply.set_result(None)

    def _end_written(self) -> None:
        for writing in [one for one in self._writing if one.written.done()]:
            self._end_writing(writing)

    def _end_writing(self, writing: Writing, timeout_s: float = 0) -> None:
        """Report the file; waits for it at most this long."""
        self._writing.remove(writing)
        file, replies = writing.file, writing.replies
        try:
            writing.written.result(timeout_s)
        except TimeoutError:
            self._refuse(MatteError(f"the empty room is known, but {file!r} is not written yet"), replies)
        except MatteError as error:
            failed = MatteError(f"the empty room is known, but not written: {error.message}", hint=error.hint)
            self._refuse(failed, replies)
        else:
            self._succeed(WRITTEN.format(file=file), replies)

    def _count(self, left_s: float) -> None:
        if ceil(left_s) < self._counted:
            self._counted = ceil(left_s)
            self._notify(COUNT.format(seconds=self._counted))

    def _measure(self, time: float, covered: float, plate: CleanPlate) -> None:
        assert self._started is not None  # noqa: S101
        if self._plate is not plate:
            self._show()
            self._plate = plate
            plate.hide(hidden=True)
            self._notify(STAY_OUT)
        obstacle = _obstacle(covered if plate.still_s < STILL_S else 0.0, plate.moving)
        if obstacle:
            self._obstacle, self._empty_since = obstacle, None
        elif self._empty_since is None:
            self._empty_since = time
        if self._empty_since is not None and time - self._empty_since >= MEASURE_S:
            if covered > MAX_PERSON:
                self._notify(NO_PERSON.format(percent=_percent(covered)))
            plate.trust_frame()
            self._end()
            self._use(plate, self._taken_replies())
        elif time - self._started >= COUNTDOWN_S + MEASURE_S + GIVE_UP_S:
            reason = self._obstacle or f"the view was not at rest for {MEASURE_S:.0f} s"
            self.stop(reason, hint="calibrate again, and stay out of the camera's view")

    def _use(self, plate: CleanPlate, replies: Sequence[Reply]) -> None:
        """The plate is known: write it, where a file is named, or report it."""
        if self._file and self._write:
            self._writing.append(Writing(self._file, self._write(plate, self._file), replies))
        else:
            self._succeed(DONE, replies)

    def _end(self) -> None:
        self._running = False
        self._show()

    def _show(self) -> None:
        if self._plate:
            self._plate.hide(hidden=False)
        self._plate = None

    def _taken_replies(self) -> list[Reply]:
        replies, self._replies = self._replies, []
        return replies


def _obstacle(covered: float, moving: float) -> str:
    """Why this frame does not show an empty room at rest; empty if it does."""
    if covered > MAX_PERSON:
        return f"a person is seen in {_percent(covered)} % of the image"
    if moving > MAX_MOVING:
        return f"{_percent(moving)} % of the image moves"
    return ""


def _percent(share: float) -> int:
    return max(1, round(100 * share))
