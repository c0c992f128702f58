"""How sure each cell of the clean plate is: what was seen as background long enough, and what must be forgotten.

A cell becomes valid when the final alpha, with a margin, has shown background for a while, and surer from then on. Two
errors must not confirm themselves. A person who was missed is learned as background: the plate then has the colours of
what is foreground, so such a cell is dropped. An object that was moved differs from the plate without end, and a
network that sees the difference may take it for a person: see ``plate_probe``.
"""

from math import exp
from typing import Final

import cv2
import numpy as np

from realtime_matte.frame import Alpha
from realtime_matte.render.box_filter import Bytes, Floats
from realtime_matte.render.jit import kernel, read_only, vector_loop
from realtime_matte.render.plate_fit import shifted_mask
from realtime_matte.render.plate_probe import Probe

SEEN_S: Final = np.float32(0.3)
"""A cell is valid after it was background for that long without a break: longer than a hand that is missed passes."""

SURE_S: Final = np.float32(1.0)
"""A cell is sure after that long; then its colour is the mean of several time constants."""

UNSURE, SURE = np.float32(50), np.float32(255)
"""Validity after SEEN_S and after SURE_S: the range that networks are trained with."""

FADE_S: Final = 1800.0
"""Time constant at which a covered cell becomes unsure: what stands behind a person is hardly ever moved."""

FORGET_RATE: Final = np.float32(3)
"""A cell whose plate has the colours of the foreground loses so many seconds in one: all within a third of a second."""

SAME: Final = np.float32(3 * 10**2)
"""Sum over the channels of the squared difference up to which the foreground has the colours of the plate."""

FLICKER_S: Final = 3.0
"""Time constant of the share of the time in which a visible cell differs from its colour, as a screen or a curtain."""

CALM: Final = np.float32(0.1)
"""Share up to which a cell is as sure as one that never differs."""

MAX_BACKGROUND: Final = np.float32(0.02)
"""Alpha up to which a cell is certainly background."""

REACH: Final = 3
"""A cell is background if its neighbours so far are: hair and motion blur reach so far."""

HALO: Final = 16
"""Marks left and right of a row: what a window needs of them, and so many that rows stay aligned."""

MAX_ELAPSED_S: Final = 0.2
"""A longer time between two frames says no more than this: what happened in between was not seen."""

WHOLE: Final = 0.95
"""Share of valid cells from which on networks are given the plate. A hole in it has the shape of who sat there, and a
network takes it for a person: what it once took for foreground beside them would stay foreground."""

STILL_WHOLE: Final = 0.9
"""Share down to which they are given it from then on."""

ZERO, UNIT = np.float32(0), np.float32(1)
NONE, ALL, INSIDE = np.uint8(0), np.uint8(255), np.uint64(HALO)


