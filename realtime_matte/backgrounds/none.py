"""No background: output frames carry straight alpha, for outputs that can keep it (``none``)."""

from realtime_matte.errors import SpecError
from realtime_matte.frame import Size
from realtime_matte.interfaces import Fit


def open(rest: str, /, *, size: Size, fit: Fit) -> None:  # noqa: ARG001 - there is nothing to fit
    """No background."""
    if rest:
        raise SpecError(f"the background 'none' takes no argument, not {rest!r}", hint="write none")
