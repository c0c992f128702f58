"""Models that are written without the onnx package: valid for it, and computed by ONNX Runtime."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from fakes import networks as tiny
from onnx import TensorProto, helper

from realtime_matte.models.onnx_tensors import Tensor, joined, larger, smaller
from realtime_matte.models.onnx_writer import GraphWriter

SHAPE = (1, 3, 4, 5)


def computed(writer: GraphWriter, **inputs: Any) -> list[Any]:  # noqa: ANN401
    """The outputs of the model, which the onnx package finds valid."""
    onnx.checker.check_model(onnx.load_from_string(writer.model()), full_check=True)
    session = onnxruntime.InferenceSession(writer.model(), providers=["CPUExecutionProvider"])
    return list(session.run(None, inputs))


def values() -> np.ndarray:
    return np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)


def test_formulas_on_tensors_are_those_on_arrays() -> None:
    writer, a = GraphWriter(), values()
    x = Tensor(writer, writer.input("x", np.float32, SHAPE))
    parts = x.channels(1, 2)
    results = {
        "sums": (1 - x * 2 + x / 4 - np.float32(3) * x, 1 - a * 2 + a / 4 - 3 * a),
        "magnitude": (abs(x) - -x, np.abs(a) + a),
        "inverse": (1 / x, 1 / a),
        "limits": (larger(smaller(x, 0.5), -0.5), a.clip(-0.5, 0.5)),
        "clipped": (x.clip(0.0, 1.0), a.clip(0, 1)),
        "where": (x.above(0.0).where(x, -1.0), np.where(a > 0, a, -1)),
        "at_least": (x.at_least(x), np.ones(SHAPE)),
        "order": (joined(parts[::-1]), a[:, [1, 2, 0]]),
        "pick": (x.pick(2, 0), a[:, [2, 0]]),
        "total": (x.total([1]), a.sum(1, keepdims=True)),
        "array": (x * np.float32([1, 2, 3]).reshape(1, 3, 1, 1), a * np.float32([1, 2, 3]).reshape(1, 3, 1, 1)),
        "largest": (x.dilated(9).pick(1), np.full((1, 1, 4, 5), a[0, 1].max())),
        "smallest": (x.eroded(9).pick(1), np.full((1, 1, 4, 5), a[0, 1].min())),
        "shape": (x.reshaped(3, 20), a.reshape(3, 20)),
    }
    for name, (tensor, array) in results.items():
        writer.output(name, tensor.name, np.float32, array.shape)
    for (name, (_, array)), result in zip(results.items(), computed(writer, x=a), strict=True):
        np.testing.assert_allclose(result, array, rtol=1e-5, atol=1e-6, err_msg=name)


def test_equal_constants_are_stored_once() -> None:
    writer = GraphWriter()
    assert writer.constant(np.float32(1)) == writer.constant(np.float32(1))
    assert writer.constant(np.float32(1)) != writer.constant(np.float32([1]))
    assert writer.constant(np.int64(1)) != writer.constant(np.float32(1))


def test_a_network_is_included_twice_with_one_set_of_weights(tmp_path: Path) -> None:
    network = memoryview(tiny.green(tmp_path / "green.onnx").read_bytes())
    writer = GraphWriter()
    frame, state = writer.input("pixels", np.uint8, (1, 16, 16, 3)), writer.input("state", np.float32, (1, 2, 2, 2))
    first = writer.include(network, {"frame": frame, "m8": state}, name="first")
    second = writer.include(network, {"frame": frame, "m8": first("n8")}, name="second")
    writer.output("after", second("n8"), np.float32, (1, 2, 2, 2))
    writer.output("alpha", second("alpha"), np.float32, (1, 1, 16, 16))
    pixels = np.zeros((1, 16, 16, 3), np.uint8)
    pixels[:, :, 8:, 1] = 200
    after, alpha = computed(writer, pixels=pixels, state=np.full((1, 2, 2, 2), 5, np.float32))
    assert (after == 7).all()
    assert (alpha[0, 0, :, :8] == 0).all()
    assert (alpha[0, 0, :, 8:] == 1).all()
    names = [tensor.name for tensor in onnx.load_from_string(writer.model()).graph.initializer]
    assert sum(name.startswith("weights/") for name in names) == 5


def damaged(path: Path, fault: str) -> Path:
    model = onnx.load(tiny.green(path))
    if fault == "control flow":
        body = helper.make_graph(
            [helper.make_node("Constant", [], ["c"], value_float=1.0)],
            "body",
            [],
            [helper.make_tensor_value_info("c", TensorProto.FLOAT, [])],
        )
        model.graph.node.append(helper.make_node("If", ["yes"], ["d"], then_branch=body, else_branch=body))
    elif fault == "opset":
        model.opset_import[0].version = 13
    else:
        onnx.external_data_helper.convert_model_to_external_data(model, size_threshold=0)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("control flow", "it has control flow"),
        ("opset", "it has opset 13 instead of 17"),
        ("external", "its weights are in another file"),
    ],
)
def test_a_network_that_cannot_be_included_is_an_error(tmp_path: Path, fault: str, message: str) -> None:
    network = memoryview(damaged(tmp_path / "net.onnx", fault).read_bytes())
    with pytest.raises(ValueError, match=message):
        GraphWriter().include(network, {"frame": "pixels"}, name="network")
