"""The clean plate: the background as the camera saw it without the person. It corrects alpha at edges in front of it.

A running Gaussian for each cell of the coarse grid, as in Wren et al. 1997 (Pfinder), of its colours while it was
certainly background. A covered cell keeps its colour, scaled by the change of light that visible cells show. The plate
itself is never shown: it corrects alpha near edges, where the foreground covers a cell that was visible before, and it
is given to networks that see it, fitted to each frame.

For those networks more is at stake, as they take what differs from the plate for the person. So from the first frame of
such a network on, a visible cell that suddenly differs keeps its colour for HOLD_S, a cell beside a person keeps it
altogether, and ``plate_trust`` decides which cells are valid. Networks see the plate once nearly all of it is valid.
"""

from math import exp
from typing import Final, TypeAlias

import cv2
import numpy as np

from realtime_matte.frame import Alpha, Pixels, PlateImage
from realtime_matte.interfaces import PlateView
from realtime_matte.render.box_filter import BoxFilter, Bytes, Floats, find_runs, make_runs
from realtime_matte.render.edge_model import (
    HALO,
    SAMPLE_STEP,
    SAMPLE_VALUES,
    Plate,
    apply_correction,
    find_correction,
    find_spans,
    sample,
    sample_edge,
)
from realtime_matte.render.jit import kernel, read_only, vector_loop
from realtime_matte.render.plate_cells import PlateCells
from realtime_matte.render.plate_fit import (
    MIN_SAMPLES,
    Comparison,
    PlateFit,
    has_changed,
    may_have_moved,
    shifted,
    shifted_mask,
)
from realtime_matte.render.plate_light import LIGHT_ROWS, update_light
from realtime_matte.render.plate_trust import REACH, SEEN_S, Trust
from realtime_matte.render.stored_plate import PlateOrigin, StoredPlate

HOLD_S: Final = 0.5
"""A visible cell that differs from its colour takes the new one after this time: what a network misses for a moment
does not become background."""

SEARCH_EVERY_S: Final = 0.5
"""Least time between two searches for a shift that were in vain."""

LIGHT_STEP: Final = 0.03
"""A change of the light between two frames from which on the plate itself is scaled, not only what the network sees."""

TIME_CONSTANT_S: Final = 0.3
"""Time constant of the running mean and variance of a visible cell."""

REFERENCE_TIME_CONSTANT_S: Final = 10.0
"""After this time, a cell whose light changed unlike the others' has a new reference colour and is measured again."""

MAX_JUMPED: Final = 0.2
"""If a larger share of the visible background jumps, light or camera changed: covered cells are forgotten."""

NEIGHBOURHOOD_RADIUS: Final = 4
"""Half the window, in samples, over which they are averaged."""

ZERO, UNIT = np.float32(0), np.float32(1)

JUMP: Final = np.float32(20**2)
"""A mean square change of colour, of 255, that is neither noise nor a fading lamp."""

INITIAL_VARIANCE: Final = np.float32(3**2)
"""Variance of a cell that was seen once."""

Hold: TypeAlias = tuple[Bytes, Floats, Floats, tuple[np.float32, np.float32, np.float32]]
"""(wide, held, seconds, (hold_s, elapsed_s, seen_s)), all (h, w): not 0 where a person is near or above; for how long a
visible cell has differed from its colour; for how long it was background. With a ``hold_s`` of 0 nothing is held."""

ROWS: Final = 8
"""Rows of numbers for one row of cells: two for any use, and two sums for each channel."""


