"""The clean plate of a shot: what a program knows of the background from earlier frames, with everything it gets wrong.

A plate has holes where the background was never seen. A hole has the shape of the person in front of it: a network
that could read the answer from the hole would keep its own errors for ever. So most holes here say nothing: outlines
of others, blobs, the person's own outline moved, grown or shrunk.
"""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.random import Generator

from training.augment.background_objects import random_object
from training.augment.camera_degradation import CameraDegradation, add_noise
from training.augment.image_ops import Matrix, composite, similarity, warp
from training.augment.placement import place_background
from training.augment.shot import Shot
from training.pack import Image, Still

UNKNOWN_SHARE = 1 / 3
"""Of the shots with people whose plate is unknown altogether, as in the first frames after the start."""

EMPTY_UNKNOWN_SHARE = 1 / 2
"""The same of shots without people. Otherwise a network forgets what a room without people looks like."""

PHOTO_SHARE = 1 / 3
"""Of the photographs of people in their own room whose plate is known round them. Such a plate ends round the person,
so with many of them a hole in the plate means a person: then a network sees one wherever it was unsure before."""

HOLE_SHARE = 0.7
"""Of the plates of shots with people that have holes. Of shots without people, all have some."""

COPY_SHARE = 0.1
"""Of the shots in which a part of the person was taken for background: the plate shows it as the frame does."""


