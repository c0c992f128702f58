"""A whole line opened: every part in its order, each closed again when a later one cannot be opened."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from realtime_matte.capture.playback import Feed
from realtime_matte.capture.rate_limiter import rate_limited
from realtime_matte.config import parsers as values
from realtime_matte.errors import SpecError
from realtime_matte.frame import Size
from realtime_matte.interfaces import Fit, OpenBackground, OpenSink, OpenSource
from realtime_matte.media.fit import Framing
from realtime_matte.pipeline import parts as assembly
from realtime_matte.pipeline import standby
from realtime_matte.pipeline.backgrounds import BackgroundSwitcher
from realtime_matte.pipeline.lifetime import Loan, finish, own
from realtime_matte.pipeline.loading import Load, at_once, meanwhile
from realtime_matte.pipeline.on_demand import OnDemand, Rests, demand
from realtime_matte.pipeline.outputs import Outputs
from realtime_matte.pipeline.recovery import OpenNetwork, RecoveringRenderer
from realtime_matte.pipeline.standby import CARD_EVERY_S, Standby
from realtime_matte.stats import Stats


@dataclass(frozen=True, slots=True, kw_only=True)
class PartChoices:
    """What the user named: see Pipeline.open."""

    source: str | OpenSource
    backgrounds: Sequence[str | OpenBackground]
    outputs: Sequence[str | OpenSink]
    model: str | OpenNetwork
    provider: str | None
    threads: int | None
    size: Size | None
    fps: float | None
    mirror: bool
    only_me: bool
    fit: Fit
    card_image: str | None
    card_text: str | None
    on_demand: bool


@dataclass(frozen=True, slots=True)
class Line:
    """The open parts. ``frames``: how many there are in all, None when nobody knows; ``live``: as a camera's.

    ``camera``: what can be let go of for a while; ``demand``: None where nobody asks who looks; ``load``: how to call
    what takes long.
    """

    feed: Feed
    outputs: Outputs
    renderer: RecoveringRenderer
    backgrounds: BackgroundSwitcher
    framing: Framing
    card: Standby
    camera: Rests | None
    demand: OnDemand | None
    load: Load
    frames: int | None
    live: bool

    @property
    def notices(self) -> list[str]:
        """What the user should know of every part."""
        watching = self.demand.notices if self.demand else []
        return [*self.feed.notices, *self.renderer.notices, *self.outputs.notices, *watching, *self.card.notices]


def opened(
    choices: PartChoices, stack: ExitStack, *, stats: Stats, notify: Callable[[str], None], clock: Callable[[], float]
) -> Line:
    """Open every part and let ``stack`` close it. Live outputs show the standby card from the moment they are open.

    Raises:
        MatteError
    """
    _check(choices)
    reopen = rate_limited(assembly.source_opener(choices.source, size=choices.size, fps=choices.fps), choices.fps)
    loan = own(stack, Loan(reopen()))
    device = loan.source
    size = choices.size or device.size
    backgrounds = own(stack, BackgroundSwitcher(choices.backgrounds, size=size, fit=choices.fit, notify=notify))
    sinks = own(stack, Outputs(notify=notify))
    read = [choices.source, *choices.backgrounds, choices.card_image, choices.model]
    assembly.add_sinks(sinks, choices.outputs, read=read, size=size, fps=device.fps, alpha=backgrounds.alpha)
    card = Standby(sinks, size=size, alpha=backgrounds.alpha, image=choices.card_image, text=choices.card_text)
    card.show_live(standby.STARTING, clock())
    card.set_timeout_image(standby.STOPPED)
    finish(stack, lambda: card.end(clock()))  # if it comes no further: nobody is to wait for a start for ever
    live = assembly.watch(stack, loan, reopen) if device.live else None
    feed = live or assembly.play(stack, loan, paced=sinks.live)
    camera = live if device.frames is None else None  # what ends would begin anew
    wanted = demand(stack, sinks, camera, notify=notify, clock=clock) if choices.on_demand else None
    load = partial(meanwhile, call=lambda: card.repeat(clock()), every_s=CARD_EVERY_S) if sinks.live else at_once
    line = Line(
        feed=feed,
        outputs=sinks,
        renderer=own(stack, _renderer(choices, size, backgrounds, load, stats=stats, notify=notify)),
        backgrounds=backgrounds,
        framing=Framing(size, mirror=choices.mirror),
        card=card,
        camera=camera,
        demand=wanted,
        load=load,
        frames=device.frames,
        live=device.live or sinks.live,
    )
    finish(stack, lambda: card.end(clock()))  # before the camera is closed, which may take a second
    return line


def _check(choices: PartChoices) -> None:
    """The command line's were checked where they were read; a caller's are here. Raises SpecError."""
    size = choices.size and "x".join(map(str, choices.size))
    for name, value, read in (("size", size, values.size), ("fit", choices.fit, values.fit)):
        try:
            _ = value is None or read(value)
        except ValueError as error:
            raise SpecError(f"{name}: {value!r} is not {error}") from error


def _renderer(
    choices: PartChoices,
    size: Size,
    backgrounds: BackgroundSwitcher,
    load: Load,
    *,
    stats: Stats,
    notify: Callable[[str], None],
) -> RecoveringRenderer:
    return RecoveringRenderer(
        assembly.network_opener(choices.model, provider=choices.provider, threads=choices.threads, load=load),
        assembly.renderer_maker(size, stats.lap, notify, only_me=choices.only_me, load=load),
        background=backgrounds.current,
        notify=notify,
    )