class CleanPlate:
    """The clean plate of one shot, for coarse alphas of ``shape`` (h, w). Buffers are allocated once.

    ``revealed``: the share of the image that is certainly foreground, in the colours of the plate, in the last frame.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        rows, columns = (-(-length // SAMPLE_STEP) for length in shape)
        self._colour = np.zeros((3, *shape), np.float32)
        self._planes = np.zeros((3, *shape), np.uint8)
        self._rows = np.zeros((ROWS, shape[1]), np.float32)
        self._variance = np.zeros(shape, np.float32)
        self._known = np.zeros(shape, np.uint8)
        self._cells = PlateCells(shape)
        self._samples = np.zeros((rows, columns, SAMPLE_VALUES), np.float32)
        self._sampled_edge = np.zeros((rows, columns), np.uint8)
        self._spans = np.zeros((rows, 2), np.int64)
        self._edge_runs = make_runs((rows, columns))
        self._neighbourhoods = BoxFilter(self._samples.shape, NEIGHBOURHOOD_RADIUS)
        self.revealed = 0.0
        self._change, self._corrected = np.zeros((2, *shape), np.float32)
        self._sums = np.zeros(shape[1] + 2 * HALO, np.float32)
        marks = np.zeros(-(-shape[1] // 8) * 8, np.uint8)
        self._marks = marks, marks.view(np.uint64)
        self._reference = np.zeros((3, -(-shape[0] // LIGHT_ROWS), shape[1]), np.float32)
        self._gain, self._step = np.ones((2, 3), np.float32)
        self._wide = np.zeros(shape, np.uint8)
        self._held = np.zeros(shape, np.float32)
        self._trust = Trust(shape)
        self._fit = PlateFit(shape)
        self._fitted_planes = np.zeros((3, *shape), np.uint8)
        self._seen_by_network = self._hidden = False
        self._next_search_s = 0.0
        self._stored: StoredPlate | None = None  # tried in every shot
        self._pending = False  # whether it is, in this one

    def fit(self, guide: Pixels, out: PlateImage) -> bool:
        """As ``PlateView.fit``: the light of this frame, and the camera's place if it was moved."""
        self._seen_by_network = True
        if self._pending and not self._hidden:
            self._try_stored(guide)
        if self._hidden or not self._trust.any_valid:
            return False
        found = self._fit.light(guide, self._colour, self._trust.visible)
        if may_have_moved(found) and (has_changed(found) or self._next_search_s <= 0):
            if not self._follow_camera(guide, found):
                return False
            found = self._fit.light(guide, self._colour, self._trust.visible)
        gain = found.gain
        if max(abs(factor - 1) for factor in gain) > LIGHT_STEP:
            self._change_light(np.array(gain, np.float32))
            gain = 1.0, 1.0, 1.0
        if not self._trust.whole:
            return False
        for channel, factor, plane in zip(self._colour, gain, self._fitted_planes, strict=True):
            cv2.convertScaleAbs(channel, dst=plane, alpha=factor)
        cv2.merge(list(self._fitted_planes), dst=out.colours)
        np.copyto(out.validity, self._trust.validity)
        return True

    @property
    def moving(self) -> float:
        """The share of the cells of the last frame that differ from what they were."""
        return cv2.countNonZero(self._held) / self._held.size

    @property
    def known(self) -> float:
        """The share of the cells that is valid."""
        return cv2.countNonZero(self._trust.validity) / self._trust.validity.size

    @property
    def pending(self) -> bool:
        """Whether a plate that was proposed has fitted no frame of this shot yet."""
        return self._pending

    def propose(self, stored: StoredPlate | None) -> None:
        """Take over a plate at the first frame that it fits, of this shot and of each one after; None: no longer."""
        self._stored = stored and stored.on_grid(self._known.shape)
        self._pending = stored is not None

    def export(self, origin: PlateOrigin) -> StoredPlate:
        """A copy, to be kept."""
        colours = np.clip(np.rint(self._colour), 0, 255).astype(np.uint8).transpose(1, 2, 0)
        return StoredPlate(np.ascontiguousarray(colours), self._trust.validity.copy(), origin)

    def hide(self, *, hidden: bool) -> None:
        """Do not give the plate to the network, or again; it is learned nevertheless."""
        self._hidden = hidden

    def trust_frame(self) -> None:
        """There was no person in the last frames: every cell is known and sure."""
        missing = (self._known == 0) | (self._cells.near != 0)
        measured = missing[::LIGHT_ROWS]
        for plane, colour, reference, gain in zip(self._planes, self._colour, self._reference, self._gain, strict=True):
            colour[missing] = plane[missing]
            reference[measured] = colour[::LIGHT_ROWS][measured] / gain
        self._variance[missing] = INITIAL_VARIANCE
        self._known.fill(1)
        self._held.fill(0)
        self._trust.trust_all()
        self._pending = False

    def install(self, guide: Pixels, plate: PlateView) -> bool:
        """Take over a plate that is known, as valid as it says. Whether anything is known."""
        image = PlateImage(np.zeros_like(guide), np.zeros(guide.shape[:2], np.uint8))
        if not plate.fit(guide, image):
            return False
        self._take(image.colours.transpose(2, 0, 1), image.validity)
        self._seen_by_network = True
        return True

    def learn(self, alpha: Alpha, elapsed_s: float, *, people: Alpha | None = None) -> None:
        """Learn which cells are valid from the final ``alpha`` of the frame that was corrected last.

        ``people``: as ``Matte.people``.
        """
        if self._seen_by_network:
            self._next_search_s -= elapsed_s
            self._trust.update(
                read_only(alpha),
                self._planes,
                self._colour,
                held=self._held,
                foreground=self._cells.foreground,
                elapsed_s=elapsed_s,
                people=people,
            )

    def correct(self, alpha: Alpha, guide: Pixels, elapsed_s: float, *, people: Alpha | None = None) -> Alpha:
        """Update the plate, and correct the edges of ``alpha`` by it.

        Args:
            alpha: (h, w).
            guide: (h, w, 3), the frame on that grid.
            elapsed_s: Seconds since the previous frame.
            people: As ``Matte.people``.

        Returns:
            (h, w), overwritten by the next call.
        """
        guide, alpha = read_only(guide), read_only(alpha)
        self._cells.find(alpha, people)
        near, foreground, edge = self._cells.near, self._cells.foreground, self._cells.edge
        plate = self._colour, self._variance, self._known
        self._update(guide, plate, elapsed_s)
        sample_edge(edge, self._sampled_edge)
        find_runs(self._sampled_edge, self._edge_runs)
        find_spans(self._edge_runs, NEIGHBOURHOOD_RADIUS, self._spans)
        self.revealed = sample(guide, foreground, plate, self._change, self._spans, self._samples)
        means = self._neighbourhoods.average(self._samples, self._edge_runs)
        find_correction(alpha, guide, (near, edge), plate, read_only(means), self._marks, self._change)
        apply_correction(alpha, edge, self._change, self._sums, self._corrected)
        return self._corrected

    def reset(self) -> None:
        """Forget the plate."""
        self._known.fill(0)
        self._gain.fill(1)
        self._step.fill(1)
        self._held.fill(0)
        self._trust.reset()
        self._pending = self._stored is not None

    def _take(self, planes: Pixels, validity: Bytes) -> None:
        """Forget the plate for another one; ``planes``: (3, h, w)."""
        self.reset()
        self._colour[:] = planes
        self._reference[:] = self._colour[:, ::LIGHT_ROWS]
        self._known[:] = validity > 0
        self._variance.fill(INITIAL_VARIANCE)
        self._trust.take(validity)

    def _try_stored(self, guide: Pixels) -> None:
        """Take over the plate that was proposed, if the frame fits it in some light, at some place. Allocates."""
        assert self._stored  # noqa: S101
        planes, validity = self._stored.colours.transpose(2, 0, 1), self._stored.validity
        colour = np.ascontiguousarray(planes, np.float32)
        visible = np.where(validity > 0, np.uint8(255), np.uint8(0))
        found = self._fit.light(guide, colour, visible)
        if found.samples < MIN_SAMPLES:
            return
        if has_changed(found) and self._fit.find_shift(guide, colour, visible, found) is None:
            return
        self._take(planes, validity)
        self._pending = False

    def _follow_camera(self, guide: Pixels, found: Comparison) -> bool:
        """Move the plate with the camera, or forget it if no shift explains the change. Whether anything is known."""
        shift = self._fit.find_shift(guide, self._colour, self._trust.visible, found)
        if shift is None:
            if has_changed(found):
                self.reset()
                return False
            self._next_search_s = SEARCH_EVERY_S
            return True
        for channel in (*self._colour, self._variance, self._held):
            channel[:] = shifted(channel, shift)
        self._reference[:] = self._colour[:, ::LIGHT_ROWS] / self._gain[:, None, None]
        self._known[:] = shifted_mask(self._known, shift)
        self._trust.shift(shift)
        return True

    def _change_light(self, gain: Floats) -> None:
        """The light has jumped: also what is covered is in the new one."""
        self._colour *= gain[:, None, None]
        self._gain *= gain

    def _update(self, guide: Pixels, plate: Plate, elapsed_s: float) -> None:
        time_constants = TIME_CONSTANT_S, REFERENCE_TIME_CONSTANT_S
        weight, reference_weight = (np.float32(1 - exp(-elapsed_s / constant_s)) for constant_s in time_constants)
        cv2.split(guide, list(self._planes))
        planes, near, rows = read_only(self._planes), self._cells.near, self._rows
        held = self._seen_by_network
        if held:
            cv2.dilate(near, REACH, dst=self._wide)
            self._trust.extend_down(self._cells.foreground, self._wide)
        times = np.float32(HOLD_S if held else 0), np.float32(elapsed_s), SEEN_S
        hold = self._wide, self._held, self._trust.seconds, times
        jumped = update_plate(planes, near, weight, plate, self._step, rows, self._change, hold)
        if jumped > MAX_JUMPED and not held:  # otherwise ``fit`` has found it, before the network
            self._known[near != 0] = 0
        light = self._reference, self._gain, self._step
        update_light(near, reference_weight, plate, self._change, light, rows)


