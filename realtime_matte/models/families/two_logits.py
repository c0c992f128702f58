"""Networks that score background and person: PP-HumanSeg, Google Meet's, SINet. Alpha is the softmax's second channel.

Their graphs do not say how they want their colours; their operators tell them apart: SINet (Park et al. 2020) alone
uses PReLU, Google's end in a transposed convolution, and the rest is taken for PaddleSeg's.
"""

import numpy as np

from realtime_matte.models.family import Read
from realtime_matte.models.input_size import Grid
from realtime_matte.models.onnx_file import Graph
from realtime_matte.models.options import Settings
from realtime_matte.models.preprocess import SIGNED, UNIT, Rule
from realtime_matte.models.stateless import STILL_OPTIONS, Maps, Still, pictures, still

LOOKS = "float picture -> 2 channels of that size (background, person)"
OPTIONS = STILL_OPTIONS

SINET = Rule((102.890434, 111.25247, 126.91212), (16047.9, 16019.6, 16923.4), "bgr")
"""Its authors' means, and deviations times 255."""

_GRID = Grid(256 * 144, 32)
_EXP_LIMIT = np.float32(80)
"""exp() of more overflows float32; alpha is 0 long before."""


def recognises(graph: Graph) -> bool:
    """Two channels of the picture's size."""
    return pictures(graph, channels=2) is not None


def open(graph: Graph, settings: Settings) -> Still:
    """By the rule of the network it looks like, unless told otherwise."""
    read = _probabilities if graph.maker(graph.outputs[0].name) == "Softmax" else _logits
    return still(graph, settings, channels=2, rule=_rule(graph), read=read, free=_GRID)


def _rule(graph: Graph) -> Rule:
    if "PRelu" in graph.operators:
        return SINET
    return Rule(*UNIT) if graph.last_convolution() == "ConvTranspose" else Rule(*SIGNED)


def _logits(maps: Maps) -> Read:
    alpha = np.empty(maps.shape[1:], np.float32)

    def read() -> Maps:
        np.subtract(maps[0], maps[1], out=alpha)
        np.minimum(alpha, _EXP_LIMIT, out=alpha)
        np.exp(alpha, out=alpha)
        np.add(alpha, 1, out=alpha)
        return np.reciprocal(alpha, out=alpha)

    return read


def _probabilities(maps: Maps) -> Read:
    alpha = np.empty(maps.shape[1:], np.float32)
    return lambda: np.clip(maps[1], 0, 1, out=alpha)
