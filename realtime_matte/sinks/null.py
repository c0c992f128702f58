"""Takes pictures and does nothing with them, to measure or to try (``null``)."""

from collections.abc import Sequence
from typing import Final

from realtime_matte.errors import SpecError
from realtime_matte.frame import Pixels, Size


def open(rest: str, /, *, size: Size, fps: float, alpha: bool) -> "Null":  # noqa: ARG001 - anything will do
    """Ready at once."""
    if rest:
        raise SpecError(f"the output 'null' takes nothing after it, not {rest!r}", hint="write null")
    return Null()


class Null:
    """Nowhere."""

    alpha: Final = True
    live: Final = False
    notices: Final[Sequence[str]] = ()

    def send(self, picture: Pixels, time: float) -> None:
        """Forget the picture."""

    def close(self) -> None:
        """Nothing to finish."""
