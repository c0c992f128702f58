"""Give an exported network its 8-bit twin: ``python -m training.quantise --model FILE.onnx --pack PACK``.

Convolutions in 8 bits, weights by channel, ranges as seen on training shots (Jacob et al. 2018, Quantization and
Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference), and what lies between them: nothing is
rounded twice. What sees the frame, gives the alpha, gates the whole picture or remembers edges stays in floats, as do
the sums that make a memory: there a rounding would show, or add up from frame to frame.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from training import pack
from training.export import Steps, list_sums
from training.loader import aspect, grid
from training.scene import Shot, scenes

IN_BYTES = ("Conv", "Relu", "Resize", "Add")
"""Operators in 8 bits. A ReLU then is no work at all: it is the least number that its convolution can give."""

IN_FLOATS = ("/stem/stem.0/", "/context/", "/memory16/Add", "/memory8/Add", "/memory4/", "/head/", "/Add")
"""Beginnings of the names of operators that stay as they are."""

TWIN = "rtmatte.eight_bit"
"""Where the network's metadata names its twin's file."""

TOLERANCE = 4e-3
"""Largest mean difference of alpha between the twin and the network over shots it was not made with."""


class Ranges(CalibrationDataReader):  # type: ignore[misc] # ONNX Runtime's is untyped
    """Hands the quantiser every frame of some shots, with the memories it really meets."""

    def __init__(self, network: Steps, shots: list[Shot]) -> None:
        self.feeds = (feed for shot in shots for feed, _ in network.feeds(shot.frames))

    def get_next(self) -> dict[str, NDArray[np.generic]] | None:
        return next(self.feeds, None)


def quantise(model: Path, shots: list[Shot]) -> Path:
    """Write the twin beside the network, and its name into the network's metadata.

    The first quarter of the shots is for the check.
    """
    twin = model.with_name(f"{model.stem}-int8.onnx")
    kept = len(shots) // 4
    with TemporaryDirectory() as folder:
        plain, part = Path(folder) / "plain.onnx", Path(folder) / "twin.onnx"
        quant_pre_process(str(model), str(plain), skip_symbolic_shape=True)
        names = [node.name for node in onnx.load(plain).graph.node]
        quantize_static(
            str(plain),
            str(part),
            Ranges(Steps(model), shots[kept:]),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            reduce_range=True,  # 7 bits of weights never overflow on CPUs that add pairs in 16 bits, and cost nothing
            op_types_to_quantize=list(IN_BYTES),
            extra_options={"CalibMovingAverage": True},  # the mean of the frames' ranges: their outliers may be clipped
            nodes_to_exclude=[name for name in names if name.startswith(IN_FLOATS)],
        )
        check(model, part, shots[:kept])
        written = onnx.load(part)
        onnx.helper.set_model_props(written, _described(model, twin))
        onnx.save(written, twin)
    network = onnx.load(model)
    onnx.helper.set_model_props(network, _told(network) | {TWIN: twin.name})
    onnx.save(network, model)
    return twin


def _told(model: onnx.ModelProto) -> dict[str, str]:
    return {entry.key: entry.value for entry in model.metadata_props}


def _described(model: Path, twin: Path) -> dict[str, str]:
    told = _told(onnx.load(model, load_external_data=False)) | {"rtmatte.name": twin.stem}
    told.pop(TWIN, None)
    return told


def check(model: Path, twin: Path, shots: list[Shot]) -> None:
    """Raises ValueError where the twin's alphas are not the network's."""
    network, other = Steps(model), Steps(twin)
    differences = [
        float(np.abs(alpha - right).mean())
        for shot in shots
        for (_, right), (_, alpha) in zip(network.feeds(shot.frames), other.feeds(shot.frames), strict=True)
    ]
    difference = sum(differences) / len(differences)
    print(f"{twin.name}: alpha differs by {difference:.5f} on the mean, {max(differences):.5f} at the most")
    if difference > TOLERANCE:
        raise ValueError(f"the 8-bit twin of {model} differs by {difference:.4f} in alpha, over {TOLERANCE}")


def shots_of(data: pack.Pack, *, area: float, count: int, length: int = 5) -> list[Shot]:
    """Shots in every shape of frame that the training draws, as often."""
    source = scenes(data, seed=20_261)
    sizes = [grid(area, *aspect(source.random)) for _ in range(count)]
    return [source.shot(length, width=width, height=height) for width, height in sizes]


def main() -> None:
    """Read the command line and quantise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="exported; its twin is written beside it")
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--shots", type=int, default=80)
    chosen = parser.parse_args()
    area = float(_told(onnx.load(chosen.model))["rtmatte.area"])
    data = pack.read(chosen.pack, split="train", cache=chosen.cache)
    twin = quantise(chosen.model, shots_of(data, area=area, count=chosen.shots))
    list_sums(chosen.model.parent)
    print(f"{twin}: {twin.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
