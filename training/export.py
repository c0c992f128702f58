"""Write a checkpoint as a self-describing ONNX file: ``python -m training.export --checkpoint FILE --out FILE.onnx``.

The graph takes a frame as the camera delivers it, (1, h, w, 3) uint8 BGR, and normalises it; recurrent state is passed
by name. A network that sees the clean plate also takes ``plate`` (1, h, w, 3) uint8 BGR, and its ``validity``
(1, h, w, 1) uint8: 0 where the background was never seen.

The file is compared with PyTorch before it replaces an older one.
"""

import argparse
import datetime as dt
import hashlib
import json
import subprocess
import warnings
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from training.loader import MULTIPLE
from training.network import Architecture, MattingNet, State, plate_values, to_alpha, with_plate
from training.onnx_network import PLATE, STATES, STRIDES, ExportedNetwork
from training.trainer import grow_weights

OPSET = 17
HALF_PRECISION_FROM = 1024
"""Tensors of at least this many weights are stored in 16 bits."""

TOLERANCE = 5e-4
"""Largest mean difference of alpha between ONNX Runtime and PyTorch over ten frames of noise. Noise is unlike anything
in the training, so it shows the rounding of the 16-bit weights most."""


class SingleFrame(nn.Module):
    """The network as it is exported: a frame, its plate if it sees one, and the state in; alpha and the next state out.

    Each input is (1, h, w, channels) uint8.
    """

    def __init__(self, net: MattingNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Alpha (1, 1, h, w), and the next state. ``inputs``: the frame, the plate and its validity, the state."""
        images, (memory16, memory8, memory4) = inputs[: -len(STATES)], inputs[-len(STATES) :]
        frame, *plate = (image.permute(0, 3, 1, 2).float() for image in images)
        values = frame / 127.5 - 1
        if plate:
            values = with_plate(values, plate_values(torch.cat(plate, 1)))
        logits, _, state = self.net.decode(self.net.encode(values), (memory16, memory8, memory4))
        return to_alpha(logits), *state


def image_inputs(net: MattingNet) -> dict[str, int]:
    """The inputs of the exported network that are images, each with its channels."""
    return {"frame": 3} | (PLATE if net.architecture.sees_plate else {})


def load_checkpoints(*checkpoints: Path) -> tuple[MattingNet, int]:
    """The averaged network of a checkpoint, and the number of frames it saw in all its runs.

    Of several, each of which started from another: the mean of their weights, and the largest number of frames
    (Wortsman et al. 2022, Model soups). Some may have fewer residual blocks than those that grew from them, and no
    input for a clean plate.

    Raises:
        ValueError: the networks do not have the same channels.
    """
    states = [torch.load(checkpoint, map_location="cpu", weights_only=True) for checkpoint in checkpoints]
    largest = max(states, key=lambda state: (len(state["average"]), state["shape"].get("inputs", 3)))
    shape, names = largest["shape"], largest["average"].keys()
    if any(state["shape"]["channels"] != shape["channels"] or state["average"].keys() - names for state in states):
        raise ValueError(f"cannot average networks of several shapes: {', '.join(map(str, checkpoints))}")
    grown = [grow_weights(state["average"], largest["average"]) for state in states]
    net = MattingNet(Architecture(tuple(shape["channels"]), tuple(shape["blocks"]), shape.get("inputs", 3)))
    net.load_state_dict({name: _mean([weights[name] for weights in grown]) for name in names})
    return net.eval(), max(int(state["frames"]) + int(state.get("before", 0)) for state in states)


def write_checkpoint(net: MattingNet, path: Path, *, frames: int) -> None:
    """A checkpoint of a network alone, which saw so many frames, to start new runs from."""
    torch.save({"average": net.state_dict(), "frames": frames, "shape": asdict(net.architecture)}, path)


def without_plate(net: MattingNet) -> MattingNet:
    """The network without the input for a clean plate: its alpha is that for a plate that is valid nowhere."""
    plain = MattingNet(replace(net.architecture, inputs=3))
    plain.load_state_dict(grow_weights(net.state_dict(), plain.state_dict()))
    return plain.eval()


def _mean(weights: list[Tensor]) -> Tensor:
    return torch.stack(weights).mean(0) if weights[0].is_floating_point() else weights[0]


def export(net: MattingNet, out: Path, *, name: str, area: int, frames: int, quality: str | None = None) -> None:
    """Write ``net`` to ``out`` after a check.

    Args:
        net: The network, in evaluation mode.
        out: The .onnx file.
        name: Of the model, for the user.
        area: Pixels of the base grid.
        frames: Seen in training, for the metadata.
        quality: The ``quality`` option of the program if the user sets none.

    Raises:
        ValueError: ONNX Runtime computes another alpha than PyTorch.
    """
    part = out.with_suffix(".part")
    images = image_inputs(net)
    zeros = [torch.zeros(1, 144, 256, channels, dtype=torch.uint8) for channels in images.values()]
    outputs = [f"{state}_out" for state in STATES]
    axes = {name: {1: "height", 2: "width"} for name in images} | {"alpha": {2: "height", 3: "width"}}
    for state in (*STATES, *outputs):
        axes[state] = {2: f"{state}_height", 3: f"{state}_width"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own deprecation
        torch.onnx.export(
            SingleFrame(net).eval(),
            (*zeros, *net.initial_state(1, 144, 256)),
            str(part),
            input_names=[*images, *STATES],
            output_names=["alpha", *outputs],
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    metadata = {"name": name, "area": str(area), "frames_trained": str(frames)}
    _add_metadata(part, net, metadata | ({"quality": quality} if quality else {}))
    check(net, part)
    part.replace(out)


def _add_metadata(path: Path, net: MattingNet, metadata: dict[str, str]) -> None:
    states = [
        {"input": state, "output": f"{state}_out", "channels": channels, "stride": stride}
        for state, channels, stride in zip(STATES, net.architecture.state_channels, STRIDES, strict=True)
    ]
    model = onnx.load(path)
    onnx.helper.set_model_props(
        model,
        {
            "rtmatte.family": "recurrent",
            "rtmatte.version": "1",
            "rtmatte.multiple": str(MULTIPLE),
            "rtmatte.mean": "127.5",
            "rtmatte.std": "127.5",
            "rtmatte.states": json.dumps(states),
            **({"rtmatte.plate": json.dumps(list(PLATE))} if net.architecture.sees_plate else {}),
            "rtmatte.licence": "MIT",
            "rtmatte.commit": _commit(),
            "rtmatte.created": dt.datetime.now(dt.UTC).date().isoformat(),
            **{f"rtmatte.{key}": value for key, value in metadata.items()},
        },
    )
    _store_half_precision(model.graph)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _store_half_precision(graph: onnx.GraphProto) -> None:
    """Store large weights as 16-bit floats, cast back when the file is loaded: half the download, the same speed."""
    casts = []
    for weights in graph.initializer:
        values = onnx.numpy_helper.to_array(weights)
        if values.dtype != np.float32 or values.size < HALF_PRECISION_FROM:
            continue
        casts.append(onnx.helper.make_node("Cast", [f"{weights.name}_half"], [weights.name], to=onnx.TensorProto.FLOAT))
        weights.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), f"{weights.name}_half"))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def check(net: MattingNet, path: Path) -> None:
    """Run ten frames of noise through both, with plates of noise, in a size that the export did not trace.

    Raises:
        ValueError: alpha differs by more than TOLERANCE.
    """
    random = np.random.default_rng(0)
    frames = random.integers(0, 256, (10, 160, 224, 3), np.uint8)
    plate = random.integers(0, 256, (160, 224, 4), np.uint8)
    state: State = net.initial_state(1, *frames.shape[1:3])
    difference = 0.0
    for inputs, alpha in ExportedNetwork(path).run(frames, plate):
        with torch.no_grad():
            expected, *after = SingleFrame(net)(*(torch.from_numpy(inputs[name]) for name in image_inputs(net)), *state)
        state = (after[0], after[1], after[2])
        difference = max(difference, float(np.abs(alpha - expected.numpy()).mean()))
    if difference > TOLERANCE:
        raise ValueError(f"{path}: ONNX Runtime and PyTorch differ by {difference:.4f} in alpha, over {TOLERANCE}")


def write_checksums(folder: Path) -> None:
    """Write SHA256SUMS for every network in a folder."""
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(folder.glob("*.onnx"))]
    (folder / "SHA256SUMS").write_text("".join(sums))


def _commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown"  # noqa: S603


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--checkpoint", type=Path, required=True, action="append", help="may be repeated, for the mean of several runs"
    )
    parser.add_argument("--out", type=Path, required=True, help="the .onnx file; also writes SHA256SUMS beside it")
    parser.add_argument(
        "--keep", type=Path, help="also write a checkpoint of the average alone, to start new runs from"
    )
    parser.add_argument("--no-plate", action="store_true", help="without the input for a clean plate")
    parser.add_argument("--area", type=int, default=256 * 144, help="pixels of the base grid")
    parser.add_argument("--quality", choices=["low", "high", "best"], help="the quality if the user asks for none")
    options = parser.parse_args()
    net, frames = load_checkpoints(*options.checkpoint)
    net = without_plate(net) if options.no_plate else net
    export(net, options.out, name=options.out.stem, area=options.area, frames=frames, quality=options.quality)
    write_checksums(options.out.parent)
    if options.keep:
        write_checkpoint(net, options.keep, frames=frames)
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.2f} MB, after {frames} frames")


if __name__ == "__main__":
    main()
