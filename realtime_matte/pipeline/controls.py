"""Controls: what other threads may do with a running pipeline, and what it has now. Commands act between two frames."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import cast, get_args

from realtime_matte.errors import MatteError, SinkError, SpecError
from realtime_matte.interfaces import Action
from realtime_matte.pipeline import standby
from realtime_matte.pipeline.builder import BackgroundChoice, Choices, ModelChoice, Parts, parse_choice
from realtime_matte.pipeline.calibration import Calibration
from realtime_matte.pipeline.commands import TOGGLE, Command, CommandQueue, Reply, parse, refuse
from realtime_matte.pipeline.live_options import LiveOptions
from realtime_matte.pipeline.outputs import OutputState
from realtime_matte.pipeline.plate_store import check_plate_file, origin_of, write_stored
from realtime_matte.pipeline.recorder import RecordingState
from realtime_matte.render.clean_plate import CleanPlate
from realtime_matte.render.stored_plate import PlateOrigin
from realtime_matte.stats import Stats


class Controls:
    """The commands of a pipeline, which is the class derived from this one.

    ``submit``, ``call``, ``request``, ``switch_model``, ``switch_background`` and ``set_watched`` may be called from
    any thread.

    Attributes:
        stats: Times and counts of the run.
        standby: True while the user has requested the standby card.
    """

    def __init__(
        self,
        parts: Parts,
        choices: Choices,
        *,
        stats: Stats,
        notify: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self.stats = stats
        self.standby = False
        self._parts = parts
        self._notify = notify
        self._clock = clock
        self._quit = False
        self._closed = False
        self._commands = CommandQueue()
        self._calibration = Calibration(notify=notify, write=self._write_plate)
        self._options = LiveOptions(parts, choices, commands=self._commands, stats=stats, notify=notify)

    @property
    def options(self) -> Mapping[str, object]:
        """The present value of each option that can be changed while running: see ``submit``."""
        return self._options.values

    @property
    def backgrounds(self) -> Sequence[str]:
        """The backgrounds that ``next_background`` switches between."""
        return self._parts.backgrounds.choices

    @property
    def outputs(self) -> Sequence[OutputState]:
        """Every output, also those that failed."""
        return self._parts.outputs.states

    @property
    def devices(self) -> Sequence[str]:
        """The device files that other programs read the output from."""
        return self._parts.outputs.devices

    @property
    def failed_outputs(self) -> int:
        """How many outputs failed and were closed while others continued."""
        return self._parts.outputs.failed

    @property
    def size_note(self) -> str:
        """Why an output has another size than the output frames, which are fitted into it; empty if none has."""
        return self._parts.outputs.size_note

    @property
    def recording(self) -> RecordingState | None:
        """The recording that ``record_start`` began; None if there is none."""
        return self._parts.outputs.recorder.state

    def request(self, action: Action) -> None:
        """Run a user's action before the next frame.

        Raises:
            SpecError: There is no such action.
            MatteError: The pipeline is closed.
        """
        if action not in get_args(Action):
            raise SpecError(f"no command {action!r}", hint=f"there are: {', '.join(get_args(Action))}")
        self._check_open()
        self.submit(Command(action))

    def submit(self, command: Command) -> Reply:
        """Run a command before the next frame. Of several waiting ones for one key, the last one counts.

        Args:
            command: An option that can be changed while running, such as ``Command("mirror", True)``, or ``standby``,
                ``next_background``, ``snapshot``, ``record_start``, ``record_stop``, ``calibrate`` or ``quit``.

        Returns:
            A future, set when the change is made: of ``snapshot`` the newest output frame or standby card,
            (H, W, 3) uint8 BGR, or (H, W, 4) without a background; None of others. It is a MatteError if the change
            is refused, or the run has ended.

        Raises:
            SpecError: There is no such command, it cannot change while running, or its value is invalid.

        Example:
            >>> from realtime_matte import Pipeline
            >>> with Pipeline.open("demo?frames=3", "blur", outputs="null", size="160x90") as pipeline:
            ...     reply = pipeline.submit(Command("mirror", True))
            ...     pipeline.run()
            ...     reply.result(), pipeline.options["mirror"]
            (None, True)
        """
        command = parse(command)
        return self._commands.put(partial(self._run_command, command), key=command.key if command.replaces else None)

    def call(self, function: Callable[[], object], *, when: Callable[[], bool] | None = None) -> Reply:
        """Call a function that reads the pipeline, in its thread; the future result.

        It is called before the next frame; with ``when``, before the first one for which ``when()`` is true.
        """
        return self._commands.put(lambda reply: reply.set_result(function()), when=when)

    def switch_model(self, model: ModelChoice, *, provider: str | None = None, threads: int | None = None) -> None:
        """Switch to another model once it is open, or report that it cannot be opened and keep the old one.

        Raises:
            SpecError: The spec is invalid.
            MatteError: The pipeline is closed.
        """
        self._check_open()
        changes = {"model": parse_choice("model", model), "provider": provider, "threads": threads}
        self._commands.put(partial(self._options.use_network, changes), key="model")

    def switch_background(self, background: BackgroundChoice) -> None:
        """Switch to another background once it is open, or report that it cannot be opened and keep the old one.

        Raises:
            SpecError: The spec is invalid.
            MatteError: The pipeline is closed.
        """
        self._check_open()
        self.submit(Command("bg", background))

    def set_watched(self, watched: bool) -> None:  # noqa: FBT001 -- its only argument, named by the method
        """Count a preview that a user looks at as a reader for ``on_demand``, or no longer."""
        self._parts.on_demand.set_watched(watched=watched)

    def _check_open(self) -> None:
        """Raise MatteError after ``close``: a step would open the network again."""
        if self._closed:
            raise MatteError("the pipeline is closed", hint="open another one with Pipeline.open")

    # The pipeline's thread

    def _run_commands(self) -> None:
        """Run what other threads, windows and keys have requested, and continue what opens in threads."""
        for action in self._parts.outputs.commands():
            self.request(action)
        self._commands.run_waiting()
        self._options.update(wait=not self._parts.live)
        self._parts.outputs.update(self._clock())
        self._parts.outputs.recorder.update()

    def _run_command(self, command: Command, reply: Reply) -> None:
        """Run a parsed command; sets the reply when it is done or refused."""
        outputs = self._parts.outputs
        if command.key == "next_background":
            self._parts.backgrounds.next(reply)
        elif command.key == "snapshot":
            self._reply_snapshot(reply)
        elif command.key == "record_start":
            outputs.recorder.start(cast("str | None", command.value), outputs.format, reply)
        elif command.key == "record_stop":
            outputs.recorder.stop(reply)
        elif command.key == "calibrate":
            self._calibrate(reply, cast("str | None", command.value))
        elif command.key == "quit":
            self._quit = True
            reply.set_result(None)
        elif command.key == "standby":
            self._set_standby(on=not self.standby if command.value == TOGGLE else bool(command.value))
            reply.set_result(None)
        else:
            self._options.change(command, reply)

    def _reply_snapshot(self, reply: Reply) -> None:
        """A copy of what was sent last, which is a composite or the card; never a frame of the camera."""
        newest = self._parts.outputs.newest
        if newest is None:
            refuse(reply, SinkError("there is no snapshot: nothing was sent yet", hint="try again in a moment"))
        else:
            reply.set_result(newest.copy())

    def _calibrate(self, reply: Reply, file: str | None) -> None:
        """Count down and measure the empty room; the reply is set at the end, some seconds later."""
        if self.standby:
            refuse(reply, MatteError("not calibrated: the camera is off in standby", hint="end standby first"))
            return
        try:
            if file:
                check_plate_file(file)
        except MatteError as error:
            refuse(reply, error)
        else:
            self._calibration.start(reply, file=file)

    def _origin(self) -> PlateOrigin:
        """What a clean plate is made with now."""
        return origin_of(self._parts, self._options.values)

    def _write_plate(self, plate: CleanPlate, file: str) -> Future[None]:
        return write_stored(plate, file, self._origin())

    def _set_standby(self, *, on: bool) -> None:
        """Turn standby on or off, and the camera with it: users rely on the camera's light."""
        if on == self.standby:
            return
        self.standby = on
        (self._parts.capture.pause if on else self._parts.capture.resume)(self)  # also of a camera that is chosen later
        if self._parts.camera:
            self._notify(standby.STANDBY_ON if on else standby.STANDBY_OFF)
            self.stats.restart()
