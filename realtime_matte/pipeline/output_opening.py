"""Opening of outputs from specs: at the start, and when the list of outputs changes while the pipeline runs."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path

from realtime_matte import plugins
from realtime_matte.config import specs
from realtime_matte.errors import MatteError, SpecError
from realtime_matte.frame import Pixels
from realtime_matte.interfaces import HasDevice, OpenSink, Sink
from realtime_matte.paths import is_file, named, real
from realtime_matte.pipeline.outputs import OpenedAs, Outputs


def open_outputs(
    outputs: Outputs,
    choices: Sequence[str | OpenSink],
    *,
    inputs: Sequence[object],
    live: bool,
) -> None:
    """Open every output and add it to ``outputs``.

    Every frame of a finite source gets into its recordings: nothing is dropped, the pipeline waits for the disk. In
    real time, which is with a live source, or with a live output beside it, a recording is queued: a disk that does not
    respond holds up neither the other outputs nor a command to end.

    Args:
        outputs: Where the sinks are added; it closes them.
        choices: Specs, or ``open`` callables.
        inputs: The specs that are read (other values are ignored); no output may write over one of them.
        live: The source is live.

    Raises:
        SpecError: A spec is invalid, none is given, one is given twice, or one names a file that is read.
        SinkError, MissingDependency
    """
    distinct = _distinct(choices, inputs)
    for opened_as in distinct:
        outputs.add(outputs.open(opened_as), opened_as)
    if live or (len(distinct) > 1 and outputs.live):
        outputs.queue_recordings()


def change_outputs(
    outputs: Outputs,
    choices: Sequence[str | OpenSink],
    *,
    inputs: Sequence[object],
    live: bool,
    card: Pixels,
) -> None:
    """Open the outputs that are new, and close those that are not in ``choices``; the others are not touched.

    Args:
        outputs: The outputs.
        choices: All outputs from now on.
        inputs: As of ``open_outputs``.
        live: Frames come in real time.
        card: The last image of live outputs that are closed.

    Raises:
        SpecError, SinkError, MissingDependency: One cannot be opened; nothing has changed.
    """
    left = dict(outputs.opened)
    new: list[OpenedAs] = []
    kept: list[tuple[Sink, OpenedAs]] = []
    for opened_as in _distinct(choices, inputs):
        sink = _same_output(opened_as, left)
        if sink is None:
            new.append(opened_as)
        else:
            del left[sink]
            kept.append((sink, opened_as))
    added = _open_all(outputs, new)
    for sink, opened_as in [*kept, *added]:
        outputs.add(sink, opened_as)
    if live:
        outputs.queue_recordings()
    for sink in left:
        outputs.remove(sink, card=card)


def same_file(first: str, second: str) -> bool:
    """True if two specs name the same existing file."""
    return any(one.samefile(other) for one, other in product(existing_files(first), existing_files(second)))


def existing_files(spec: str) -> list[Path]:
    """The existing files that a spec may name, with or without what may be its options."""
    name = plugins.without_word(spec)
    return [named(path) for path in (name, name.rpartition("?")[0]) if is_file(path)]


def _open_all(outputs: Outputs, new: Sequence[OpenedAs]) -> list[tuple[Sink, OpenedAs]]:
    """The sinks, open. Raises MatteError; then none of them is."""
    opened: list[tuple[Sink, OpenedAs]] = []
    try:
        for opened_as in new:
            opened.append((outputs.open(opened_as), opened_as))  # noqa: PERF401 -- those that are open at an error
    except MatteError:
        for sink, _ in opened:
            sink.close()
        raise
    return opened


def _same_output(choice: OpenedAs, opened: dict[Sink, OpenedAs]) -> Sink | None:
    """The open output that a choice means: of the same place, or the device that it names or would take any of."""
    for sink, opened_as in opened.items():
        if opened_as.place == choice.place:
            return sink
    if not isinstance(choice.place, tuple):
        return None
    word, target = choice.place
    for sink, opened_as in opened.items():
        if isinstance(sink, HasDevice) and isinstance(opened_as.place, tuple) and opened_as.place[0] == word:
            number = sink.device.removeprefix("/dev/video")
            if target == real(sink.device) or choice.rest in {"", number}:
                return sink
    return None


def _distinct(choices: Sequence[str | OpenSink], inputs: Sequence[object]) -> list[OpenedAs]:
    """How each output is to be opened.

    Outputs that name a device come before those that take any free one, which might take the named one.

    Raises:
        SpecError: none is given, two are the same and would write over each other, or one names a file that is read.
    """
    if not choices:
        raise SpecError("no output given", hint="give one, such as 'window' or 'out.mp4'")
    for choice, spec in product(choices, inputs):
        if isinstance(choice, str) and isinstance(spec, str) and same_file(choice, spec):
            raise SpecError(
                f"the output {choice!r} would overwrite {spec!r}, which is an input", hint="choose another file name"
            )
    found: list[OpenedAs] = []
    for choice in choices:
        if not isinstance(choice, str):
            found.append(OpenedAs("", choice, "", choice))
            continue
        plugin = plugins.sink(choice)
        place = plugin.name, real(specs.split(plugin.rest)[0])
        if any(other.place == place for other in found):
            raise SpecError(f"the output {choice!r} is given twice", hint="give it once")
        found.append(OpenedAs(choice, plugin.open, plugin.rest, place))
    return sorted(found, key=lambda output: not output.rest)
