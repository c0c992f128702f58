"""Commands: changes of a running pipeline, and the queue through which other threads pass them on."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final, TypeAlias

from realtime_matte.config.config import options, parse_values
from realtime_matte.config.option import Option
from realtime_matte.errors import MatteError, SpecError, suggest

Reply: TypeAlias = Future[object]
"""Where the result of a command arrives; a refused command is a MatteError."""

LIVE: Final = tuple(option.name for option in options() if option.applies == "live")
"""The options that can change between two frames."""

ACTIONS: Final = ("standby", "next_background", "snapshot", "record_start", "record_stop", "calibrate", "quit")
"""The commands that set no option."""

UNREPLACED: Final = {"next_background", "snapshot", "record_start", "record_stop", "calibrate"}
"""The commands of which each one counts."""

SWITCH_WORDS: Final = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}

TOGGLE: Final = "toggle"

ENDED: Final = "the run has ended"


@dataclass(frozen=True, slots=True)
class Command:
    """One change.

    Attributes:
        key: An option of LIVE, or one of ACTIONS.
        value: The option's value, where None stands for its default; for ``standby`` True, False or TOGGLE; for
            ``record_start`` a file that does not exist, or None for a new one in the folder for videos; for
            ``calibrate`` a file for the empty room, or None to keep it in memory only.
    """

    key: str
    value: object = None

    @property
    def replaces(self) -> bool:
        """True if only the last of several waiting ones counts, as of a slider that is dragged."""
        return self.key not in UNREPLACED and self.value != TOGGLE


def parse(command: Command) -> Command:
    """The command with the name of its option and its typed value. An ``open`` callable stays as it is.

    Raises:
        SpecError: There is no such command, it cannot change while running, or its value is invalid.
    """
    key = command.key.replace("-", "_")
    if key == "standby":
        return Command(key, _standby_value(command.value))
    if key in {"record_start", "calibrate"} and command.value is not None:
        return Command(key, _file_name(key, command.value))
    if key in ACTIONS:
        return Command(key)
    option = _option(key, command.key)
    if callable(command.value):
        return Command(key, command.value)
    value = command.value
    if option.kind == "switch" and isinstance(value, str):
        if value not in SWITCH_WORDS:
            raise SpecError(f"{option.key}: {value!r} is not on or off")
        value = SWITCH_WORDS[value]
    parsed = parse_values({key: value}, prefix="")[key]
    return Command(key, _one_background(parsed) if key == "bg" and isinstance(parsed, tuple) else parsed)


def _one_background(values: tuple[object, ...]) -> object:
    """The background of an option that takes several at the start. Raises SpecError."""
    if len(values) > 1:
        hint = "give one; --bg takes several at the start, and the command next switches between them"
        raise SpecError(f"bg: {len(values)} backgrounds, but only one is shown at a time", hint=hint)
    return values[0]


def _option(key: str, given: str) -> Option:
    known = {option.name: option for option in options()}
    if key not in known:
        live = sorted(option.key for option in options() if option.name in LIVE)
        hint = suggest(given, live, f"these can: {', '.join(live)}")
        raise SpecError(f"no option {given!r} can change while running", hint=hint)
    option = known[key]
    if key not in LIVE:
        raise SpecError(
            f"{option.key} cannot change while running", hint=f"stop rtmatte and start it again with {option.flag}"
        )
    return option


def _file_name(key: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        what, like = ("recording", "call.mp4") if key == "record_start" else ("calibrate", "room.png")
        raise SpecError(f"{what}: {value!r} is not the name of a file", hint=f"name one like {like}, or none")
    return value


def _standby_value(value: object) -> object:
    if value is None or value == TOGGLE:
        return TOGGLE
    on = SWITCH_WORDS.get(value) if isinstance(value, str) else value
    if not isinstance(on, bool):
        raise SpecError(f"standby: {value!r} is not on, off or {TOGGLE}")
    return on


@dataclass(frozen=True, slots=True)
class Waiting:
    """A call that waits for the pipeline's thread. ``key``: a later one of the same key replaces it; None: none does.

    ``run`` gets the reply, and sets its result now or later. ``when``: it waits until this is true; None: for nothing.
    """

    key: str | None
    run: Callable[[Reply], None]
    reply: Reply
    when: Callable[[], bool] | None = None


class CommandQueue:
    """Calls that any thread puts, and that the pipeline's thread runs between two frames.

    There is no lock: a signal handler, which interrupts the pipeline's thread anywhere, may also ``put``.
    """

    def __init__(self) -> None:
        self._waiting: deque[Waiting] = deque()  # any thread appends; appending and taking are atomic
        self._closed = False

    def put(
        self, run: Callable[[Reply], None], *, key: str | None = None, when: Callable[[], bool] | None = None
    ) -> Reply:
        """Add a call, run once ``when()`` is true. Its reply is a MatteError if the run ends first."""
        reply: Reply = Future()
        self._waiting.append(Waiting(key, run, reply, when))
        if self._closed:
            self.close()
        return reply

    def run_waiting(self) -> None:
        """Run the calls that wait; one that a later call replaces is not run, and its reply is set.

        Raises:
            Exception: the error of a call; its reply is the same error.
        """
        if not self._waiting:
            return
        waiting = self._take()
        last = {item.key: item for item in waiting}
        for number, item in enumerate(waiting, start=1):
            if item.when and not item.reply.cancelled() and not item.when():
                self._waiting.append(item)
                continue
            if not item.reply.set_running_or_notify_cancel():
                continue
            if item.key is not None and last[item.key] is not item:
                item.reply.set_result(None)
                continue
            try:
                item.run(item.reply)
            except BaseException as error:
                refuse(item.reply, error)
                self._waiting.extendleft(reversed(waiting[number:]))  # for ``close``, which refuses them
                raise

    def close(self) -> None:
        """Refuse the calls that wait, and all later ones. Idempotent."""
        self._closed = True
        for item in self._take():
            if item.reply.set_running_or_notify_cancel():
                item.reply.set_exception(MatteError(ENDED))

    def _take(self) -> list[Waiting]:
        taken: list[Waiting] = []
        try:
            while True:
                taken.append(self._waiting.popleft())
        except IndexError:
            return taken


def refuse(reply: Reply, error: BaseException) -> None:
    """Set the error, unless there is a result already."""
    if not reply.done():
        reply.set_exception(error)
