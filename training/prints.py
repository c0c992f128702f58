"""Prints for clothes: stripes, checks, spots, sequins, a piece of any picture. The pack's people mostly wear plain."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.faults import Picture
from training.head import Head
from training.motion import Matrix, similarity, through
from training.pictures import piece, warp

TILE = 96
"""Rows and columns of what repeats."""

PERIODS = (4, 6, 8, 12, 16, 24, 32, 48, 96)
"""Of stripes, in pixels of the tile: what divides it, so that it repeats without a seam."""


@dataclass(frozen=True, slots=True)
class Print:
    """A ``tile`` that repeats, and lies in the still by ``laid`` (2, 3)."""

    tile: Picture
    laid: Matrix

    def seen(self, size: tuple[int, int], matrix: Matrix) -> Picture:
        """All over a frame of ``size`` (width, height) in which the still lies by ``matrix``."""
        return warp(self.tile, through(matrix, self.laid), size, cv2.BORDER_WRAP)


def printed(random: Generator, head: Head, rooms: Sequence[Picture]) -> Print:
    """A random one, from fine to as large as the head; ``rooms``: pictures it may be cut from."""
    tile = pattern(random, rooms)
    scale = head.width / TILE * np.exp(random.uniform(np.log(0.15), np.log(1.2)))
    turn = random.choice([0, np.pi / 2, np.pi / 4]) + random.uniform(-0.2, 0.2)
    middle, chest = np.full(2, TILE / 2), np.array([head.middle, head.neck])
    return Print(tile, similarity(scale, scale, turn, source=middle, target=chest))


def pattern(random: Generator, rooms: Sequence[Picture]) -> Picture:
    """What is printed, (TILE, TILE, 3)."""
    if random.random() < 0.75:
        return (_stripes, _checks, _spots)[random.integers(3)](random)
    return piece(random, rooms, TILE)


def _stripes(random: Generator) -> Picture:
    """Two colours side by side, at times a thin third between them."""
    along = _weights(random)[None, :, None]
    tile = along * _colour(random) + (1 - along) * _colour(random)
    if random.random() < 0.3:
        thin = _weights(random, share=0.2)[None, :, None]
        tile = thin * _colour(random) + (1 - thin) * tile
    return np.repeat(tile, TILE, axis=0).astype(np.uint8)


def _checks(random: Generator) -> Picture:
    """Stripes across stripes, as they are woven."""
    threads = [_weights(random)[:, None] for _ in range(2)]
    along, across = (ones * _colour(random) + (1 - ones) * _colour(random) for ones in threads)
    return ((along[None] + across[:, None]) / 2).astype(np.uint8)


def _spots(random: Generator) -> Picture:
    """Dots, blossoms, sequins: round, of one size or many, in one to three colours."""
    tile = np.empty((TILE, TILE, 3), np.uint8)
    tile[:] = _colour(random)
    colours = [_colour(random).tolist() for _ in range(random.integers(1, 4))]
    largest = random.integers(2, 14)
    for _ in range(int(random.uniform(0.1, 0.6) * TILE**2 / largest**2)):
        x, y = random.integers(0, TILE, 2).tolist()
        radius = int(random.integers(1, largest + 1)) if random.random() < 0.5 else int(largest)
        cv2.circle(tile, (x, y), radius, colours[random.integers(len(colours))], -1, cv2.LINE_AA)
    return tile


def _weights(random: Generator, share: float | None = None) -> NDArray[np.float64]:
    """(TILE,) zeros and ones by turns; ``share`` of them ones, at random if not given."""
    period = PERIODS[random.integers(len(PERIODS))]
    ones = max(1, round(period * (share or random.uniform(0.2, 0.8))))
    return (np.arange(TILE) % period < ones).astype(np.float64)


def _colour(random: Generator) -> NDArray[np.float64]:
    """Any, every other time without much of a hue."""
    reach = 25 if random.random() < 0.5 else 200
    return np.clip(random.uniform(0, 255) + random.uniform(-reach, reach, 3), 0, 255)
