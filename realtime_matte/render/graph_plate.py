"""The clean plate as a part of the graph of the whole frame: what ``CleanPlate`` computes in kernels.

The formulas are those of ``plate_colour.py``, ``plate_light.py`` and ``edge_model.py``, whose docstrings explain them,
for all cells at once: a cell where a kernel would skip the work gets a value that is not used.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from realtime_matte.models.onnx_tensors import Tensor, joined, larger, smaller
from realtime_matte.render import edge_model as edge
from realtime_matte.render.clean_plate import MAX_JUMPED, NEIGHBOURHOOD_RADIUS
from realtime_matte.render.plate_cells import EDGE_CELLS, MARGIN_CELLS, MAX_BACKGROUND, MIN_EDGE, MIN_FOREGROUND
from realtime_matte.render.plate_colour import INITIAL_VARIANCE, JUMP
from realtime_matte.render.plate_light import MAX_GAIN

PLATE_CHANNELS: Final = 8
"""Of the plate's state: colour (3), variance, known, reference (3)."""

LIGHT_CHANNELS: Final = 6
"""Of the light's state: gain - 1 (3) and step - 1 (3), so that zeros start a shot."""

BLURRED_RADIUS: Final = 1
"""Of the window in which corrections are averaged."""

ALPHAS: Final = np.linspace(0, 1, edge.ALPHAS, dtype=np.float32).reshape(1, -1, 1, 1)


@dataclass(frozen=True, slots=True)
class Plate:
    """The tensors of one frame.

    Attributes:
        state: (1, PLATE_CHANNELS, h, w), of the frame before at first.
        light: (1, LIGHT_CHANNELS, 1, 1).
        weights: Of the new colour, and of the new reference.
    """

    state: Tensor
    light: Tensor
    weights: tuple[Tensor, Tensor]


@dataclass(frozen=True, slots=True)
class Corrected:
    """What the plate makes of a frame: ``alpha``, the ``revealed`` share (1, 1, 1, 1), and the states after it."""

    alpha: Tensor
    revealed: Tensor
    state: Tensor
    light: Tensor


