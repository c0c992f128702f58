"""Pipeline: source, fitting, matte, refinement, composite, outputs. Data flows in one direction.

No step uses a result of a later step.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Final, Self

from realtime_matte.address_space import check_address_space
from realtime_matte.capture.state import CaptureState
from realtime_matte.config.config import Config
from realtime_matte.errors import MatteError, SinkError
from realtime_matte.frame import Frame, Pixels, Size
from realtime_matte.pipeline import on_demand, standby
from realtime_matte.pipeline.builder import (
    BackgroundChoice,
    Choices,
    ModelChoice,
    OutputChoice,
    Parts,
    SourceSpec,
    open_parts,
    parse_choices,
)
from realtime_matte.pipeline.checks import check_choices
from realtime_matte.pipeline.controls import Controls
from realtime_matte.pipeline.notices import Notices
from realtime_matte.pipeline.plate_store import PlateStore, read_stored
from realtime_matte.pipeline.standby import CARD_EVERY_S, STANDBY_EVERY_S
from realtime_matte.render.stored_plate import StoredPlate
from realtime_matte.stats import Stats

MESSAGES: Final = 20
"""How many of the last messages are kept."""

_log = logging.getLogger("realtime_matte")


class Pipeline(Controls):
    """The pipeline, and the owner of all parts that it opens. Made by ``open``.

    Only a frame composited with the matte of that very frame, or the standby card, is ever sent. Everything runs in
    the caller's thread except the reading of a live source, the opening of slow parts, and the writing of a recording
    beside a live output. Other threads change it through the methods of Controls.

    Attributes:
        card_reason: Text of the standby card that was sent last; empty if a composite was sent after it.
        messages: The last messages, oldest first: fall-backs, and errors after which the run continues.
    """

    def __init__(
        self,
        parts: Parts,
        choices: Choices,
        *,
        stats: Stats,
        messages: "deque[str]",
        notify: Callable[[str], None],
        clock: Callable[[], float],
        stack: ExitStack,
        plate: StoredPlate | None = None,
    ) -> None:
        super().__init__(parts, choices, stats=stats, notify=notify, clock=clock)
        self.messages = messages
        self._stack = stack
        self.card_reason = standby.STARTING
        self._time = clock()
        self._last_index = -1
        self._notices = Notices(parts, notify=notify)
        self._plates = PlateStore(plate, choices.config.plate, origin=self._origin, notify=notify)
        if choices.config.calibrate:
            self._calibration.start(file=choices.config.plate)

    @classmethod
    def open(
        cls,
        source: SourceSpec | None = None,
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
            notify: Gets each fall-back, and each error after which the run continues, as one line.
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
        check_choices(choices)
        plate = read_stored(choices.config)
        stats = Stats(clock=clock)
        messages: deque[str] = deque(maxlen=MESSAGES)

        lock = threading.Lock()  # threads of recorders and of opening parts report too

        def report(line: str) -> None:
            with lock:
                if line in messages:  # once, where it is newest: a refused change may be tried again and again
                    messages.remove(line)
                messages.append(line)
            notify(line)

        with ExitStack() as stack:
            parts = open_parts(choices, stack, stats=stats, notify=report, clock=clock)
            opened = stack.pop_all()
        return cls(
            parts, choices, stats=stats, messages=messages, notify=report, clock=clock, stack=opened, plate=plate
        )

    @property
    def notices(self) -> list[str]:
        """Messages to the user about every part: actual modes and providers, and why they were chosen."""
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
    def source(self) -> CaptureState:
        """The state of the source."""
        return self._parts.capture.state

    @property
    def newest(self) -> Pixels | None:
        """What was sent last, a composite or the card; overwritten by the next one. For functions given to ``call``."""
        return self._parts.outputs.newest

    def newest_small(self, width: int) -> Pixels | None:
        """A copy of what was sent last, at most of this width: BGR, BGRA or I420. For functions given to ``call``."""
        return self._parts.outputs.newest_small(width)

    @property
    def camera_off_reason(self) -> str | None:
        """Why the camera is turned off on purpose; None while it is on."""
        if self.standby and self._parts.camera:
            return standby.STANDBY_ON
        return on_demand.OFF if self._parts.on_demand.off else None

    @property
    def dropped(self) -> int:
        """Frames that arrived after the first one was taken, and were not shown because newer ones came."""
        return self._parts.capture.state.dropped

    @property
    def mode(self) -> str:
        """The source's actual size and rate."""
        state = self._parts.capture.state
        return f"{state.size[0]}x{state.size[1]} at {state.fps:g} fps"

    @property
    def model(self) -> str:
        """The network, and the provider that really runs it."""
        return self._parts.renderer.model

    @property
    def network(self) -> str:
        """The network's name."""
        return self._parts.renderer.network

    @property
    def grid(self) -> Size | None:
        """(width, height) of the network's alpha; None before the first frame, or if it is that of the frame."""
        return self._parts.renderer.grid

    @property
    def provider(self) -> str:
        """The provider that really runs the network."""
        return self._parts.renderer.provider

    def run(self, until: Callable[[], bool] | None = None) -> None:
        """Run until the source ends, the user quits, or ``until`` returns True; it is called after each output frame.

        Raises:
            MatteError: The last output failed, a file cannot be read further, the default background failed, or the
                pipeline is closed.
        """
        while self.step() and not (until and until()):
            pass

    def step(self) -> bool:
        """Take one frame and send one output frame. False at the end. Raises as ``run``."""
        self._check_open()
        parts = self._parts
        self._run_commands()
        if self._quit:
            self._commands.close()
            return False
        if parts.backgrounds.update(wait=not self.live):
            parts.renderer.background = parts.backgrounds.current
        was_off = parts.on_demand.off
        if not self.standby and (parts.on_demand.update(CARD_EVERY_S) or was_off):
            self._show_card_without_frames()
            return True
        self.stats.begin()
        frame = parts.capture.take(self._card_every_s)
        self.stats.lap("wait")
        state = parts.capture.state
        self._notices.update(state, frame)
        self._options.govern(self._clock())
        if frame is None and state.phase == "ended":
            self._commands.close()
            return False
        self._time = frame.time if frame else self._clock()
        if self.standby:
            self._show_card(standby.STANDBY)
        elif frame is None:
            self._show_card(self._reason_without_frame(state))
        else:
            self._show_frame(frame, state)
        return True

    def close(self) -> None:
        """Send the standby card to live outputs, and close every part. Idempotent."""
        self.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        self._commands.close()
        self._calibration.close()
        self._options.close()
        self._stack.__exit__(kind, error, trace)

    def _show_frame(self, frame: Frame, state: CaptureState) -> None:
        """Send the composite of the frame, or the card if there is none."""
        parts = self._parts
        if self._last_index < state.shot_start <= frame.index:  # the camera was opened again, maybe within one step
            parts.renderer.reset()
            if parts.orientation:
                parts.orientation.start_shot()
        self._last_index = frame.index
        fitted = self._fit(frame)
        self.stats.lap("fit")
        composite = self._render(fitted)
        if composite is None:
            self._calibration.stop("there is no matte")
            self._send_card(standby.NO_MATTE)
            return
        self._learn(fitted)
        parts.effects.draw(composite, frame.time)
        parts.outputs.send(composite, frame.time)
        self.stats.lap("send")
        self.stats.composite_sent(frame.time)
        self.card_reason = ""

    def _fit(self, frame: Frame) -> Frame:
        """The part of the frame that is shown, in the output's size; BGR where effects or alpha need it."""
        parts = self._parts
        view = parts.effects.view
        fitted = view(parts.in_bgr(frame)) if view else parts.fitter(frame)
        return parts.in_bgr(fitted) if parts.effects.needs_bgr or parts.backgrounds.alpha else fitted

    def _render(self, fitted: Frame) -> Pixels | None:
        """The composite; None without a matte, or if the background failed, which is replaced."""
        parts = self._parts
        try:
            return parts.renderer.render(fitted)
        except SinkError:  # of the last output, which was sent the card while a network was opened again
            raise
        except MatteError as error:  # of the background: those of a network are handled in the renderer
            parts.backgrounds.replace_failed(error)
            parts.renderer.background = parts.backgrounds.current
            parts.renderer.reset()
            return None

    def _learn(self, fitted: Frame) -> None:
        """Update what is known of the room and of the camera's orientation by the frame that was just rendered."""
        parts = self._parts
        renderer = parts.renderer
        if not renderer.first_frames:
            self._plates.update(fitted.time, renderer.clean_plate)
            self._calibration.update(fitted.time, covered=renderer.covered, plate=renderer.clean_plate)
        if parts.orientation:
            parts.orientation.update(fitted, covered=renderer.covered, rotate=parts.effects.rotate)

    def _reason_without_frame(self, state: CaptureState) -> str:
        if self._options.busy:
            return standby.SWITCHING
        return standby.STARTING if state.phase in {"paused", "starting"} else standby.CAMERA_NOT_AVAILABLE

    @property
    def _card_every_s(self) -> float:
        """Longest wait for a frame before the card is sent again."""
        if self.standby or self._options.busy:
            return STANDBY_EVERY_S
        if self.card_reason == standby.STARTING:  # a program has just begun to read, and may miss its first card
            return STANDBY_EVERY_S
        return CARD_EVERY_S

    def _show_card_without_frames(self) -> None:
        """Send the card to live outputs while the camera is off, and at once to a program that begins to read."""
        self._parts.renderer.reset()
        self._calibration.stop("no program reads the output, so the camera is off", hint="calibrate while one does")
        self.card_reason = standby.STARTING
        self._parts.card.show_live(standby.STARTING, self._clock())
        self.stats.restart()

    def _show_card(self, reason: str) -> None:
        """Send the card, after which the next frame starts a new shot."""
        self._parts.renderer.reset()
        if reason != standby.STARTING:
            self._calibration.stop("the camera gives no frames")
        self._send_card(reason)

    def _send_card(self, reason: str) -> None:
        self.card_reason = reason
        self._parts.card.show(reason, self._time)
        self.stats.card_sent()
