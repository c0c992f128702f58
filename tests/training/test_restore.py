"""Exported networks are read back: the same alpha, also in training, and what another network has learned is added."""

from pathlib import Path

import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install --group train")

from training import export, network, restore  # noqa: E402 - only if PyTorch is installed
from training.restore import Convolution  # noqa: E402 - as above


def trained(shape: str = "tiny") -> network.MattingNet:
    """A network whose normalisations and last layers are not those of a new one."""
    torch.manual_seed(1)
    net = network.MattingNet(network.ARCHITECTURES[shape])
    for values in net.parameters():
        values.data += 0.05 * torch.randn_like(values)
    net.train()
    with torch.no_grad():
        net(clips(seed=2))
    return net.eval()


def clips(*, seed: int, channels: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(4, 2, channels, 64, 96, generator=generator) * 2 - 1


def alpha(net: network.MattingNet, inputs: torch.Tensor) -> np.ndarray:
    with torch.no_grad():
        return network.to_alpha(net(inputs)[0]).numpy()


@pytest.fixture
def exported(tmp_path: Path) -> tuple[network.MattingNet, Path]:
    net = trained()
    export.export(net, tmp_path / "net.onnx", name="net", area=36_864, frames=4711)
    return net, tmp_path / "net.onnx"


def test_a_restored_network_computes_the_same_and_can_be_trained_on(
    exported: tuple[network.MattingNet, Path],
) -> None:
    net, file = exported
    restored = restore.to_network(restore.read_convolutions(onnx.load(file)), "tiny")
    inputs = clips(seed=3)
    expected = alpha(net, inputs)
    assert np.ptp(expected) > 0.2
    assert np.abs(alpha(restored, inputs) - expected).max() < 0.01  # weights of 16 bits
    restore.calibrate(restored, [inputs[:2], inputs[2:]])
    assert np.abs(alpha(restored, inputs) - expected).max() < 0.01
    restored.train()  # normalises by the batch, which is the one that it was calibrated on
    assert np.abs(alpha(restored, inputs) - expected).max() < 0.02


def test_every_normalisation_has_the_statistics_of_the_inputs(exported: tuple[network.MattingNet, Path]) -> None:
    restored = restore.to_network(restore.read_convolutions(onnx.load(exported[1])), "tiny")
    restore.calibrate(restored, [clips(seed=3)])
    seen: list[tuple[torch.Tensor, torch.nn.Module]] = []
    norms = [module for module in restored.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.register_forward_pre_hook(lambda module, values: seen.append((values[0], module)))
    alpha(restored, clips(seed=3))
    assert {id(module) for _, module in seen} == {id(norm) for norm in norms}
    by_norm: dict[torch.nn.Module, list[torch.Tensor]] = {}
    for values, module in seen:
        by_norm.setdefault(module, []).append(values)
    for module, parts in by_norm.items():
        joined = torch.cat(parts).transpose(0, 1).flatten(1)
        torch.testing.assert_close(module.running_mean, joined.mean(1), atol=1e-4, rtol=1e-3)
        torch.testing.assert_close(module.running_var, joined.var(1, unbiased=False), atol=1e-4, rtol=1e-3)


def test_what_another_network_has_learned_is_added() -> None:
    def values(number: float, inputs: int = 3) -> Convolution:
        return Convolution(np.full((2, inputs, 3, 3), number, np.float32), np.full(2, number, np.float32))

    large = {"stem.0.0": values(10), "only.large": values(20)}
    added = restore.add_learned(large, {"stem.0.0": values(3, 7)}, {"stem.0.0": values(1)}, share=0.5)
    assert added["only.large"] is large["only.large"]
    weights, bias = added["stem.0.0"].weights, added["stem.0.0"].bias
    assert weights.shape == (2, 7, 3, 3)
    assert (weights[:, :3] == 11).all()
    assert (weights[:, 3:] == 3).all(), "of the clean plate, which only the other one sees"
    assert (bias == 11).all()
    with pytest.raises(KeyError):
        restore.add_learned(large, {"other": values(3)}, {"stem.0.0": values(1)}, share=0.5)


def test_another_shape_is_refused(exported: tuple[network.MattingNet, Path]) -> None:
    convolutions = restore.read_convolutions(onnx.load(exported[1]))
    with pytest.raises(ValueError, match=r"not a network of shape small: to16\.\d"):
        restore.to_network(convolutions, "small")


@pytest.mark.parametrize(
    ("node", "module"),
    [
        ("/stem/stem.0/stem.0.0/Conv", "stem.0.0"),
        ("/to4/to4.2/first/first.0/Conv", "to4.2.first.0"),
        ("/whole/down/down.1/second/second.0/Conv", "whole.down.1.second.0"),
        ("/context/gate/gate.1/Conv", "context.gate.1"),
        ("/head/Conv", "head"),
    ],
)
def test_nodes_are_named_after_their_module(node: str, module: str) -> None:
    assert restore.module_name(node) == module


def test_the_command_writes_a_checkpoint_that_is_exported_again(
    exported: tuple[network.MattingNet, Path], pack_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restore, "CALIBRATION_BATCHES", 1)
    net, file = exported
    words = ["--model", file, "--shape", "tiny", "--pack", pack_folder, "--cache", tmp_path / "cache"]
    learned = ["--after", file, "--before", file]  # nothing
    for more in ([], learned):
        monkeypatch.setattr("sys.argv", ["restore", *map(str, [*words, "--out", tmp_path / "net.pt", *more])])
        restore.main()
        again, frames = export.load_checkpoints(tmp_path / "net.pt")
        assert frames == 4711
        assert np.abs(alpha(again, clips(seed=3)) - alpha(net, clips(seed=3))).max() < 0.01


def test_a_network_before_is_needed_for_what_was_learned(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--model", "a.onnx", "--shape", "tiny", "--pack", "p", "--out", "o.pt", "--after", "b.onnx"]
    monkeypatch.setattr("sys.argv", ["restore", *words])
    with pytest.raises(SystemExit) as error:
        restore.main()
    assert error.value.code == 2
    assert "--after and --before belong together" in capsys.readouterr().err