class Trust:
    """The validity of each cell of a grid of ``shape`` (h, w). Buffers are allocated once.

    Attributes:
        seconds: (h, w) float32, how long a cell was seen as background, up to SURE_S; below SEEN_S it is not valid.
        near: (h, w) uint8, not 0 where a person was near in the last frame.
        validity: (h, w) uint8, of the last frame.
        visible: (h, w) uint8, not 0 where a cell is valid and no person was near.
        any_valid: Whether a cell is valid.
        whole: Whether nearly all are, so that networks may see the plate.
        flicker: (h, w) float32, the share of the time in which a visible cell differed from its colour.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.seconds, self.flicker = np.zeros((2, *shape), np.float32)
        self.near = np.full(shape, 255, np.uint8)
        self.validity, self.visible = np.zeros((2, *shape), np.uint8)
        self.any_valid = self.whole = False
        self._marks = np.zeros(shape, np.uint8)
        self._rows = np.zeros(shape[1] + 2 * HALO, np.uint8), np.zeros(shape[1], np.uint8)
        self._probe = Probe(shape, valid_s=float(SEEN_S))

    def update(
        self,
        alpha: Alpha,
        planes: Bytes,
        colour: Floats,
        *,
        held: Floats,
        foreground: Bytes,
        elapsed_s: float,
        people: Alpha | None = None,
    ) -> None:
        """Learn from a frame.

        Args:
            alpha: (h, w), final: corrected and filtered over time.
            planes: (3, h, w), the frame.
            colour: (3, h, w), the plate.
            held: (h, w), above 0 where a visible cell differs from its colour at present.
            foreground: (h, w), not 0 where alpha is 1 for certain.
            elapsed_s: Seconds since the previous frame.
            people: As ``Matte.people``.
        """
        elapsed_s = min(elapsed_s, MAX_ELAPSED_S)
        find_people(alpha if people is None else read_only(people), alpha, self._marks)
        self.spread(self._marks, foreground, self.near)
        rates = np.float32(1 - exp(-elapsed_s / FLICKER_S)), np.float32(1 - exp(-elapsed_s / FADE_S))
        update_trust(
            read_only(self.near),
            read_only(foreground),
            read_only(planes),
            (colour, held),
            np.float32(elapsed_s),
            rates,
            (self.seconds, self.flicker),
            (self.validity, self.visible),
        )
        self._measure()
        tried = self._probe.running
        self._probe.update(alpha, planes[1], self.seconds, elapsed_s=elapsed_s)
        if tried or self._probe.running:
            cv2.bitwise_and(self.validity, self._probe.outside, dst=self.validity)

    def spread(self, marks: Bytes, foreground: Bytes, near: Bytes) -> None:
        """``near``: not 0 near a mark, and below certain foreground: a body reaches down, even if it is missed."""
        spread(read_only(marks), read_only(foreground), self._rows, near)

    def trust_all(self) -> None:
        """Every cell is sure."""
        self.seconds.fill(SURE_S)
        self.validity.fill(255)
        self.visible.fill(255)
        self.flicker.fill(0)
        self.near.fill(0)
        self._measure()

    def take(self, validity: Bytes) -> None:
        """Cells are as valid as given, (h, w) uint8."""
        sureness = (validity.astype(np.float32) - UNSURE) / (SURE - UNSURE)
        self.seconds[:] = np.where(validity > 0, SEEN_S + np.clip(sureness, 0, 1) * (SURE_S - SEEN_S), 0)
        self.validity[:] = validity
        self.visible[:] = np.where(validity > 0, np.uint8(255), np.uint8(0))
        self.near.fill(0)
        self._measure()

    def shift(self, shift: tuple[float, float]) -> None:
        """Everything is seen at another place."""
        for values in (self.seconds, self.flicker):
            values[:] = shifted_mask(values, shift)
        for mask in (self.validity, self.visible):
            mask[:] = shifted_mask(mask, shift)

    def reset(self) -> None:
        """No cell is valid."""
        self.seconds.fill(0)
        self.flicker.fill(0)
        self.validity.fill(0)
        self.visible.fill(0)
        self.near.fill(255)
        self.any_valid = self.whole = False
        self._probe.reset()

    def _measure(self) -> None:
        share = cv2.countNonZero(self.validity) / self.validity.size
        self.any_valid = share > 0
        self.whole = share >= (STILL_WHOLE if self.whole else WHOLE)


@kernel
def find_people(people: Floats, alpha: Floats, marks: Bytes) -> None:
    """``marks``: not 0 where one of both alphas shows a person; all (h, w)."""
    for y in range(alpha.shape[0]):
        _mark(people[y], alpha[y], marks[y])


@vector_loop
def _mark(people: Floats, alpha: Floats, marks: Bytes) -> None:
    for x in range(np.uint64(alpha.shape[0])):
        marks[x] = ALL if (people[x] >= MAX_BACKGROUND) | (alpha[x] >= MAX_BACKGROUND) else NONE


@kernel
def spread(marks: Bytes, foreground: Bytes, rows: tuple[Bytes, Bytes], near: Bytes) -> None:
    """``near``: not 0 up to REACH cells from a mark, and below the ``foreground``; all (h, w).

    ``rows``: of w and 2 HALO more values, all 0 in the HALO on both sides; and of w: scratch.
    """
    beside, columns = rows
    columns[:] = NONE
    last = near.shape[0] - 1
    for y in range(near.shape[0]):
        above, below = marks[max(y - 3, 0)], marks[min(y + 3, last)]
        inner = marks[max(y - 2, 0)], marks[max(y - 1, 0)], marks[y], marks[min(y + 1, last)], marks[min(y + 2, last)]
        _join(above, inner[0], inner[1], inner[2], inner[3], inner[4], below, beside)
        _widen(beside, foreground[y], columns, near[y])


@vector_loop
def _join(a: Bytes, b: Bytes, c: Bytes, d: Bytes, e: Bytes, f: Bytes, g: Bytes, joined: Bytes) -> None:
    for x in range(np.uint64(a.shape[0])):
        joined[x + INSIDE] = (a[x] | b[x]) | (c[x] | d[x]) | (e[x] | f[x]) | g[x]


@vector_loop
def _widen(beside: Bytes, foreground: Bytes, columns: Bytes, near: Bytes) -> None:
    for x in range(np.uint64(near.shape[0])):
        at = x + INSIDE
        left = beside[at - np.uint64(3)] | beside[at - np.uint64(2)] | beside[at - np.uint64(1)]
        right = beside[at + np.uint64(1)] | beside[at + np.uint64(2)] | beside[at + np.uint64(3)]
        columns[x] |= foreground[x]
        near[x] = left | beside[at] | right | columns[x]


@kernel
def update_trust(
    near: Bytes,
    foreground: Bytes,
    guide: Bytes,
    plate: tuple[Floats, Floats],
    elapsed: np.float32,
    rates: tuple[np.float32, np.float32],
    trust: tuple[Floats, Floats],
    result: tuple[Bytes, Bytes],
) -> None:
    """Update ``trust`` (seconds, flicker); ``result`` (validity, visible) is that of this frame.

    ``plate``: (colour, held). ``guide``: (3, h, w).
    """
    colour, held = plate
    seconds, flicker = trust
    validity, free = result
    flicker_rate, fade = rates
    for y in range(near.shape[0]):
        for x in range(near.shape[1]):
            visible, differs = near[y, x] == 0, held[y, x] > ZERO
            b = np.float32(guide[0, y, x]) - colour[0, y, x]
            g = np.float32(guide[1, y, x]) - colour[1, y, x]
            r = np.float32(guide[2, y, x]) - colour[2, y, x]
            same = (foreground[y, x] != 0) & (b * b + g * g + r * r <= SAME)
            before = seconds[y, x]
            covered = before - fade * (before - SEEN_S) - (FORGET_RATE * elapsed if same else ZERO)
            covered = covered if covered >= SEEN_S else ZERO
            grown = min(before + elapsed, SURE_S) if not differs else before
            after = grown if visible else covered
            seconds[y, x] = after
            target = UNIT if differs else ZERO
            flicker[y, x] += (flicker_rate if visible else ZERO) * (target - flicker[y, x])
            sureness = (after - SEEN_S) / (SURE_S - SEEN_S)
            restless = min(max(np.float32(2) * (flicker[y, x] - CALM), ZERO), UNIT)
            value = UNSURE + sureness * (UNIT - restless) * (SURE - UNSURE)
            validity[y, x] = np.uint8(value) if after >= SEEN_S else np.uint8(0)
            free[y, x] = np.uint8(255) if visible & (after >= SEEN_S) else np.uint8(0)
