"""Where people, photographs and backgrounds lie in a frame: heads high, bodies cut by the lower edge, as on webcams."""

import cv2
import numpy as np
from numpy.random import Generator

from training.augment.head import Head
from training.augment.image_ops import Matrix, similarity
from training.pack import Image

FIGURE_MARGIN, FIGURE_ASPECT = 2, 1.45
"""A whole figure ends so many pixels above the photograph's lower edge, and is so much taller than wide."""


def place_person(random: Generator, alpha: Image, head: Head | None, width: int, height: int) -> Matrix:
    """The map of a cut-out person into the frame: the head above the centre, the body down to the lower edge.

    In 60 % of the cases the edges at which the photograph cuts the body off stay outside the frame. A third of the
    whole figures stand further away, with their feet in the frame.
    """
    left, top, person_width, person_height = cv2.boundingRect((alpha > 127).astype(np.uint8))
    is_figure = top + person_height < len(alpha) - FIGURE_MARGIN and person_height > FIGURE_ASPECT * person_width
    if is_figure and random.random() < 1 / 3:
        return _place_standing(random, (left, top, person_width, person_height), width, height)
    cut_left, cut_right, cut_top = left == 0, left + person_width == alpha.shape[1], top == 0
    hide_cuts = random.random() < 0.6
    head_y = (random.uniform(-0.2, 0) if cut_top and hide_cuts else random.uniform(-0.05, 0.4)) * height
    scale = (height - head_y) / max(person_height, 1) * np.exp(random.exponential(0.25))
    if head and random.random() < 0.7:  # a whole figure comes as near as people sit to a webcam
        scale = max(scale, random.uniform(0.2, 0.55) * height / head.height)
    if hide_cuts and cut_left and cut_right:
        scale = max(scale, 1.05 * width / person_width)
    elif random.random() < 0.1:
        scale *= random.uniform(0.5, 1.0)
    x = width / 2 + random.normal(0, 0.22) * width
    half_width = scale * person_width / 2
    if hide_cuts and (cut_left or cut_right):
        x = np.clip(x, width - half_width if cut_right else None, half_width if cut_left else None)
    stretch = np.exp(random.normal(0, 0.06))
    return similarity(
        scale * stretch, scale / stretch, random.normal(0, 0.09),
        source=np.array([left + person_width / 2, top]), target=np.array([x, head_y]),
    )  # fmt: skip


def _place_standing(random: Generator, box: tuple[int, int, int, int], width: int, height: int) -> Matrix:
    """The map of a whole figure, with the bounding ``box`` (left, top, width, height), that stands in the frame."""
    left, top, person_width, person_height = box
    scale = random.uniform(0.35, 0.95) * height / person_height
    feet = np.array([left + person_width / 2, top + person_height])
    x, y = width / 2 + random.normal(0, 0.25) * width, random.uniform(0.85, 1.02) * height
    return similarity(scale, scale, random.normal(0, 0.05), source=feet, target=np.array([x, y]))


def place_photo(random: Generator, alpha: Image, width: int, height: int) -> Matrix:
    """A random window of a photograph of people, at times wider than the photograph, with heads mostly inside."""
    rows, columns = alpha.shape
    contain, cover = sorted((width / columns, height / rows))
    zoom = 0.1 + 0.9 * random.random() ** 1.5
    scale = contain * (cover / contain) ** zoom * np.exp(random.exponential(0.12))
    head_y = cv2.boundingRect((alpha > 127).astype(np.uint8))[1] * scale
    slack = rows * scale - height
    top = np.clip(head_y - random.uniform(-0.15, 0.4) * height, min(slack, 0), max(slack, 0))
    shift = random.uniform(-0.5, 0.5) * max(columns * scale - width, 0.3 * width)
    stretch = np.exp(random.normal(0, 0.06))
    return similarity(
        scale * stretch, scale / stretch, random.normal(0, 0.06),
        source=np.array([columns / 2, 0]), target=np.array([width / 2 + shift, -top]),
    )  # fmt: skip


def place_background(random: Generator, image: Image, width: int, height: int) -> Matrix:
    """A random window of a background that fills the frame."""
    rows, columns = image.shape[:2]
    scale = max(width / columns, height / rows) * np.exp(random.exponential(0.2))
    slack = np.array([columns * scale - width, rows * scale - height]) / 2
    offset = random.uniform(-0.9, 0.9, 2) * slack
    stretch = np.exp(random.normal(0, 0.06))
    return similarity(
        scale * stretch, scale / stretch, random.normal(0, 0.06),
        source=np.array([columns / 2, rows / 2]), target=np.array([width / 2, height / 2]) + offset,
    )  # fmt: skip
