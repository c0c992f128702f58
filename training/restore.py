"""Read an exported network back into a checkpoint.

    python -m training.restore --model large.onnx --shape large --pack PACK --out large.pt

For a network whose checkpoint is lost, or that should learn what another one has learned since it grew from it: with
``--after`` and ``--before``, a share of the difference of their weights is added (task arithmetic, Ilharco et al. 2023,
Editing Models with Task Arithmetic). Blocks that only the larger network has stay as they are.

The export folds each batch normalisation into its convolution. The checkpoint has normalisations by the means and
variances of ``--pack``'s shots, which compute the same, so that training can go on. The coarse logits are not exported:
they begin untrained.
"""

import argparse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training import pack
from training.export import write_checkpoint
from training.loader import BatchPlan, batches
from training.network import ARCHITECTURES, MattingNet
from training.quantize import read_metadata
from training.recipes import BASE_AREA
from training.trainer import to_tensors

CALIBRATION_BATCHES = 12
"""Of 16 shots each: enough for means and variances of every channel."""

NOT_EXPORTED = "coarse"


@dataclass(frozen=True, slots=True)
class Convolution:
    """``weights`` (outputs, inputs, rows, columns) and ``bias`` (outputs,), with batch normalisation folded in."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]


Convolutions: TypeAlias = dict[str, Convolution]
"""By the name of the module in ``MattingNet``, such as ``stem.0.0``."""


def read_convolutions(model: onnx.ModelProto) -> Convolutions:
    """Those of an exported network."""
    values = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Cast" and node.input[0] in values:  # stored in 16 bits
            values[node.output[0]] = values[node.input[0]]
    found = {}
    for node in model.graph.node:
        if node.op_type == "Conv":
            weights, bias = (values[name].astype(np.float32) for name in node.input[1:])
            found[module_name(node.name)] = Convolution(weights, bias)
    return found


def module_name(node: str) -> str:
    """Of the module that became a node: ``/to4/to4.2/first/first.0/Conv`` is ``to4.2.first.0``."""
    names: list[str] = []
    for name in node.strip("/").split("/")[:-1]:
        if names and name.startswith(f"{names[-1]}."):
            names.pop()
        names.append(name)
    return ".".join(names)


def add_learned(
    network: Convolutions, after: Mapping[str, Convolution], before: Mapping[str, Convolution], *, share: float
) -> Convolutions:
    """The network and the ``share`` of what another one has learned from ``before`` to ``after``.

    Inputs that only ``after`` has, those for a clean plate, are added whole.

    Raises:
        KeyError: one of them lacks a convolution of ``after`` or ``before``.
    """
    learned = {}
    for name in after.keys() | before.keys():
        own, new, old = network[name], after[name], before[name]
        inputs = own.weights.shape[1]
        weights = own.weights + share * (new.weights[:, :inputs] - old.weights)
        joined = np.concatenate([weights, new.weights[:, inputs:]], axis=1)
        learned[name] = Convolution(joined, own.bias + share * (new.bias - old.bias))
    return network | learned


def to_network(convolutions: Mapping[str, Convolution], shape: str) -> MattingNet:
    """A network of that shape with these convolutions, whose normalisations change nothing.

    Raises:
        ValueError: the convolutions are those of another shape.
    """
    inputs = convolutions["stem.0.0"].weights.shape[1]
    net = MattingNet(replace(ARCHITECTURES[shape], inputs=inputs)).eval()
    modules = dict(net.named_modules())
    names = {name for name, module in modules.items() if isinstance(module, nn.Conv2d) and name != NOT_EXPORTED}
    if names != convolutions.keys():
        raise ValueError(f"not a network of shape {shape}: {', '.join(sorted(names ^ convolutions.keys())[:3])}")
    with torch.no_grad():
        for name, convolution in convolutions.items():
            module = modules[name]
            assert isinstance(module, nn.Conv2d)  # noqa: S101 - as names are found
            module.weight.copy_(torch.from_numpy(convolution.weights))
            if module.bias is None:
                norm = _norm_after(modules, name)
                norm.bias.copy_(torch.from_numpy(convolution.bias))
                norm.weight.fill_(1)
                norm.running_var.fill_(1 - norm.eps)
            else:
                module.bias.copy_(torch.from_numpy(convolution.bias))
    return net


def _norm_after(modules: Mapping[str, nn.Module], name: str) -> nn.BatchNorm2d:
    """The next module of the sequence."""
    sequence, _, index = name.rpartition(".")
    norm = modules[f"{sequence}.{int(index) + 1}"]
    assert isinstance(norm, nn.BatchNorm2d)  # noqa: S101 - follows every convolution without bias
    return norm


def calibrate(net: MattingNet, inputs: Iterable[Tensor]) -> None:
    """Let the normalisations use means and variances of ``inputs``, clips (B, T, C, H, W); they compute the same."""
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    sums = [torch.zeros(3, norm.num_features, dtype=torch.float64) for norm in norms]  # of values, of squares, count

    def observe(total: Tensor, values: Tensor) -> None:
        by_channel = values.transpose(0, 1).flatten(1).double()
        total += torch.stack(
            [by_channel.sum(1), by_channel.square().sum(1), torch.full_like(total[2], values[:, 0].numel())]
        )

    hooks = [
        norm.register_forward_pre_hook(lambda _, values, total=total: observe(total, values[0]))
        for norm, total in zip(norms, sums, strict=True)
    ]
    with torch.no_grad():
        for clips in inputs:
            net(clips)
        for norm, (value, square, count), hook in zip(norms, sums, hooks, strict=True):
            hook.remove()
            mean = value / count
            variance = square / count - mean * mean
            gain = norm.weight / (norm.running_var + norm.eps).sqrt()
            norm.bias += gain * (mean - norm.running_mean)
            norm.weight.copy_(gain * (variance + norm.eps).sqrt())
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)


def _calibration_inputs(data: pack.Pack, *, plates: bool) -> Iterator[Tensor]:
    plan = BatchPlan(shots=16, length=1, area=BASE_AREA, plates=plates)
    made = islice(batches(data, plan, seed=0, workers=0), CALIBRATION_BATCHES)
    return (to_tensors(batch, torch.device("cpu"))[0] for batch in made)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="the exported network, in floats")
    parser.add_argument("--shape", choices=list(ARCHITECTURES), required=True, help="its size")
    parser.add_argument("--after", type=Path, help="another network, now")
    parser.add_argument("--before", type=Path, help="the same when this one grew from it")
    parser.add_argument("--share", type=float, default=0.5, help="of what it has learned since that is added (0.5)")
    parser.add_argument("--pack", type=Path, required=True, help="folder of training images")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="where decoded images are kept")
    parser.add_argument("--out", type=Path, required=True, help="the checkpoint")
    options = parser.parse_args()
    if (options.after is None) != (options.before is None):
        parser.error("--after and --before belong together")
    model = onnx.load(options.model)
    convolutions = read_convolutions(model)
    if options.after:
        after, before = (read_convolutions(onnx.load(path)) for path in (options.after, options.before))
        convolutions = add_learned(convolutions, after, before, share=options.share)
    net = to_network(convolutions, options.shape)
    data = pack.read(options.pack, split="train", cache=options.cache)
    calibrate(net, _calibration_inputs(data, plates=net.architecture.sees_plate))
    write_checkpoint(net, options.out, frames=int(read_metadata(model).get("rtmatte.frames_trained", 0)))


if __name__ == "__main__":
    main()
