"""The vote of several networks on a frame: its alpha, and the share of the votes that agree with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Alpha, Frame
from realtime_matte.interfaces import Network, RecurrentState
from training.pack import Image

EDGE_BAND = 0.02
"""Half the width of the band around the outline in which ``--edges`` decides, as a share of the diagonal. Not tuned."""

EDGE_TOLERANCE = 0.75
"""Difference from the median above which an edge network sees something else there, not a softer edge. Not tuned."""

CERTAINTY_SCALE = 4
"""The certainty has 1 / this of the image's size: ``training.pack.certainty_of`` expects it."""

MASK_SHARE_BACKGROUND, MASK_SHARE_PERSON = 0.2, 0.5
"""Share of all votes that a mask has where it says background, and where it says person. Masks leave out people in the
background; what a mask has and all networks miss, such as an arm, is unknown, and not background. Not tuned."""


@dataclass(slots=True)
class Vote:
    """One network on the frames of one shot, which it sees mirrored or smaller. Keeps the recurrent state.

    ``scale``: of the frame about its centre, in (0, 1]; the border is filled with the colours of the frame's edge.
    """

    network: Network
    mirrored: bool = False
    scale: float = 1.0
    _state: RecurrentState | None = None

    def alpha(self, frame: Frame) -> Alpha:
        """The alpha of the frame, of its size."""
        width, height = frame.size
        x = -self.scale if self.mirrored else self.scale
        centre = np.array([width - 1, height - 1]) / 2
        matrix = np.array([[x, 0, centre[0] * (1 - x)], [0, self.scale, centre[1] * (1 - self.scale)]])
        border = cv2.BORDER_REPLICATE
        seen = cv2.warpAffine(frame.pixels, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=border)
        matte, self._state = self.network.process(Frame(seen.astype(np.uint8), frame.time, frame.index), self._state)
        alpha = cv2.resize(matte.alpha, (width, height), interpolation=cv2.INTER_LINEAR)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(alpha, matrix, (width, height), flags=flags, borderMode=border).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Label:
    """``alpha`` (H, W) uint8 and ``agreement`` (H, W) float32: the share of the votes that agree with it, in [0, 1]."""

    alpha: Image
    agreement: NDArray[np.float32]

    @property
    def certainty(self) -> Image:
        """The agreement at 1 / CERTAINTY_SCALE of the size, as training reads it; 255: all votes agree."""
        size = [max(1, side // CERTAINTY_SCALE) for side in self.alpha.shape[::-1]]
        return _to_bytes(cv2.resize(self.agreement, size, interpolation=cv2.INTER_AREA))


@dataclass(frozen=True, slots=True)
class Voters:
    """``networks`` vote, ``edges`` decide near the outline; both on each of the ``scales``, also ``mirrored``."""

    networks: Sequence[Network]
    edges: Sequence[Network] = ()
    scales: Sequence[float] = (1.0,)
    mirrored: bool = True

    def start_shot(self, given: Sequence[Alpha] = ()) -> Callable[[Image], Label]:
        """A function from the frames of one shot, in order, to their labels; an image is a shot of one frame.

        ``given``: alphas of another program for each frame, which vote too, but not on the edge; NaN abstains.
        """
        votes = self._votes(self.networks)
        own_edge_votes = self._votes([network for network in self.edges if network not in self.networks])

        def label(image: Image) -> Label:
            frame = Frame(np.ascontiguousarray(image), 0.0, 0)
            alphas = [vote.alpha(frame) for vote in votes]
            edges = [alpha for vote, alpha in zip(votes, alphas, strict=True) if vote.network in self.edges]
            edges += [vote.alpha(frame) for vote in own_edge_votes]
            return consensus(np.stack([*alphas, *given]), edges)

        return label

    def _votes(self, networks: Sequence[Network]) -> list[Vote]:
        mirrored = (False, True) if self.mirrored else (False,)
        return [Vote(network, flip, scale) for network in networks for flip in mirrored for scale in self.scales]


def consensus(votes: NDArray[np.float32], edges: Sequence[Alpha] = ()) -> Label:
    """The median of the votes (N, H, W), near its outline the mean of ``edges``; and the share of votes that agree.

    A vote abstains where it is NaN; in each pixel at least one vote is a number. Where one of ``edges`` differs from
    the median by more than EDGE_TOLERANCE, the median takes its place.
    """
    alpha = _median(votes)
    if edges:
        usable = [np.where(np.abs(edge - alpha) <= EDGE_TOLERANCE, edge, alpha) for edge in edges]
        alpha = np.where(_near_outline(alpha), np.mean(usable, axis=0), alpha).astype(np.float32)
    agreement = np.mean((votes >= 0.5) == (alpha >= 0.5), axis=0, dtype=np.float32, where=~np.isnan(votes))
    return Label(_to_bytes(alpha), agreement)


def _median(votes: NDArray[np.float32]) -> Alpha:
    """Over the votes (N, H, W) that are numbers; as np.nanmedian, in a fifth of the time."""
    ordered = np.sort(votes, axis=0)  # NaN comes last
    count = np.count_nonzero(~np.isnan(votes), axis=0, keepdims=True)
    middle = [np.take_along_axis(ordered, index, axis=0)[0] for index in ((count - 1) // 2, count // 2)]
    return np.mean(middle, axis=0, dtype=np.float32)


def with_mask(label: Label, mask: Image) -> Label:
    """The label after a mask (H, W), uint8, has voted too, by the MASK_SHARE of what it says.

    Where the mask agrees with the result, also in its neighbourhood, the result is the mask, with its edges.
    """
    in_mask, in_label = mask >= 128, label.alpha >= 128
    weight = np.where(in_mask, MASK_SHARE_PERSON, MASK_SHARE_BACKGROUND).astype(np.float32)
    share = (1 - weight) * np.where(in_label, label.agreement, 1 - label.agreement) + weight * in_mask
    person = share >= 0.5
    agrees = cv2.erode((person == in_mask).astype(np.uint8), _disk(label.alpha)) > 0
    alpha = np.where(agrees | (person != in_label), mask, label.alpha).astype(np.uint8)
    return Label(alpha, np.maximum(share, 1 - share))


def _near_outline(alpha: Alpha) -> NDArray[np.bool_]:
    """Whether a pixel is within EDGE_BAND of the outline at alpha 0.5."""
    return cv2.morphologyEx((alpha >= 0.5).astype(np.uint8), cv2.MORPH_GRADIENT, _disk(alpha)) > 0


def _disk(image: NDArray[np.generic]) -> Image:
    """A structuring element with the radius of EDGE_BAND of an image (H, W)."""
    radius = max(1, round(EDGE_BAND * float(np.hypot(*image.shape))))
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)).astype(np.uint8)


def _to_bytes(values: NDArray[np.floating]) -> Image:
    """From [0, 1] to 0 .. 255."""
    return np.clip(np.rint(values * 255), 0, 255).astype(np.uint8)
