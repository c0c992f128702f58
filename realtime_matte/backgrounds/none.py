"""No background: pictures carry straight alpha, for outputs that keep it (``none``)."""

from realtime_matte.errors import SpecError
from realtime_matte.frame import Size
from realtime_matte.interfaces import Fit


def open(rest: str, /, *, size: Size, fit: Fit) -> None:  # noqa: ARG001 - there is nothing to fit
    """No background at all."""
    if rest:
        raise SpecError(f"the background 'none' takes nothing after it, not {rest!r}", hint="write none")
