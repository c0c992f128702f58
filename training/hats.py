"""Hats, caps, hoods and scarves, which hardly anybody in the pack wears: a cut of any picture, in a head's shape."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.faults import Picture
from training.head import Head
from training.motion import Matrix, through
from training.pictures import over, piece, warp

Outline = NDArray[np.float64]
"""(N, 2) points, in the still's pixels."""

CLOTH = 96
"""Rows and columns of the cloth."""


@dataclass(frozen=True, slots=True)
class Hat:
    """``outlines`` are filled with ``cloth``, which lies in the still by ``laid`` (2, 3); ``holes`` show the face."""

    cloth: Picture
    laid: Matrix
    outlines: list[Outline]
    holes: list[Outline]

    def put_on(self, colours: Picture, alpha: Picture, matrix: Matrix) -> tuple[Picture, Picture]:
        """Colours and alpha of the person in the frame, whose still lies there by ``matrix``."""
        shape = np.zeros_like(alpha)
        for outlines, value in ((self.outlines, 255), (self.holes, 0)):
            for outline in outlines:
                there = outline @ matrix[:, :2].T + matrix[:, 2]
                cv2.fillPoly(shape, [np.rint(there * 16).astype(np.int32)], value, cv2.LINE_AA, shift=4)
        size = alpha.shape[1], alpha.shape[0]
        cloth = warp(self.cloth, through(matrix, self.laid), size, cv2.BORDER_REFLECT_101)
        return over(cloth, shape, colours), cv2.max(alpha, shape)


def hat(random: Generator, head: Head, rooms: Sequence[Picture]) -> Hat:
    """A random one: half of them on top of the head, half of them around it."""
    tall = head.neck - head.top
    side = head.width / 2 * random.uniform(1.0, 1.25)
    span = 2.2 * max(side, tall / 2) / CLOTH
    laid = np.array([[span, 0, head.middle - span * CLOTH / 2], [0, span, head.top - 0.2 * tall]])
    outlines, holes = _hood(random, head, side) if random.random() < 0.5 else (_cap(random, head, side), [])
    return Hat(_cloth(random, rooms), laid, outlines, holes)


def _cap(random: Generator, head: Head, side: float) -> list[Outline]:
    """A dome above the brow, at times with a brim."""
    tall = head.neck - head.top
    brow = head.top + random.uniform(0.2, 0.4) * tall
    middle, high = (head.middle, brow), (brow - head.top) * random.uniform(1.05, 1.6)
    shapes = [np.vstack([_ellipse(middle, side, high)[12:], _ellipse(middle, side, tall / 10)[:12]])]
    if random.random() < 0.5:
        across = head.middle + random.uniform(-0.5, 0.5) * side
        shapes.append(_ellipse((across, brow), side * random.uniform(0.9, 1.7), tall * random.uniform(0.04, 0.12)))
    return shapes


def _hood(random: Generator, head: Head, side: float) -> tuple[list[Outline], list[Outline]]:
    """Cloth around the face, down to the shoulders."""
    tall = head.neck - head.top
    x, y, below = head.middle, head.top + 0.5 * tall, head.neck + 0.5 * tall
    around = _ellipse((x, y), side, tall * random.uniform(0.52, 0.62))
    wide = side * random.uniform(1.0, 1.8)
    drape = np.array([[x - side, y], [x + side, y], [x + wide, below], [x - wide, below]])
    face = _ellipse((x, y + 0.06 * tall), side * random.uniform(0.55, 0.8), tall * random.uniform(0.36, 0.46))
    return [around, drape], [face]


def _ellipse(middle: tuple[float, float], side: float, high: float) -> Outline:
    """24 points, the lower half first."""
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return np.array(middle) + np.column_stack([side * np.cos(turn), high * np.sin(turn)])


def _cloth(random: Generator, rooms: Sequence[Picture]) -> Picture:
    """A cut of a picture, or one colour of it; rounder at the sides, where less light falls."""
    cut = piece(random, rooms, CLOTH)
    if random.random() < 0.5:
        cut = np.full_like(cut, cut[CLOTH // 2, CLOTH // 2])
    away = np.abs(np.linspace(-1.1, 1.1, CLOTH) + random.uniform(-0.3, 0.3))
    return np.clip(cut * (1 - 0.45 * away[:, None] ** 2), 0, 255).astype(np.uint8)
