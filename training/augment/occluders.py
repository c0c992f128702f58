"""What is in front of people: body parts of others, held objects, desks. Each is drawn once for the whole shot."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.augment.image_ops import composite, fill_polygon, random_crop, similarity, warp
from training.augment.shot import Shot
from training.pack import Image, Still

TEXTURE = 64
"""Rows and columns of the texture of an object or a desk, before it is enlarged to the frame."""


def add_body_part(random: Generator, shot: Shot, people: Sequence[Still]) -> Shot:
    """A hand, arm or shoulder of one of ``people`` in front: across a body, or cut by the frame's edge."""
    height, width = shot.alpha.shape[1:]
    draw = _forearm if random.random() < 0.35 else _body_part
    image, alpha = draw(random, people, _random_target(random, shot), (width, height))
    frames = [composite(image, alpha, frame) for frame in shot.frames]
    alphas, certainties = ([cv2.max(alpha, each) for each in part] for part in (shot.alpha, shot.certainty))
    return replace(shot, frames=np.stack(frames), alpha=np.stack(alphas), certainty=np.stack(certainties))


def add_held_object(random: Generator, shot: Shot, images: Sequence[Image]) -> Shot:
    """A paper, mug or phone in front of a body or a face, where it is foreground; beside them it has no certainty."""
    height, width = shot.alpha.shape[1:]
    centre = _point_of_head(random, shot.alpha[0]) if random.random() < 0.4 else _point_inside(random, shot.alpha[0])
    if centre is None:
        return shot
    side = height * np.exp(random.uniform(np.log(0.05), np.log(0.3)))
    mask = _rotated_box(centre, side, side * random.uniform(0.4, 1.6), random.normal(0, 0.4), (width, height))
    texture = _random_texture(random, images, (width, height), plain=0.6)
    frames = [composite(texture, mask, frame) for frame in shot.frames]
    certainties = [
        cv2.min(certainty, 255 - cv2.subtract(mask, alpha))
        for certainty, alpha in zip(shot.certainty, shot.alpha, strict=True)
    ]
    return replace(shot, frames=np.stack(frames), certainty=np.stack(certainties))


def add_desk(random: Generator, shot: Shot, images: Sequence[Image]) -> Shot:
    """The edge of a desk or the lid of a laptop in front of people: it hides them, alpha is 0 there.

    The clean plate has it too.
    """
    height, width = shot.alpha.shape[1:]
    texture = _random_texture(random, images, (width, height), plain=0.5)
    mask = np.zeros((height, width), np.uint8)
    fill_polygon(mask, _random_desk(random, width, height), 255)
    frames = [composite(texture, mask, frame) for frame in shot.frames]
    alphas = [cv2.multiply(alpha, 255 - mask, scale=1 / 255) for alpha in shot.alpha]
    certainties = [cv2.max(certainty, mask) for certainty in shot.certainty]
    changed = replace(
        shot,
        frames=np.stack(frames),
        alpha=np.stack(alphas).astype(np.uint8),
        certainty=np.stack(certainties).astype(np.uint8),
    )
    if shot.plate is None:
        return changed
    colours = composite(texture, mask, np.ascontiguousarray(shot.plate[0, ..., :3]))
    return replace(changed, plate=np.dstack([colours, cv2.max(mask, shot.plate[0, ..., 3])])[None])


def _random_desk(random: Generator, width: int, height: int) -> NDArray[np.float64]:
    """Corners (4, 2) of a desk's edge across the frame (65 %), or of a laptop's lid."""
    if random.random() < 0.65:
        left, right = height * (random.uniform(0.6, 1.0) + random.normal(0, 0.03, 2))
        return np.array([[-1, left], [width, right], [width, height], [-1, height]])
    x, half_width = width * random.uniform(0.1, 0.9), width * random.uniform(0.08, 0.25)
    top = height * random.uniform(0.6, 0.9)
    lower = half_width * random.uniform(1, 1.15)
    return np.array([[x - half_width, top], [x + half_width, top], [x + lower, height], [x - lower, height]])


def _random_target(random: Generator, shot: Shot) -> NDArray[np.float64]:
    """Where a body part goes, (x, y) in the frame: on a body, or at the frame's edge, not in the lower corners.

    Flags and coats hang in the corners. Body parts in mid-air make the network see people in trees and statues.
    """
    height, width = shot.alpha.shape[1:]
    kind = random.random()
    inside = _point_inside(random, shot.alpha[0]) if kind < 0.6 else None
    if inside is not None:
        return inside
    at_side = random.random() < 0.7
    x = random.choice([0, width]) if at_side else random.uniform(0.2, 0.8) * width
    return np.array([x, random.uniform(0.05, 0.8) * height if at_side else height])


def _point_inside(random: Generator, alpha: Image) -> NDArray[np.float64] | None:
    """A random pixel (x, y) of a person, mostly of the lower half; None if there is none."""
    rows, columns = _opaque(alpha)
    if not len(rows):
        return None
    chosen = max(random.integers(len(rows), size=2)) if random.random() < 0.7 else random.integers(len(rows))
    return np.array([columns[chosen], rows[chosen]])


