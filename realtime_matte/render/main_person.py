"""The main person (``--only-me``): only the largest of the people in a matte who do not touch each other.

That person is followed by position, so that another person who passes behind changes nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Alpha, Frame, Matte
from realtime_matte.interfaces import Network, PlateNetwork, PlateView, RecurrentState
from realtime_matte.render.weak_regions import WeakRegions

Mask = NDArray[np.uint8]
"""(h, w), 255 or 0."""

MIN_ALPHA: Final = 0.3
"""Alpha from which a cell belongs to a region; fainter cells go with the nearest region."""

MIN_AREA: Final = 5e-4
"""Share of the grid: smaller regions are ignored and belong to the nearest larger one."""

PRESENCE_TIME_CONSTANT_S: Final = 2.0
"""Time constant of the running mean of the person's alpha."""

KNOWN_PRESENCE: Final = 0.1
"""Mean presence in a region from which it counts as the person who was followed."""

TAKEOVER_RATIO: Final = 1.5
"""A region with more than this many times the person's area replaces the person, after TAKEOVER_S."""

TAKEOVER_S: Final = 2.0
"""How long a region must be that large, or the person absent, before the largest region replaces the person."""

HAND_AREA, HAND_DISTANCE = 0.1, 0.15
"""A hand reaches the lower edge, has at most that share of the person's area, and is at most so far, in grid widths."""

PART_PRESENCE, PART_DISTANCE = 0.5, 0.06
"""A region with that mean presence, and no farther, is a part of the person: a head over something held up."""

TOUCH_DISTANCE: Final = 0.015
"""Any other region is a part of the person if it is no farther than that, in grid widths."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Connected cells.

    ``area``: number of cells; ``reaches_bottom``: they touch the lower edge; ``presence``: its mean, 0 to 1.
    """

    mask: Mask
    area: int
    reaches_bottom: bool
    presence: float


class MainPerson:
    """A network that keeps only the main person in the alpha of another ``network``; closes that network."""

    def __init__(self, network: Network) -> None:
        self.name = network.name
        self._network = network
        self._plate_network = network if isinstance(network, PlateNetwork) else None

    @property
    def provider(self) -> str:
        """The provider that runs the network."""
        return self._network.provider

    @property
    def notices(self) -> Sequence[str]:
        """The network's notices."""
        return self._network.notices

    @property
    def sees_plate(self) -> bool:
        """As ``PlateNetwork.sees_plate``, of the network."""
        return self._plate_network is not None and self._plate_network.sees_plate

    def process(
        self, frame: Frame, state: RecurrentState | None, plate: PlateView | None = None
    ) -> tuple[Matte, RecurrentState]:
        """The coarse matte of exactly this frame, overwritten by the next call."""
        inner, tracker = cast("tuple[RecurrentState | None, PersonTracker | None]", state or (None, None))
        if plate and self._plate_network and self._plate_network.sees_plate:
            matte, new_inner = self._plate_network.process(frame, inner, plate)
        else:
            matte, new_inner = self._network.process(frame, inner)
        if tracker is None or tracker.shape != matte.alpha.shape:
            tracker = PersonTracker(matte.alpha.shape)
        isolated = replace(matte, alpha=tracker.isolate(matte.alpha, frame.time), people=matte.alpha)
        return isolated, (new_inner, tracker)

    def close(self) -> None:
        """Close the network."""
        self._network.close()


