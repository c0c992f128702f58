"""Several outputs as one."""

from collections.abc import Callable, Sequence

from realtime_matte.errors import MatteError
from realtime_matte.frame import Pixels
from realtime_matte.interfaces import Command, HasReaders, HasTimeoutImage, Interactive, Sink


class Outputs:
    """Sends to every sink. One that fails is closed and told while others are left; the last one's error is raised.

    Times are kept from going back: a card is sent at the time of now, and the next frame may be a little older.
    """

    def __init__(self, *, notify: Callable[[str], None]) -> None:
        self.failed = 0  # how many are closed for that
        self._sinks: list[Sink] = []
        self._tell = notify
        self._time = float("-inf")

    def add(self, sink: Sink) -> None:
        """Take a sink, to be closed here."""
        self._sinks.append(sink)

    @property
    def live(self) -> bool:
        """True when any of them is watched as it goes."""
        return any(sink.live for sink in self._sinks)

    @property
    def notices(self) -> Sequence[str]:
        """What the user should know of each."""
        return [note for sink in self._sinks for note in sink.notices]

    def send(self, picture: Pixels, time: float) -> None:
        """Hand one picture to all.

        Raises:
            SinkError: of the last one left.
        """
        self._hand(self._sinks, picture, time)

    def send_live(self, picture: Pixels, time: float) -> None:
        """Hand one picture to those who are watched live alone. Raises as ``send``."""
        self._hand([sink for sink in self._sinks if sink.live], picture, time)

    def set_timeout_image(self, picture: Pixels) -> None:
        """Let ``picture`` be what is shown if this program is killed, where that can be."""
        for sink in self._sinks:
            if isinstance(sink, HasTimeoutImage):
                sink.set_timeout_image(picture)

    def watched(self) -> list[HasReaders]:
        """Those that can tell whether somebody looks."""
        return [sink for sink in self._sinks if isinstance(sink, HasReaders)]

    def commands(self) -> list[Command]:
        """What was asked for in any of them since the last call."""
        return [one for sink in self._sinks if isinstance(sink, Interactive) for one in sink.commands()]

    def close(self) -> None:
        """Close every sink, also when one of them fails to."""
        errors: list[MatteError] = []
        while self._sinks:
            try:
                self._sinks.pop().close()
            except MatteError as error:
                errors.append(error)
        for other in errors[1:]:
            errors[0].add_note(str(other))
        if errors:
            raise errors[0]

    def _hand(self, sinks: Sequence[Sink], picture: Pixels, time: float) -> None:
        failed: list[tuple[Sink, MatteError]] = []
        for sink in sinks:
            try:
                sink.send(picture, max(time, self._time))
            except MatteError as error:
                failed.append((sink, error))
        if sinks:
            self._time = max(time, self._time)
        for sink, cause in failed:
            self._drop(sink, cause)

    def _drop(self, sink: Sink, error: MatteError) -> None:
        self._sinks.remove(sink)
        self.failed += 1
        try:
            sink.close()
        except MatteError as late:
            error.add_note(str(late))
        if not self._sinks:
            raise error
        self._tell(f"an output failed and is closed, the others go on: {error}")
