"""Networks without recurrent state: one float image in, one map of the same size out, in either layout.

One output channel is the alpha: MediaPipe's selfie segmentation (Google 2021, landscape and general) and MODNet (Ke et
al. 2022). Two are scores or probabilities of background and person: PP-HumanSeg (PaddleSeg), Google Meet's, and SINet
(Park et al. 2020). Their files do not say which normalisation they need; ``_match_published_network`` tells
them apart by their operators. Options replace what it assumes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime_matte.errors import SpecError
from realtime_matte.frame import Size
from realtime_matte.models.family import AlphaReader, Preprocessor, Signature, Tensor, clipped
from realtime_matte.models.onnx_file import Dimension, Graph, Port
from realtime_matte.models.options import ModelOptions
from realtime_matte.models.preprocess import SIGNED, UNIT, InputSize, Normalisation, preprocessor

DESCRIPTION = "float image -> 1 channel (alpha) or 2 channels (background, person) of that size"
OPTIONS = frozenset({"mean", "std", "order", "size"})

SINET = Normalisation((102.890434, 111.25247, 126.91212), (16047.9, 16019.6, 16923.4), "bgr")
"""Its authors' means, and deviations times 255."""

_MODNET_AREA = 512 * 288
"""Its authors use 512 for the shorter side; that is four times the work for little gain at a webcam's distance."""

_TWO_CHANNEL_AREA = 256 * 144
_MULTIPLE = 32
"""Width and height are rounded to a multiple of this (MODNet and networks of free size)."""

_EXP_LIMIT = np.float32(80)
"""exp() of more overflows float32; alpha is 0 long before."""

Maps: TypeAlias = NDArray[np.float32]
"""(channels, h, w)"""

MapsReader: TypeAlias = Callable[[Maps], AlphaReader]
"""Takes the output maps; returns a function that reads alpha."""


@dataclass(frozen=True, slots=True)
class ImagePort:
    """A 4-dimensional float port: ``planar`` is (1, channels, h, w), else (1, h, w, channels)."""

    name: str
    channels: int
    height: Dimension
    width: Dimension
    planar: bool

    @property
    def size(self) -> Size | None:
        """None if a side is free."""
        return (self.width, self.height) if isinstance(self.width, int) and isinstance(self.height, int) else None

    def shape(self, size: Size) -> tuple[int, int, int, int]:
        """The tensor's shape at a size."""
        width, height = size
        return (1, self.channels, height, width) if self.planar else (1, height, width, self.channels)


def recognises(graph: Graph) -> bool:
    """One colour image in, and one map of one or two channels of the same size out."""
    return _ports(graph) is not None


def open(graph: Graph, options: ModelOptions) -> "Stateless":
    """The adapter. Raises SpecError: a size that the network does not have."""
    ports = _ports(graph)
    assert ports is not None, "it was recognised"  # noqa: S101 -- our own mistake otherwise
    image, maps = ports
    if image.size and options.size and image.size != options.size:
        width, height = image.size
        raise SpecError(f"{graph.path} only runs at {width}x{height}", hint="leave out the option 'size'")
    normalisation, area, reader = _match_published_network(graph, image, maps)
    size = InputSize(area, 1, image.size) if image.size else InputSize(area, _MULTIPLE, options.size)
    return Stateless(image, maps, size, normalisation.with_options(options), reader)


def _ports(graph: Graph) -> tuple[ImagePort, ImagePort] | None:
    """Its input and output, if it has one of each and they are images of this family."""
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        return None
    image = _image_port(graph.inputs[0], 3)
    maps = _image_port(graph.outputs[0], 1) or _image_port(graph.outputs[0], 2)
    if image is None or maps is None or (image.size and maps.size and image.size != maps.size):
        return None
    return image, maps


def _image_port(port: Port, channels: int) -> ImagePort | None:
    if port.element_type != "float" or len(port.shape) != 4:  # noqa: PLR2004 -- one batch, two sides, the channels
        return None
    batch, second, third, last = port.shape
    if isinstance(batch, int) and batch != 1:
        return None
    if second == channels:
        return ImagePort(port.name, channels, third, last, planar=True)
    return ImagePort(port.name, channels, second, third, planar=False) if last == channels else None


def _match_published_network(graph: Graph, image: ImagePort, maps: ImagePort) -> tuple[Normalisation, int, MapsReader]:
    """Normalisation, input pixels at a free size, and output of the published network that a graph looks like.

    MODNet alone has a free size or instance normalisation; SINet alone PReLU; Meet's alone ends in a transposed
    convolution.
    """
    if maps.channels == 1:
        modnet = image.size is None or "InstanceNormalization" in graph.operators
        return (SIGNED if modnet else UNIT), _MODNET_AREA, _alpha
    reader = _probabilities if graph.producer(graph.outputs[0].name) == "Softmax" else _scores
    if "PRelu" in graph.operators:
        return SINET, _TWO_CHANNEL_AREA, reader
    return (UNIT if graph.last_convolution() == "ConvTranspose" else SIGNED), _TWO_CHANNEL_AREA, reader


@dataclass(frozen=True, slots=True)
class Stateless:
    """How to run a network of this family; ``reader`` converts its output."""

    image: ImagePort
    maps: ImagePort
    size: InputSize
    normalisation: Normalisation
    reader: MapsReader
    on_base_grid: None = None

    def signature(self, size: Size) -> Signature:
        """One input, one output, no state."""
        at = self.size.at(size)
        return Signature(self.image.name, self.image.shape(at), np.float32, self.maps.name, self.maps.shape(at))

    def preprocessor(self, size: Size, tensor: Tensor) -> Preprocessor:
        """Downscales and normalises."""
        return preprocessor(size, tensor, self.normalisation)

    def alpha_reader(self, tensor: NDArray[np.float32]) -> AlphaReader:
        """A reader for either layout."""
        return self.reader(tensor[0] if self.maps.planar else np.moveaxis(tensor[0], -1, 0))


def _alpha(maps: Maps) -> AlphaReader:
    return clipped(maps[0])


def _scores(maps: Maps) -> AlphaReader:
    """Alpha is the second channel of the softmax."""
    alpha = np.empty(maps.shape[1:], np.float32)

    def read() -> Maps:
        np.subtract(maps[0], maps[1], out=alpha)
        np.minimum(alpha, _EXP_LIMIT, out=alpha)
        np.exp(alpha, out=alpha)
        np.add(alpha, 1, out=alpha)
        return np.reciprocal(alpha, out=alpha)

    return read


def _probabilities(maps: Maps) -> AlphaReader:
    return clipped(maps[1], np.empty(maps.shape[1:], np.float32))
