"""Builder: opens the parts of a pipeline in order; an ExitStack closes them in reverse."""

import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from os import PathLike
from types import TracebackType
from typing import Protocol, TypeAlias, TypeVar

from realtime_matte import plugins
from realtime_matte.address_space import check_output_memory
from realtime_matte.capture.playback import Playback, RealTimeSource
from realtime_matte.capture.rate_limiter import rate_limited
from realtime_matte.capture.state import Capture
from realtime_matte.capture.worker import CaptureWorker
from realtime_matte.config.config import Config, parse_values
from realtime_matte.effects.chain import Effects
from realtime_matte.errors import MatteError, SpecError
from realtime_matte.frame import PixelFormat, Size
from realtime_matte.interfaces import HasPixelFormats, OpenBackground, OpenSink, OpenSource, Source
from realtime_matte.media import i420
from realtime_matte.pipeline import standby
from realtime_matte.pipeline.backgrounds import BackgroundSwitcher
from realtime_matte.pipeline.kernels import KernelCompiler
from realtime_matte.pipeline.loading import Load, load_in_background, load_now
from realtime_matte.pipeline.network_opening import EarlyNetwork, network_opener
from realtime_matte.pipeline.on_demand import OnDemand, Pausable, open_readers
from realtime_matte.pipeline.orientation import OrientationHint
from realtime_matte.pipeline.output_opening import existing_files, open_outputs
from realtime_matte.pipeline.outputs import Outputs
from realtime_matte.pipeline.recorder import SinkFormat
from realtime_matte.pipeline.recovery import OpenNetwork, RecoveringRenderer
from realtime_matte.pipeline.renderer_opening import RendererMaker
from realtime_matte.pipeline.source_switcher import OpenedSource, SourceChoice, SourceSwitcher
from realtime_matte.pipeline.standby import CARD_EVERY_S, StandbyCard
from realtime_matte.render.frame_fitter import FrameFitter
from realtime_matte.stats import Stats

SourceSpec: TypeAlias = str | int | PathLike[str] | OpenSource
BackgroundChoice: TypeAlias = str | PathLike[str] | OpenBackground
OutputChoice: TypeAlias = str | PathLike[str] | OpenSink
ModelChoice: TypeAlias = str | PathLike[str] | OpenNetwork

Opener = TypeVar("Opener")
Choice = TypeVar("Choice")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Choices:
    """The parts to open: ``config``, and ``open`` callables that replace its specs."""

    config: Config
    source: str | OpenSource
    backgrounds: Sequence[str | OpenBackground]
    outputs: Sequence[str | OpenSink]
    model: str | OpenNetwork


@dataclass(frozen=True, slots=True)
class Parts:
    """The open parts.

    Attributes:
        orientation: None for a network of the caller's, which may find no person for other reasons.
        in_bgr: Converts I420 frames, for effects.
        load: Calls a slow function.
        renderer_maker: Makes the renderers of networks; of another size or ``only_me`` by ``dataclasses.replace``.
    """

    capture: SourceSwitcher
    outputs: Outputs
    renderer: RecoveringRenderer
    backgrounds: BackgroundSwitcher
    in_bgr: i420.BgrFrames
    fitter: FrameFitter
    effects: Effects
    orientation: OrientationHint | None
    card: StandbyCard
    on_demand: OnDemand
    load: Load
    renderer_maker: RendererMaker

    @property
    def camera(self) -> Pausable | None:
        """The source, if it can be paused; None if it is a file."""
        return self.capture if self.capture.is_camera else None

    @property
    def frames(self) -> int | None:
        """How many frames the source has; None if that is not known."""
        return self.capture.frames

    @property
    def live(self) -> bool:
        """Frames come at their own time, as a camera's."""
        return self.capture.live or self.outputs.live

    @property
    def notices(self) -> list[str]:
        """Messages to the user about every part."""
        capture = self.capture.state.notices
        outputs = [*self.outputs.notices, *self.on_demand.notices, *self.card.notices]
        return [*capture, *self.renderer.notices, *self.backgrounds.notices, *self.effects.notices, *outputs]


