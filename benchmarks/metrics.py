"""Matting and segmentation figures, as defined in their papers: per frame, per clip and over a set.

Alphas and truths are (H, W) float32 in [0, 1]. Figures are comparable at one size only; ours is 640x360. Needs only
NumPy and OpenCV. The definitions in words, and their differences from other code: benchmarks/README.md.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from math import ceil, hypot, log, pi, sqrt
from typing import Protocol, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Alpha: TypeAlias = NDArray[np.float32]
Pixels: TypeAlias = NDArray[np.uint8]
Scores: TypeAlias = dict[str, float]
RunNetwork: TypeAlias = Callable[[Sequence[Pixels]], Sequence[Alpha]]
"""A network: from the frames of one clip, in order, to their alphas."""

FIGURES = ("iou", "boundary_f", "boundary_f_2px", "mad", "mse", "grad", "conn", "dtssd")
HIGHER_IS_BETTER = ("iou", "boundary_f", "boundary_f_2px")


class ClipWithTruth(Protocol):
    """Frames with their true alphas; a still is a clip of one frame."""

    @property
    def name(self) -> str:
        """Its name in tables."""

    @property
    def frames(self) -> Sequence[Pixels]:
        """(H, W, 3) uint8 BGR, in order."""

    @property
    def alphas(self) -> Sequence[Alpha]:
        """The true alpha of each frame, (H, W) float32 in [0, 1]."""


def evaluate(network: RunNetwork, clips: Iterable[ClipWithTruth]) -> Scores:
    """Every figure of a network, averaged over the frames of each clip, then over the clips."""
    return mean([score_clip(network(clip.frames), clip.alphas) for clip in clips])


def score_clip(alphas: Sequence[Alpha], truths: Sequence[Alpha]) -> Scores:
    """Every figure of one clip, averaged over its frames; dtSSD over its pairs of frames, NaN for a still.

    Raises:
        ValueError: there is not one alpha for each truth, of its size and dtype.
    """
    _check(alphas, truths)
    scores = mean([score_frame(alpha, truth) for alpha, truth in zip(alphas, truths, strict=True)])
    steps = zip(alphas[1:], alphas[:-1], truths[1:], truths[:-1], strict=True)
    return scores | mean([{"dtssd": dtssd(*step)} for step in steps] or [{"dtssd": float("nan")}])


def _check(alphas: Sequence[Alpha], truths: Sequence[Alpha]) -> None:
    if len(alphas) != len(truths):
        raise ValueError(f"the network returned {len(alphas)} alphas for {len(truths)} frames; return one for each")
    for alpha, truth in zip(alphas, truths, strict=True):
        if alpha.shape != truth.shape or alpha.dtype != np.float32:
            actual, expected = ("x".join(map(str, array.shape[::-1])) for array in (alpha, truth))
            raise ValueError(
                f"an alpha of {actual} {alpha.dtype} for a frame of {expected}; return float32 of the frame's size"
            )


def score_frame(alpha: Alpha, truth: Alpha) -> Scores:
    """Every figure of one frame (dtSSD needs two)."""
    return {
        "iou": iou(alpha, truth),
        "boundary_f": boundary_f(alpha, truth, tolerance_px=davis_tolerance(truth)),
        "boundary_f_2px": boundary_f(alpha, truth, tolerance_px=2),
        "mad": mad(alpha, truth),
        "mse": mse(alpha, truth),
        "grad": grad(alpha, truth),
        "conn": conn(alpha, truth),
    }


def mean(scores: Sequence[Scores]) -> Scores:
    """The average of each figure, without NaN values (a figure that does not exist)."""
    columns = {name: [score[name] for score in scores] for name in (scores[0] if scores else ())}
    known = {name: [value for value in column if value == value] for name, column in columns.items()}  # noqa: PLR0124 - nan
    return {name: sum(column) / len(column) if column else float("nan") for name, column in known.items()}


def iou(alpha: Alpha, truth: Alpha) -> float:
    """Intersection over union of the masks at alpha 0.5; 1 if both are empty."""
    mask, true = alpha >= 0.5, truth >= 0.5  # noqa: PLR2004 - the definition's own
    union = np.count_nonzero(mask | true)
    return int(np.count_nonzero(mask & true)) / int(union) if union else 1.0


def davis_tolerance(truth: Alpha) -> int:
    """The tolerance of DAVIS (Perazzi et al. 2016) in pixels: 0.008 of the diagonal; 6 px at 640x360."""
    return ceil(0.008 * hypot(*truth.shape))


def boundary_f(alpha: Alpha, truth: Alpha, *, tolerance_px: int) -> float:
    """F-measure of the contours of the masks at alpha 0.5, matched within a disk (Perazzi et al. 2016, section 4)."""
    line, true_line = contour(alpha), contour(truth)
    length, true_length = cv2.countNonZero(line), cv2.countNonZero(true_line)
    if not (length and true_length):
        return float(length == true_length)
    precision = cv2.countNonZero(cv2.min(line, cv2.dilate(true_line, disk(tolerance_px)))) / length
    recall = cv2.countNonZero(cv2.min(true_line, cv2.dilate(line, disk(tolerance_px)))) / true_length
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def contour(alpha: Alpha) -> Pixels:
    """1 where the mask at alpha 0.5 differs from its right, lower or lower right neighbour."""
    mask = (alpha >= 0.5).astype(np.uint8)  # noqa: PLR2004 - the definition's own
    padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    line = (mask ^ padded[:-1, 1:]) | (mask ^ padded[1:, :-1]) | (mask ^ padded[1:, 1:])
    return np.asarray(line, dtype=np.uint8)


@cache
def disk(radius: int) -> Pixels:
    """A round structuring element: 1 within ``radius`` of its centre."""
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return np.asarray(x * x + y * y <= radius * radius, dtype=np.uint8)


def mad(alpha: Alpha, truth: Alpha) -> float:
    """Mean absolute difference, x1000."""
    return cv2.norm(alpha, truth, cv2.NORM_L1) / truth.size * 1e3


def mse(alpha: Alpha, truth: Alpha) -> float:
    """Mean squared error, x1000."""
    return cv2.norm(alpha, truth, cv2.NORM_L2SQR) / truth.size * 1e3


def dtssd(alpha: Alpha, alpha_before: Alpha, truth: Alpha, truth_before: Alpha) -> float:
    """Difference between the changes of alpha and truth in one step: RMS, x100 (Erofeev et al. 2015, section 4)."""
    change = cv2.subtract(cv2.subtract(alpha, alpha_before), cv2.subtract(truth, truth_before))
    return cv2.norm(change, cv2.NORM_L2) / sqrt(truth.size) * 1e2


def grad(alpha: Alpha, truth: Alpha) -> float:
    """Squared difference of gradient magnitudes (Rhemann et al. 2009, section 3: sigma 1.4, q 2), summed, / 1000."""
    return cv2.norm(_gradient_magnitude(alpha), _gradient_magnitude(truth), cv2.NORM_L2SQR) / 1e3


def _gradient_magnitude(alpha: Alpha) -> Alpha:
    smooth, derivative = _gaussian(1.4)
    replicate = cv2.BORDER_REPLICATE
    x = cv2.sepFilter2D(alpha, cv2.CV_32F, derivative, smooth, borderType=replicate)
    y = cv2.sepFilter2D(alpha, cv2.CV_32F, smooth, derivative, borderType=replicate)
    return np.asarray(cv2.magnitude(x, y), np.float32)


@cache
def _gaussian(sigma: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A Gaussian and its derivative, cut off below 0.01, each of unit norm, as in all public implementations."""
    half = ceil(sigma * sqrt(-2 * log(sqrt(2 * pi) * sigma * 0.01)))
    x = np.arange(-half, half + 1, dtype=np.float64)
    smooth = np.exp(-(x**2) / (2 * sigma**2))
    derivative = -x * smooth
    return smooth / np.linalg.norm(smooth), derivative / np.linalg.norm(derivative)


