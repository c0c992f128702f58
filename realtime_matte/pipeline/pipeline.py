"""The line a frame walks: source, framing, matte, refine, composite, outputs. Nothing runs back."""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Self

from realtime_matte.errors import MatteError, SinkError
from realtime_matte.frame import Frame, Size
from realtime_matte.interfaces import Command, Fit, OpenBackground, OpenSink, OpenSource
from realtime_matte.pipeline import on_demand as demand
from realtime_matte.pipeline import parts as assembly
from realtime_matte.pipeline import standby
from realtime_matte.pipeline.builder import Line, PartChoices, opened
from realtime_matte.pipeline.governor import Governor
from realtime_matte.pipeline.notices import Notices
from realtime_matte.pipeline.recovery import OpenNetwork
from realtime_matte.pipeline.standby import CARD_EVERY_S, STANDBY_EVERY_S
from realtime_matte.stats import Stats

_log = logging.getLogger("realtime_matte")


class Pipeline:
    """The whole line, and the owner of all it opens.

    Only a picture composited with the matte of that very frame, or the standby card, is ever sent. Everything runs in
    the caller's thread but a live source, the opening of a background that is changed to, and the loading of a network
    while others watch. ``ask``, ``switch_model`` and ``switch_background`` may be called from any thread and take
    effect between two frames.
    """

    def __init__(
        self,
        line: Line,
        *,
        choices: PartChoices,
        stats: Stats,
        notify: Callable[[str], None],
        clock: Callable[[], float],
        stack: ExitStack,
    ) -> None:
        self.stats = stats
        self.standby = False
        self._line = line
        self._tell = notify
        self._clock = clock
        self._stack = stack
        self._requests: deque[Callable[[], None]] = deque()  # any thread appends, the caller's takes
        self._time = clock()
        self._shown = -1  # the number of the last frame
        self._quit = False
        self._news = Notices(line, notify=notify)
        self._pace = Governor(line.renderer, notify=notify)
        self._govern(choices.model, provider=choices.provider, threads=choices.threads)

    @classmethod
    def open(
        cls,
        source: str | OpenSource = "camera",
        background: str | OpenBackground | Sequence[str | OpenBackground] = "studio",
        *,
        outputs: Sequence[str | OpenSink] = ("virtualcam",),
        model: str | OpenNetwork = "auto",
        provider: str | None = None,
        threads: int | None = None,
        size: Size | None = None,
        fps: float | None = None,
        mirror: bool = False,
        only_me: bool = False,
        fit: Fit = "cover",
        card_image: str | None = None,
        card_text: str | None = None,
        on_demand: bool = False,
        notify: Callable[[str], None] = _log.warning,
        clock: Callable[[], float] = time.perf_counter,
    ) -> Self:
        """Open everything; live outputs show the standby card from the moment they are open.

        Parts are named by their specs, or given as an ``open`` of one's own. Several backgrounds are gone
        through by the ``next_background`` command. ``size`` is the output's; None takes the source's. ``fps``
        is wished: outputs get the rate that the source grants, of which no more is taken. ``model`` "auto" goes
        down to lighter networks where frames come faster than they are shown. ``only_me``: of people who do not
        touch in the picture, whoever takes most of it is shown alone. ``on_demand``: the camera is open only while
        somebody looks at one of the outputs that can tell, and for a moment at the start, to know that it works.
        ``tell`` gets each fall-back, and each fault that is lived through, as one line.

        Raises:
            MatteError: something cannot be opened; what was opened before it is closed again.
        """
        stats = Stats(clock=clock)
        choices = PartChoices(
            source=source,
            backgrounds=[background] if isinstance(background, str) or callable(background) else background,
            outputs=outputs,
            model=model,
            provider=provider,
            threads=threads,
            size=size,
            fps=fps,
            mirror=mirror,
            only_me=only_me,
            fit=fit,
            card_image=card_image,
            card_text=card_text,
            on_demand=on_demand,
        )
        with ExitStack() as stack:
            line = opened(choices, stack, stats=stats, notify=notify, clock=clock)
            return cls(line, choices=choices, stats=stats, notify=notify, clock=clock, stack=stack.pop_all())

    @property
    def notices(self) -> list[str]:
        """What the user should know of every part: modes granted, providers taken, and why."""
        return self._line.notices

    @property
    def frames(self) -> int | None:
        """How many frames the source has in all; None when nobody knows."""
        return self._line.frames

    @property
    def live(self) -> bool:
        """True when frames come at their own time, so that a picture has an age."""
        return self._line.live

    @property
    def camera_off_reason(self) -> str | None:
        """Why the camera is off by our own wish; None while it is on."""
        if self.standby and self._line.camera:
            return standby.RESTING
        return demand.OFF if self._line.demand and self._line.demand.asleep else None

    @property
    def dropped(self) -> int:
        """Frames that came and were never shown."""
        return self._line.feed.dropped

    @property
    def failed_outputs(self) -> int:
        """How many outputs failed and were closed while the others went on."""
        return self._line.outputs.failed

    @property
    def mode(self) -> str:
        """What the source really gives."""
        (width, height), fps = self._line.feed.size, self._line.feed.fps
        return f"{width}x{height} at {fps:g} fps"

    @property
    def model(self) -> str:
        """The network, and the provider that really runs it."""
        return self._line.renderer.model

    def run(self, until: Callable[[], bool] | None = None) -> None:
        """Go on until the source ends, the user quits, or ``until``, asked after each picture, says so.

        Raises:
            MatteError: the last output failed, a file cannot be read on, or the default background failed.
        """
        while self.step() and not (until and until()):
            pass

    def step(self) -> bool:
        """One turn: take a frame, send one picture. False when there is nothing more to do. Raises as ``run``."""
        self._obey()
        if self._quit:
            return False
        if self._line.backgrounds.look(wait=not self.live):
            self._line.renderer.background = self._line.backgrounds.current
        if not self.standby and self._line.demand and self._line.demand.sleeps(CARD_EVERY_S):
            self._sleep()
            return True
        self.stats.begin()
        frame = self._line.feed.take(STANDBY_EVERY_S if self.standby else CARD_EVERY_S)
        self.stats.lap("wait")
        self._news.look()
        self._pace.look(shown=self.stats.composites, dropped=self.dropped)
        if frame is None and self._line.feed.ended:
            return False
        self._time = frame.time if frame else self._clock()
        if self.standby:
            self._show_card(standby.STANDBY)
        elif frame is None:
            starting = self._line.feed.dark and not self._line.feed.status
            self._show_card(standby.STARTING if starting else standby.CAMERA_AWAY)
        else:
            self._show(frame)
        return True

    def request(self, command: Command) -> None:
        """Do what a user can ask for, before the next frame."""
        self._requests.append(partial(self._do, command))

    def switch_model(
        self, model: str | OpenNetwork, *, provider: str | None = None, threads: int | None = None
    ) -> None:
        """Take another network before the next frame. If it cannot be opened, that is told and the old one stays."""
        self._take_model(model, provider=provider, threads=threads)
        self._requests.append(partial(self._govern, model, provider=provider, threads=threads))

    def switch_background(self, background: str | OpenBackground) -> None:
        """Take another background as soon as it is open. If it cannot be opened, that is told and the old one stays."""
        self._requests.append(partial(self._line.backgrounds.use, background))

    def close(self) -> None:
        """Send the standby card to those who watch, and close every part. Idempotent."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def _show(self, frame: Frame) -> None:
        line = self._line
        if self._shown < line.feed.began <= frame.index:  # the camera was away, if only for less than a turn
            line.renderer.reset()
        self._shown = frame.index
        fitted = line.framing(frame)
        self.stats.lap("fit")
        try:
            picture = line.renderer.render(fitted)
        except SinkError:  # the last output's, which was shown the card while a network was opened again
            raise
        except MatteError as error:  # a network's errors end in the renderer: this one is the background's
            line.backgrounds.replace_failed(error)
            line.renderer.background = line.backgrounds.current
            picture = None
        if picture is None:
            self._show_card(standby.NO_MATTE)
            return
        line.outputs.send(picture, frame.time)
        self.stats.lap("send")
        self.stats.composite_sent(frame.time)

    def _sleep(self) -> None:
        """Nobody looks: who comes is to see the card at once."""
        self._line.renderer.reset()
        self._line.card.show_live(standby.STARTING, self._clock())
        self.stats.restart()

    def _show_card(self, reason: str) -> None:
        self._line.renderer.reset()
        self._line.card.show(reason, self._time)
        self.stats.card_sent()

    def _obey(self) -> None:
        for command in self._line.outputs.commands():
            self._do(command)
        while self._requests:
            self._requests.popleft()()

    def _do(self, command: Command) -> None:
        if command == "quit":
            self._quit = True
        elif command == "standby":
            self._stand_by()
        elif command == "next_background":
            self._line.backgrounds.next()

    def _stand_by(self) -> None:
        """The camera goes off too: its light is what people go by."""
        self.standby = not self.standby
        camera = self._line.camera
        if camera:
            (camera.rest if self.standby else camera.wake)(self)
            self._tell(standby.RESTING if self.standby else standby.OVER)
            self.stats.restart()

    def _govern(self, model: str | OpenNetwork, *, provider: str | None, threads: int | None) -> None:
        """Let lighter networks take over where the line is too slow, unless the user chose this one."""
        change = partial(self._take_model, provider=provider, threads=threads)
        self._pace.govern(assembly.lighter(model), change)

    def _take_model(self, model: str | OpenNetwork, *, provider: str | None, threads: int | None) -> None:
        opener = assembly.network_opener(model, provider=provider, threads=threads, load=self._line.load)
        self._requests.append(partial(self._switch_model, opener))

    def _switch_model(self, opener: OpenNetwork) -> None:
        self._show_card(standby.SWITCHING)
        self._line.renderer.switch(opener)
