"""A background that never changes."""

from realtime_matte.frame import Frame, Pixels, RefinedMatte


class Still:
    """Gives the same array each time."""

    def __init__(self, pixels: Pixels) -> None:
        self._pixels = pixels
        self._pixels.flags.writeable = False

    def image(self, frame: Frame, matte: RefinedMatte) -> Pixels:  # noqa: ARG002 - it is the same for every frame
        """The one picture."""
        return self._pixels

    def close(self) -> None:
        """Nothing to let go of."""
