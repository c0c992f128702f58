"""Where people, photos and rooms lie in a frame, as webcams frame: heads high, bodies running out at the bottom."""

import cv2
import numpy as np
from numpy.random import Generator

from training.faults import Picture
from training.head import Head
from training.motion import Matrix, similarity


def person_in_frame(random: Generator, alpha: Picture, known: Head | None, width: int, height: int) -> Matrix:
    """Where a cut-out person goes, whose head is ``known``: the head above the middle, the body down to the bottom.

    Mostly so that the photo's own edges, where they cut the body off, stay out of the frame.
    """
    left, top, person_width, person_height = cv2.boundingRect((alpha > 127).astype(np.uint8))
    cut_left, cut_right, cut_top = left == 0, left + person_width == alpha.shape[1], top == 0
    hide_cuts = random.random() < 0.6
    head = (random.uniform(-0.2, 0) if cut_top and hide_cuts else random.uniform(-0.05, 0.4)) * height
    scale = (height - head) / max(person_height, 1) * np.exp(random.exponential(0.25))
    if known and random.random() < 0.7:  # a whole figure comes as near as people sit to a webcam
        scale = max(scale, random.uniform(0.2, 0.55) * height / (known.neck - known.top))
    if hide_cuts and cut_left and cut_right:
        scale = max(scale, 1.05 * width / person_width)
    elif random.random() < 0.1:
        scale *= random.uniform(0.5, 1.0)
    middle = width / 2 + random.normal(0, 0.22) * width
    slack = scale * person_width / 2
    if hide_cuts and (cut_left or cut_right):
        middle = np.clip(middle, width - slack if cut_right else None, slack if cut_left else None)
    stretch = np.exp(random.normal(0, 0.06))
    return similarity(
        scale * stretch, scale / stretch, random.normal(0, 0.09),
        source=np.array([left + person_width / 2, top]), target=np.array([middle, head]),
    )  # fmt: skip


def photo_in_frame(random: Generator, alpha: Picture, width: int, height: int) -> Matrix:
    """A window of a photo of people: wider than the photo at times (mirrored at its edges), heads mostly in it."""
    rows, columns = alpha.shape
    whole, filled = sorted((width / columns, height / rows))
    near = 0.1 + 0.9 * random.random() ** 1.5
    scale = whole * (filled / whole) ** near * np.exp(random.exponential(0.12))
    head = cv2.boundingRect((alpha > 127).astype(np.uint8))[1] * scale
    slack = rows * scale - height
    above = np.clip(head - random.uniform(-0.15, 0.4) * height, min(slack, 0), max(slack, 0))
    across = random.uniform(-0.5, 0.5) * max(columns * scale - width, 0.3 * width)
    stretch = np.exp(random.normal(0, 0.06))
    return similarity(
        scale * stretch, scale / stretch, random.normal(0, 0.06),
        source=np.array([columns / 2, 0]), target=np.array([width / 2 + across, -above]),
    )  # fmt: skip


def room_in_frame(random: Generator, picture: Picture, width: int, height: int) -> Matrix:
    """A random window of a room, filling the frame."""
    rows, columns = picture.shape[:2]
    scale = max(width / columns, height / rows) * np.exp(random.exponential(0.2))
    slack = np.array([columns * scale - width, rows * scale - height]) / 2
    offset = random.uniform(-0.9, 0.9, 2) * slack
    stretch = np.exp(random.normal(0, 0.06))
    return similarity(
        scale * stretch, scale / stretch, random.normal(0, 0.06),
        source=np.array([columns / 2, rows / 2]), target=np.array([width / 2, height / 2]) + offset,
    )  # fmt: skip
