"""Loss terms: alpha itself, its edges at every scale, its change over time, agreement with the mirror image."""

from torch import Tensor
from torch.nn import functional

from training.network import to_alpha

EDGE_WEIGHT = 3.0
"""Additional weight of pixels near an edge: they are a tenth of the image and decide its quality."""


def matting_loss(logits: Tensor, coarse: Tensor, truth: Tensor, certainty: Tensor) -> Tensor:
    """The loss of one batch, each pixel weighted by the certainty of its truth (1 is known, 0 unknown).

    L1, Laplacian pyramid and temporal coherence as in Robust Video Matting (Lin et al. 2022, section 5.3); the cross
    entropies keep the gradient from vanishing while the network still confuses foreground and background.

    Args:
        logits: (B, T, 1, H, W).
        coarse: Logits (B, T, 1, H/8, W/8).
        truth: Alpha (B, T, 1, H, W) in [0, 1].
        certainty: (B, T, 1, H, W) in [0, 1].
    """
    alpha = to_alpha(logits)
    flat_truth, known = truth.flatten(0, 1), certainty.flatten(0, 1)
    difference = known * (alpha.flatten(0, 1) - flat_truth)
    entropy = functional.binary_cross_entropy_with_logits(logits, truth, weight=certainty)
    small_truth, small_known = functional.avg_pool2d(flat_truth, 8), functional.avg_pool2d(known, 8)
    coarse_entropy = functional.binary_cross_entropy_with_logits(coarse.flatten(0, 1), small_truth, weight=small_known)
    absolute = (edge_weights(flat_truth) * difference.abs()).mean()
    total = absolute + laplacian_loss(difference) + 0.3 * entropy + 0.2 * coarse_entropy
    if truth.shape[1] > 1:
        change = (alpha[:, 1:] - alpha[:, :-1]) - (truth[:, 1:] - truth[:, :-1])
        total = total + 5 * (certainty[:, 1:] * certainty[:, :-1] * change.square()).mean()
    return total


def mirror_disagreement(alpha: Tensor, of_mirrored: Tensor) -> Tensor:
    """Mean absolute difference of alphas and those of the mirrored frames, both (B, T, 1, H, W).

    It needs no truth, so it also counts where the truth is unknown.
    """
    return (alpha - of_mirrored.flip(-1)).abs().mean()


def edge_weights(truth: Tensor) -> Tensor:
    """1 far from edges, up to 1 + EDGE_WEIGHT in the 4x4 blocks that an edge crosses, fading to the next blocks."""
    share = functional.avg_pool2d(truth, 4)
    mixed = functional.interpolate(4 * share * (1 - share), scale_factor=4.0, mode="bilinear", align_corners=False)
    return 1 + EDGE_WEIGHT * mixed


def laplacian_loss(difference: Tensor, *, levels: int = 4) -> Tensor:
    """L1 of the Laplacian pyramid of a difference, each level weighted by its scale (Hou and Liu 2019)."""
    total = difference.new_zeros(())
    for level in range(levels):
        low = functional.avg_pool2d(difference, 2)
        detail = difference - functional.interpolate(low, size=difference.shape[-2:], mode="bilinear")
        total = total + 2**level * detail.abs().mean()
        difference = low
    return total / levels
