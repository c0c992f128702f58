"""Where a picture lies in the frame, moment by moment: smooth random paths of shift, zoom and turn."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Path:
    """A drift and a sway of (x, y, log zoom, turn): shifts in frame widths, turn in radians, time in frames."""

    drift: NDArray[np.float64]
    sway: NDArray[np.float64]
    rate: NDArray[np.float64]
    phase: NDArray[np.float64]

    def at(self, moment: int) -> NDArray[np.float64]:
        """The four values at a frame; zero at frame 0."""
        return self.drift * moment + self.sway * (np.sin(self.rate * moment + self.phase) - np.sin(self.phase))

    def speed(self, moment: int) -> NDArray[np.float64]:
        """Change of shift from this frame to the next, in frame widths."""
        return (self.at(moment + 1) - self.at(moment))[:2]


def path(random: Generator, *, strength: float) -> Path:
    """A random path; at strength 1 as lively as a talker, 0 is still."""
    scale = np.array([0.008, 0.005, 0.006, 0.008]) * strength * random.choice([0.2, 1.0, 2.5])
    return Path(
        drift=random.normal(0, 0.5, 4) * scale,
        sway=random.normal(0, 3, 4) * scale,
        rate=random.uniform(0.05, 0.6, 4),
        phase=random.uniform(0, 2 * np.pi, 4),
    )


def place(matrix: Matrix, moved: NDArray[np.float64], *, width: int, height: int) -> Matrix:
    """A 2x3 affine map into the frame, moved about the frame's middle."""
    x, y, zoom, turn = moved
    cosine, sine = np.exp(zoom) * np.cos(turn), np.exp(zoom) * np.sin(turn)
    rotate = np.array([[cosine, -sine], [sine, cosine]])
    middle = np.array([width / 2, height / 2])
    shift = middle - rotate @ middle + np.array([x, y]) * width
    return through(np.hstack([rotate, shift[:, None]]), matrix)


def through(outer: Matrix, inner: Matrix) -> Matrix:
    """The 2x3 map that is ``inner``, then ``outer``."""
    return np.hstack([outer[:, :2] @ inner[:, :2], (outer[:, :2] @ inner[:, 2] + outer[:, 2])[:, None]])


def similarity(scale_x: float, scale_y: float, turn: float, *, source: Matrix, target: Matrix) -> Matrix:
    """The 2x3 map that scales, turns, and takes the point ``source`` to the point ``target``."""
    rotate = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ np.diag([scale_x, scale_y])
    return np.hstack([rotate, (target - rotate @ source)[:, None]])
