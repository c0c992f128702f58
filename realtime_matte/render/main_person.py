"""One person alone: of the people in a matte who do not touch, the one who takes most of the picture.

That one is followed by place, so that somebody who comes and goes behind changes nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Alpha, Frame, Matte
from realtime_matte.interfaces import RecurrentState
from realtime_matte.models.around import Around

Cells = NDArray[np.uint8]
"""(h, w), 255 where something is, else 0."""

SOMEBODY: Final = 0.3
"""Alpha from which a cell belongs to somebody; what is fainter goes with whom it is next to."""

CRUMB: Final = 5e-4
"""Of the grid: smaller regions are nobody, and go with whom they are next to."""

MEMORY_S: Final = 2.0
"""Time constant of the average that remembers where the person was."""

KNOWN: Final = 0.1
"""Mean memory in a region from which it is the person who was followed."""

LARGER, PATIENCE_S = 1.5, 2.0
"""Somebody so much larger takes over after so long; so does whoever is there when the person has left."""

HAND, ARM = 0.1, 0.15
"""A hand comes from below, has at most that part of the person's area, and is so near, in widths of the grid."""

OWN, APART = 0.5, 0.06
"""What has that mean memory has long been the person's, and so near still is: a head over something held up."""

TOUCH: Final = 0.015
"""All else touches the person, within that part of the grid's width, or is somebody else's."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Cells that hang together.

    ``area``: how many; ``below``: they reach the lower edge; ``memory``: how well their place is remembered, 0 to 1.
    """

    cells: Cells
    area: int
    below: bool
    memory: float


class MainPerson(Around):
    """The same network with the foremost person's alpha alone."""

    def process(self, frame: Frame, state: RecurrentState | None) -> tuple[Matte, RecurrentState]:
        """The coarse matte of exactly this frame, overwritten by the next call."""
        inner, follower = cast("tuple[RecurrentState | None, Follower | None]", state or (None, None))
        matte, after = self.network.process(frame, inner)
        if follower is None or follower.shape != matte.alpha.shape:
            follower = Follower(matte.alpha.shape)
        return replace(matte, alpha=follower.alone(matte.alpha, frame.time)), (after, follower)


class Follower:
    """Follows one person through a shot, on a grid of ``shape`` (h, w)."""

    def __init__(self, shape: Sequence[int]) -> None:
        self.shape = shape
        self._settled = -math.inf  # when the person was last there, with nobody much larger
        self._remembered = -math.inf  # when the memory was last brought up to date
        self._memory = np.zeros(shape, np.float32)
        self._somebody, self._near = np.empty((2, *shape), np.uint8)
        self._places: list[Cells] = []
        self._united: Cells = np.empty(shape, np.uint8)
        self._labels = np.empty(shape, np.int32)
        self._distances = np.empty((2, *shape), np.float32)
        self._alone = np.empty(shape, np.float32)

    def alone(self, alpha: Alpha, time: float) -> Alpha:
        """The person's alpha: the given one where nobody else is there, all 0 where only others are."""
        regions = self._regions(alpha)
        person = self._followed(regions, time)
        mine = self._parts(person, regions) if person else []
        others = [one for one in regions if one not in mine]
        self._remember(mine, time)
        return self._without(others, mine, alpha) if others else alpha

    def _regions(self, alpha: Alpha) -> list[Region]:
        cv2.inRange(alpha, SOMEBODY, 2.0, dst=self._somebody)
        count, _, stats, _ = cv2.connectedComponentsWithStats(self._somebody, labels=self._labels)
        found = list[Region]()
        for label in range(1, count):
            _, top, _, height, area = (int(figure) for figure in stats[label])
            if area > CRUMB * alpha.size:
                cells = cast("Cells", cv2.inRange(self._labels, label, label, dst=self._place(len(found))))
                memory = cv2.mean(self._memory, mask=cells)[0] / 255
                found.append(Region(cells, area, below=top + height == self.shape[0], memory=memory))
        return found

    def _place(self, index: int) -> Cells:
        """Where a region's cells are written: made when there are so many for the first time."""
        while len(self._places) <= index:
            self._places.append(np.empty(self.shape, np.uint8))
        return self._places[index]

    def _followed(self, regions: list[Region], time: float) -> Region | None:
        """Who is followed from now on; None while that one is away."""
        known = [one for one in regions if one.memory > KNOWN]
        person = max(known, key=lambda one: one.memory * one.area, default=None)
        largest = max(regions, key=lambda one: one.area, default=None)
        if person and largest and largest.area <= LARGER * person.area:
            self._settled = time
        elif largest and time - self._settled >= PATIENCE_S:
            self._settled, self._remembered = time, -math.inf
            return largest
        return person

    def _parts(self, person: Region, regions: list[Region]) -> list[Region]:
        """The ``person``, and what of the others is so near as to be a part."""
        others = [one for one in regions if one is not person]
        if not others:
            return [person]
        distance = self._distance([person], 0)
        gaps = [cv2.minMaxLoc(distance, mask=one.cells)[0] for one in others]
        near = [one for one, gap in zip(others, gaps, strict=True) if gap < self._reach(one, person)]
        return [person, *near]

    def _reach(self, region: Region, person: Region) -> float:
        """So near, in cells, a region is a part of the person."""
        own = region.memory > OWN
        hand = region.below and region.area <= HAND * person.area
        return max(TOUCH, own * APART, hand * ARM) * self.shape[1]

    def _remember(self, mine: list[Region], time: float) -> None:
        share = 1 - math.exp(min(0.0, self._remembered - time) / MEMORY_S)
        self._remembered = time
        cv2.accumulateWeighted(self._union(mine), self._memory, share)

    def _without(self, others: list[Region], mine: list[Region], alpha: Alpha) -> Alpha:
        """Where it is nearer to what is the person's than to others; all 0 where nothing is."""
        self._alone.fill(0)
        if mine:
            cv2.compare(self._distance(mine, 0), self._distance(others, 1), cv2.CMP_LE, dst=self._near)
            cv2.copyTo(alpha, self._near, self._alone)
        return self._alone

    def _distance(self, regions: list[Region], place: int) -> NDArray[np.float32]:
        """From each cell to the nearest of ``regions``, in cells."""
        distance: NDArray[np.float32] = self._distances[place]
        cv2.distanceTransform(cv2.bitwise_not(self._union(regions), dst=self._near), cv2.DIST_L2, 3, dst=distance)
        return distance

    def _union(self, regions: list[Region]) -> Cells:
        self._united.fill(0)
        for one in regions:
            cv2.bitwise_or(self._united, one.cells, dst=self._united)
        return self._united
