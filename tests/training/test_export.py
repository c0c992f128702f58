"""Exported and quantized networks compute what PyTorch computes, and the program runs them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install --group train")

from training import export, network, onnx_network, pack, quantize  # noqa: E402 - only if PyTorch is installed
from training.augment.shot import Shot  # noqa: E402 - as above
from training.trainer import resume_or_start  # noqa: E402 - as above


def tiny(*, plate: bool = False) -> network.MattingNet:
    inputs = network.PLATE_INPUTS if plate else 3
    return network.MattingNet(replace(network.ARCHITECTURES["tiny"], inputs=inputs)).eval()


def test_several_checkpoints_are_averaged(tmp_path: Path) -> None:
    files = [tmp_path / f"{value}.pt" for value in (1, 4)]
    for value, file in zip((1, 4), files, strict=True):
        trainer = resume_or_start("tiny", tmp_path / "none.pt", "cpu")
        torch.nn.init.constant_(trainer.average.head.bias, value)
        trainer.frames = 100 * value
        trainer.save(file)
    mean, frames = export.load_checkpoints(*files)
    assert (mean.head.bias == 2.5).all()
    assert frames == 400
    one, two = (export.load_checkpoints(file)[0].state_dict() for file in files)
    for name, value in mean.state_dict().items():
        assert torch.allclose(value.float(), (one[name].float() + two[name].float()) / 2, atol=1e-6), name


def test_average_may_include_a_network_before_it_grew(tmp_path: Path) -> None:
    small, large = tmp_path / "small.pt", tmp_path / "large.pt"
    resume_or_start("small", tmp_path / "none.pt", "cpu").save(small)
    trainer = resume_or_start("large", tmp_path / "none.pt", "cpu", start=small)
    trainer.save(large)
    clip = torch.rand(1, 2, network.PLATE_INPUTS, 64, 96) * 2 - 1
    with torch.no_grad():
        mean = export.load_checkpoints(small, large)[0](clip)[0]
        before = export.load_checkpoints(small)[0](clip)[0]
        torch.nn.init.constant_(trainer.average.to4[3].second[1].weight, 3)
    assert torch.allclose(mean, before, atol=1e-5)
    trainer.save(large)
    mixed = export.load_checkpoints(large, small)[0]
    assert mixed.architecture == network.ARCHITECTURES["large"]
    assert (mixed.to4[3].second[1].weight == 1.5).all()


def test_different_architectures_are_not_averaged(tmp_path: Path) -> None:
    for name in ("tiny", "small"):
        resume_or_start(name, tmp_path / "none.pt", "cpu").save(tmp_path / f"{name}.pt")
    with pytest.raises(ValueError, match="cannot average networks of several shapes"):
        export.load_checkpoints(tmp_path / "tiny.pt", tmp_path / "small.pt")


def test_wrong_export_is_refused(tmp_path: Path) -> None:
    right, wrong = tiny(), tiny()
    torch.nn.init.constant_(wrong.head.bias, 5)
    export.export(right, tmp_path / "right.onnx", name="right", area=48 * 64, frames=0)
    with pytest.raises(ValueError, match="differ"):
        export.check(wrong, tmp_path / "right.onnx")


def test_program_computes_the_alpha_of_the_trained_network(tmp_path: Path) -> None:
    from realtime_matte import models  # noqa: PLC0415 - needs the program's own packages
    from realtime_matte.frame import Frame  # noqa: PLC0415 - as above

    net = tiny()
    export.export(net, tmp_path / "own.onnx", name="own", area=96 * 64, frames=0)
    opened = models.open(f"{tmp_path}/own.onnx?unverified", provider="cpu", threads=1)
    pixels = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    matte, _ = opened.process(Frame(pixels, 0.0, 0), None)
    frames = torch.from_numpy(pixels).permute(2, 0, 1).float()[None, None] / 127.5 - 1
    with torch.no_grad():
        expected = network.to_alpha(net(frames)[0])[0, 0, 0].numpy()
    opened.close()
    assert matte.alpha.shape == expected.shape
    assert np.abs(matte.alpha - expected).max() < 5e-3


def test_network_that_sees_the_plate_has_it_as_described_inputs(tmp_path: Path) -> None:
    import onnx  # noqa: PLC0415 - comes with the group

    export.export(tiny(plate=True), tmp_path / "plate.onnx", name="plate", area=48 * 64, frames=0)
    model = onnx.load(tmp_path / "plate.onnx")
    assert quantize.read_metadata(model)["rtmatte.plate"] == '["plate", "validity"]'
    ports = {port.name: port.type.tensor_type for port in model.graph.input}
    channels = {name: ports[name].shape.dim[3].dim_value for name in ("frame", "plate", "validity")}
    assert channels == {"frame": 3, "plate": 3, "validity": 1}
    assert {ports[name].elem_type for name in channels} == {onnx.TensorProto.UINT8}


def test_plate_changes_nothing_where_it_is_not_valid(tmp_path: Path) -> None:
    """Whatever its colours are: the room behind a person who was never away must not be guessed from rubbish."""
    export.export(tiny(plate=True), tmp_path / "plate.onnx", name="plate", area=48 * 64, frames=0)
    exported = onnx_network.ExportedNetwork(tmp_path / "plate.onnx")
    generator = np.random.default_rng(0)
    frames = generator.integers(0, 256, (3, 48, 64, 3), np.uint8)
    plate = generator.integers(0, 256, (48, 64, 4), np.uint8)

    def alphas(*, validity: int) -> list[np.ndarray]:
        plate[..., 3] = validity
        return [alpha for _, alpha in exported.run(frames, plate)]

    without = [alpha for _, alpha in exported.run(frames)]
    assert np.array_equal(alphas(validity=0), without)
    assert not np.array_equal(alphas(validity=255), without)


def test_network_that_sees_the_plate_can_be_exported_without_it(tmp_path: Path) -> None:
    """With the alpha that it has where no plate is known."""
    net = tiny(plate=True)
    export.export(net, tmp_path / "plate.onnx", name="plate", area=48 * 64, frames=0)
    export.export(export.without_plate(net), tmp_path / "plain.onnx", name="plain", area=48 * 64, frames=0)
    plain, exported = (onnx_network.ExportedNetwork(tmp_path / f"{name}.onnx") for name in ("plain", "plate"))
    assert exported.sees_plate
    assert not plain.sees_plate
    frames = np.random.default_rng(0).integers(0, 256, (3, 48, 64, 3), np.uint8)
    for (_, alpha), (_, expected) in zip(plain.run(frames), exported.run(frames), strict=True):
        assert np.abs(alpha - expected).max() < 1e-4


def test_quantized_model_is_written_named_and_checked(data: pack.Pack, tmp_path: Path) -> None:
    import onnx  # noqa: PLC0415 - comes with the group

    torch.manual_seed(0)
    path = tmp_path / "own.onnx"
    export.export(tiny(), path, name="own", area=96 * 64, frames=0)
    shots = quantize.calibration_shots(data, area=96 * 64, count=4, length=3, plates=False)
    quantized = quantize.quantize(path, shots)
    assert quantized.name == "own-int8.onnx"
    assert quantize.read_metadata(onnx.load(path))["rtmatte.eight_bit"] == quantized.name
    assert "rtmatte.eight_bit" not in quantize.read_metadata(onnx.load(quantized))
    operators = [node.op_type for node in onnx.load(quantized).graph.node]
    assert operators.count("Conv") == operators.count("Relu") == 0
    assert operators.count("QLinearConv") == 30  # all but the gate
    other = tiny()
    torch.nn.init.constant_(other.head.bias, 5)
    export.export(other, tmp_path / "other.onnx", name="other", area=96 * 64, frames=0)
    with pytest.raises(ValueError, match="differs"):
        quantize.check(tmp_path / "other.onnx", quantized, shots)


@pytest.mark.parametrize("channels", [3, network.PLATE_INPUTS])
@pytest.mark.parametrize(("height", "width"), [(64, 96), (80, 112), (48, 16)])
def test_quantized_model_computes_the_network_at_every_size(
    tmp_path: Path, height: int, width: int, channels: int
) -> None:
    """Also where 1/16 of a side is odd, so that its half is rounded; and with states, which the second frame gets."""
    torch.manual_seed(1)
    plate = channels == network.PLATE_INPUTS
    net = tiny(plate=plate)
    for name, weights in net.named_parameters():
        if name.endswith(("second.1.weight", "back.weight")):  # which are 0 before a training
            torch.nn.init.normal_(weights, std=0.3)
    torch.nn.init.constant_(net.head.bias, 0.3)
    path = tmp_path / "own.onnx"
    export.export(net, path, name="own", area=96 * 64, frames=0)
    generator = np.random.default_rng(0)
    frames = np.stack([np.kron(generator.integers(0, 256, (height // 8, width // 8, 3)), np.ones((8, 8, 1)))] * 3)
    room = generator.integers(0, 256, (1, height, width, 4), np.uint8)
    shots = [Shot(frames.astype(np.uint8), frames[..., 0], frames[..., 0], room if plate else None)] * 4
    quantized = quantize.quantize(path, shots)
    for given in (room[0], None) if plate else (None,):
        compare_runs(path, quantized, shots[0].frames, given)


def compare_runs(path: Path, quantized: Path, frames: np.ndarray, plate: np.ndarray | None) -> None:
    height, width = frames.shape[1:3]
    for (inputs, expected), (quantized_inputs, alpha) in zip(
        onnx_network.ExportedNetwork(path).run(frames, plate),
        onnx_network.ExportedNetwork(quantized).run(frames, plate),
        strict=True,
    ):
        assert alpha.shape == expected.shape == (1, 1, height, width)
        assert np.abs(alpha - expected).max() < 0.05
        for name in onnx_network.STATES:
            difference = np.abs(quantized_inputs[name] - inputs[name]).mean()
            # rounding gives 0.10 in a network without training, a decay of 0.3 instead of 0.95 gives 0.22
            assert difference <= 0.15 * np.abs(inputs[name]).mean()
