"""One made-up shot: a person moved along a smooth path before a room, as a webcam would take it; the truth is known."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from clips import SIZE
from metrics import Pixels
from numpy.random import Generator
from numpy.typing import NDArray
from pack import Person

Floats: TypeAlias = NDArray[np.float32]
Matrix: TypeAlias = NDArray[np.float64]
"""(2, 3), affine, from a picture to the frame."""
Move: TypeAlias = NDArray[np.float64]
"""To the right and down in px, larger as a part, turned in degrees."""

FPS = 30
COMES_IN = 16
"""Who comes in crosses the frame's width in so many frames."""

LOOKS = (-0.25, 0.0, 0.25)
"""When, in frames, the light of one frame is gathered: half of its time, as three looks."""


@dataclass(frozen=True, slots=True)
class Path2D:
    """How a person moves: each value swings about 0, as a sum of two sines of its own size, pace and phase."""

    sizes: NDArray[np.float64]
    hertz: NDArray[np.float64]
    phases: NDArray[np.float64]

    def at(self, time: float) -> Move:
        """The move at a time in seconds."""
        swing = np.sin(2 * np.pi * self.hertz * time + self.phases)
        value: Move = self.sizes * (0.75 * swing[0] + 0.25 * swing[1])
        return value


def compose(
    person: Person, room: Pixels, frames: int, chance: Generator, *, empty: int = 0
) -> tuple[list[Pixels], list[Pixels]]:
    """One clip: its frames as JPEG, its alphas as PNG.

    ``empty``: so many frames more, before: of the room without anybody, then of the person coming in from the right.
    """
    calm = 0.4 if len(person.alphas) > 1 else 1.0
    path, place = _path(chance, calm), _placement(person, chance, calm)
    shake = _path(chance, 0.0 if chance.random() < 0.5 else 0.05)  # noqa: PLR2004 - half of the cameras stand still
    fault = _webcam(chance)
    pictures, alphas = [], []

    def where(time: float) -> Matrix:
        aside = SIZE[0] * max(min(LOOKS) - time, 0) / COMES_IN
        return place(path.at(time / FPS)) + np.array([[0, 0, aside], [0, 0, 0]])

    for index in range(-empty, frames):
        colours, alpha = _exposed(person, index, where)
        scene = _blend(colours, alpha, _view(room, shake.at(index / FPS)))
        pictures.append(fault(scene))
        alphas.append(cv2.imencode(".png", alpha)[1])
    return pictures, alphas


def _path(chance: Generator, strength: float) -> Path2D:
    sizes = strength * chance.uniform((6, 2, 0.01, 0.5), (50, 10, 0.06, 3.0))
    hertz = chance.uniform(0.2, 0.6, (1, 4)) * np.array([[1.0], [2.3]])
    return Path2D(sizes, hertz, chance.uniform(0, 2 * np.pi, (2, 4)))


def _placement(person: Person, chance: Generator, calm: float) -> Callable[[Move], Matrix]:
    """Sits the person in the frame as webcams do, cut by its lower edge wherever the path leads."""
    margin = 14 + 36 * calm
    shown = SIZE[1] * chance.uniform(0.62, 0.9)
    scale = min((shown + margin) / (person.bottom - person.top), 1.6)
    columns = np.flatnonzero((person.alphas[0][: person.bottom] > 0.5).any(axis=0))  # noqa: PLR2004 - half covered
    middle, mirrored = (columns[0] + columns[-1]) / 2, chance.random() < 0.5  # noqa: PLR2004 - a coin
    foot = np.array([SIZE[0] * chance.uniform(0.35, 0.65), SIZE[1] + margin])

    def matrix(move: Move) -> Matrix:
        """From the person's picture to the frame, turned and scaled about the middle of the lowest row."""
        right, down, larger, turned = move
        turn = cv2.getRotationMatrix2D((0, 0), turned, scale * (1 + larger))[:, :2]
        turn = turn * [-1 if mirrored else 1, 1]
        return np.column_stack([turn, foot + np.array([right, down]) - turn @ (middle, person.bottom)])

    return matrix


def _exposed(person: Person, index: int, matrix: Callable[[float], Matrix]) -> tuple[Floats, Pixels]:
    """Colours (straight, float32) and 8-bit alpha of a frame, gathered while it is exposed."""
    moment = min(max(index, 0), len(person.alphas) - 1)
    gathered = np.zeros((SIZE[1], SIZE[0], 4), np.float32)
    for look in LOOKS:
        where = matrix(index + look)
        colours = cv2.warpAffine(person.colours[moment], where, SIZE, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.warpAffine(person.alphas[moment], where, SIZE)
        gathered[..., :3] += colours * alpha[..., None]
        gathered[..., 3] += alpha
    straight = gathered[..., :3] / np.maximum(gathered[..., 3:], np.float32(1e-6))
    return np.asarray(straight, np.float32), np.rint(gathered[..., 3] * (255 / len(LOOKS))).astype(np.uint8)


def _view(room: Pixels, move: Move) -> Pixels:
    """The middle of a room, filling the frame with a little to spare, as the camera shakes."""
    height, width = room.shape[:2]
    right, down, larger, turned = move
    scale = 1.05 * max(SIZE[0] / width, SIZE[1] / height) * (1 + larger)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), turned, scale)
    turn[:, 2] += (SIZE[0] - width) / 2 + right, (SIZE[1] - height) / 2 + down
    return cv2.warpAffine(room, turn, SIZE, borderMode=cv2.BORDER_REFLECT).astype(np.uint8, copy=False)


def _blend(colours: Floats, alpha: Pixels, behind: Pixels) -> Floats:
    part = np.divide(alpha, 255, dtype=np.float32)[..., None]
    return np.asarray(colours * part + behind * (1 - part), np.float32)


def _webcam(chance: Generator) -> Callable[[Floats], Pixels]:
    """A webcam's light faults: exposure, a tint, noise that grows in the dark, JPEG."""
    gain = chance.uniform(0.75, 1.1) * chance.uniform(0.96, 1.04, 3)
    noise, quality = chance.uniform(0.5, 5), int(chance.integers(75, 96))

    def shoot(scene: Floats) -> Pixels:
        taken = scene * gain + noise * chance.standard_normal(scene.shape, np.float32)
        pixels = np.clip(np.rint(taken), 0, 255).astype(np.uint8)
        return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].astype(np.uint8, copy=False)

    return shoot