def plate_around(shot: Shot) -> Image:
    """The plate (1, H, W, 4) of a photograph: its first frame where no person is near in any frame; not valid there."""
    margin = max(3, shot.alpha.shape[1] // 24)
    near = cv2.dilate(shot.alpha.max(0), np.ones((margin, margin), np.uint8))
    return np.dstack([shot.frames[0], 255 * (near < 8).astype(np.uint8)])[None]


def add_plate_errors(
    random: Generator, shot: Shot, camera: CameraDegradation, people: Sequence[Still], backgrounds: Sequence[Image]
) -> Shot:
    """The shot, which has a plate, with the plate that a program would have of it.

    Args:
        random: Generator.
        shot: Its plate is without errors yet, and as the room is; its frames are as ``camera`` records them.
        camera: The plate is recorded by it too, the noise averaged over many frames.
        people: For ghosts and outlines.
        backgrounds: For objects, and for the plate of another room.
    """
    unknown = UNKNOWN_SHARE if shot.alpha.any() else EMPTY_UNKNOWN_SHARE
    if shot.plate is None or random.random() < unknown:
        return replace(shot, plate=np.zeros((1, *shot.alpha.shape[1:], 4), np.uint8))
    colours, validity = np.ascontiguousarray(shot.plate[0, ..., :3]), shot.plate[0, ..., 3].copy()
    colours = replace(camera, noise=0.0, jpeg_quality=0)(_changed_room(random, colours, people, backgrounds), random)
    colours = _recorded_earlier(random, colours)
    outline = shot.alpha.max(0)
    if random.random() < COPY_SHARE:
        copied = _outline(random, outline, people)
        colours, validity = composite(shot.frames[0], copied, colours), cv2.max(validity, copied)
    colours, validity = _misplaced(random, colours, validity)
    for _ in range(random.integers(1, 4) if random.random() < HOLE_SHARE or not outline.any() else 0):
        validity = cv2.min(validity, 255 - _outline(random, outline, people))
    if random.random() < 0.3:
        validity = cv2.multiply(validity, _smooth_field(random, validity.shape[::-1], 0.2, 1.0), dtype=cv2.CV_8U)
    return replace(shot, plate=np.dstack([colours, validity])[None])


def _changed_room(random: Generator, colours: Image, people: Sequence[Still], backgrounds: Sequence[Image]) -> Image:
    """The room when the plate was taken: another one (5 %), with another object (15 %), with a person in it (10 %)."""
    height, width = colours.shape[:2]
    kind = random.random()
    if kind < 0.05:
        other = backgrounds[random.integers(len(backgrounds))]
        return warp(other, place_background(random, other, width, height), (width, height), cv2.BORDER_REFLECT_101)
    if kind < 0.20:
        thing = random_object(random, backgrounds, width, height)
        return composite(*thing.draw(0, width=width, height=height), colours)
    if kind < 0.30:
        still = people[random.integers(len(people))]
        matrix = _anywhere(random, still.alpha, width, height)
        alpha = warp(still.alpha, matrix, (width, height), cv2.BORDER_CONSTANT)
        return composite(warp(still.foreground, matrix, (width, height), cv2.BORDER_REPLICATE), alpha, colours)
    return colours


def _recorded_earlier(random: Generator, colours: Image) -> Image:
    """Under other exposure and white balance, at times much; blurred a little, with a little noise."""
    drift = random.choice([0.01, 0.03, 0.10])
    gains = np.exp(random.normal(0, drift) + random.normal(0, drift / 3, 3))
    colours = cv2.multiply(colours, (*gains.tolist(), 1.0), dtype=cv2.CV_8U)
    if random.random() < 0.3:
        colours = cv2.GaussianBlur(colours, (0, 0), random.uniform(0.4, 1.0))
    if random.random() < 0.5:
        colours = add_noise(colours, random.uniform(0.5, 3), 1, random)
    return colours


def _misplaced(random: Generator, colours: Image, validity: Image) -> tuple[Image, Image]:
    """Shifted and zoomed as by a camera that was nudged: mostly by less than a pixel, at times by several."""
    height, width = validity.shape
    centre = np.array([width / 2, height / 2])
    shift = random.normal(0, random.choice([0.1, 0.5, 2.0]), 2) * width / 288
    zoom = np.exp(random.normal(0, random.choice([0.0, 0.0, 0.005])))
    matrix = similarity(zoom, zoom, 0.0, source=centre, target=centre + shift)
    size = (width, height)
    return warp(colours, matrix, size, cv2.BORDER_REPLICATE), warp(validity, matrix, size, cv2.BORDER_CONSTANT)


def _outline(random: Generator, outline: Image, people: Sequence[Still]) -> Image:
    """A hole (H, W): of the person's own outline, of another person's, or a blob."""
    height, width = outline.shape
    kind = random.random()
    if kind < 0.3 and outline.any():
        return _own_outline(random, outline)
    if kind < 0.75:
        still = people[random.integers(len(people))]
        matrix = _anywhere(random, still.alpha, width, height)
        return cv2.dilate(warp(still.alpha, matrix, (width, height), cv2.BORDER_CONSTANT), _square(random, height))
    hole = np.zeros((height, width), np.uint8)
    centre = random.integers(0, (width, height)).tolist()
    axes = [round(height * np.exp(random.uniform(np.log(0.04), np.log(0.5)))) + 1 for _ in range(2)]
    cv2.ellipse(hole, centre, axes, random.uniform(0, 180), 0, 360, 255, -1)
    return hole


def _own_outline(random: Generator, outline: Image) -> Image:
    """The person's outline: grown as by a program's margin (40 %), moved and grown, or moved and shrunk."""
    height, width = outline.shape
    kind = random.random()
    if kind > 0.4:
        x, y = random.normal(0, 0.08, 2) * width
        outline = warp(outline, np.array([[1, 0, x], [0, 1, y]]), (width, height), cv2.BORDER_CONSTANT)
    return (cv2.erode if kind > 0.75 else cv2.dilate)(outline, _square(random, height))


def _square(random: Generator, height: int) -> Image:
    """A structuring element of one pixel to an eighth of the frame's height; a square, as a program's margin is."""
    length = round(height * np.exp(random.uniform(np.log(0.01), np.log(0.12)))) | 1
    return np.ones((length, length), np.uint8)


def _anywhere(random: Generator, alpha: Image, width: int, height: int) -> Matrix:
    """Maps a still of a person to a random place of the frame, at a random size."""
    rows, columns = alpha.shape
    scale = height / rows * random.uniform(0.4, 1.5)
    target = random.uniform(0.1, 0.9) * width, random.uniform(0.3, 0.9) * height
    return similarity(scale, scale, 0.0, source=np.array([columns / 2, rows / 2]), target=np.array(target))


def _smooth_field(random: Generator, size: tuple[int, int], low: float, high: float) -> Image:
    """Smooth random factors (H, W) float32 in [low, high]: how often a part of the background was seen."""
    knots = random.uniform(low, high, (4, 5)).astype(np.float32)
    return cv2.resize(knots, size, interpolation=cv2.INTER_LINEAR)
