"""Changes of a person's appearance: clothes, bands across them, headphones, hats, another head, hair and skin colours.

Two thousand people wear few clothes. Other ones, mostly large and plain or with bold patterns, keep the network from
recognising people by their shirts; other heads keep it from recognising them by their faces.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.augment.camera_degradation import ColourGrade, random_grade
from training.augment.clothing_bands import Bands, random_bands
from training.augment.head import Head, approximate_head, find_head
from training.augment.head_swap import SwappedHead, random_head_swap
from training.augment.headwear import Headwear, random_headwear
from training.augment.image_ops import Matrix
from training.augment.patterns import ClothPattern, random_cloth_pattern
from training.pack import Image, Still

Clothes: TypeAlias = ColourGrade | NDArray[np.float32] | ClothPattern
"""What replaces the colours of the clothes: other tones of the same cloth, one colour (3) BGR, or a pattern."""

BANDS_SHARE = 0.33
"""Share of people who get bands."""

SKIN = ((0, 133, 80), (255, 180, 130))
"""Bounds of (Y, Cr, Cb) of most skin (after Chai and Ngan 1999), slightly widened."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """The changes of one person through a whole shot.

    ``head``: in the still. ``clothes``: a colour or a pattern keeps the folds of the cloth. ``complexion``: of hair and
    skin. ``headphones``: their colour.
    """

    head: Head
    swapped_head: SwappedHead | None = None
    complexion: ColourGrade | None = None
    clothes: Clothes | None = None
    headphones: tuple[int, int, int] | None = None
    headwear: Headwear | None = None
    bands: Bands | None = None

    def draw(self, image: Image, alpha: Image, matrix: Matrix) -> tuple[Image, Image]:
        """Colours and alpha of the person in the frame; ``matrix`` maps the still into the frame."""
        if self.swapped_head:
            image, alpha = self.swapped_head.draw(image, alpha, matrix)
        if self.clothes is not None or self.complexion:
            image = self._recolour(image, alpha, matrix)
        if self.bands:
            image = self.bands.draw(image, matrix)
        if self.headwear:
            image, alpha = self.headwear.draw(image, alpha, matrix)
        if self.headphones:
            image, alpha = image.copy(), alpha.copy()
            self._draw_headphones(image, alpha, matrix)
        return image, alpha

    def _recolour(self, image: Image, alpha: Image, matrix: Matrix) -> Image:
        clothed = self._clothed(image, matrix)
        if self.clothes is not None:
            image = cv2.blendLinear(self._cloth(image, alpha, matrix), image, clothed, 1 - clothed)
        if self.complexion:
            image = cv2.blendLinear(self.complexion(image), image, 1 - clothed, clothed)
        return image

    def _clothed(self, image: Image, matrix: Matrix) -> NDArray[np.float32]:
        """Share of clothes in each pixel, in [0, 1]: below the neck, where the colour is not that of skin."""
        _, neck = matrix @ np.array([self.head.centre, self.head.neck, 1.0])
        rows = np.arange(len(image), dtype=np.float32)[:, None]
        below = np.clip((rows - np.float32(neck)) * np.float32(12 / len(image)) + 0.5, 0, 1)
        skin = cv2.inRange(cv2.cvtColor(image, cv2.COLOR_BGR2YCrCb), *SKIN)
        return below * (1 - cv2.blur(skin, (3, 3)).astype(np.float32) * np.float32(1 / 255))

    def _cloth(self, image: Image, alpha: Image, matrix: Matrix) -> Image:
        if isinstance(self.clothes, ColourGrade):
            return self.clothes(image)
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        light = grey.astype(np.float32) * (1 / max(cv2.mean(grey, alpha)[0], 16))
        patterned = isinstance(self.clothes, ClothPattern)
        colour = self.clothes.draw(grey.shape[::-1], matrix) if patterned else self.clothes
        return np.clip(light[..., None] * colour, 0, 255).astype(np.uint8)

    def _draw_headphones(self, image: Image, alpha: Image, matrix: Matrix) -> None:
        head, colour = self.head, self.headphones
        assert colour is not None  # noqa: S101 - checked by the caller
        scale = float(np.hypot(*matrix[:, 0]))
        angle = float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])))
        ears = head.top + 0.55 * head.height
        centre, left, right = (
            tuple((matrix @ np.array([x, ears, 1.0])).round().astype(int).tolist())
            for x in (head.centre, head.centre - head.width / 2, head.centre + head.width / 2)
        )
        band = (round(head.width * 0.52 * scale), round((ears - head.top) * 1.05 * scale))
        cup = (max(1, round(head.width * 0.1 * scale)), max(1, round(head.width * 0.2 * scale)))
        for pixels, value in ((image, colour), (alpha, 255)):
            cv2.ellipse(pixels, centre, band, angle, 180, 360, value, max(1, round(head.width * 0.07 * scale)), 16)
            cv2.ellipse(pixels, left, cup, angle, 0, 360, value, -1, 16)
            cv2.ellipse(pixels, right, cup, angle, 0, 360, value, -1, 16)


def random_appearance(
    random: Generator, alpha: Image, people: Sequence[Still], images: Sequence[Image]
) -> Appearance | None:
    """Random changes of the person with this ``alpha``; None for no change.

    Args:
        random: Generator.
        alpha: Of the person's still.
        people: Whose heads may replace the person's.
        images: Images that hats and patterns may be cut from.
    """
    head = find_head(alpha)
    changes = None if head is None else _random_changes(random, head, people, images)
    reference = head or approximate_head(alpha)
    if reference is None or random.random() > BANDS_SHARE:
        return changes
    bands = random_bands(random, reference, len(alpha))
    return replace(changes, bands=bands) if changes else Appearance(reference, bands=bands)


def _random_changes(
    random: Generator, head: Head, people: Sequence[Still], images: Sequence[Image]
) -> Appearance | None:
    """Other clothes for two in five, headphones for one in twelve, a hat for one in ten.

    One in six gets another complexion. A head swap is tried for one in three and succeeds for one in ten: of most
    people no whole head is visible.
    """
    headphones = None
    if random.random() < 1 / 12:
        bright = random.random() < 0.3
        headphones = tuple(random.integers(0, 256, 3).tolist()) if bright else (_random_grey(random),) * 3
    headwear = random_headwear(random, head, images) if random.random() < 1 / 10 else None
    swapped_head = random_head_swap(random, head, people) if random.random() < 1 / 3 else None
    complexion = random_grade(random, strength=1.5) if random.random() < 1 / 6 else None
    clothes = _random_clothes(random, head, images)
    if clothes is None and not (headphones or headwear or swapped_head or complexion):
        return None
    return Appearance(head, swapped_head, complexion, clothes, headphones, headwear)


def _random_clothes(random: Generator, head: Head, images: Sequence[Image]) -> Clothes | None:
    kind = random.random()
    if kind < 0.14:
        return random_grade(random, strength=2.0)
    if kind < 0.27:
        return random.uniform(10, 245, 3).astype(np.float32)
    return random_cloth_pattern(random, head, images) if kind < 0.4 else None


def _random_grey(random: Generator) -> int:
    """Mostly dark, one in four light."""
    return int(random.choice([20, 40, 60, 200]) + random.integers(-15, 16))
