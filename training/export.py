"""Write a checkpoint as a self-describing ONNX file: ``python -m training.export --checkpoint FILE --out FILE.onnx``.

The graph takes the frame as the camera gives it, (1, h, w, 3) uint8 BGR, and holds its own normalisation; states go in
and come out by name. The file is checked against PyTorch before it replaces an older one.
"""

import argparse
import datetime as dt
import hashlib
import json
import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training import session
from training.loader import MULTIPLE
from training.net import MattingNet, Memory, Shape, to_alpha
from training.run import grown

STATES = ("memory16", "memory8", "memory4")
STRIDES = (16, 8, 4)
OPSET = 17
HALVED_FROM = 1024
"""Tensors of at least this many weights are stored in 16 bits."""

TOLERANCE = 5e-4
"""Largest mean difference of alpha between ONNX Runtime and PyTorch over ten frames of noise, which is what no network
was trained on: the 16-bit weights show there most."""


class Exported(nn.Module):
    """One step of the network as others call it."""

    def __init__(self, net: MattingNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, frame: Tensor, memory16: Tensor, memory8: Tensor, memory4: Tensor) -> tuple[Tensor, ...]:
        """Alpha (1, 1, h, w) of ``frame`` (1, h, w, 3) uint8 BGR, and the memory after it."""
        features = self.net.encode(frame.permute(0, 3, 1, 2).float() / 127.5 - 1)
        logits, _, memory = self.net.decode(features, (memory16, memory8, memory4))
        return to_alpha(logits), *memory


def load(*checkpoints: Path) -> tuple[MattingNet, int]:
    """The averaged network of a checkpoint, and how many frames it has seen in all its runs.

    Of several, each of which began where another ended: the mean of their weights, and the frames of the one that saw
    most (Wortsman et al. 2022, Model soups). Some may have fewer residual blocks than others, which grew from them.

    Raises:
        ValueError: their networks have not the same channels.
    """
    states = [torch.load(checkpoint, map_location="cpu", weights_only=True) for checkpoint in checkpoints]
    largest = max(states, key=lambda state: len(state["average"]))
    shape, names = largest["shape"], largest["average"].keys()
    if any(state["shape"]["channels"] != shape["channels"] or state["average"].keys() - names for state in states):
        raise ValueError(f"no mean of networks of several shapes: {', '.join(map(str, checkpoints))}")
    whole = [grown(state["average"], largest["average"]) for state in states]
    net = MattingNet(Shape(tuple(shape["channels"]), tuple(shape["blocks"])))
    net.load_state_dict({name: _mean([weights[name] for weights in whole]) for name in names})
    return net.eval(), max(int(state["frames"]) + int(state.get("before", 0)) for state in states)


def _mean(weights: list[Tensor]) -> Tensor:
    return torch.stack(weights).mean(0) if weights[0].is_floating_point() else weights[0]


def export(net: MattingNet, out: Path, *, name: str, area: int, frames: int, quality: str | None = None) -> None:
    """Write ``net`` to ``out``, checked. ``quality``: what rtmatte runs it with where none is asked for."""
    part = out.with_suffix(".part")
    frame = torch.zeros(1, 144, 256, 3, dtype=torch.uint8)
    outputs = [f"{state}_out" for state in STATES]
    axes = {"frame": {1: "height", 2: "width"}, "alpha": {2: "height", 3: "width"}}
    for state in (*STATES, *outputs):
        axes[state] = {2: f"{state}_height", 3: f"{state}_width"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own talk about its successor
        torch.onnx.export(
            Exported(net).eval(),
            (frame, *net.memory(1, 144, 256)),
            str(part),
            input_names=["frame", *STATES],
            output_names=["alpha", *outputs],
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    told = {"name": name, "area": str(area), "frames_trained": str(frames)} | ({"quality": quality} if quality else {})
    _describe(part, net, told)
    check(net, part)
    part.replace(out)


def _describe(path: Path, net: MattingNet, told: dict[str, str]) -> None:
    states = [
        {"input": state, "output": f"{state}_out", "channels": kept, "stride": stride}
        for state, kept, stride in zip(STATES, net.shape.kept, STRIDES, strict=True)
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
            "rtmatte.licence": "MIT",
            "rtmatte.commit": _commit(),
            "rtmatte.created": dt.datetime.now(dt.UTC).date().isoformat(),
            **{f"rtmatte.{word}": value for word, value in told.items()},
        },
    )
    _store_halves(model.graph)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _store_halves(graph: onnx.GraphProto) -> None:
    """Keep large weights as 16-bit floats, cast back when the file is loaded: half the download, the same speed."""
    casts = []
    for weights in graph.initializer:
        values = onnx.numpy_helper.to_array(weights)
        if values.dtype != np.float32 or values.size < HALVED_FROM:
            continue
        casts.append(onnx.helper.make_node("Cast", [f"{weights.name}_half"], [weights.name], to=onnx.TensorProto.FLOAT))
        weights.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), f"{weights.name}_half"))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


