"""What stands behind people and is nobody: sharp-edged things, cloth, the backs of chairs.

Without them every pasted edge, all cloth, and whatever is right behind a head would be a person's.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.random import Generator

from training.faults import Picture, grade
from training.head import Head
from training.layers import Layer
from training.motion import Matrix, path, similarity
from training.pack import Person
from training.pictures import warp
from training.prints import pattern

CLOTH = 320
"""Rows and columns of a piece of cloth."""


def thing(random: Generator, rooms: Sequence[Picture], width: int, height: int) -> Layer:
    """A piece of a room, or of cloth, with a polygon's edge, anywhere in the frame."""
    texture = _cloth(random, rooms) if random.random() < 0.4 else rooms[random.integers(len(rooms))]
    rows, columns = texture.shape[:2]
    radius = min(rows, columns) * random.uniform(0.15, 0.45)
    around = np.sort(random.uniform(0, 2 * np.pi, random.integers(4, 24)))
    reach = radius * random.uniform(0.6, 1.0, (len(around), 1)) * random.uniform(0.5, 1.0, 2)
    corners = np.array([columns / 2, rows / 2]) + reach * np.stack([np.cos(around), np.sin(around)], 1)
    shape = np.zeros((rows, columns), np.uint8)
    cv2.fillPoly(shape, [corners.astype(np.int32)], 255, cv2.LINE_AA)
    scale = height * random.uniform(0.1, 0.6) / radius
    middle = random.uniform(0, 1, 2)
    if random.random() < 0.4:  # at a side of the frame, where shoulders are; half of these in a lower corner
        middle[0] = round(middle[0]) + random.normal(0, 0.08)
        middle[1] = random.normal(1, 0.15) if random.random() < 0.5 else middle[1]
    return Layer(
        stills=[Person(texture, texture, shape, "")],
        matrix=similarity(
            scale,
            scale,
            random.uniform(-np.pi, np.pi),
            source=np.array([columns / 2, rows / 2]),
            target=middle * np.array([width, height]),
        ),
        path=path(random, strength=float(random.random() < 0.5)),
        grade=grade(random, strength=0.5),
    )


def curtain(random: Generator, rooms: Sequence[Picture], width: int, height: int) -> Layer:
    """Cloth that hangs down to below the frame at one side of it, where sleeves are seen too."""
    columns, rows = round(width * 1.2), round(height * 1.2)  # so that its own ends stay outside, however it moves
    down = np.linspace(random.uniform(-0.2, 0.8), 1, 6)
    edge = random.uniform(0.1, 0.45) + random.uniform(-0.1, 0.25) * np.linspace(0, 1, 6) + random.normal(0, 0.015, 6)
    corners = np.vstack([np.column_stack([edge, down]), [[0, 1], [0, down[0] + random.normal(0, 0.05)]]])
    shape = np.zeros((rows, columns), np.uint8)
    cv2.fillPoly(shape, [(corners * [columns, rows]).astype(np.int32)], 255, cv2.LINE_AA)
    texture = cv2.resize(_cloth(random, rooms), (columns, rows), interpolation=cv2.INTER_AREA).astype(np.uint8)
    if random.random() < 0.5:
        shape = np.ascontiguousarray(shape[:, ::-1])
    matrix = np.array([[1, 0, (width - columns) / 2], [0, 1, (height - rows) / 2]])
    still = Person(texture, texture, shape, "")
    return Layer([still], matrix, path(random, strength=0.3), grade(random, strength=0.5))


def chair(random: Generator, head: Head, matrix: Matrix, size: tuple[int, int]) -> Layer:
    """The back of a chair behind the head and shoulders of a person whose still of ``size`` lies by ``matrix``."""
    columns, rows = size
    middle = head.middle + random.normal(0, 0.25) * head.width
    top = head.top + random.uniform(-0.1, 1.1) * (head.neck - head.top)
    wide, narrow = head.width * np.sort(random.uniform(0.5, 1.4, 2))[::-1]
    bend = top + random.uniform(0.2, 1.0) * (head.neck - head.top)
    corners = [(-narrow, top), (narrow, top), (wide, bend), (wide, rows + 9), (-wide, rows + 9), (-wide, bend)]
    shape = np.zeros((rows, columns), np.uint8)
    cv2.fillPoly(shape, [np.array([(middle + x, y) for x, y in corners]).astype(np.int32)], 255)
    rounding = int(head.width * random.uniform(0.05, 0.2)) * 2 + 1
    shape = cv2.threshold(cv2.blur(shape, (rounding, rounding)), 127, 255, cv2.THRESH_BINARY)[1]
    shape = cv2.blur(shape, (3, 3))
    texture = _upholstery(random, rows, columns, middle)
    still = Person(texture, texture, shape, "")
    return Layer([still], matrix, path(random, strength=0.3), grade(random, strength=0.3))


def _upholstery(random: Generator, rows: int, columns: int, middle: float) -> Picture:
    """Plain, mostly dark, shaded from side to side; stripes beside the middle as some chairs have."""
    dark = random.random() < 0.6
    colour = random.uniform(10, 70) + random.uniform(-8, 8, 3) if dark else random.uniform(20, 235, 3)
    shade = 1 + random.uniform(-0.4, 0.4) * (np.arange(columns) - middle) / columns
    texture = np.broadcast_to(colour * shade[:, None], (rows, columns, 3)).clip(0, 255).astype(np.uint8).copy()
    if random.random() < 0.4:
        stripe = random.integers(0, 256, 3).tolist()
        for side in (-1, 1):
            x = int(middle + side * random.uniform(0.25, 0.7) * columns / 3)
            slant, thick = random.integers(0, 20, 2).tolist()
            cv2.line(texture, (x, 0), (x + side * slant, rows), stripe, thick + 2)
    return texture


def _cloth(random: Generator, rooms: Sequence[Picture]) -> Picture:
    """Any print, as clothes have, in soft folds: a flag, a curtain, a coat."""
    scale = np.exp(random.uniform(np.log(0.3), np.log(3)))
    turn = random.choice([0, np.pi / 2]) + random.normal(0, 0.15)
    laid = similarity(scale, scale, turn, source=np.zeros(2), target=random.uniform(0, CLOTH, 2))
    cloth = warp(pattern(random, rooms), laid, (CLOTH, CLOTH), cv2.BORDER_WRAP)
    folds = np.sin(np.arange(CLOTH) / random.uniform(6, 40) + random.uniform(0, 6))
    shade = 0.8 + 0.2 * random.random() * folds
    return np.clip(cloth * shade[:, None], 0, 255).astype(np.uint8)
