"""A whole line opened: every part in its order, each closed again when a later one cannot be opened."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from realtime_matte import values
from realtime_matte.errors import SpecError
from realtime_matte.frame import Size
from realtime_matte.line import assembly, standby
from realtime_matte.line.backdrops import Backdrops
from realtime_matte.line.demand import Demand, Rests, demand
from realtime_matte.line.feed import Feed
from realtime_matte.line.framing import Framing
from realtime_matte.line.lifetime import Loan, finish, own
from realtime_matte.line.meanwhile import Load, at_once, meanwhile
from realtime_matte.line.outputs import Outputs
from realtime_matte.line.restart import OpenNetwork, RestartingRenderer
from realtime_matte.line.standby import CARD_EVERY_S, Standby
from realtime_matte.line.thinned import thinned
from realtime_matte.stages import Fit, OpenBackground, OpenSink, OpenSource
from realtime_matte.stats import Stats


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
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
    renderer: RestartingRenderer
    backdrops: Backdrops
    framing: Framing
    card: Standby
    camera: Rests | None
    demand: Demand | None
    load: Load
    frames: int | None
    live: bool

    @property
    def notes(self) -> list[str]:
        """What the user should know of every part."""
        watching = self.demand.notes if self.demand else []
        return [*self.feed.notes, *self.renderer.notes, *self.outputs.notes, *watching, *self.card.notes]


def opened(
    wishes: Wishes, stack: ExitStack, *, stats: Stats, tell: Callable[[str], None], clock: Callable[[], float]
) -> Line:
    """Open every part and let ``stack`` close it. Live outputs show the standby card from the moment they are open.

    Raises:
        MatteError
    """
    _check(wishes)
    reopen = thinned(assembly.source_opener(wishes.source, size=wishes.size, fps=wishes.fps), wishes.fps)
    loan = own(stack, Loan(reopen()))
    device = loan.source
    size = wishes.size or device.size
    backdrops = own(stack, Backdrops(wishes.backgrounds, size=size, fit=wishes.fit, tell=tell))
    sinks = own(stack, Outputs(tell=tell))
    read = [wishes.source, *wishes.backgrounds, wishes.card_image, wishes.model]
    assembly.add_sinks(sinks, wishes.outputs, read=read, size=size, fps=device.fps, alpha=backdrops.alpha)
    card = Standby(sinks, size=size, alpha=backdrops.alpha, image=wishes.card_image, text=wishes.card_text)
    card.show_live(standby.STARTING, clock())
    card.leave(standby.STOPPED)
    finish(stack, lambda: card.end(clock()))  # if it comes no further: nobody is to wait for a start for ever
    live = assembly.watch(stack, loan, reopen) if device.live else None
    feed = live or assembly.play(stack, loan, paced=sinks.live)
    camera = live if device.frames is None else None  # what ends would begin anew
    wanted = demand(stack, sinks, camera, tell=tell, clock=clock) if wishes.on_demand else None
    load = partial(meanwhile, call=lambda: card.repeat(clock()), every_s=CARD_EVERY_S) if sinks.live else at_once
    line = Line(
        feed=feed,
        outputs=sinks,
        renderer=own(stack, _renderer(wishes, size, backdrops, load, stats=stats, tell=tell)),
        backdrops=backdrops,
        framing=Framing(size, mirror=wishes.mirror),
        card=card,
        camera=camera,
        demand=wanted,
        load=load,
        frames=device.frames,
        live=device.live or sinks.live,
    )
    finish(stack, lambda: card.end(clock()))  # before the camera is closed, which may take a second
    return line


def _check(wishes: Wishes) -> None:
    """The command line's were checked where they were read; a caller's are here. Raises SpecError."""
    size = wishes.size and "x".join(map(str, wishes.size))
    for name, value, read in (("size", size, values.size), ("fit", wishes.fit, values.fit)):
        try:
            _ = value is None or read(value)
        except ValueError as error:
            raise SpecError(f"{name}: {value!r} is not {error}") from error


def _renderer(
    wishes: Wishes, size: Size, backdrops: Backdrops, load: Load, *, stats: Stats, tell: Callable[[str], None]
) -> RestartingRenderer:
    return RestartingRenderer(
        assembly.network_opener(wishes.model, provider=wishes.provider, threads=wishes.threads, load=load),
        assembly.renderer_maker(size, stats.lap, tell, only_me=wishes.only_me, load=load),
        background=backdrops.current,
        tell=tell,
    )
