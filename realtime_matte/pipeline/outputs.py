"""Outputs: several sinks used as one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from realtime_matte.errors import MatteError
from realtime_matte.frame import Pixels, Size, size_text
from realtime_matte.interfaces import (
    AcceptsI420,
    Action,
    HasDevice,
    HasReaders,
    HasTimeoutImage,
    Interactive,
    OpenSink,
    Resizable,
    ShowsCard,
    Sink,
)
from realtime_matte.media import i420
from realtime_matte.pipeline.image_formats import ImageFormats, small_copy
from realtime_matte.pipeline.output_fitter import OutputFitter
from realtime_matte.pipeline.recorder import Recorder, SinkFormat
from realtime_matte.pipeline.recording_queue import RecordingQueue

RESIZE_EVERY_S: Final = 0.5
"""Seconds between two checks whether the programs that read an output of another size have left."""


@dataclass(frozen=True, slots=True)
class OpenedAs:
    """How a sink was opened.

    Attributes:
        name: Its spec; empty for a callable.
        opener: Its ``open``.
        rest: The spec after its word.
        place: What no other output may have: plug-in and path; a callable itself.
    """

    name: str
    opener: OpenSink
    rest: str
    place: tuple[str, str] | OpenSink


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
        recorder: Records what is sent, beside the sinks.
    """

    def __init__(self, sink_format: SinkFormat, *, notify: Callable[[str], None]) -> None:
        self.failed = 0
        self._newest: Pixels | None = None
        self._images, self._card_images = ImageFormats(), ImageFormats()
        self.recorder = Recorder(notify=notify)
        self.format = sink_format
        self._sinks: dict[Sink, OpenedAs | None] = {}
        self._fitters: dict[Sink, OutputFitter] = {}  # each to the size that its sink was opened with
        self._fixed: set[Sink] = set()  # those that cannot be opened again in another size
        self._timeout_image: Pixels | None = None
        self._resize_at = float("inf")
        self._faults: list[OutputState] = []
        self._notify = notify
        self._time = float("-inf")

    def open(self, opened_as: OpenedAs, *, size: Size | None = None) -> Sink:
        """Open a sink for the present output frames, or for those of ``size``. Raises MatteError."""
        sinks = self.format
        return opened_as.opener(opened_as.rest, size=size or sinks.size, fps=sinks.fps, alpha=sinks.alpha)

    def add(self, sink: Sink, opened_as: OpenedAs | None = None) -> None:
        """Add an open sink; it is closed by ``close``. One that is there already is only named otherwise."""
        is_new = sink not in self._sinks
        self._sinks[sink] = opened_as
        if is_new:
            self._fitters[sink] = OutputFitter(self.format.size)
            if sink.live:
                self._send_first(sink)

    def remove(self, sink: Sink, *, card: Pixels) -> None:
        """Close a sink that is no longer an output; a live one shows ``card`` at its end."""
        del self._sinks[sink]
        fitter = self._fitters.pop(sink)
        try:
            if sink.live:
                sink.send(fitter(card), self._time)
        except MatteError as error:
            self._notify(f"the last card could not be sent: {error}")
        self.recorder.complete(sink)

    @property
    def newest(self) -> Pixels | None:
        """What was sent last in BGR, a composite or the card; overwritten by the next composite."""
        newest = self._newest
        return i420.to_bgr(newest) if newest is not None and newest.ndim == 2 else newest  # noqa: PLR2004 - planes

    def newest_small(self, width: int) -> Pixels | None:
        """A copy of what was sent last, as ``small_copy``; None if nothing was sent."""
        return None if self._newest is None else small_copy(self._newest, width)

    @property
    def accept_i420(self) -> bool:
        """True if a sink carries I420 images."""
        return any(isinstance(sink, AcceptsI420) for sink in self._sinks)

    @property
    def states(self) -> Sequence[OutputState]:
        """Every output, those that failed last."""
        return [*(OutputState(self._name(sink), tuple(sink.notices)) for sink in self._sinks), *self._faults]

    @property
    def opened(self) -> Mapping[Sink, OpenedAs]:
        """The sinks, and how they were opened."""
        return {sink: opened_as for sink, opened_as in self._sinks.items() if opened_as}

    @property
    def size_note(self) -> str:
        """Why an output still has another size than the output frames, which are fitted into it; empty if none has."""
        notes = []
        for sink, fitter in self._fitters.items():
            if fitter.size != self.format.size:
                waits = isinstance(sink, HasReaders) and sink not in self._fixed
                until = "while a program reads it" if waits else "until rtmatte is started again"
                notes.append(f"{_described(self._name(sink))} keeps {size_text(fitter.size)} {until}")
        return "; ".join(notes)

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

    def set_format(self, sink_format: SinkFormat) -> None:
        """Send output frames of this format from now on. Outputs of another size get them fitted.

        A device that other programs read keeps its size while they do, and gets the new one by ``update``.
        """
        self.format = sink_format
        self._fixed.clear()
        for sink, fitter in self._fitters.items():
            if isinstance(sink, Resizable):
                sink.set_size(sink_format.size)
                self._fitters[sink] = OutputFitter(sink_format.size)
            elif fitter.size != sink_format.size:
                self._resize_at = float("-inf")

    def update(self, now: float) -> None:
        """Open devices in the new size if no program reads them any more. Raises SinkError of the last output."""
        if now < self._resize_at:
            return
        other_size = [sink for sink, fitter in self._fitters.items() if fitter.size != self.format.size]
        waiting = [sink for sink in other_size if isinstance(sink, HasReaders) and sink not in self._fixed]
        self._resize_at = now + RESIZE_EVERY_S if waiting else float("inf")
        for sink in waiting:
            if not _is_read(sink):
                self._open_again(sink)

    def queue_recordings(self) -> None:
        """Write every recording in a separate thread from now on, so that none of them delays the others."""
        for sink, opened_as in list(self._sinks.items()):
            if not sink.live and not isinstance(sink, RecordingQueue):
                size = self._fitters[sink].size
                queue = RecordingQueue(
                    sink,
                    _described(opened_as.name if opened_as else ""),
                    size=size,
                    fps=self.format.fps,
                    alpha=self.format.alpha,
                    notify=self._notify,
                )
                self._replace(sink, queue, opened_as, size)

    def send(self, image: Pixels, time: float) -> None:
        """Send one output frame, BGR or I420, to all sinks. Raises SinkError of the last one left."""
        self._images.set(image)
        if self.recorder.active:
            self.recorder.send(self._images.bgr, max(time, self._time))
        self._send_to(self._sinks, self._images, image, time)

    def send_card(self, image: Pixels, time: float) -> None:
        """Send the standby card to all sinks. Raises SinkError of the last one left."""
        self.recorder.send(image, max(time, self._time))
        self._card_images.set_still(image)
        self._send_to(self._sinks, self._card_images, image, time, card=True)

    def send_live(self, image: Pixels, time: float) -> None:
        """Send the standby card to live sinks only. Raises SinkError of the last one left."""
        self._card_images.set_still(image)
        self._send_to([sink for sink in self._sinks if sink.live], self._card_images, image, time, card=True)

    def set_timeout_image(self, image: Pixels) -> None:
        """Set the image that devices show if this program is killed, where a device can do that."""
        self._timeout_image = image
        for sink in self._sinks:
            if isinstance(sink, HasTimeoutImage):
                sink.set_timeout_image(self._fitters[sink](image))

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
        self._sinks, self._fitters = {}, {}
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

    def _send_to(
        self, sinks: Iterable[Sink], images: ImageFormats, image: Pixels, time: float, *, card: bool = False
    ) -> None:
        failed: list[tuple[Sink, MatteError]] = []
        for sink in sinks:
            try:
                self._send_one(sink, images, max(time, self._time), card=card)
            except MatteError as error:
                failed.append((sink, error))
        if sinks:
            self._newest = image
            self._time = max(time, self._time)
        for sink, cause in failed:
            self._remove(sink, cause)

    def _send_one(self, sink: Sink, images: ImageFormats, time: float, *, card: bool) -> None:
        """Send the card, or an output frame, in the format that the sink carries."""
        fitter = self._fitters[sink]
        if card and isinstance(sink, ShowsCard):
            sink.send_card(fitter(images.bgr), time)
        elif isinstance(sink, AcceptsI420) and images.can_be_i420 and fitter.size == images.size:
            sink.send_i420(images.i420, time)
        else:
            sink.send(fitter(images.bgr), time)

    def _open_again(self, sink: Sink) -> None:
        """Close a device and open it in the new size; or in its old one, where the driver keeps that."""
        opened_as, fitter = self._sinks[sink], self._fitters[sink]
        assert opened_as  # noqa: S101 - a device was opened from a spec
        if isinstance(sink, HasDevice):
            opened_as = replace(opened_as, rest=sink.device)  # not any other free one
        sink.close()
        try:
            new, size = self.open(opened_as), self.format.size
        except MatteError as error:
            self._notify(f"the output keeps its size: {error}")
            try:
                new, size = self.open(opened_as, size=fitter.size), fitter.size
            except MatteError as lost:
                self._remove(sink, lost)
                return
            self._fixed.add(new)
        self._replace(sink, new, self._sinks[sink], size)
        self._send_first(new)

    def _send_first(self, sink: Sink) -> None:
        """Send what was sent last, which may be the card, if the pipeline runs already; and set the timeout image."""
        if self._newest is None:
            return
        images = ImageFormats()
        images.set_still(self._newest)  # the card, most often
        self._send_to([sink], images, self._newest, self._time, card=True)
        if self._timeout_image is not None and isinstance(sink, HasTimeoutImage) and sink in self._sinks:
            sink.set_timeout_image(self._fitters[sink](self._timeout_image))

    def _replace(self, sink: Sink, new: Sink, opened_as: OpenedAs | None, size: Size) -> None:
        """Put a sink, opened for ``size``, in the place of another one."""
        self._sinks = {
            new if one is sink else one: opened_as if one is sink else as_ for one, as_ in self._sinks.items()
        }
        del self._fitters[sink]
        self._fitters[new] = OutputFitter(size)

    def _name(self, sink: Sink) -> str:
        opened_as = self._sinks[sink]
        return opened_as.name if opened_as else ""

    def _remove(self, sink: Sink, error: MatteError) -> None:
        name = self._name(sink)
        del self._sinks[sink], self._fitters[sink]
        self._faults.append(OutputState(name, tuple(sink.notices), str(error)))
        self.failed += 1
        try:
            sink.close()
        except MatteError as close_error:
            error.add_note(str(close_error))
        if not self._sinks:
            raise error
        self._notify(f"an output failed and is closed, the others continue: {error}")


def _described(name: str) -> str:
    return f"the output {name!r}" if name else "an output"


def _is_read(sink: HasReaders) -> bool:
    """Whether a program reads the device now; in doubt it does."""
    try:
        readers = sink.open_readers()
    except MatteError:
        return True
    try:
        return readers.wait_for_reader(0)
    finally:
        readers.close()
