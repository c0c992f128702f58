"""``null``: discards the output frames, for measurements and trials."""

from collections.abc import Sequence
from typing import Final

from realtime_matte.errors import SpecError
from realtime_matte.frame import Pixels, Size


def open(rest: str, /, *, size: Size, fps: float, alpha: bool) -> "Null":  # noqa: ARG001 - it accepts everything
    """Nothing is opened."""
    if rest:
        raise SpecError(f"the output 'null' takes nothing after it, not {rest!r}", hint="write null")
    return Null()


class Null:
    """Discards every output frame."""

    alpha: Final = True
    live: Final = False
    notices: Final[Sequence[str]] = ()

    def send(self, image: Pixels, time: float) -> None:
        """Discard the output frame."""

    def set_size(self, size: Size) -> None:
        """Every size is discarded."""

    def close(self) -> None:
        """Nothing is open."""
