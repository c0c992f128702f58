"""One frame of a run kept in three states: the room, the matte, the result."""

from pathlib import Path

import cv2
import numpy as np

from realtime_matte import plugins
from realtime_matte.errors import ModelError, SinkError, SpecError
from realtime_matte.frame import Frame, Pixels, RefinedMatte, Size
from realtime_matte.interfaces import Background, Fit, OpenBackground

GAP_PX = 8


class Exhibit:
    """Keeps what a line does with frame ``at``: a background and an output let it look in."""

    def __init__(self, *, at: int) -> None:
        self._at = at
        self._panels: list[Pixels] = []
        self._due = False

    def see(self, frame: Frame, matte: RefinedMatte) -> None:
        """A frame and its refined matte."""
        self._due = frame.index == self._at
        if self._due:
            grey = (matte.alpha * 255 + 0.5).astype(np.uint8)
            self._panels = [frame.pixels.copy(), np.dstack([grey, grey, grey])]

    def see_result(self, picture: Pixels) -> None:
        """The picture of the frame seen last."""
        if self._due:
            self._panels.append(picture.copy())
        self._due = False

    def write(self, path: Path) -> None:
        """The three states in one PNG.

        Raises:
            ModelError, SinkError
        """
        if len(self._panels) != 3:  # noqa: PLR2004  # the three states
            raise ModelError(f"frame {self._at} has no matte to show in {path}", hint="what was told above says why")
        room, matte, result = self._panels
        gap = np.full((room.shape[0], GAP_PX, 3), 255, np.uint8)
        _, data = cv2.imencode(".png", np.hstack([room, gap, matte, gap, result]))
        try:
            path.write_bytes(data.tobytes())
        except OSError as error:
            raise SinkError(f"cannot write {path}: {error.strerror}", hint="take another --out") from error


class Witness:
    """A background that lets the exhibit look in."""

    def __init__(self, background: Background, exhibit: Exhibit) -> None:
        self._background = background
        self._exhibit = exhibit

    def image(self, frame: Frame, matte: RefinedMatte) -> Pixels:
        """The background's."""
        self._exhibit.see(frame, matte)
        return self._background.image(frame, matte)

    def close(self) -> None:
        """Close the background."""
        self._background.close()


class Keeper:
    """An output that lets the exhibit look in."""

    alpha = False
    live = False
    notices = ()

    def __init__(self, exhibit: Exhibit) -> None:
        self._exhibit = exhibit

    def __call__(self, _rest: str, /, *, size: Size, fps: float, alpha: bool) -> "Keeper":  # noqa: ARG002
        """Nothing to open: it stands for its own ``open``."""
        return self

    def send(self, picture: Pixels, time: float) -> None:  # noqa: ARG002  # as outputs are called
        """Show it to the exhibit."""
        self._exhibit.see_result(picture)

    def close(self) -> None:
        """Nothing to close."""


def witnessed(spec: str, exhibit: Exhibit) -> OpenBackground:
    """The ``open`` of a background that the exhibit looks in on."""
    plugin = plugins.background(spec)

    def open_background(_rest: str, /, *, size: Size, fit: Fit) -> Witness:
        background = plugin.open(plugin.rest, size=size, fit=fit)
        if background is None:
            raise SpecError(f"the demo shows a background, and {spec!r} is none", hint="take another --bg")
        return Witness(background, exhibit)

    return open_background
