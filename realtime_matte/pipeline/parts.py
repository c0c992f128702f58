"""Opens the parts of a line from what the user named: a spec, or an ``open`` of the user's own."""

import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import product
from pathlib import Path

from realtime_matte import plugins
from realtime_matte.capture.playback import Direct, Feed, Paced
from realtime_matte.capture.worker import CaptureWorker
from realtime_matte.config import specs as options
from realtime_matte.errors import SpecError
from realtime_matte.frame import Size
from realtime_matte.interfaces import Background, Network, OpenSink, OpenSource, Renderer, Source
from realtime_matte.paths import is_file, named, real
from realtime_matte.pipeline.lifetime import Loan, own
from realtime_matte.pipeline.loading import Load, at_once
from realtime_matte.pipeline.outputs import Outputs
from realtime_matte.pipeline.recovery import MakeRenderer, OpenNetwork


def source_opener(choice: str | OpenSource, *, size: Size | None, fps: float | None) -> Callable[[], Source]:
    """Opens the source each time it is called. A number or a name alone is a camera's.

    Raises:
        SpecError
    """
    if not isinstance(choice, str):
        return partial(choice, "", size=size, fps=fps)
    plugin = _source(choice)
    return partial(plugin.open, plugin.rest, size=size, fps=fps)


def watch(stack: ExitStack, device: Loan, reopen: Callable[[], Source]) -> CaptureWorker:
    """A live source behind its thread, opened anew when it goes away; one that ends begins when it is looked at."""
    first, ends = [device], device.source.frames is not None
    return own(stack, CaptureWorker(lambda: first.pop().take() if first else reopen(), ahead=not ends))


def play(stack: ExitStack, device: Loan, *, paced: bool) -> Feed:
    """A finite source: every frame at the line's own speed, or ``paced`` like a camera for those who watch."""
    if paced:
        return own(stack, CaptureWorker(lambda: Paced(device.take()), ahead=False))  # nothing of it is to be missed
    return own(stack, Direct(device.take()))


def add_sinks(
    outputs: Outputs,
    choices: Sequence[str | OpenSink],
    *,
    read: Sequence[object],
    size: Size,
    fps: float,
    alpha: bool,
) -> None:
    """Open every output. ``read``: the specs of what is read, which none may write over.

    Raises:
        SpecError: one of them, none at all, one given twice, or one that is read.
        SinkError, MissingDependency
    """
    if not choices:
        raise SpecError("no output given", hint="give one, such as 'window' or 'out.mp4'")
    choices = [choices] if isinstance(choices, str) else choices
    for choice, spec in product(choices, read):
        if isinstance(choice, str) and isinstance(spec, str) and _same_file(choice, spec):
            raise SpecError(
                f"the output {choice!r} would be written over {spec!r}, which is read", hint="name another file"
            )
    for opener, rest in _different(choices):
        outputs.add(opener(rest, size=size, fps=fps, alpha=alpha))


def network_opener(
    choice: str | OpenNetwork, *, provider: str | None, threads: int | None, load: Load = at_once
) -> OpenNetwork:
    """Opens the network each time it is called, by ``load``."""

    def open_network() -> Network:
        from realtime_matte import models  # noqa: PLC0415  # ONNX Runtime loads while the standby card is already out

        assert isinstance(choice, str)  # noqa: S101
        return models.open(choice, provider=provider, threads=threads)

    return partial(load, open_network if isinstance(choice, str) else choice)


def lighter(choice: str | OpenNetwork) -> Sequence[str]:
    """What may take over where a line is too slow: nothing, if the user chose the network."""
    from realtime_matte import models  # noqa: PLC0415  # as above

    return models.LIGHTER if choice == models.AUTO else ()


def renderer_maker(
    size: Size,
    lap: Callable[[str], None],
    notify: Callable[[str], None],
    *,
    only_me: bool = False,
    load: Load = at_once,
) -> MakeRenderer:
    """Makes the renderer of a network, ready for its first frame; what takes long, by ``load``.

    ``only_me``: of several people it shows the foremost alone.
    """

    def warm_up() -> str:
        from realtime_matte.render import warm  # noqa: PLC0415  # Numba loads, and compiles if it has to

        return warm.warm_up()

    def make(network: Network, background: Background | None) -> Renderer:
        if note := load(warm_up):
            notify(note)
        from realtime_matte.render.main_person import MainPerson  # noqa: PLC0415
        from realtime_matte.render.renderer import CpuRenderer  # noqa: PLC0415

        network = MainPerson(network) if only_me else network
        return CpuRenderer(network, size=size, background=background, lap=lap)

    return make


def _different(choices: Sequence[str | OpenSink]) -> list[tuple[OpenSink, str]]:
    """Each output's opener and what to call it with, if no two are the same: they would write over one another.

    What is named stands before what takes any that is free, which would take it away.
    """
    found: list[tuple[OpenSink, str]] = []
    taken: set[tuple[str, str]] = set()
    for choice in choices:
        if not isinstance(choice, str):
            found.append((choice, ""))
            continue
        plugin = plugins.sink(choice)
        place = plugin.name, real(options.split(plugin.rest)[0])
        if place in taken:
            raise SpecError(f"the output {choice!r} is given twice", hint="give it once")
        taken.add(place)
        found.append((plugin.open, plugin.rest))
    return sorted(found, key=lambda one: not one[1])


def _same_file(first: str, second: str) -> bool:
    """Whether two specs name one file that is there."""
    return any(one.samefile(other) for one, other in product(_files(first), _files(second)))


def _files(spec: str) -> list[Path]:
    """What a spec may name, with or without what may be its options; of these, the files that are there."""
    name = plugins.without_word(spec)
    return [named(one) for one in (name, name.rpartition("?")[0]) if is_file(one)]


def _source(spec: str) -> plugins.Plugin[OpenSource]:
    try:
        return plugins.source(spec)
    except SpecError:
        if re.match(r"[a-z_]+:", spec) or any(file.suffix for file in _files(spec)):
            raise
        return plugins.source(f"camera:{spec}")
