"""A pack of discs, and a network in which the teacher's encoder is found."""

from pathlib import Path

import numpy as np
import pytest
from fakes.training_data import write_pack

from training import pack


@pytest.fixture(scope="session")
def pack_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In each split six stills, one clip, four backgrounds."""
    pytest.importorskip("pymatting", reason="pymatting is not installed: pip install --group train")
    folder = tmp_path_factory.mktemp("pack")
    write_pack(folder)
    return folder


@pytest.fixture(scope="session")
def data(pack_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> pack.Pack:
    return pack.read(pack_folder, split="train", cache=tmp_path_factory.mktemp("cache"))


@pytest.fixture
def teacher_file(tmp_path: Path) -> Path:
    """A network whose features are the mean red of each block of 16 x 16 pixels, in every channel."""
    import onnx  # noqa: PLC0415 - comes with the group
    from onnx import helper  # noqa: PLC0415 - as above

    from training.distillation import CHANNELS  # noqa: PLC0415 - needs PyTorch

    red = np.zeros((CHANNELS, 3, 16, 16), np.float32)
    red[:, 0] = 1 / 256
    nodes = [
        helper.make_node("Conv", ["src", "red"], ["/n/Mul_output_0"], strides=[16, 16]),
        helper.make_node("Relu", ["/n/Mul_output_0"], ["pha"]),
    ]
    ports = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, channels, "h", "w"])
        for name, channels in (("src", 3), ("pha", CHANNELS))
    ]
    graph = helper.make_graph(nodes, "t", ports[:1], ports[1:], [onnx.numpy_helper.from_array(red, "red")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "teacher.onnx")
    return tmp_path / "teacher.onnx"
