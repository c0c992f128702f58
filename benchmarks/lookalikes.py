"""Rooms with what networks take for people: coats, chairs, striped curtains, posters of people, statues.

Rooms of the pack, each with one object beside the middle, of which a person will cover a part. Objects are cut out of
images of the pack, posters are its portraits, curtains are drawn. All of them are of the validation split.
"""

from itertools import islice
from pathlib import Path
from typing import Final, TypeAlias

import cv2
import numpy as np
from clips import SIZE, read_image
from data_pack import NO_PERSON, NO_PERSON2, rows, trusted
from metrics import Alpha, Pixels
from numpy.random import Generator, default_rng

Object: TypeAlias = tuple[Pixels, Alpha]
"""Colours (H, W, 3) and alpha (H, W)."""

OBJECTS: Final = (
    ("coat", "r1406", "0188"),
    ("chair", "r1432", "h0151"),
    ("curtain", "r1545", ""),
    ("poster", "r1562", ""),
    ("statue", "r1667", "h0029"),
    ("coat", "r1689", "0241"),
    ("coat", "r1801", "0206"),
    ("chair", "r1830", "h0148"),
    ("curtain", "r1852", ""),
    ("poster", "r1919", ""),
    ("statue", "r2050", "0060"),
    ("coat", "r2268", "0258"),
)
"""Of each clip: the kind of the object, the room, and the image in which the object fills the frame, chosen on contact
sheets. A curtain is drawn, a poster is the next portrait."""

SEED: Final = 7
HEIGHT: Final = {"coat": (0.7, 0.85), "chair": (0.75, 0.9), "statue": (0.7, 0.85), "poster": (0.5, 0.6)}
"""Of each kind, in heights of the frame; a curtain has all of it."""

STANDING: Final = ("chair", "statue")
"""These stand on the lower edge; others hang below the upper one."""

ASIDE: Final = (0.14, 0.24)
"""How far the object's middle is from that of the frame, in its widths."""

VIEW: Final = (round(1.05 * SIZE[0]), round(1.05 * SIZE[1]))
"""Size of these rooms: a frame with the margin that composites.py leaves for the camera's shake."""

BORDER: Final = 0.04
"""Part of an image's sides that is certainly not the object."""


def furnished_rooms(data: Path) -> list[Pixels]:
    """A room with each of the OBJECTS."""
    rng = default_rng(SEED)
    files = {Path(row["image"]).stem: row["image"] for table in (NO_PERSON, NO_PERSON2) for row in rows(data, table)}
    portraits = islice(trusted(data, default_rng(SEED)), len(OBJECTS))
    result = []
    for kind, room, stem in OBJECTS:
        if kind == "curtain":
            thing = curtain(rng)
        elif kind == "poster":
            thing = poster(read_image(data / next(portraits)["image"])[0])
        else:
            thing = cut_out(read_image(data / files[stem])[0])
        result.append(furnished(read_image(data / files[room])[0], thing, kind, rng))
    return result


def cut_out(image: Pixels) -> Object:
    """What fills the image, without its surroundings (GrabCut, Rother et al. 2004)."""
    cv2.setRNGSeed(SEED)
    height, width = image.shape[:2]
    left, top = round(BORDER * width), round(BORDER * height)
    mask = np.zeros((height, width), np.uint8)
    models = np.zeros((2, 1, 65), np.float64)
    cv2.grabCut(
        image, mask, (left, top, width - 2 * left, height - 2 * top), models[0], models[1], 5, cv2.GC_INIT_WITH_RECT
    )
    inside = ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.float32)
    return image, np.asarray(cv2.GaussianBlur(inside, (0, 0), 1), np.float32)


def poster(image: Pixels) -> Object:
    """The image in a white frame."""
    side = round(0.04 * max(image.shape))
    framed = cv2.copyMakeBorder(image, side, side, side, side, cv2.BORDER_CONSTANT, value=(235, 240, 240))
    return framed.astype(np.uint8, copy=False), np.ones(framed.shape[:2], np.float32)


def curtain(rng: Generator) -> Object:
    """Vertical stripes of two colours, in folds."""
    height, width = VIEW[1], round(rng.uniform(0.22, 0.32) * VIEW[0])
    columns, stripe = np.arange(width), rng.uniform(14, 24)
    swing = 5 * np.sin(np.linspace(0, 3, height))[:, None]
    colours = rng.uniform(40, 220, (2, 3))
    striped = np.where((((columns + swing) // stripe) % 2)[..., None] > 0, colours[0], colours[1])
    folds = 1 + 0.25 * np.sin((columns + swing) * 2 * np.pi / rng.uniform(40, 70))
    pixels = np.clip(striped * folds[..., None], 0, 255).astype(np.uint8)
    return pixels, np.ones((height, width), np.float32)


def furnished(room: Pixels, thing: Object, kind: str, rng: Generator) -> Pixels:
    """The room at the size VIEW, with the object at one side of its middle."""
    scale = max(VIEW[0] / room.shape[1], VIEW[1] / room.shape[0])
    large = cv2.resize(room, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    y, x = (large.shape[0] - VIEW[1]) // 2, (large.shape[1] - VIEW[0]) // 2
    view = large[y : y + VIEW[1], x : x + VIEW[0]]
    pixels, alpha = thing
    size = VIEW[1] * (rng.uniform(*HEIGHT[kind]) if kind in HEIGHT else 1) / pixels.shape[0]
    middle = VIEW[0] * (0.5 + rng.uniform(*ASIDE) * (1 if rng.random() < 0.5 else -1))  # noqa: PLR2004 - a coin
    top = VIEW[1] - size * pixels.shape[0] if kind in STANDING else 0.05 * VIEW[1] * (kind in HEIGHT)
    place = np.array([[size, 0, middle - size * pixels.shape[1] / 2], [0, size, top]])
    opacity = cv2.warpAffine(alpha, place, VIEW, flags=cv2.INTER_AREA)[..., None]
    colours = cv2.warpAffine(pixels, place, VIEW, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return np.rint(colours * opacity + view * (1 - opacity)).astype(np.uint8)