SOLID = 0.9
"""True alpha above which a pixel belongs to the body."""


def body_kept(alpha: Alpha, truth: Alpha, *, first_row: int) -> float:
    """Share of the body's pixels from ``first_row`` on that have alpha 0.5; NaN if there are none."""
    body = truth[first_row:] > SOLID
    kept = alpha[first_row:][body] >= 0.5  # noqa: PLR2004 - as for all masks
    return float(kept.mean()) if kept.size else float("nan")


def conn(alpha: Alpha, truth: Alpha) -> float:
    """Loss of connectivity to the person (Rhemann et al. 2009, section 3: theta 0.15, p 1), summed, / 1000.

    A pixel's level is the highest of the thresholds 0, 0.1 .. 1 at which it still belongs to the largest component of
    the minimum of both alphas.
    """
    shared = cv2.min(alpha, truth)
    level = np.zeros(truth.shape, np.float32)
    connected = np.ones(truth.shape, bool)
    for threshold in np.arange(1, 11) * 0.1:
        connected &= _largest_component(shared >= threshold)
        if not connected.any():
            break
        level[connected] = threshold
    return float(np.abs(_distance(alpha, level) - _distance(truth, level)).sum(dtype=np.float64)) / 1e3


def _distance(alpha: Alpha, level: Alpha) -> Alpha:
    distance = alpha - level
    distance[distance < 0.15] = 0  # noqa: PLR2004 - theta of the definition
    return distance


def _largest_component(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    areas = stats[1:, cv2.CC_STAT_AREA]
    component: NDArray[np.bool_] = labels == 1 + areas.argmax() if areas.size else np.zeros_like(mask)
    return component