def open_parts(
    choices: Choices, stack: ExitStack, *, stats: Stats, notify: Callable[[str], None], clock: Callable[[], float]
) -> Parts:
    """Open every part; ``stack`` closes it. Live outputs show the standby card from the moment they are open.

    Raises:
        MatteError: a part cannot be opened.
    """
    config = choices.config
    if config.size:
        check_output_memory(config.size)  # before a source of that size is opened
    source_choice = SourceChoice(choices.source, config.size, config.fps)
    reopen = limited_opener(source_choice)
    kernels = own(stack, KernelCompiler(lambda: outputs.live or (source.live and source.frames is None)))
    network = EarlyNetwork(choices.model, provider=config.provider, threads=config.threads, kernels=kernels)
    own(stack, network)
    unread = own(stack, ExitStack())  # closes the source until there is a capture, which closes it from then on
    source = own(unread, reopen())
    size = config.size or source.size
    if not config.size:
        check_output_memory(size)
    backgrounds = own(stack, BackgroundSwitcher(choices.backgrounds, size=size, fit=config.fit, notify=notify))
    effects = Effects(config, size=size)
    outputs = own(stack, Outputs(SinkFormat(size=size, fps=source.fps, alpha=backgrounds.alpha), notify=notify))
    inputs = [choices.source, *choices.backgrounds, config.card, choices.model, *config.overlay]
    open_outputs(outputs, choices.outputs, inputs=inputs, live=source.live)
    backgrounds.set_real_time(real_time=source.live or outputs.live)
    card = show_card(outputs, config, alpha=backgrounds.alpha, clock=clock)
    call_at_exit(stack, lambda: card.end(clock()))  # if a later part cannot be opened, viewers must not wait for it
    unread.pop_all()
    capture = own(stack, open_source_switcher(OpenedSource(source_choice, source, reopen), outputs))
    on_demand = own(stack, OnDemand(capture, notify=notify, clock=clock))
    if config.on_demand:
        enable_on_demand(on_demand, capture, outputs)
    load = card_loader(outputs, card, clock=clock)
    maker = RendererMaker(size, stats.lap, notify, only_me=config.only_me, load=load, effects=effects, kernels=kernels)
    renderer = RecoveringRenderer(
        partial(load, network),
        maker,
        background=backgrounds.current,
        notify=notify,
        card_on_doubt=config.card_on_doubt,
    )
    own(stack, renderer)
    call_at_exit(stack, lambda: card.end(clock()))  # before the camera is closed, which may take a second
    orientation = orientation_hint(choices.model, notify=notify)
    if orientation:
        own(stack, orientation)
    return Parts(
        capture=capture,
        outputs=outputs,
        renderer=renderer,
        backgrounds=backgrounds,
        in_bgr=i420.BgrFrames(),
        fitter=FrameFitter(size, mirror=config.mirror),
        effects=effects,
        orientation=orientation,
        card=card,
        on_demand=on_demand,
        load=load,
        renderer_maker=maker,
    )


def show_card(outputs: Outputs, config: Config, *, alpha: bool, clock: Callable[[], float]) -> StandbyCard:
    """The standby card, which live outputs show from now on, and v4l2loopback after a sudden end."""
    card = StandbyCard(outputs, size=outputs.format.size, alpha=alpha, image=config.card, text=config.card_text)
    card.show_live(standby.STARTING, clock())
    card.set_timeout_image(standby.STOPPED)
    return card


def open_source_switcher(source: OpenedSource, outputs: Outputs) -> SourceSwitcher:
    """Reads the source as the outputs need its frames, and may replace it."""
    return SourceSwitcher(
        source,
        opener=limited_opener,
        capture=lambda opened, reopen: open_capture(
            opened, reopen, real_time=outputs.live, pixel_format=choose_pixel_format(opened, outputs)
        ),
    )


def enable_on_demand(on_demand: OnDemand, capture: SourceSwitcher, outputs: Outputs) -> None:
    """Let the camera be on only while a program reads. Raises SpecError for a file."""
    if not capture.is_camera:
        raise SpecError("on demand needs a camera, and this source is a file", hint="leave out --on-demand")
    on_demand.enable(open_readers(outputs.with_readers()))


def card_loader(outputs: Outputs, card: StandbyCard, *, clock: Callable[[], float]) -> Load:
    """Calls slow functions; live outputs show the card until they return."""

    def load(make: Callable[[], Result]) -> Result:
        if not outputs.live:
            return load_now(make)
        return load_in_background(make, call=lambda: card.repeat(clock()), every_s=CARD_EVERY_S)

    return load


def orientation_hint(model: str | OpenNetwork, *, notify: Callable[[str], None]) -> OrientationHint | None:
    """The hint about a camera that is turned."""
    from realtime_matte import models  # noqa: PLC0415 - it is loaded while the standby card is already sent

    if not isinstance(model, str) or model.partition("?")[0] in models.KEYERS:
        return None
    return OrientationHint(network_opener(model, provider="cpu", threads=None), notify=notify)