@kernel
def update_plate(
    guide: Bytes, near: Bytes, weight: np.float32, plate: Plate, step: Floats, rows: Floats, change: Floats, hold: Hold
) -> float:
    """Update the ``plate`` where the background is visible (``near`` is 0), by ``weight``. ``guide``: (3, h, w).

    ``change`` (h, w) becomes the mean square change of known cells that are visible, -1 elsewhere. Covered cells are
    multiplied by ``step``, a factor for each channel.

    Returns:
        The share of the known and visible cells that jumped; 0 if there are hardly any.
    """
    colour, variance, known = plate
    wide, held, seconds, times = hold
    rates, squares = rows[0], rows[1]
    jumped, count = np.int32(0), np.int32(0)
    blue, green, red = colour[0], colour[1], colour[2]
    for y in range(near.shape[0]):
        _compare(
            guide[0, y], guide[1, y], guide[2, y], blue[y], green[y], red[y], near[y], known[y], weight, rates, squares
        )
        if times[0] > ZERO:
            _hold_rates(near[y], wide[y], known[y], squares, times, held[y], seconds[y], rates)
        for c in range(3):
            _move_colour(guide[c, y], near[y], rates, step[c], colour[c, y])
        visible, jumps = _move_variance(near[y], known[y], rates, squares, variance[y], change[y])
        count, jumped = count + visible, jumped + jumps
    return jumped / count if count > near.shape[0] * near.shape[1] // 100 else 0.0


