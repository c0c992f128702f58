"""MediaPipe's selfie segmentation (Google, 2021), landscape and general: one probability a pixel, RGB in 0..1."""

from realtime_matte.models.family import Read, clipped
from realtime_matte.models.input_size import Grid
from realtime_matte.models.onnx_file import Graph
from realtime_matte.models.options import Settings
from realtime_matte.models.preprocess import UNIT, Rule
from realtime_matte.models.stateless import STILL_OPTIONS, Maps, Still, pictures, still

LOOKS = "float picture of a fixed size -> 1 channel of that size"
OPTIONS = STILL_OPTIONS


def recognises(graph: Graph) -> bool:
    """A fixed size, and none of MODNet's normalising."""
    found = pictures(graph, channels=1)
    return found is not None and found[0].size is not None and "InstanceNormalization" not in graph.operators


def open(graph: Graph, settings: Settings) -> Still:
    """RGB / 255, unless told otherwise."""
    return still(graph, settings, channels=1, rule=Rule(*UNIT), read=only_channel, free=Grid(0, 1))


def only_channel(maps: Maps) -> Read:
    """A probability, or an alpha."""
    return clipped(maps[0])