def correct(alpha: Tensor, guide: Tensor, plate: Plate, *, size: tuple[int, int], people: Tensor) -> Corrected:
    """As ``CleanPlate.correct``: ``alpha`` and ``people`` (1, 1, h, w), ``guide`` (1, 3, h, w).

    ``size``: (w, h), both even.
    """
    near = people.at_least(float(MAX_BACKGROUND)).dilated(MARGIN_CELLS)
    foreground = alpha.at_least(float(MIN_FOREGROUND)).eroded(MARGIN_CELLS)
    edges = (alpha.at_least(float(MIN_EDGE)) * (1 - alpha.above(float(1 - MIN_EDGE)))).dilated(EDGE_CELLS)
    colour, variance, known, reference = plate.state.channels(3, 1, 1, 3)
    gain, step = (plate.light + 1).channels(3, 3)
    free = 1 - near

    visible, moved = free * known, guide - colour
    square = (moved * moved).total([1]) / 3
    rate = free * known.where(plate.weights[0], 1.0)
    colour = free.where(colour + rate * moved, colour * step)
    variance = variance + rate * (visible.where(square, INITIAL_VARIANCE) - variance)
    change = visible.where(square, -1.0)
    count, jumped = visible.total(), (visible * square.above(JUMP)).total()
    enough = count.above(float(size[0] * size[1] // 100))
    forget = enough * (jumped / larger(count, 1.0)).above(MAX_JUMPED)
    known = larger(known, free) * (1 - forget * near)

    light = _light(colour, reference, (gain, free, visible, plate.weights[1]))
    means, revealed = _neighbourhoods(guide, foreground, (colour, variance, known, change), size)
    covered = edges * near * known * means.channels(1, edge.SAMPLE_VALUES - 1)[0].above(edge.MIN_FOREGROUND)
    estimate, weight = _posterior(alpha, guide, (colour, variance), means)
    change = covered.where(weight * (estimate - alpha), 0.0).averaged(BLURRED_RADIUS)
    corrected = edges.where((alpha + change).clip(0.0, 1.0), alpha)
    return Corrected(corrected, revealed, joined([colour, variance, known, light[0]]), light[1])


def _light(colour: Tensor, reference: Tensor, seen: tuple[Tensor, Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """As ``update_light``: the reference and the light after this frame. ``seen``: gain, free, visible, weight."""
    gain, free, visible, weight = seen
    error = colour - gain * reference
    counted = visible * (1 - (error * error).total([1]).above(3 * JUMP))
    rate = (free - counted) * visible.where(weight, 1.0)
    after, before = (colour * counted).total([2, 3]), (reference * counted).total([2, 3])
    found = before.above(counted.total()).where(after / larger(before, 1e-6), gain)
    found = found.clip(float(1 / MAX_GAIN), float(MAX_GAIN))
    return reference + rate * (colour / gain - reference), joined([found, found / gain]) - 1


def _neighbourhoods(
    guide: Tensor, foreground: Tensor, plate: tuple[Tensor, Tensor, Tensor, Tensor], size: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """As ``sample``: its values averaged over neighbourhoods, at every cell; and the share that is revealed."""
    sampled = joined([guide, foreground, *plate]).apply("MaxPool", kernel_shape=(1, 1), strides=(edge.SAMPLE_STEP,) * 2)
    guide, foreground, colour, variance, known, change = sampled.channels(3, 1, 3, 1, 1, 1)
    visible, noise = change.at_least(0.0), edge.MISMATCH * (variance + edge.NOISE)
    covers, difference = foreground * known, guide - colour
    matches = covers * (1 - (difference * difference).total([1]).above(3 * noise))
    values = [foreground, foreground * guide, foreground * guide * guide, visible, visible * change.above(noise)]
    values += [visible * smaller(change, edge.MAX_CHANGE), covers, matches]
    means = joined(values).averaged(NEIGHBOURHOOD_RADIUS)
    everywhere = means.resized(
        *size,
        edge.SAMPLE_VALUES,
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )
    return everywhere, matches.apply("ReduceMean", axes=(1, 2, 3))


def _posterior(alpha: Tensor, guide: Tensor, plate: tuple[Tensor, Tensor], means: Tensor) -> tuple[Tensor, Tensor]:
    """As ``edge_model._posterior``: the mean, and its weight."""
    share, colours, squares, seen, mismatching, changed, covers, matching = means.channels(1, 3, 3, 1, 1, 1, 1, 1)
    share = larger(share, edge.MIN_FOREGROUND)
    background_variance = plate[1] + changed / larger(seen, 0.02)
    spread = squares / share - (colours / share) * (colours / share)
    likelihood = _likelihoods(
        guide, colours / share, larger(spread, 0.0) + edge.EXTRA_VARIANCE, plate[0], background_variance
    )
    prior_alpha = alpha.clip(float(1 - edge.MAX_ALPHA), float(edge.MAX_ALPHA))
    rest = float(1 - edge.ALPHAS * edge.MIN_PRIOR)
    first, last = (np.eye(edge.ALPHAS, dtype=np.float32)[index].reshape(1, -1, 1, 1) for index in (0, -1))
    likelihood = likelihood + last * (edge.OTHER_FOREGROUND * edge.UNKNOWN_DENSITY)
    prior = rest * ((1 - prior_alpha) * first + prior_alpha * last) + edge.MIN_PRIOR
    joint = prior * likelihood
    evidence, moment = joint.total([1]), (joint * ALPHAS).total([1])
    wrong = edge.MIN_WRONG + (mismatching + 0.002) / (seen + 0.004) + matching / larger(covers, 0.004)
    wrong = smaller(wrong, 1.0)
    if_wrong = prior_alpha * likelihood.pick(edge.ALPHAS - 1) + (1 - prior_alpha) * edge.UNKNOWN_DENSITY
    right = (1 - wrong) * evidence
    unreliable = background_variance / edge.UNRELIABLE_VARIANCE
    weight = (1 - wrong) * right / (right + wrong * if_wrong) / (1 + unreliable * unreliable)
    valid = evidence.above(0.0) * (1 - evidence.at_least(np.float32(np.inf)))
    return valid.where(moment / evidence, alpha), valid.where(weight, 0.0)


def _likelihoods(guide: Tensor, colour: Tensor, spread: Tensor, background: Tensor, uncertain: Tensor) -> Tensor:
    """As ``edge_model._likelihood``, of all ALPHAS: (1, ALPHAS, h, w)."""
    shares: list[list[Tensor]] = [one.channels(1, 1, 1) for one in (guide, colour, spread, background)]
    terms: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []  # of each channel
    rest = 1 - ALPHAS
    for value, foreground, variance, behind in zip(*shares, strict=True):
        all_variance = variance * (ALPHAS * ALPHAS) + uncertain * (rest * rest) + edge.NOISE
        residual = value - foreground * ALPHAS - behind * rest
        scaled = behind / all_variance
        terms.append((residual * residual / all_variance, residual * scaled, behind * scaled, all_variance))
    channels: list[tuple[Tensor, ...]] = list(zip(*terms, strict=True))
    distance, projection, length = (blue + green + red for blue, green, red in channels[:3])
    blue, green, red = channels[3]
    determinant = blue * green * red
    shading = (edge.SHADING * rest) ** 2
    stretch = 1 + length * shading
    distance = distance - projection * projection * shading / stretch
    return (distance * -0.25).apply("Exp") * edge.NORMAL / (determinant * stretch).apply("Sqrt").apply("Sqrt")