class PersonTracker:
    """Follows one person through a shot, on a grid of ``shape`` (h, w)."""

    def __init__(self, shape: Sequence[int]) -> None:
        self.shape = shape
        self._confirmed = -math.inf  # time when the person was last present, and no region much larger
        self._updated = -math.inf  # time of the presence
        self._seen_at = math.inf  # time of the last frame
        self._weak_regions = WeakRegions(shape)
        self._presence = np.zeros(shape, np.float32)
        self._occupied, self._scratch = np.empty((2, *shape), np.uint8)
        self._masks: list[Mask] = []
        self._union: Mask = np.empty(shape, np.uint8)
        self._labels = np.empty(shape, np.int32)
        self._distances = np.empty((2, *shape), np.float32)
        self._isolated = np.empty(shape, np.float32)

    def isolate(self, alpha: Alpha, time: float) -> Alpha:
        """The person's alpha: ``alpha`` itself if no other region is there, 0 everywhere if only others are.

        A weak region is no person to choose, however large it is.
        """
        elapsed_s = max(0.0, time - self._seen_at)
        self._seen_at = time
        regions = self._find_regions(self._weak_regions.remove(alpha, elapsed_s))
        person = self._choose(regions, time)
        parts = self._parts(person, regions) if person else []
        others = [region for region in regions if region not in parts]
        self._update_presence(parts, time)
        return self._without(others, parts, alpha) if others else alpha

    def _find_regions(self, alpha: Alpha) -> list[Region]:
        cv2.inRange(alpha, MIN_ALPHA, 2.0, dst=self._occupied)
        count, _, stats, _ = cv2.connectedComponentsWithStats(self._occupied, labels=self._labels)
        regions = list[Region]()
        for label in range(1, count):
            _, top, _, height, area = (int(value) for value in stats[label])
            if area > MIN_AREA * alpha.size:
                mask = cast("Mask", cv2.inRange(self._labels, label, label, dst=self._mask(len(regions))))
                presence = cv2.mean(self._presence, mask=mask)[0] / 255
                regions.append(Region(mask, area, reaches_bottom=top + height == self.shape[0], presence=presence))
        return regions

    def _mask(self, index: int) -> Mask:
        """A buffer for a region's mask, allocated when there are so many regions for the first time."""
        while len(self._masks) <= index:
            self._masks.append(np.empty(self.shape, np.uint8))
        return self._masks[index]

    def _choose(self, regions: list[Region], time: float) -> Region | None:
        """The region to follow from now on; None while the person is absent."""
        known = [region for region in regions if region.presence > KNOWN_PRESENCE]
        person = max(known, key=lambda region: region.presence * region.area, default=None)
        largest = max(regions, key=lambda region: region.area, default=None)
        if person and largest and largest.area <= TAKEOVER_RATIO * person.area:
            self._confirmed = time
        elif largest and time - self._confirmed >= TAKEOVER_S:
            self._confirmed, self._updated = time, -math.inf
            return largest
        return person

    def _parts(self, person: Region, regions: list[Region]) -> list[Region]:
        """The ``person``, and the other regions that are near enough to be a part."""
        others = [region for region in regions if region is not person]
        if not others:
            return [person]
        distance = self._distance_to([person], 0)
        gaps = [cv2.minMaxLoc(distance, mask=region.mask)[0] for region in others]
        near = [region for region, gap in zip(others, gaps, strict=True) if gap < self._max_gap(region, person)]
        return [person, *near]

    def _max_gap(self, region: Region, person: Region) -> float:
        """How near, in cells, a region has to be to be a part of the person."""
        is_known = region.presence > PART_PRESENCE
        is_hand = region.reaches_bottom and region.area <= HAND_AREA * person.area
        return max(TOUCH_DISTANCE, is_known * PART_DISTANCE, is_hand * HAND_DISTANCE) * self.shape[1]

    def _update_presence(self, parts: list[Region], time: float) -> None:
        weight = 1 - math.exp(min(0.0, self._updated - time) / PRESENCE_TIME_CONSTANT_S)
        self._updated = time
        cv2.accumulateWeighted(self._union_of(parts), self._presence, weight)

    def _without(self, others: list[Region], parts: list[Region], alpha: Alpha) -> Alpha:
        """``alpha`` where a cell is nearer to the person's parts than to others; 0 everywhere if there are no parts."""
        self._isolated.fill(0)
        if parts:
            cv2.compare(self._distance_to(parts, 0), self._distance_to(others, 1), cv2.CMP_LE, dst=self._scratch)
            cv2.copyTo(alpha, self._scratch, self._isolated)
        return self._isolated

    def _distance_to(self, regions: list[Region], index: int) -> NDArray[np.float32]:
        """From each cell to the nearest of ``regions``, in cells; ``index``: of the buffer."""
        distance: NDArray[np.float32] = self._distances[index]
        cv2.distanceTransform(cv2.bitwise_not(self._union_of(regions), dst=self._scratch), cv2.DIST_L2, 3, dst=distance)
        return distance

    def _union_of(self, regions: list[Region]) -> Mask:
        self._union.fill(0)
        for region in regions:
            cv2.bitwise_or(self._union, region.mask, dst=self._union)
        return self._union
