"""Robust Video Matting in 8 bits, so that it is compared as strong as it can be on a CPU.

    python benchmarks/quantize_rvm.py --rvm ../shared/peers/rvm_mobilenetv3.onnx --out rvm-int8.onnx
    python benchmarks/quality.py --model "rvm-int8.onnx?size=512x288" --peers ../shared/peers --peer rvm_512

Convolutions in 8 bits, weights per channel, ranges calibrated on people of the data pack's training split, which move
from frame to frame; by ONNX Runtime's static quantization. The squeeze-and-excitation branches, the refiner of its
authors and the last convolution stay in floats: in 8 bits they cost quality and save nothing.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import cv2
import numpy as np
import onnxruntime
from clips import read_image
from data_pack import PORTRAITS, rows
from metrics import Pixels
from numpy.typing import NDArray

try:
    import onnx
except ImportError:
    print(f"quantize_rvm: the package 'onnx' is not installed; {sys.executable} -m pip install onnx", file=sys.stderr)
    sys.exit(2)
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

SIZE: Final = (512, 288)
"""Of its input, as its authors use it for HD."""

PEOPLE: Final = 40
FRAMES: Final = 3
"""Of each person: its state is empty in the first."""

SHIFT_PX: Final = 6
"""By which a person moves from frame to frame."""

STATES: Final = {"r1i": 16, "r2i": 20, "r3i": 40, "r4i": 64}
"""Channels of each state, at 1/2, 1/4, 1/8 and 1/16 of the input."""


class People(CalibrationDataReader):  # type: ignore[misc] # ONNX Runtime's is untyped
    """Inputs of the network for the frames of some people, with its own states."""

    def __init__(self, network: Path, images: Sequence[Pixels]) -> None:
        self._inputs = _inputs(network, images)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next inputs; None after the last."""
        return next(self._inputs, None)


def _inputs(network: Path, images: Sequence[Pixels]) -> Iterator[dict[str, NDArray[np.float32]]]:
    session = onnxruntime.InferenceSession(str(network), providers=["CPUExecutionProvider"])
    width, height = SIZE
    for image in images:
        strides = (2**level for level in range(1, len(STATES) + 1))
        states = {
            name: np.zeros((1, channels, -(-height // stride), -(-width // stride)), np.float32)
            for (name, channels), stride in zip(STATES.items(), strides, strict=True)
        }
        large = cv2.resize(image, (width + FRAMES * SHIFT_PX, height), interpolation=cv2.INTER_AREA)
        for index in range(FRAMES):
            frame = large[:, index * SHIFT_PX : index * SHIFT_PX + width, ::-1]
            inputs = {"src": np.ascontiguousarray(frame.transpose(2, 0, 1)[None], np.float32) / 255, **states}
            yield inputs
            states = dict(zip(STATES, session.run([name.replace("i", "o") for name in STATES], inputs), strict=True))


def quantize(rvm: Path, out: Path, images: Sequence[Pixels]) -> None:
    """Write the quantized network."""
    with TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(rvm), str(prepared), skip_symbolic_shape=True)
        kept = _kept_in_floats(onnx.load(prepared))
        quantize_static(
            str(prepared),
            str(out),
            People(rvm, images),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            reduce_range=True,
            op_types_to_quantize=["Conv", "Relu", "Add", "Resize"],
            extra_options={"CalibMovingAverage": True},
            nodes_to_exclude=kept,
        )


def _kept_in_floats(model: onnx.ModelProto) -> list[str]:
    """Convolutions of one pixel after a mean over the frame, the first convolution, and what writes the outputs."""
    made_by = {name: node for node in model.graph.node for name in node.output}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    pooled = [node.name for node in convolutions if _follows(node, made_by, "ReduceMean")]
    return [convolutions[0].name, convolutions[-1].name, *pooled]


def _follows(node: onnx.NodeProto, made_by: dict[str, Any], operator: str) -> bool:
    """Whether a node's input comes from ``operator``, with at most activations and convolutions of it in between."""
    for _ in range(4):
        before = made_by.get(node.input[0])
        if before is None or before.op_type not in {operator, "Relu", "Conv"}:
            return False
        if before.op_type == operator:
            return True
        node = before
    return False


def main() -> int:
    """The command line. Returns 2 if a file does not exist."""
    parser = ArgumentParser(description="Write Robust Video Matting in 8 bits.")
    parser.add_argument("--rvm", type=Path, required=True, help="its ONNX file")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the data pack (%(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    options = parser.parse_args()
    try:
        table = rows(options.data, PORTRAITS, split="train")
    except FileNotFoundError as error:
        print(f"quantize_rvm: {error}", file=sys.stderr)
        return 2
    chosen = np.random.default_rng(0).permutation(len(table))[:PEOPLE]
    images = [image for place in chosen for image in read_image(options.data / table[place]["image"])]
    quantize(options.rvm, options.out, images)
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.1f} MB, calibrated on {len(images)} people")
    return 0


if __name__ == "__main__":
    sys.exit(main())
