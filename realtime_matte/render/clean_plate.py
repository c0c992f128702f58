"""The clean plate: the background as the camera saw it without the person. It corrects alpha at edges in front of it.

It holds the colour and variance of each cell of the coarse grid (``plate_colour``). The plate itself is never shown: it
corrects alpha near edges, where the foreground covers a cell that was visible before, and it is given to networks that
see it, fitted to each frame.

For those networks more is at stake, as they take what differs from the plate for the person. So from the first frame of
such a network on, a visible cell that suddenly differs keeps its colour for HOLD_S, a cell beside a person keeps it
altogether, and ``plate_trust`` decides which cells are valid. Networks see the plate once nearly all of it is valid,
and ``plate_difference`` then decides where they are unsure; until then it only corrects edges. It is compared and
updated every LEARN_S, and with a frame in which much changes.
"""

from math import exp
from typing import Final

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
from realtime_matte.render.jit import read_only
from realtime_matte.render.plate_cells import PlateCells
from realtime_matte.render.plate_colour import INITIAL_VARIANCE, LIGHT_STEP, JumpDetector, update_plate
from realtime_matte.render.plate_difference import PlateDifference
from realtime_matte.render.plate_evidence import PlateEvidence
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
from realtime_matte.render.plate_trust import SEEN_S, Trust
from realtime_matte.render.stillness import Stillness
from realtime_matte.render.stored_plate import PlateOrigin, StoredPlate

HOLD_S: Final = 0.5
"""A visible cell that differs from its colour takes the new one after this time: what a network misses for a moment
does not become background."""

LEARN_S: Final = 0.06
"""Where nothing jumps, it is compared and updated once in this time: its time constants are longer."""

SEARCH_EVERY_S: Final = 0.5
"""Least time between two searches for a shift that were in vain."""

SEARCH_EVERY_UNUSED_S: Final = 2.0
"""The same while no network is given the plate."""

TIME_CONSTANT_S: Final = 0.3
"""Time constant of the running mean and variance of a visible cell."""

REFERENCE_TIME_CONSTANT_S: Final = 10.0
"""After this time, a cell whose light changed unlike the others' has a new reference colour and is measured again."""

MAX_JUMPED: Final = 0.2
"""If a larger share of the visible background jumps, light or camera changed: covered cells are forgotten."""

NEIGHBOURHOOD_RADIUS: Final = 4
"""Half the window, in samples, over which they are averaged."""

ROWS: Final = 8
"""Rows of numbers for one row of cells: two for any use, and two sums for each channel."""


