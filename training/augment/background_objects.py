"""Objects behind people that are not people: pieces of images with sharp edges, cloth, backs of chairs.

Without them the network takes every pasted edge, all cloth, and whatever is right behind a head for a person.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.random import Generator

from training.augment.camera_degradation import random_grade
from training.augment.head import Head
from training.augment.image_ops import Matrix, similarity
from training.augment.layer import Layer
from training.augment.motion import random_path
from training.augment.patterns import folded_cloth
from training.pack import Image, Still

CLOTH = 320
"""Rows and columns of a piece of cloth."""


def random_object(random: Generator, backgrounds: Sequence[Image], width: int, height: int) -> Layer:
    """A polygon of a background or of cloth, anywhere in the frame."""
    is_cloth = random.random() < 0.4
    texture = _cloth(random, backgrounds) if is_cloth else backgrounds[random.integers(len(backgrounds))]
    rows, columns = texture.shape[:2]
    centre = np.array([columns / 2, rows / 2])
    radius = min(rows, columns) * random.uniform(0.15, 0.45)
    angles = np.sort(random.uniform(0, 2 * np.pi, random.integers(4, 24)))
    reach = radius * random.uniform(0.6, 1.0, (len(angles), 1)) * random.uniform(0.5, 1.0, 2)
    corners = centre + reach * np.stack([np.cos(angles), np.sin(angles)], 1)
    alpha = np.zeros((rows, columns), np.uint8)
    cv2.fillPoly(alpha, [corners.astype(np.int32)], 255, cv2.LINE_AA)
    scale = height * random.uniform(0.1, 0.6) / radius
    target = random.uniform(0, 1, 2)
    if random.random() < 0.4:  # at a side of the frame, where shoulders are; half of these in a lower corner
        target[0] = round(target[0]) + random.normal(0, 0.08)
        target[1] = random.normal(1, 0.15) if random.random() < 0.5 else target[1]
    angle = random.uniform(-np.pi, np.pi)
    return Layer(
        stills=[Still(texture, texture, alpha, "")],
        matrix=similarity(scale, scale, angle, source=centre, target=target * np.array([width, height])),
        path=random_path(random, strength=float(random.random() < 0.5)),
        grade=random_grade(random, strength=0.5),
    )


def random_curtain(random: Generator, backgrounds: Sequence[Image], width: int, height: int) -> Layer:
    """Cloth that hangs at one side of the frame down to below its lower edge."""
    columns, rows = round(width * 1.2), round(height * 1.2)  # its own ends stay outside the frame when it moves
    y = np.linspace(random.uniform(-0.2, 0.8), 1, 6)
    x = random.uniform(0.1, 0.45) + random.uniform(-0.1, 0.25) * np.linspace(0, 1, 6) + random.normal(0, 0.015, 6)
    corners = np.vstack([np.column_stack([x, y]), [[0, 1], [0, y[0] + random.normal(0, 0.05)]]])
    alpha = np.zeros((rows, columns), np.uint8)
    cv2.fillPoly(alpha, [(corners * [columns, rows]).astype(np.int32)], 255, cv2.LINE_AA)
    cloth = _cloth(random, backgrounds)
    texture = cv2.resize(cloth, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.uint8)
    if random.random() < 0.5:
        alpha = np.ascontiguousarray(alpha[:, ::-1])
    matrix = np.array([[1, 0, (width - columns) / 2], [0, 1, (height - rows) / 2]])
    still = Still(texture, texture, alpha, "")
    return Layer([still], matrix, random_path(random, strength=0.3), random_grade(random, strength=0.5))


def random_chair(random: Generator, head: Head, matrix: Matrix, size: tuple[int, int]) -> Layer:
    """The back of a chair behind a person's head and shoulders.

    Args:
        random: Generator.
        head: The person's, in the still.
        matrix: Maps the still into the frame.
        size: (width, height) of the still.
    """
    columns, rows = size
    centre = head.centre + random.normal(0, 0.25) * head.width
    top = head.top + random.uniform(-0.1, 1.1) * head.height
    wide, narrow = head.width * np.sort(random.uniform(0.5, 1.4, 2))[::-1]
    shoulder = top + random.uniform(0.2, 1.0) * head.height
    corners = [(-narrow, top), (narrow, top), (wide, shoulder), (wide, rows + 9), (-wide, rows + 9), (-wide, shoulder)]
    alpha = np.zeros((rows, columns), np.uint8)
    cv2.fillPoly(alpha, [np.array([(centre + x, y) for x, y in corners]).astype(np.int32)], 255)
    rounding = int(head.width * random.uniform(0.05, 0.2)) * 2 + 1
    alpha = cv2.threshold(cv2.blur(alpha, (rounding, rounding)), 127, 255, cv2.THRESH_BINARY)[1]
    alpha = cv2.blur(alpha, (3, 3))
    texture = _upholstery(random, rows, columns, centre)
    still = Still(texture, texture, alpha, "")
    return Layer([still], matrix, random_path(random, strength=0.3), random_grade(random, strength=0.3))


def _upholstery(random: Generator, rows: int, columns: int, centre: float) -> Image:
    """A plain, mostly dark surface, brighter at one side; two in five have stripes beside the column ``centre``."""
    dark = random.random() < 0.6
    colour = random.uniform(10, 70) + random.uniform(-8, 8, 3) if dark else random.uniform(20, 235, 3)
    shade = 1 + random.uniform(-0.4, 0.4) * (np.arange(columns) - centre) / columns
    texture = np.broadcast_to(colour * shade[:, None], (rows, columns, 3)).clip(0, 255).astype(np.uint8).copy()
    if random.random() < 0.4:
        stripe = random.integers(0, 256, 3).tolist()
        for side in (-1, 1):
            x = int(centre + side * random.uniform(0.25, 0.7) * columns / 3)
            slant, extra_width = random.integers(0, 20, 2).tolist()
            cv2.line(texture, (x, 0), (x + side * slant, rows), stripe, extra_width + 2)
    return texture


def _cloth(random: Generator, backgrounds: Sequence[Image]) -> Image:
    return folded_cloth(random, backgrounds, (CLOTH, CLOTH), tilt=0.15, min_fold_px=6, depth=0.2)