@vector_loop
def _compare(
    b: Bytes,
    g: Bytes,
    r: Bytes,
    blue: Floats,
    green: Floats,
    red: Floats,
    near: Bytes,
    known: Bytes,
    weight: np.float32,
    rates: Floats,
    squares: Floats,
) -> None:
    """The mean square change of each cell of a row, and by how much it moves to its new colour.

    At once if it is seen for the first time. ``b``, ``g``, ``r``: the frame's row; ``blue``, ``green``, ``red``: the
    plate's.
    """
    for x in range(np.uint64(near.shape[0])):
        of_b, of_g, of_r = np.float32(b[x]) - blue[x], np.float32(g[x]) - green[x], np.float32(r[x]) - red[x]
        squares[x] = (of_b * of_b + of_g * of_g + of_r * of_r) * np.float32(1 / 3)
        rate = weight if known[x] != 0 else UNIT
        rates[x] = rate if near[x] == 0 else ZERO


@vector_loop
def _hold_rates(
    near: Bytes,
    wide: Bytes,
    known: Bytes,
    squares: Floats,
    times: tuple[np.float32, np.float32, np.float32],
    held: Floats,
    seconds: Floats,
    rates: Floats,
) -> None:
    """Cells of a row that differ, or are valid and beside a person, keep their colour; ``held`` and ``seconds`` follow.

    The rate of cells beside a person is -1: they are treated as covered ones, which follow the light.
    Any other cell that has differed for long takes its new colour at once, and has to be seen again to be valid.
    """
    hold_s, elapsed_s, seen_s = times
    for x in range(np.uint64(near.shape[0])):
        visible = (near[x] == 0) & (known[x] != 0)
        differs = visible & (squares[x] > JUMP)
        longer = held[x] + elapsed_s if differs else ZERO
        beside = (wide[x] != 0) & (seconds[x] >= seen_s) & visible
        adopts = (longer >= hold_s) & (not beside)
        held[x] = ZERO if adopts else longer
        seconds[x] = ZERO if adopts else seconds[x]
        rate = ZERO if differs else rates[x]
        rates[x] = UNIT if adopts else (-UNIT if beside else rate)


@vector_loop
def _move_colour(guide: Bytes, near: Bytes, rates: Floats, step: np.float32, colour: Floats) -> None:
    """Update one channel of a row."""
    for x in range(np.uint64(near.shape[0])):
        old = colour[x]
        covered = (near[x] != 0) | (rates[x] < ZERO)
        colour[x] = old * step if covered else old + rates[x] * (np.float32(guide[x]) - old)


@vector_loop
def _move_variance(
    near: Bytes, known: Bytes, rates: Floats, squares: Floats, variance: Floats, change: Floats
) -> tuple[np.int32, np.int32]:
    """Update the variance of a row, and what is known. Returns how many cells are known and visible, and jumped."""
    count, jumped = np.int32(0), np.int32(0)
    for x in range(np.uint64(near.shape[0])):
        visible = (near[x] == 0) & (known[x] != 0)
        square = squares[x]
        variance[x] += max(rates[x], ZERO) * (
            (square if visible & (rates[x] < UNIT) else INITIAL_VARIANCE) - variance[x]
        )
        change[x] = square if visible else -UNIT
        count += np.int32(visible)
        jumped += np.int32(visible & (square > JUMP))
        known[x] |= near[x] == 0
    return count, jumped
