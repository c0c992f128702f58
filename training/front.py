"""What is in front of people: parts of others, held objects, desks. Each is drawn once and stays through a shot."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.faults import Picture
from training.layers import Shot
from training.motion import similarity
from training.pack import Person
from training.pictures import over, piece, warp

TEXTURE = 64
"""Rows and columns of the texture of an object or a desk."""


def with_part(random: Generator, shot: Shot, people: Sequence[Person]) -> Shot:
    """A hand, an arm, a shoulder of one of ``people`` in front: across a body, cut by the frame's edge, or anywhere."""
    width, height = shot.alpha.shape[2], shot.alpha.shape[1]
    colours, alpha = (_arm if random.random() < 0.35 else _cut)(random, people, _target(random, shot), (width, height))
    frames = [over(colours, alpha, frame) for frame in shot.frames]
    mattes, known = ([cv2.max(alpha, own) for own in part] for part in (shot.alpha, shot.certainty))
    return Shot(np.stack(frames), np.stack(mattes), np.stack(known))


def with_object(random: Generator, shot: Shot, rooms: Sequence[Picture]) -> Shot:
    """A paper, a mug, a phone before a body, which counts as its person; unknown where it is not before the body."""
    height, width = shot.alpha.shape[1:]
    middle = _inside(random, shot.alpha[0])
    if middle is None:
        return shot
    side = height * np.exp(random.uniform(np.log(0.05), np.log(0.3)))
    shape = _box(middle, side, side * random.uniform(0.4, 1.6), random.normal(0, 0.4), (width, height))
    colours = _texture(random, rooms, (width, height), plain=0.6)
    frames = [over(colours, shape, frame) for frame in shot.frames]
    known = [
        cv2.min(own, 255 - cv2.subtract(shape, alpha)) for own, alpha in zip(shot.certainty, shot.alpha, strict=True)
    ]
    return Shot(np.stack(frames), shot.alpha, np.stack(known))


