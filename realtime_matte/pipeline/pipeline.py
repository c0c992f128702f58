"""Pipeline: source, fitting, matte, refinement, composite, outputs. Nothing runs back up."""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Self, get_args

from realtime_matte.capture.state import CaptureState
from realtime_matte.config.config import Config
from realtime_matte.errors import MatteError, SinkError, SpecError
from realtime_matte.frame import Frame
from realtime_matte.interfaces import Action
from realtime_matte.memory import check_address_space
from realtime_matte.pipeline import on_demand, standby
from realtime_matte.pipeline.builder import (
    BackgroundChoice,
    Choices,
    ModelChoice,
    OutputChoice,
    Parts,
    SourceChoice,
    open_parts,
    parse_choice,
    parse_choices,
)
from realtime_matte.pipeline.governor import Governor
from realtime_matte.pipeline.loading import lighter_models, network_opener
from realtime_matte.pipeline.notices import Notices
from realtime_matte.pipeline.recovery import OpenNetwork
from realtime_matte.pipeline.standby import CARD_EVERY_S, STANDBY_EVERY_S
from realtime_matte.stats import Stats

_log = logging.getLogger("realtime_matte")


class Pipeline:
    """The pipeline, and the owner of all it opens. Made by ``open``.

    Only a frame composited with the matte of that very frame, or the standby card, is ever sent. Everything runs in
    the caller's thread except the reading of a live source, the opening of another background, and the loading of a
    network while an output is live. ``request``, ``switch_model`` and ``switch_background`` may be called from any
    thread and take effect between two frames.

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
        stack: ExitStack,
    ) -> None:
        self.stats = stats
        self.standby = False
        self._parts = parts
        self._notify = notify
        self._clock = clock
        self._stack = stack
        self._requests: deque[Callable[[], None]] = deque()  # any thread appends, the caller's takes
        self._time = clock()
        self._last_index = -1
        self._quit = False
        self._notices = Notices(parts, notify=notify)
        self._governor = Governor(parts.renderer, notify=notify)
        self._govern(choices.model, provider=choices.config.provider, threads=choices.config.threads)

    @classmethod
    def open(
        cls,
        source: SourceChoice | None = None,
        background: BackgroundChoice | Sequence[BackgroundChoice] | None = None,
        *,
        outputs: OutputChoice | Sequence[OutputChoice] | None = None,
        model: ModelChoice | None = None,
        config: Config | None = None,
        notify: Callable[[str], None] = _log.warning,
        clock: Callable[[], float] = time.perf_counter,
        **options: object,
    ) -> Self:
        """Open every part. Live outputs show the standby card from the moment they are open.

        Args:
            source: A spec such as ``"camera:0"``, a camera's number, a file, or an ``open`` callable: see OpenSource.
                None takes ``config.camera``, by default the first camera.
            background: One or several specs, files or ``open`` callables; the command ``next_background`` switches.
                None takes ``config.bg``, by default the studio.
            outputs: One or several specs, files or ``open`` callables. None takes ``config.output``, by default the
                virtual camera.
            model: The name of a model, an ONNX file, or a callable that opens a Network. None takes ``config.model``,
                by default ``auto``, which switches to lighter models if frames come faster than they are shown.
            config: All other options; None for their defaults.
            notify: Gets each fall-back, and each error that the run survives, as one line.
            clock: Seconds, as of the frames' times.
            options: Fields of Config that replace those of ``config``, such as ``size=(1280, 720)``, ``mirror=True``
                or ``card="away.png"``. Their values are checked as those of the command line.

        Raises:
            SpecError: An option is unknown or invalid.
            MatteError: A part cannot be opened; those opened before it are closed again.

        Example:
            >>> with Pipeline.open("demo?frames=3", "blur", outputs="null", size="160x90") as pipeline:
            ...     pipeline.run()
            ...     pipeline.stats.composites
            3
        """
        check_address_space()
        choices = parse_choices(
            (config or Config()).replace(**options),
            source=source,
            backgrounds=background,
            outputs=outputs,
            model=model,
        )
        stats = Stats(clock=clock)
        with ExitStack() as stack:
            parts = open_parts(choices, stack, stats=stats, notify=notify, clock=clock)
            return cls(parts, choices, stats=stats, notify=notify, clock=clock, stack=stack.pop_all())

    @property
    def notices(self) -> list[str]:
        """What the user should know of every part: actual modes and providers, and why they were chosen."""
        return self._parts.notices

    @property
    def frames(self) -> int | None:
        """How many frames the source has; None if that is not known."""
        return self._parts.frames

    @property
    def live(self) -> bool:
        """True if frames come at their own time, so that an output frame has an age."""
        return self._parts.live

    @property
    def camera_off_reason(self) -> str | None:
        """Why the camera is turned off on purpose; None while it is on."""
        if self.standby and self._parts.camera:
            return standby.STANDBY_ON
        return on_demand.OFF if self._parts.on_demand and self._parts.on_demand.off else None

    @property
    def dropped(self) -> int:
        """Frames that arrived after the first one was taken, and were not shown because newer ones came."""
        return self._parts.capture.state.dropped

    @property
    def failed_outputs(self) -> int:
        """How many outputs failed and were closed while others continued."""
        return self._parts.outputs.failed

    @property
    def mode(self) -> str:
        """The source's actual size and rate."""
        state = self._parts.capture.state
        return f"{state.size[0]}x{state.size[1]} at {state.fps:g} fps"

    @property
    def model(self) -> str:
        """The network, and the provider that really runs it."""
        return self._parts.renderer.model

    def run(self, until: Callable[[], bool] | None = None) -> None:
        """Run until the source ends, the user quits, or ``until`` returns True; it is called after each output frame.

        Raises:
            MatteError: The last output failed, a file cannot be read further, or the default background failed.
        """
        while self.step() and not (until and until()):
            pass

    def step(self) -> bool:
        """Take one frame and send one output frame. False at the end. Raises as ``run``."""
        parts = self._parts
        self._run_commands()
        if self._quit:
            return False
        if parts.backgrounds.update(wait=not self.live):
            parts.renderer.background = parts.backgrounds.current
        if not self.standby and parts.on_demand and parts.on_demand.update(CARD_EVERY_S):
            self._show_card_without_readers()
            return True
        self.stats.begin()
        frame = parts.capture.take(STANDBY_EVERY_S if self.standby else CARD_EVERY_S)
        self.stats.lap("wait")
        state = parts.capture.state
        self._notices.update(state, frame)
        self._governor.update(shown=self.stats.composites, dropped=state.dropped)
        if frame is None and state.phase == "ended":
            return False
        self._time = frame.time if frame else self._clock()
        if self.standby:
            self._show_card(standby.STANDBY)
        elif frame is None:
            self._show_card(standby.STARTING if state.phase in {"paused", "starting"} else standby.CAMERA_AWAY)
        else:
            self._show_frame(frame, state)
        return True

    def request(self, command: Action) -> None:
        """Run a user's command before the next frame.

        Raises:
            SpecError: There is no such command.
        """
        if command not in get_args(Action):
            raise SpecError(f"no command {command!r}", hint=f"there are: {', '.join(get_args(Action))}")
        self._requests.append(partial(self._run_command, command))

    def switch_model(self, model: ModelChoice, *, provider: str | None = None, threads: int | None = None) -> None:
        """Switch to another model before the next frame, or report that it cannot be opened and keep the old one.

        Raises:
            SpecError: The spec is invalid.
        """
        choice = parse_choice("model", model)
        self._request_model(choice, provider=provider, threads=threads)
        self._requests.append(partial(self._govern, choice, provider=provider, threads=threads))

    def switch_background(self, background: BackgroundChoice) -> None:
        """Switch to another background once it is open, or report that it cannot be opened and keep the old one.

        Raises:
            SpecError: The spec is invalid.
        """
        self._requests.append(partial(self._parts.backgrounds.use, parse_choice("bg", background)))

    def close(self) -> None:
        """Send the standby card to live outputs, and close every part. Idempotent."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def _show_frame(self, frame: Frame, state: CaptureState) -> None:
        """Send the composite of the frame, or the card if there is none."""
        parts = self._parts
        if self._last_index < state.shot_start <= frame.index:  # the camera was opened again, maybe within one step
            parts.renderer.reset()
        self._last_index = frame.index
        fitted = parts.fitter(frame)
        self.stats.lap("fit")
        try:
            composite = parts.renderer.render(fitted)
        except SinkError:  # of the last output, which was sent the card while a network was opened again
            raise
        except MatteError as error:  # of the background: those of a network are handled in the renderer
            parts.backgrounds.replace_failed(error)
            parts.renderer.background = parts.backgrounds.current
            parts.renderer.reset()
            composite = None
        if composite is None:
            self._send_card(standby.NO_MATTE)
            return
        parts.outputs.send(composite, frame.time)
        self.stats.lap("send")
        self.stats.composite_sent(frame.time)

    def _show_card_without_readers(self) -> None:
        """Send the card to live outputs, so that a new reader gets it at once."""
        self._parts.renderer.reset()
        self._parts.card.show_live(standby.STARTING, self._clock())
        self.stats.restart()

    def _show_card(self, reason: str) -> None:
        """Send the card, after which the next frame starts a new shot."""
        self._parts.renderer.reset()
        self._send_card(reason)

    def _send_card(self, reason: str) -> None:
        self._parts.card.show(reason, self._time)
        self.stats.card_sent()

    def _run_commands(self) -> None:
        for command in self._parts.outputs.commands():
            self._run_command(command)
        while self._requests:
            self._requests.popleft()()

    def _run_command(self, command: Action) -> None:
        if command == "quit":
            self._quit = True
        elif command == "standby":
            self._toggle_standby()
        elif command == "next_background":
            self._parts.backgrounds.next()

    def _toggle_standby(self) -> None:
        """Turn standby on or off, and the camera with it: people judge by its light."""
        self.standby = not self.standby
        camera = self._parts.camera
        if camera:
            (camera.pause if self.standby else camera.resume)(self)
            self._notify(standby.STANDBY_ON if self.standby else standby.STANDBY_OFF)
            self.stats.restart()

    def _govern(self, model: str | OpenNetwork, *, provider: str | None, threads: int | None) -> None:
        """Let the governor switch to lighter models, unless the user chose this one."""
        self._governor.set_models(
            lighter_models(model), partial(self._request_model, provider=provider, threads=threads)
        )

    def _request_model(self, model: str | OpenNetwork, *, provider: str | None, threads: int | None) -> None:
        opener = network_opener(model, provider=provider, threads=threads, load=self._parts.load)
        self._requests.append(partial(self._switch_model, opener))

    def _switch_model(self, opener: OpenNetwork) -> None:
        self._show_card(standby.SWITCHING)
        self._parts.renderer.switch(opener)
