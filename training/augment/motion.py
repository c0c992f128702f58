"""Smooth random motion of an image in the frame: shift, zoom and rotation for each frame of a shot."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.augment.image_ops import Matrix, compose


@dataclass(frozen=True, slots=True)
class MotionPath:
    """A linear drift plus a sine of (x, y, log zoom, angle): shifts in frame widths, angle in radians, time in frames.

    Every array is (4,); ``frequency`` in radians a frame, ``phase`` in radians.
    """

    drift: NDArray[np.float64]
    amplitude: NDArray[np.float64]
    frequency: NDArray[np.float64]
    phase: NDArray[np.float64]

    def at(self, index: int) -> NDArray[np.float64]:
        """The four values at a frame; zero at frame 0."""
        sine = np.sin(self.frequency * index + self.phase) - np.sin(self.phase)
        return self.drift * index + self.amplitude * sine

    def velocity(self, index: int) -> NDArray[np.float64]:
        """Change of (x, y) from this frame to the next, in frame widths."""
        return (self.at(index + 1) - self.at(index))[:2]


def random_path(random: Generator, *, strength: float) -> MotionPath:
    """A random path; at ``strength`` 1 as lively as a person who talks, at 0 still."""
    scale = np.array([0.008, 0.005, 0.006, 0.008]) * strength * random.choice([0.2, 1.0, 2.5])
    return MotionPath(
        drift=random.normal(0, 0.5, 4) * scale,
        amplitude=random.normal(0, 3, 4) * scale,
        frequency=random.uniform(0.05, 0.6, 4),
        phase=random.uniform(0, 2 * np.pi, 4),
    )


def moved(matrix: Matrix, motion: NDArray[np.float64], *, width: int, height: int) -> Matrix:
    """A map into the frame, followed by a motion (x, y, log zoom, angle) about the frame's centre."""
    x, y, zoom, angle = motion
    cosine, sine = np.exp(zoom) * np.cos(angle), np.exp(zoom) * np.sin(angle)
    rotation = np.array([[cosine, -sine], [sine, cosine]])
    centre = np.array([width / 2, height / 2])
    shift = centre - rotation @ centre + np.array([x, y]) * width
    return compose(np.hstack([rotation, shift[:, None]]), matrix)