def parse_choices(
    config: Config,
    *,
    source: SourceSpec | None,
    backgrounds: BackgroundChoice | Sequence[BackgroundChoice] | None,
    outputs: OutputChoice | Sequence[OutputChoice] | None,
    model: ModelChoice | None,
) -> Choices:
    """The specs parsed as the configuration's fields are; None takes the configuration's.

    Raises:
        SpecError: one of them is invalid.
    """
    background_list: Sequence[BackgroundChoice] = config.bg if backgrounds is None else _listed(backgrounds)
    output_list: Sequence[OutputChoice] = config.output if outputs is None else _listed(outputs)
    return Choices(
        config=config,
        source=parse_choice("camera", config.camera if source is None else source),
        backgrounds=[parse_choice("bg", choice) for choice in background_list],
        outputs=[parse_choice("output", choice) for choice in output_list],
        model=parse_choice("model", config.model if model is None else model),
    )


def parse_choice(option: str, choice: str | int | PathLike[str] | Opener) -> str | Opener:
    """The spec, parsed as a value of the option of Config; a callable is returned as it is. Raises SpecError."""
    if callable(choice):
        return choice
    value = parse_values({option: choice})[option]
    return str(value[0] if isinstance(value, tuple) else value)


def source_opener(choice: str | OpenSource, *, size: Size | None, fps: float | None) -> Callable[[], Source]:
    """A callable that opens the source each time it is called.

    Raises:
        SpecError: the spec is invalid.
    """
    if not isinstance(choice, str):
        return partial(choice, "", size=size, fps=fps)
    plugin = source_plugin(choice)
    return partial(plugin.open, plugin.rest, size=size, fps=fps)


def source_plugin(choice: str) -> plugins.Plugin[OpenSource]:
    """The plug-in of a spec. A number, a device's path or a name alone is a camera's. Raises SpecError."""
    try:
        return plugins.source(choice)
    except SpecError:
        if re.match(r"[a-z_]+:", choice) or any(file.suffix for file in existing_files(choice)):
            raise
    return plugins.source(f"camera:{choice}")


def limited_opener(choice: SourceChoice) -> Callable[[], Source]:
    """A callable that opens the source at the requested rate or below. Raises SpecError."""
    return rate_limited(source_opener(choice.source, size=choice.size, fps=choice.fps), choice.fps)


def choose_pixel_format(source: Source, outputs: Outputs) -> PixelFormat:
    """I420 where source and an output carry it, so that nothing is converted twice."""
    planes = isinstance(source, HasPixelFormats) and "i420" in source.pixel_formats and outputs.accept_i420
    even = i420.is_possible(source.size) and i420.is_possible(outputs.format.size)
    return "i420" if planes and even and not outputs.format.alpha else "bgr"


def open_capture(
    source: Source, reopen: Callable[[], Source], *, real_time: bool, pixel_format: PixelFormat = "bgr"
) -> Capture:
    """A Capture that reads an open source, and closes it.

    A camera is read ahead by a thread and opened again after a loss. A finite source is read in the caller's thread,
    every frame, or in ``real_time`` for outputs that are watched live; no frame of it is missed during the start.
    """
    first = [source]

    def open_source() -> Source:
        return first.pop() if first else reopen()

    if source.live:
        return CaptureWorker(open_source, ahead=source.frames is None, pixel_format=pixel_format)
    if real_time:
        return CaptureWorker(lambda: RealTimeSource(source), ahead=False)
    return Playback(source, pixel_format=pixel_format)


def _listed(choices: Choice | Sequence[Choice]) -> Sequence[Choice]:
    return choices if isinstance(choices, Sequence) and not isinstance(choices, str) else [choices]


class Closable(Protocol):
    """Anything with an idempotent ``close``."""

    def close(self) -> None:
        """Close it."""


Part = TypeVar("Part", bound=Closable)


def own(stack: ExitStack, part: Part) -> Part:
    """Let ``stack`` close the part. Returns the part."""
    call_at_exit(stack, part.close)
    return part


def call_at_exit(stack: ExitStack, call: Callable[[], None]) -> None:
    """Let ``stack`` call ``call``; its MatteError becomes a note of an earlier error instead of hiding it."""

    def leave(_kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None) -> None:
        try:
            call()
        except MatteError as close_error:
            if error is None:
                raise
            error.add_note(f"while closing: {close_error}")

    stack.push(leave)
