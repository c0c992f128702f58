"""Outputs: several sinks used as one, and the opening of sinks from specs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from realtime_matte import plugins
from realtime_matte.config import specs
from realtime_matte.errors import MatteError, SpecError
from realtime_matte.frame import Pixels
from realtime_matte.interfaces import (
    Action,
    HasDevice,
    HasReaders,
    HasTimeoutImage,
    Interactive,
    OpenSink,
    ShowsCard,
    Sink,
)
from realtime_matte.paths import is_file, named, real
from realtime_matte.pipeline.recorder import Recorder, SinkFormat
from realtime_matte.pipeline.recording_queue import RecordingQueue


@dataclass(frozen=True, slots=True)
class OutputState:
    """One output: its spec, its notices, and why it was closed; empty while it works."""

    name: str
    notices: tuple[str, ...]
    fault: str = ""


class Outputs:
    """Sends to every sink. One that fails is closed and reported; the error of the last one is raised.

    Times never go back: a card is sent at the current time, and the next frame may be a little older.

    Attributes:
        failed: How many sinks were closed because of an error.
        newest: What was sent last, a composite or the card; overwritten by the next composite.
        recorder: Records what is sent, beside the sinks.
    """

    def __init__(self, sink_format: SinkFormat, *, notify: Callable[[str], None]) -> None:
        self.failed = 0
        self.newest: Pixels | None = None
        self.recorder = Recorder(notify=notify)
        self.format = sink_format
        self._sinks: dict[Sink, str] = {}  # with their names
        self._faults: list[OutputState] = []
        self._notify = notify
        self._time = float("-inf")

    def add(self, sink: Sink, *, name: str = "") -> None:
        """Add a sink, with its spec if there is one; it is closed by ``close``."""
        self._sinks[sink] = name

    @property
    def states(self) -> Sequence[OutputState]:
        """Every output, those that failed last."""
        return [*(OutputState(name, tuple(sink.notices)) for sink, name in self._sinks.items()), *self._faults]

    @property
    def devices(self) -> Sequence[str]:
        """The device files that other programs read."""
        return [sink.device for sink in self._sinks if isinstance(sink, HasDevice)]

    @property
    def live(self) -> bool:
        """True if any sink is watched live."""
        return any(sink.live for sink in self._sinks)

    @property
    def notices(self) -> Sequence[str]:
        """Messages to the user about each sink."""
        return [notice for sink in self._sinks for notice in sink.notices]

    def queue_recordings(self) -> None:
        """Write every recording in a separate thread from now on, so that none of them delays the others."""
        self._sinks = {
            sink
            if sink.live
            else RecordingQueue(
                sink,
                _described(name),
                size=self.format.size,
                fps=self.format.fps,
                alpha=self.format.alpha,
                notify=self._notify,
            ): name
            for sink, name in self._sinks.items()
        }

    def send(self, image: Pixels, time: float) -> None:
        """Send one output frame to all sinks. Raises SinkError of the last one left."""
        self.recorder.send(image, max(time, self._time))
        self._send_to(self._sinks, image, time)

    def send_card(self, image: Pixels, time: float) -> None:
        """Send the standby card to all sinks. Raises SinkError of the last one left."""
        self.recorder.send(image, max(time, self._time))
        self._send_to(self._sinks, image, time, card=True)

    def send_live(self, image: Pixels, time: float) -> None:
        """Send the standby card to live sinks only. Raises SinkError of the last one left."""
        self._send_to([sink for sink in self._sinks if sink.live], image, time, card=True)

    def set_timeout_image(self, image: Pixels) -> None:
        """Set the image that devices show if this program is killed, where a device can do that."""
        for sink in self._sinks:
            if isinstance(sink, HasTimeoutImage):
                sink.set_timeout_image(image)

    def with_readers(self) -> list[HasReaders]:
        """The sinks that know whether a program reads them."""
        return [sink for sink in self._sinks if isinstance(sink, HasReaders)]

    def commands(self) -> list[Action]:
        """Commands from the user in any sink since the last call."""
        return [command for sink in self._sinks if isinstance(sink, Interactive) for command in sink.commands()]

    def close(self) -> None:
        """Close every sink, also when one of them raises; recordings last, since they may have to wait for a disk."""
        errors: list[MatteError] = []
        sinks = sorted(self._sinks, key=lambda sink: sink.live)
        self._sinks = {}
        while sinks:
            try:
                sinks.pop().close()
            except MatteError as error:
                errors.append(error)
        self.recorder.close()
        for other in errors[1:]:
            errors[0].add_note(str(other))
        if errors:
            raise errors[0]

    def _send_to(self, sinks: Iterable[Sink], image: Pixels, time: float, *, card: bool = False) -> None:
        failed: list[tuple[Sink, MatteError]] = []
        for sink in sinks:
            try:
                send = sink.send_card if card and isinstance(sink, ShowsCard) else sink.send
                send(image, max(time, self._time))
            except MatteError as error:
                failed.append((sink, error))
        if sinks:
            self.newest = image
            self._time = max(time, self._time)
        for sink, cause in failed:
            self._remove(sink, cause)

    def _remove(self, sink: Sink, error: MatteError) -> None:
        name = self._sinks.pop(sink)
        self._faults.append(OutputState(name, tuple(sink.notices), str(error)))
        self.failed += 1
        try:
            sink.close()
        except MatteError as close_error:
            error.add_note(str(close_error))
        if not self._sinks:
            raise error
        self._notify(f"an output failed and is closed, the others continue: {error}")


def open_outputs(
    outputs: Outputs,
    choices: Sequence[str | OpenSink],
    *,
    inputs: Sequence[object],
    live: bool,
) -> None:
    """Open every output and add it to ``outputs``.

    Every frame of a finite source gets into its recordings: nothing is dropped, the pipeline waits for the disk. In
    real time, which is with a live source or a live output, a recording beside other outputs is queued.

    Args:
        outputs: Where the sinks are added; it closes them.
        choices: Specs, or ``open`` callables.
        inputs: The specs that are read (other values are ignored); no output may write over one of them.
        live: The source is live.

    Raises:
        SpecError: A spec is invalid, none is given, one is given twice, or one names a file that is read.
        SinkError, MissingDependency
    """
    if not choices:
        raise SpecError("no output given", hint="give one, such as 'window' or 'out.mp4'")
    for choice, spec in product(choices, inputs):
        if isinstance(choice, str) and isinstance(spec, str) and same_file(choice, spec):
            raise SpecError(
                f"the output {choice!r} would overwrite {spec!r}, which is an input", hint="choose another file name"
            )
    distinct, sinks = _distinct(choices), outputs.format
    for name, opener, rest in distinct:
        outputs.add(opener(rest, size=sinks.size, fps=sinks.fps, alpha=sinks.alpha), name=name)
    if len(distinct) > 1 and (live or outputs.live):
        outputs.queue_recordings()


def same_file(first: str, second: str) -> bool:
    """True if two specs name the same existing file."""
    return any(one.samefile(other) for one, other in product(existing_files(first), existing_files(second)))


def existing_files(spec: str) -> list[Path]:
    """The existing files that a spec may name, with or without what may be its options."""
    name = plugins.without_word(spec)
    return [named(path) for path in (name, name.rpartition("?")[0]) if is_file(path)]


def _distinct(choices: Sequence[str | OpenSink]) -> list[tuple[str, OpenSink, str]]:
    """Each output's spec (empty for a callable), its opener and its argument.

    Outputs that name a device come before those that take any free one, which might take the named one.

    Raises:
        SpecError: two are the same and would write over each other.
    """
    found: list[tuple[str, OpenSink, str]] = []
    taken: set[tuple[str, str]] = set()
    for choice in choices:
        if not isinstance(choice, str):
            found.append(("", choice, ""))
            continue
        plugin = plugins.sink(choice)
        place = plugin.name, real(specs.split(plugin.rest)[0])
        if place in taken:
            raise SpecError(f"the output {choice!r} is given twice", hint="give it once")
        taken.add(place)
        found.append((choice, plugin.open, plugin.rest))
    return sorted(found, key=lambda output: not output[2])


def _described(name: str) -> str:
    return f"the output {name!r}" if name else "an output"
