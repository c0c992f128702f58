"""How people look beyond what the pack's people do: other clothes, headphones, hats, heads, hair and skin.

Two thousand people own few clothes. Other ones, large and plain or boldly printed, keep the network from knowing people
by their shirts, others' heads from knowing them by their faces.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.bands import Bands, bands, reference_head
from training.faces import Face, face
from training.faults import Grade, Picture, grade
from training.hats import Hat, hat
from training.head import Head, head_of
from training.pack import Person
from training.prints import Print, printed

Clothes: TypeAlias = Grade | NDArray[np.float32] | Print
"""Made of what was worn: its tones otherwise, or one colour (3), or a print."""

BANDED = 0.27
"""Share of people who get bands."""

SKIN = ((0, 133, 80), (255, 180, 130))
"""Y, Cr, Cb between which skin of most tones lies (after Chai and Ngan 1999), a little widened."""


@dataclass(frozen=True, slots=True)
class Dress:
    """For one person, through a whole shot.

    ``clothes``: a grade, or a colour or a print on their own folds; ``complexion``: how hair and skin are tinged.
    """

    head: Head
    face: Face | None = None
    complexion: Grade | None = None
    clothes: Clothes | None = None
    headphones: tuple[int, int, int] | None = None
    hat: Hat | None = None
    bands: Bands | None = None

    def put_on(self, colours: Picture, alpha: Picture, matrix: NDArray[np.float64]) -> tuple[Picture, Picture]:
        """Colours and alpha of the person in the frame, whose still lies there by ``matrix``."""
        if self.face:
            colours, alpha = self.face.put_on(colours, alpha, matrix)
        if self.clothes is not None or self.complexion:
            colours = self._recoloured(colours, alpha, matrix)
        if self.bands:
            colours = self.bands.put_on(colours, matrix)
        if self.hat:
            colours, alpha = self.hat.put_on(colours, alpha, matrix)
        if self.headphones:
            colours, alpha = colours.copy(), alpha.copy()
            self._draw_headphones(colours, alpha, matrix)
        return colours, alpha

    def _recoloured(self, colours: Picture, alpha: Picture, matrix: NDArray[np.float64]) -> Picture:
        clothed = self._clothed(colours, matrix)
        bare = 1 - clothed
        if self.clothes is not None:
            colours = cv2.blendLinear(self._cloth(colours, alpha, matrix), colours, clothed, bare)
        if self.complexion:
            colours = cv2.blendLinear(self.complexion(colours), colours, bare, clothed)
        return colours

    def _clothed(self, colours: Picture, matrix: NDArray[np.float64]) -> NDArray[np.float32]:
        """How far each pixel is clothes, 0 to 1: below the neck, where it has no colour of skin."""
        _, y = matrix @ np.array([self.head.middle, self.head.neck, 1.0])
        rows = np.arange(len(colours), dtype=np.float32)[:, None]
        below = np.clip((rows - np.float32(y)) * np.float32(12 / len(colours)) + 0.5, 0, 1)
        skin = cv2.inRange(cv2.cvtColor(colours, cv2.COLOR_BGR2YCrCb), *SKIN)
        return below * (1 - cv2.blur(skin, (3, 3)).astype(np.float32) * np.float32(1 / 255))

    def _cloth(self, colours: Picture, alpha: Picture, matrix: NDArray[np.float64]) -> Picture:
        if isinstance(self.clothes, Grade):
            return self.clothes(colours)
        grey = cv2.cvtColor(colours, cv2.COLOR_BGR2GRAY)
        light = grey.astype(np.float32) * (1 / max(cv2.mean(grey, alpha)[0], 16))
        dye = self.clothes.seen(grey.shape[::-1], matrix) if isinstance(self.clothes, Print) else self.clothes
        return np.clip(light[..., None] * dye, 0, 255).astype(np.uint8)

    def _draw_headphones(self, colours: Picture, alpha: Picture, matrix: NDArray[np.float64]) -> None:
        head, colour = self.head, self.headphones
        assert colour is not None  # noqa: S101 - asked by the caller
        scale = float(np.hypot(*matrix[:, 0]))
        turn = float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])))
        ears = head.top + 0.55 * (head.neck - head.top)
        middle, left, right = (
            tuple((matrix @ np.array([x, ears, 1.0])).round().astype(int).tolist())
            for x in (head.middle, head.middle - head.width / 2, head.middle + head.width / 2)
        )
        band = (round(head.width * 0.52 * scale), round((ears - head.top) * 1.05 * scale))
        cup = (max(1, round(head.width * 0.1 * scale)), max(1, round(head.width * 0.2 * scale)))
        for picture, value in ((colours, colour), (alpha, 255)):
            cv2.ellipse(picture, middle, band, turn, 180, 360, value, max(1, round(head.width * 0.07 * scale)), 16)
            cv2.ellipse(picture, left, cup, turn, 0, 360, value, -1, 16)
            cv2.ellipse(picture, right, cup, turn, 0, 360, value, -1, 16)


def dress(random: Generator, alpha: Picture, people: Sequence[Person], rooms: Sequence[Picture]) -> Dress | None:
    """What somebody whose still has this ``alpha`` wears otherwise; bands across one in four. None for nothing."""
    head = head_of(alpha)
    worn = None if head is None else _dress(random, head, people, rooms)
    reference = head or reference_head(alpha)
    if reference is None or random.random() > BANDED:
        return worn
    across = bands(random, reference, len(alpha))
    return replace(worn, bands=across) if worn else Dress(reference, bands=across)


def _dress(random: Generator, head: Head, people: Sequence[Person], rooms: Sequence[Picture]) -> Dress | None:
    """Other clothes for two in five, headphones for one in twelve, a hat for one in ten; None for all others.

    One in three is to get the head of one of the ``people`` (one in ten does: of most, no whole head is seen), one in
    six gets another tint of hair and skin. ``rooms``: pictures that hats and prints may be cut from.
    """
    phones = None
    if random.random() < 1 / 12:
        phones = tuple(random.integers(0, 256, 3).tolist()) if random.random() < 0.3 else (_dark(random),) * 3
    worn = hat(random, head, rooms) if random.random() < 1 / 10 else None
    other = face(random, head, people) if random.random() < 1 / 3 else None
    complexion = grade(random, strength=1.5) if random.random() < 1 / 6 else None
    clothes = _clothes(random, head, rooms)
    if clothes is None and not (phones or worn or other or complexion):
        return None
    return Dress(head, other, complexion, clothes, phones, worn)


def _clothes(random: Generator, head: Head, rooms: Sequence[Picture]) -> Clothes | None:
    kind = random.random()
    if kind < 0.14:
        return grade(random, strength=2.0)
    if kind < 0.27:
        return random.uniform(10, 245, 3).astype(np.float32)
    return printed(random, head, rooms) if kind < 0.4 else None


def _dark(random: Generator) -> int:
    return int(random.choice([20, 40, 60, 200]) + random.integers(-15, 16))
