"""MODNet (Ke et al. 2022): alpha directly, RGB in -1..1, sides in multiples of 32."""

from realtime_matte.models.families.mediapipe import only_channel
from realtime_matte.models.input_size import Grid
from realtime_matte.models.onnx_file import Graph
from realtime_matte.models.options import Settings
from realtime_matte.models.preprocess import SIGNED, Rule
from realtime_matte.models.stateless import STILL_OPTIONS, Still, pictures, still

LOOKS = "float picture of a free size, or with instance normalisation -> 1 channel of that size"
OPTIONS = STILL_OPTIONS

_GRID = Grid(512 * 288, 32)
"""Its authors let the shorter side be 512; that is four times the work for little gain at a webcam's distance."""


def recognises(graph: Graph) -> bool:
    """A free size, or its IBNorm blocks."""
    found = pictures(graph, channels=1)
    return found is not None and (found[0].size is None or "InstanceNormalization" in graph.operators)


def open(graph: Graph, settings: Settings) -> Still:
    """(RGB - 127.5) / 127.5, unless told otherwise."""
    return still(graph, settings, channels=1, rule=Rule(*SIGNED), read=only_channel, free=_GRID)