def _point_of_head(random: Generator, alpha: Image) -> NDArray[np.float64] | None:
    """A random pixel (x, y) of the upper third of the people; None if there is none."""
    rows, columns = _opaque(alpha)
    if not len(rows):
        return None
    upper = np.flatnonzero(rows <= rows[0] + (rows[-1] - rows[0]) / 3)  # rows are in order
    chosen = upper[random.integers(len(upper))]
    return np.array([columns[chosen], rows[chosen]])


def _opaque(alpha: Image) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows and columns of a quarter of the opaque pixels of people, from the top."""
    rows, columns = np.nonzero(alpha[::2, ::2] > 200)
    return 2.0 * rows, 2.0 * columns


def _point_of(random: Generator, person: Still) -> NDArray[np.float64]:
    """A random pixel (x, y) of the person, or the centre of the still if none is opaque."""
    inside = _point_inside(random, person.alpha)
    return np.array(person.alpha.shape[::-1]) / 2 if inside is None else inside


def _body_part(
    random: Generator, people: Sequence[Still], target: NDArray[np.float64], size: tuple[int, int]
) -> tuple[Image, Image]:
    """An ellipse of a person, round to long: colours and alpha in a frame of ``size`` (width, height)."""
    person = people[random.integers(len(people))]
    width, height = size
    source = _point_of(random, person)
    radius = height * np.exp(random.uniform(np.log(0.08), np.log(0.5)))
    scale = radius / (min(person.alpha.shape) * random.uniform(0.1, 0.3))
    matrix = similarity(scale, scale, random.uniform(-np.pi, np.pi), source=source, target=target)
    mask = np.zeros((height, width), np.uint8)
    axes = (max(2, int(radius)), max(2, int(radius * random.uniform(0.25, 1))))
    cv2.ellipse(mask, _rounded(target), axes, random.uniform(0, 180), 0, 360, 255, -1, cv2.LINE_AA)
    alpha = cv2.min(warp(person.alpha, matrix, size, cv2.BORDER_CONSTANT), mask)
    return warp(person.foreground, matrix, size, cv2.BORDER_REPLICATE), alpha


def _forearm(
    random: Generator, people: Sequence[Still], target: NDArray[np.float64], size: tuple[int, int]
) -> tuple[Image, Image]:
    """A tapering limb with a fist, lit from one side, in colours of a person's skin or clothes; otherwise as above.

    Two in five have a sleeve in colours of another place. At the frame's edge the fist points into the frame.
    """
    person = people[random.integers(len(people))]
    width, height = size
    length = height * np.exp(random.uniform(np.log(0.15), np.log(0.7)))
    thickness = length * random.uniform(0.12, 0.35)
    angle = random.normal(0, 0.5) if random.random() < 0.6 else random.uniform(0, 2 * np.pi)
    along = np.array([np.cos(angle), np.sin(angle)])
    if along @ (np.array([width, height]) / 2 - target) < 0:
        angle, along = angle + np.pi, -along
    alpha = np.zeros((height, width), np.uint8)
    for step in np.linspace(-0.5, 0.5, 40):
        radius = thickness / 2 * (1 - 0.35 * (step + 0.5) + (0.35 if step > 0.4 else 0))  # thinner to the wrist; a fist
        cv2.circle(alpha, _rounded(target + step * length * along), max(1, int(radius)), 255, -1, cv2.LINE_AA)
    matrix = similarity(4.0, 1.0, angle, source=_point_of(random, person), target=target)
    image = warp(person.foreground, matrix, size, cv2.BORDER_REFLECT_101)
    rows, columns = np.mgrid[:height, :width].astype(np.float32) - target[::-1, None, None]
    if random.random() < 0.4:
        matrix = similarity(4.0, 1.0, angle, source=_point_of(random, person), target=target)
        ends = random.uniform(-0.3, 0.45) * length
        sleeve = columns * along[0] + rows * along[1] < ends
        image[sleeve] = warp(person.foreground, matrix, size, cv2.BORDER_REFLECT_101)[sleeve]
    across = (columns * -along[1] + rows * along[0]) / (thickness / 2)
    light = 1 + random.uniform(-0.4, 0.4) * np.clip(across, -1, 1)
    return np.clip(image * light[..., None], 0, 255).astype(np.uint8), cv2.blur(alpha, (2, 2))


def _rounded(point: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))


def _rotated_box(
    centre: NDArray[np.float64], box_width: float, box_height: float, angle: float, size: tuple[int, int]
) -> Image:
    """A filled, rotated rectangle in a frame of ``size``."""
    mask = np.zeros(size[::-1], np.uint8)
    box = ((float(centre[0]), float(centre[1])), (box_width, box_height), float(np.degrees(angle)))
    fill_polygon(mask, cv2.boxPoints(box), 255)
    return mask


def _random_texture(random: Generator, images: Sequence[Image], size: tuple[int, int], *, plain: float) -> Image:
    """A piece of an image enlarged to the frame or, with probability ``plain``, one colour, half of these whitish."""
    width, height = size
    if random.random() < plain:
        whitish = random.random() < 0.5
        colour = random.uniform(190, 255) + random.uniform(-8, 8, 3) if whitish else random.uniform(0, 255, 3)
        shade = 1 + random.uniform(-0.2, 0.2) * np.linspace(-1, 1, width)
        return np.broadcast_to(np.clip(colour * shade[:, None], 0, 255), (height, width, 3)).astype(np.uint8)
    return cv2.resize(random_crop(random, images, TEXTURE), size, interpolation=cv2.INTER_LINEAR).astype(np.uint8)