class CleanPlate:
    """The clean plate of one shot, for coarse alphas of ``shape`` (h, w). Buffers are allocated once.

    ``revealed``: the share of the image that is certainly foreground, in the colours of the plate, in the last frame.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.revealed = 0.0
        # The plate, cell by cell
        self._colour = np.zeros((3, *shape), np.float32)
        self._variance = np.zeros(shape, np.float32)
        self._known = np.zeros(shape, np.uint8)
        self._held = np.zeros(shape, np.float32)  # for how long a visible cell has differed, s
        self._adopted = np.zeros(shape, np.uint8)  # not 0 where it has taken another colour since it was looked at
        self._reference = np.zeros((3, -(-shape[0] // LIGHT_ROWS), shape[1]), np.float32)  # colours at a gain of 1
        self._gain, self._step = np.ones((2, 3), np.float32)  # the light since then, and its change in this frame
        # Who judges it
        self._cells = PlateCells(shape)
        self._trust = Trust(shape)
        self._evidence = PlateEvidence(shape)
        self._difference = PlateDifference(shape)
        self._stillness = Stillness(shape)
        self._fit = PlateFit(shape)
        # Edges: samples of the neighbourhood, and the correction
        rows, columns = (-(-length // SAMPLE_STEP) for length in shape)
        self._samples = np.zeros((rows, columns, SAMPLE_VALUES), np.float32)
        self._sampled_edge = np.zeros((rows, columns), np.uint8)
        self._spans = np.zeros((rows, 2), np.int64)
        self._edge_runs = make_runs((rows, columns))
        self._neighbourhoods = BoxFilter(self._samples.shape, NEIGHBOURHOOD_RADIUS)
        self._change, self._correction, self._corrected = np.zeros((3, *shape), np.float32)
        # Scratch
        self._planes = np.zeros((3, *shape), np.uint8)  # the frame
        self._fitted_planes = np.zeros((3, *shape), np.uint8)
        # The plate as networks are given it: in the light of the last frame that was compared
        self._given = PlateImage(np.zeros((*shape, 3), np.uint8), self._trust.validity)
        self._outdated = True  # whether that is not this plate
        self._wide = np.zeros(shape, np.uint8)
        self._rows = np.zeros((ROWS, shape[1]), np.float32)
        self._sums = np.zeros(shape[1] + 2 * HALO, np.float32)
        marks = np.zeros(-(-shape[1] // 8) * 8, np.uint8)
        self._marks = marks, marks.view(np.uint64)
        # When it is compared and learned
        self._seen_by_network = self._hidden = False
        self._next_search_s = 0.0
        self._unlearned_s, self._learned_s = LEARN_S, 0.0
        self._learns = False  # from this frame
        self._due = True  # to be compared with the next frame, which it learns from
        self._jump_detector = JumpDetector(shape[1])
        # Before this frame was corrected: whether it was compared, and whether jumps were looked for
        self._followed = self._looked = False
        self._shift = 0.0, 0.0  # of the last frame that was fitted
        # A plate from a file
        self._stored: StoredPlate | None = None  # tried in every shot
        self._pending = False  # whether it is, in this one

    def fit(self, guide: Pixels, out: PlateImage) -> bool:
        """As ``PlateView.fit``: the light of this frame, and the camera's place if it was moved."""
        self._seen_by_network = True
        if self._pending and not self._hidden:
            self._try_stored(guide)
        if not self._may_follow:
            return False
        if self._due or (self._trust.whole and (self._outdated or self._jumps(guide))):
            gain = self._follow(guide)
            self._outdated = not self._trust.whole
            if self._trust.whole:
                for channel, factor, plane in zip(self._colour, gain, self._fitted_planes, strict=True):
                    cv2.convertScaleAbs(channel, dst=plane, alpha=factor)
                cv2.merge(list(self._fitted_planes), dst=self._given.colours)
        if not self._trust.whole:
            return False
        np.copyto(out.colours, self._given.colours)
        np.copyto(out.validity, self._given.validity)
        return True

    @property
    def moving(self) -> float:
        """The share of the cells of the last frame that differ from what they were."""
        return cv2.countNonZero(self._held) / self._held.size

    @property
    def decides(self) -> bool:
        """Whether it decides where the network is unsure: nearly all of it is valid."""
        return self._trust.whole and not (self._outdated or self._hidden)

    @property
    def still_s(self) -> float:
        """For how long what is taken for a person has not moved, while the plate is hidden."""
        return self._stillness.seconds

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
        self._stillness.reset()

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
        self._adopted.fill(0)
        self._trust.trust_all()
        self._evidence.confirm(confirmed=True)
        self._pending, self._outdated = False, True

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
        if self._hidden:
            self._stillness.update(alpha if people is None else people, self._planes[1], elapsed_s)
        if self._seen_by_network and self._learns:
            self._trust.update(
                read_only(alpha),
                self._planes,
                self._colour,
                held=self._held,
                foreground=self._cells.foreground,
                elapsed_s=self._learned_s,
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
        if not self._hidden:
            plate_seen = self._colour, self._trust.seconds, self._adopted
            alpha = self._evidence.remove(alpha, guide, plate_seen, elapsed_s, shift=self._shift)
        guide, alpha = read_only(guide), read_only(alpha)
        self._cells.find(alpha, people)
        near, foreground, edge = self._cells.near, self._cells.foreground, self._cells.edge
        plate = self._colour, self._variance, self._known
        self._unlearned_s += elapsed_s
        self._next_search_s -= elapsed_s
        always = not self._seen_by_network or self._hidden
        jumps = self._followed or (not self._looked and self._follow_jumps(guide))
        self._learns = jumps or always or self._unlearned_s >= LEARN_S
        self._followed = self._looked = False
        if self._learns:
            self._learned_s, self._unlearned_s = self._unlearned_s, 0.0
            self._update(guide, plate, self._learned_s)
        self._due = self._unlearned_s + elapsed_s >= LEARN_S
        sample_edge(edge, self._sampled_edge)
        find_runs(self._sampled_edge, self._edge_runs)
        find_spans(self._edge_runs, NEIGHBOURHOOD_RADIUS, self._spans)
        self.revealed = sample(guide, foreground, plate, self._change, self._spans, self._samples)
        means = self._neighbourhoods.average(self._samples, self._edge_runs)
        find_correction(alpha, guide, (near, edge), plate, read_only(means), self._marks, self._correction)
        apply_correction(alpha, edge, self._correction, self._sums, self._corrected)
        if self.decides:
            self._difference.add(self._corrected, guide, self._given, foreground, means)
        return self._corrected

    def reset(self) -> None:
        """Forget the plate."""
        self._known.fill(0)
        self._gain.fill(1)
        self._step.fill(1)
        self._held.fill(0)
        self._adopted.fill(0)
        self._trust.reset()
        self._unlearned_s = LEARN_S
        self._outdated = True
        self._evidence.confirm(confirmed=False)
        self._pending = self._stored is not None

    def _take(self, planes: Pixels, validity: Bytes) -> None:
        """Forget the plate for another one; ``planes``: (3, h, w)."""
        self.reset()
        self._colour[:] = planes
        self._reference[:] = self._colour[:, ::LIGHT_ROWS]
        self._known[:] = validity > 0
        self._variance.fill(INITIAL_VARIANCE)
        self._trust.take(validity)
        self._evidence.confirm(confirmed=True)

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

    @property
    def _may_follow(self) -> bool:
        return self._trust.any_valid and not self._hidden

    @property
    def _in_use(self) -> bool:
        """Whether a network is given the plate, or regions are removed by it."""
        return self._trust.whole or self._evidence.any

    def _follow(self, guide: Pixels) -> tuple[float, float, float]:
        """Follow the light and the camera. Returns the light of the frame that the plate does not have."""
        self._followed = True
        found = self._fit.light(guide, self._colour, self._trust.visible)
        if may_have_moved(found) and (has_changed(found) or self._next_search_s <= 0):
            if not self._follow_camera(guide, found):
                return 1.0, 1.0, 1.0
            found = self._fit.light(guide, self._colour, self._trust.visible)
        self._shift = found.shift
        if max(abs(factor - 1) for factor in found.gain) <= LIGHT_STEP:
            return found.gain
        self._change_light(np.array(found.gain, np.float32))
        return 1.0, 1.0, 1.0

    def _follow_camera(self, guide: Pixels, found: Comparison) -> bool:
        """Move the plate with the camera, or forget it if no shift explains the change. Whether anything is known."""
        shift = self._fit.find_shift(guide, self._colour, self._trust.visible, found)
        if shift is None:
            if has_changed(found):
                self.reset()
                return False
            self._next_search_s = SEARCH_EVERY_S if self._in_use else SEARCH_EVERY_UNUSED_S
            return True
        for channel in (*self._colour, self._variance, self._held):
            channel[:] = shifted(channel, shift)
        self._reference[:] = self._colour[:, ::LIGHT_ROWS] / self._gain[:, None, None]
        for mask in (self._known, self._adopted):
            mask[:] = shifted_mask(mask, shift)
        self._trust.shift(shift)
        self._evidence.shift(shift)
        return True

    def _change_light(self, gain: Floats) -> None:
        """The light has jumped: also what is covered is in the new one."""
        self._colour *= gain[:, None, None]
        self._gain *= gain

    def _follow_jumps(self, guide: Pixels) -> bool:
        """Follow light and camera now if much of the visible background jumps. Whether it does."""
        jumps = self._seen_by_network and self._jumps(guide)
        if jumps and self._may_follow:
            self._follow(guide)
            self._outdated = True
            self._jumps(guide)  # from here on
        return jumps

    def _jumps(self, guide: Pixels) -> bool:
        self._looked = True
        return self._jump_detector.jumps(guide, self._cells.near, (self._colour, self._variance, self._known))

    def _update(self, guide: Pixels, plate: Plate, elapsed_s: float) -> None:
        time_constants = TIME_CONSTANT_S, REFERENCE_TIME_CONSTANT_S
        weight, reference_weight = (np.float32(1 - exp(-elapsed_s / constant_s)) for constant_s in time_constants)
        cv2.split(guide, list(self._planes))
        planes, near, rows = read_only(self._planes), self._cells.near, self._rows
        held = self._seen_by_network
        if held:
            self._trust.spread(near, self._cells.foreground, self._wide)
        times = np.float32(HOLD_S if held else 0), np.float32(elapsed_s), SEEN_S
        hold = self._wide, self._held, self._trust.seconds, self._adopted, times
        jumped = update_plate(planes, near, weight, plate, self._step, rows, self._change, hold)
        if jumped > MAX_JUMPED and not held:  # otherwise it is followed, before
            self._known[near != 0] = 0
        light = self._reference, self._gain, self._step
        update_light(near, reference_weight, plate, self._change, light, rows)