def with_desk(random: Generator, shot: Shot, rooms: Sequence[Picture]) -> Shot:
    """The edge of a desk, or the lid of a laptop, before people: nobody is seen there."""
    height, width = shot.alpha.shape[1:]
    colours = _texture(random, rooms, (width, height), plain=0.5)
    if random.random() < 0.65:
        left, right = height * (random.uniform(0.6, 1.0) + random.normal(0, 0.03, 2))
        corners = np.array([[-1, left], [width, right], [width, height], [-1, height]])
    else:
        x, half, top = (
            width * random.uniform(0.1, 0.9),
            width * random.uniform(0.08, 0.25),
            height * random.uniform(0.6, 0.9),
        )
        spread = half * random.uniform(1, 1.15)
        corners = np.array([[x - half, top], [x + half, top], [x + spread, height], [x - spread, height]])
    shape = np.zeros((height, width), np.uint8)
    cv2.fillPoly(shape, [np.rint(corners * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    frames = [over(colours, shape, frame) for frame in shot.frames]
    alphas = [cv2.multiply(own, 255 - shape, scale=1 / 255) for own in shot.alpha]
    known = [cv2.max(own, shape) for own in shot.certainty]
    return Shot(np.stack(frames), np.stack(alphas).astype(np.uint8), np.stack(known).astype(np.uint8))


def _target(random: Generator, shot: Shot) -> NDArray[np.float64]:
    """Where a part goes, (x, y) in the frame. Not into lower corners, where flags and coats are."""
    height, width = shot.alpha.shape[1:]
    kind = random.random()
    inside = _inside(random, shot.alpha[0]) if kind < 0.45 else None
    if inside is not None:
        return inside
    if kind < 0.8:  # cut by the frame's edge
        at_side = random.random() < 0.7
        x = random.choice([0, width]) if at_side else random.uniform(0.2, 0.8) * width
        return np.array([x, random.uniform(0.05, 0.8) * height if at_side else height])
    return random.uniform(0, [1, 0.75]) * [width, height]


def _inside(random: Generator, alpha: Picture) -> NDArray[np.float64] | None:
    """A random pixel (x, y) of a person, mostly of the lower half; None where there is none."""
    rows, columns = np.nonzero(alpha[::2, ::2] > 200)
    if not len(rows):
        return None
    chosen = max(random.integers(len(rows), size=2)) if random.random() < 0.7 else random.integers(len(rows))
    return np.array([columns[chosen], rows[chosen]]) * 2.0


def _cut(
    random: Generator, people: Sequence[Person], target: NDArray[np.float64], size: tuple[int, int]
) -> tuple[Picture, Picture]:
    """An ellipse, round to long, of somebody's picture: colours and alpha in a frame of ``size`` (width, height)."""
    person = people[random.integers(len(people))]
    width, height = size
    source = _inside(random, person.alpha)
    source = np.array(person.alpha.shape[::-1]) / 2 if source is None else source
    reach = height * np.exp(random.uniform(np.log(0.08), np.log(0.5)))
    scale = reach / (min(person.alpha.shape) * random.uniform(0.1, 0.3))
    matrix = similarity(scale, scale, random.uniform(-np.pi, np.pi), source=source, target=target)
    shape = np.zeros((height, width), np.uint8)
    axes = (max(2, int(reach)), max(2, int(reach * random.uniform(0.25, 1))))
    cv2.ellipse(shape, _whole(target), axes, random.uniform(0, 180), 0, 360, 255, -1, cv2.LINE_AA)
    alpha = cv2.min(warp(person.alpha, matrix, size, cv2.BORDER_CONSTANT), shape)
    return warp(person.foreground, matrix, size, cv2.BORDER_REPLICATE), alpha


def _arm(
    random: Generator, people: Sequence[Person], target: NDArray[np.float64], size: tuple[int, int]
) -> tuple[Picture, Picture]:
    """A forearm: a tapering limb, lit from one side, of the colours of somebody's skin or clothes."""
    person = people[random.integers(len(people))]
    width, height = size
    reach = height * np.exp(random.uniform(np.log(0.15), np.log(0.7)))
    thick = reach * random.uniform(0.12, 0.35)
    turn = random.normal(0, 0.5) if random.random() < 0.6 else random.uniform(0, 2 * np.pi)
    along = np.array([np.cos(turn), np.sin(turn)])
    shape = np.zeros((height, width), np.uint8)
    for step in np.linspace(-0.5, 0.5, 12):
        radius = thick / 2 * (1 - 0.35 * (step + 0.5) + (0.35 if step > 0.4 else 0))  # to the wrist, and a fist
        cv2.circle(shape, _whole(target + step * reach * along), max(1, int(radius)), 255, -1, cv2.LINE_AA)
    source = _inside(random, person.alpha)
    source = np.array(person.alpha.shape[::-1]) / 2 if source is None else source
    matrix = similarity(4.0, 1.0, turn, source=source, target=target)
    colours = warp(person.foreground, matrix, size, cv2.BORDER_REFLECT_101)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    aside = ((columns - target[0]) * -along[1] + (rows - target[1]) * along[0]) / (thick / 2)
    light = 1 + random.uniform(-0.4, 0.4) * np.clip(aside, -1, 1)
    return np.clip(colours * light[..., None], 0, 255).astype(np.uint8), cv2.blur(shape, (2, 2))


def _whole(point: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))


def _box(middle: NDArray[np.float64], wide: float, high: float, turn: float, size: tuple[int, int]) -> Picture:
    """A filled, turned rectangle in a frame of ``size``."""
    shape = np.zeros(size[::-1], np.uint8)
    corners = cv2.boxPoints(((float(middle[0]), float(middle[1])), (wide, high), float(np.degrees(turn))))
    cv2.fillPoly(shape, [np.rint(corners * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    return shape


def _texture(random: Generator, rooms: Sequence[Picture], size: tuple[int, int], *, plain: float) -> Picture:
    """A piece of a room over the whole frame, or, with odds of ``plain``, one colour, every other time whitish."""
    width, height = size
    if random.random() < plain:
        light = random.random() < 0.5
        colour = random.uniform(190, 255) + random.uniform(-8, 8, 3) if light else random.uniform(0, 255, 3)
        shade = 1 + random.uniform(-0.2, 0.2) * np.linspace(-1, 1, width)
        return np.broadcast_to(np.clip(colour * shade[:, None], 0, 255), (height, width, 3)).astype(np.uint8)
    return cv2.resize(piece(random, rooms, TEXTURE), size, interpolation=cv2.INTER_LINEAR).astype(np.uint8)
