"""Your own background: a gradient that moves with time. Writes gradient.mp4 from the demo source."""

import numpy as np

from realtime_matte import Frame, Pipeline, RefinedMatte
from realtime_matte.frame import Pixels, Size
from realtime_matte.interfaces import Fit


class MovingGradient:
    """A horizontal gradient of two colours, which moves by a tenth of the width each second."""

    def __init__(self, size: Size) -> None:
        width, height = size
        position = np.linspace(0, 2 * np.pi, width, endpoint=False)
        weight = (0.5 + 0.5 * np.cos(position))[:, None]
        self._row = (weight * (120, 60, 20) + (1 - weight) * (30, 90, 180)).astype(np.uint8)  # blue, green, red
        self._image = np.empty((height, width, 3), np.uint8)

    def image(self, frame: Frame, matte: RefinedMatte) -> Pixels:  # noqa: ARG002 - only the time matters
        """The background at ``frame.time``; the next call overwrites it."""
        self._image[:] = np.roll(self._row, int(frame.time * len(self._row) / 10), axis=0)
        return self._image

    def close(self) -> None:
        """Nothing is open."""


def moving_gradient(rest: str, /, *, size: Size, fit: Fit) -> MovingGradient:  # noqa: ARG001 - it fits any size
    """What Pipeline.open calls; in a file of realtime_matte/backgrounds/ this function is named ``open``."""
    return MovingGradient(size)


if __name__ == "__main__":
    with Pipeline.open("demo?frames=30", moving_gradient, outputs=["gradient.mp4?overwrite=yes"]) as pipeline:
        pipeline.run()
    print("wrote gradient.mp4")
