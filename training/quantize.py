"""Write the quantized model of an exported network: ``python -m training.quantize --model FILE.onnx --pack FOLDER``.

Convolutions in 8 bits, weights per channel, ranges calibrated on training shots (Jacob et al. 2018, Quantization and
Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference). ``integer_graph.py`` writes the graph.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader
from onnxruntime.quantization.calibrate import CalibrationMethod, create_calibrator
from onnxruntime.quantization.shape_inference import quant_pre_process

from training import pack
from training.augment.shot import Shot
from training.augment.shot_generator import shot_generator
from training.export import write_checksums
from training.graph_writer import Range
from training.integer_graph import IntegerGraph
from training.loader import input_size, random_aspect
from training.onnx_network import ExportedNetwork
from training.pack import Image

CALIBRATED = ("Conv", "Relu", "Add", "Mul")
"""Operators whose outputs have their range measured."""

METADATA_KEY = "rtmatte.eight_bit"
"""Of the network: the file name of its quantized model."""

TOLERANCE = 4e-3
"""Largest mean difference of alpha between the quantized model and the network, on shots not used for calibration."""


class CalibrationShots(CalibrationDataReader):  # type: ignore[misc] # ONNX Runtime's is untyped
    """Every frame of some shots, with the recurrent states of the network at that frame."""

    def __init__(self, network: ExportedNetwork, shots: list[Shot]) -> None:
        self._inputs = (inputs for shot in shots for inputs, _ in network.run(shot.frames, plate_of(shot)))

    def get_next(self) -> dict[str, NDArray[np.generic]] | None:
        return next(self._inputs, None)


def plate_of(shot: Shot) -> Image | None:
    """The clean plate of a shot and its validity, (H, W, 4); None without one."""
    return None if shot.plate is None else shot.plate[0]


def quantize(model: Path, shots: list[Shot]) -> Path:
    """Write the quantized model beside the network, and its name into the network's metadata.

    Args:
        model: The exported network.
        shots: The first quarter is for the check, the others for calibration.

    Raises:
        ValueError: alpha differs by more than TOLERANCE.
    """
    quantized = model.with_name(f"{model.stem}-int8.onnx")
    checked = len(shots) // 4
    with TemporaryDirectory() as folder:
        part = Path(folder) / "quantized.onnx"
        _write(model, part, shots[checked:])
        check(model, part, shots[:checked])
        written = onnx.load(part)
    metadata = read_metadata(onnx.load(model))
    own = {key: value for key, value in metadata.items() if key != METADATA_KEY} | {"rtmatte.name": quantized.stem}
    onnx.helper.set_model_props(written, own)
    onnx.save(written, quantized)
    network = onnx.load(model)
    onnx.helper.set_model_props(network, metadata | {METADATA_KEY: quantized.name})
    onnx.save(network, model)
    return quantized


def _write(model: Path, out: Path, shots: list[Shot]) -> None:
    prepared = out.with_name("prepared.onnx")
    quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
    ranges = _calibrate(prepared, CalibrationShots(ExportedNetwork(model), shots))
    onnx.save(IntegerGraph(onnx.load(prepared), ranges).build(), out)


def _calibrate(prepared: Path, shots: CalibrationShots) -> dict[str, Range]:
    """The mean of the frames' ranges of each tensor: outliers may be clipped."""
    calibrator = create_calibrator(
        str(prepared),
        list(CALIBRATED),
        augmented_model_path=str(prepared.with_name("augmented.onnx")),
        calibrate_method=CalibrationMethod.MinMax,
        extra_options={"moving_average": True},
    )
    calibrator.collect_data(shots)
    found = {name: (values.lowest, values.highest) for name, values in calibrator.compute_data().items()}
    return {name: (float(low.item()), float(high.item())) for name, (low, high) in found.items()}


def read_metadata(model: onnx.ModelProto) -> dict[str, str]:
    """What a model says about itself."""
    return {entry.key: entry.value for entry in model.metadata_props}


def check(model: Path, quantized: Path, shots: list[Shot]) -> None:
    """Compare the alphas of the quantized model with the network's. Raises ValueError if they differ over TOLERANCE."""
    network, other = ExportedNetwork(model), ExportedNetwork(quantized)
    differences = [
        float(np.abs(alpha - expected).mean())
        for shot in shots
        for (_, expected), (_, alpha) in zip(
            network.run(shot.frames, plate_of(shot)), other.run(shot.frames, plate_of(shot)), strict=True
        )
    ]
    difference = sum(differences) / len(differences)
    print(f"{quantized.name}: alpha differs by {difference:.5f} on average, {max(differences):.5f} at most")
    if difference > TOLERANCE:
        raise ValueError(f"the quantized model of {model} differs by {difference:.4f} in alpha, over {TOLERANCE}")


def calibration_shots(data: pack.Pack, *, area: float, count: int, plates: bool, length: int = 5) -> list[Shot]:
    """Shots of every aspect ratio of the training, with the same probabilities; with clean plates if ``plates``."""
    generator = shot_generator(data, seed=20_261, plates=plates)
    sizes = [input_size(area, *random_aspect(generator.random)) for _ in range(count)]
    return [generator.shot(length, width=width, height=height) for width, height in sizes]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="exported; the quantized model is written beside it")
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--shots", type=int, default=240, help="for calibration and check together")
    options = parser.parse_args()
    metadata = read_metadata(onnx.load(options.model))
    area, plates = float(metadata["rtmatte.area"]), "rtmatte.plate" in metadata
    data = pack.read(options.pack, split="train", cache=options.cache)
    quantized = quantize(options.model, calibration_shots(data, area=area, count=options.shots, plates=plates))
    write_checksums(options.model.parent)
    print(f"{quantized}: {quantized.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
