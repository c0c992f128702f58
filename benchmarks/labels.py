"""Where the names of points go, so that none is written over another, a point or the rim."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

Point: TypeAlias = tuple[float, float]
Box: TypeAlias = tuple[float, float, float, float]
"""Left, bottom, right, top."""

SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1))
"""Right of the point, left of it, above, below: the first that is free is taken."""

AWAY, LETTER, LINE, DOT = 9.0, 7.2, 16.0, 6.0
"""Pixels: from a point to its name, a letter, a line of text, a point's radius."""


def sides(points: Mapping[str, Point], rim: Box) -> dict[str, tuple[int, int]]:
    """For each name, at its point in pixels, the side of it that is least in the way of others, inside the ``rim``."""
    taken = [(x - DOT, y - DOT, x + DOT, y + DOT) for x, y in points.values()]
    found = {}
    for name, point in points.items():
        boxes = {side: _box(point, side, len(name)) for side in SIDES}
        found[name] = min(SIDES, key=lambda side: _cost(boxes[side], taken, rim))
        taken.append(boxes[found[name]])
    return found


def _box(point: Point, side: tuple[int, int], letters: int) -> Box:
    (x, y), width = point, letters * LETTER
    middle = x + side[0] * (AWAY + width / 2), y + side[1] * (AWAY + LINE / 2)
    return middle[0] - width / 2, middle[1] - LINE / 2, middle[0] + width / 2, middle[1] + LINE / 2


def _cost(box: Box, taken: Iterable[Box], rim: Box) -> float:
    outside = (box[2] - box[0]) * (box[3] - box[1]) - _shared(box, rim)
    return outside + sum(_shared(box, one) for one in taken)


def _shared(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)