class Steps:
    """An exported network run frame by frame on one thread, memories handed on."""

    def __init__(self, path: Path) -> None:
        self.session = session.start(path)
        self.channels = {port.name: port.shape[1] for port in self.session.get_inputs() if port.name in STATES}

    def feeds(self, frames: NDArray[np.uint8]) -> Iterator[tuple[dict[str, NDArray[np.generic]], NDArray[np.float32]]]:
        """For each frame of a shot (T, H, W, 3): what goes in, and the alpha that comes out."""
        height, width = frames.shape[1:3]
        states = {
            name: np.zeros((1, self.channels[name], height // stride, width // stride), np.float32)
            for name, stride in zip(STATES, STRIDES, strict=True)
        }
        for frame in frames:
            feed = {"frame": frame[None], **states}
            alpha, *after = self.session.run(None, feed)
            states = dict(zip(STATES, after, strict=True))
            yield feed, alpha


def check(net: MattingNet, path: Path) -> None:
    """Run ten frames of noise through both, in a size the export did not see. Raises ValueError where they part."""
    frames = np.random.default_rng(0).integers(0, 256, (10, 160, 224, 3), np.uint8)
    memory: Memory = net.memory(1, *frames.shape[1:3])
    difference = 0.0
    for feed, alpha in Steps(path).feeds(frames):
        with torch.no_grad():
            expected, *after = Exported(net)(torch.from_numpy(feed["frame"]), *memory)
        memory = (after[0], after[1], after[2])
        difference = max(difference, float(np.abs(alpha - expected.numpy()).mean()))
    if difference > TOLERANCE:
        raise ValueError(f"{path}: ONNX Runtime and PyTorch differ by {difference:.4f} in alpha, over {TOLERANCE}")


def list_sums(folder: Path) -> None:
    """Write SHA256SUMS for every network in a folder."""
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(folder.glob("*.onnx"))]
    (folder / "SHA256SUMS").write_text("".join(sums))


def _commit() -> str:
    asked = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)  # noqa: S607
    return asked.stdout.strip() or "unknown"


def main() -> None:
    """Read the command line and export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--checkpoint", type=Path, required=True, action="append", help="again for the mean of several runs' networks"
    )
    parser.add_argument("--out", type=Path, required=True, help="the .onnx file; SHA256SUMS beside it is written anew")
    parser.add_argument("--keep", type=Path, help="also write what a new run can begin from: the average alone")
    parser.add_argument("--area", type=int, default=256 * 144, help="pixels of the grid it runs on")
    parser.add_argument("--quality", choices=["low", "high", "best"], help="of that grid, where the user asks for none")
    chosen = parser.parse_args()
    net, frames = load(*chosen.checkpoint)
    export(net, chosen.out, name=chosen.out.stem, area=chosen.area, frames=frames, quality=chosen.quality)
    list_sums(chosen.out.parent)
    if chosen.keep:
        kept = {"average": net.state_dict(), "frames": frames, "shape": asdict(net.shape)}
        torch.save(kept, chosen.keep)
    print(f"{chosen.out}: {chosen.out.stat().st_size / 1e6:.2f} MB, after {frames} frames")


if __name__ == "__main__":
    main()
