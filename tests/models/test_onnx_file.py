from contextlib import suppress
from pathlib import Path

import numpy as np
import onnx
import pytest
from fakes import networks as tiny
from hypothesis import given
from hypothesis import strategies as st

from realtime_matte.errors import BadFile, MatteError, MissingFile
from realtime_matte.models import onnx_file


def test_graph_has_ports_operators_and_metadata(tmp_path: Path) -> None:
    found = onnx_file.read(tiny.recurrent(tmp_path / "net.onnx"))
    assert str(found) == (
        "frame uint8 (1, h, w, 3), m8 float (1, 2, h8, w8) -> alpha float (1, 1, h, w), n8 float (1, 2, h8, w8)"
    )
    assert found.operators["Conv"] == 1
    assert found.metadata["rtmatte.licence"] == "MIT"


def test_graph_is_the_same_as_the_onnx_package_reads(tmp_path: Path) -> None:
    path = tiny.two_channels(tmp_path / "net.onnx", softmax=True)
    theirs = onnx.load(path).graph
    ours = onnx_file.read(path)
    assert [node.op_type for node in theirs.node] == [node.operator for node in ours.nodes]
    assert [tuple(node.output) for node in theirs.node] == [node.outputs for node in ours.nodes]
    assert [port.name for port in theirs.input] == [port.name for port in ours.inputs]


def test_initializers_listed_as_inputs_are_not_inputs(tmp_path: Path) -> None:
    path = tiny.one_channel(tmp_path / "old.onnx")
    model = onnx.load(path)
    model.graph.input.append(onnx.helper.make_tensor_value_info("counts", onnx.TensorProto.INT64, [2]))
    onnx.save(model, path)
    assert [port.name for port in onnx_file.read(path).inputs] == ["input"]


def test_producer_is_found_behind_operators_that_only_rename(tmp_path: Path) -> None:
    found = onnx_file.read(tiny.two_channels(tmp_path / "net.onnx", softmax=True, planar_out=False))
    assert found.producer("output") == "Softmax"
    assert found.producer("no such tensor") == ""


def test_missing_file_is_named() -> None:
    with pytest.raises(MissingFile, match=r"cannot read model nowhere\.onnx: No such file or directory; give"):
        onnx_file.read(Path("nowhere.onnx"))


def test_text_file_is_not_a_model(tmp_path: Path) -> None:
    path = tmp_path / "pointer.onnx"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a")
    with pytest.raises(
        BadFile,
        match=r"pointer\.onnx is not an ONNX model but text that begins with 'version https://git-lfs.*download",
    ):
        onnx_file.read(path)


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"\x80" * 20, b"\x08\x08\x12\x04"])
def test_file_that_is_not_a_protocol_buffer_is_not_a_model(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(BadFile, match=r"broken\.onnx is not an ONNX model, or incomplete \(.+\); download or export"):
        onnx_file.read(path)


def test_truncated_model_is_refused_or_has_inputs(tmp_path: Path) -> None:
    whole = tiny.recurrent(tmp_path / "net.onnx").read_bytes()
    path = tmp_path / "cut.onnx"
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with suppress(BadFile):
            assert onnx_file.read(path).inputs


@given(st.binary(max_size=200))
def test_any_bytes_are_a_model_or_a_matte_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.onnx"
    path.write_bytes(content)
    with pytest.raises(MatteError):
        onnx_file.read(path)


@given(st.integers(0, 2**64 - 1), st.binary(max_size=300))
def test_fields_read_what_was_written(number: int, content: bytes) -> None:
    data = b"\x08" + _varint(number) + b"\x12" + _varint(len(content)) + content + b"\x1d\x00\x00\x00\x00"
    assert [(field, value) for field, value in onnx_file.fields(memoryview(data))] == [
        (1, number),
        (2, content),
        (3, bytes(4)),
    ]


def test_external_weights_must_exist(tmp_path: Path) -> None:
    path = tmp_path / "big.onnx"
    model = onnx.load(tiny.recurrent(path))
    model.graph.initializer[0].raw_data = np.full((1, 3, 20, 20), 1, np.float32).tobytes()
    model.graph.initializer[0].dims[:] = [1, 3, 20, 20]
    onnx.save(model, path, save_as_external_data=True, location="big.bin", size_threshold=0)
    assert onnx_file.read(path).inputs
    (tmp_path / "big.bin").unlink()
    with pytest.raises(MissingFile, match=r"big\.onnx needs its weights file 'big\.bin' beside it; put both"):
        onnx_file.read(path)


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("\x1b[2J\x1b]0;owned\x07", r"\x1b[2J\x1b]0;owned\x07"),
        ("a\nrtmatte: all is well", r"a\nrtmatte: all is well"),
        ("a\r\x85\u2028b", r"a\r\x85\u2028b"),
        ("picture\u202egnp.exe", r"picture\u202egnp.exe"),
        ("\u2066\u200b\ufeff", r"\u2066\u200b\ufeff"),
    ],
)
@pytest.mark.parametrize("place", ["input", "dimension"])
def test_foreign_names_are_printed_in_one_line(tmp_path: Path, place: str, name: str, printed: str) -> None:
    port = (name, tiny.FLOAT, [1, 3]) if place == "input" else ("x", tiny.FLOAT, [1, name])
    path = tiny.write(
        tmp_path / "net.onnx", [("Identity", [port[0]], ["y"], {})], [port], [("y", tiny.FLOAT, [1])], constants={}
    )
    assert printed in str(onnx_file.read(path))
    assert str(onnx_file.read(path)).isprintable()


def test_long_names_and_many_ports_are_shortened(tmp_path: Path) -> None:
    ports = [(f"{'p' * 20_000}{index}", tiny.FLOAT, [1]) for index in range(9)]
    nodes = [("Identity", [ports[0][0]], ["y"], {})]
    path = tiny.write(tmp_path / "net.onnx", nodes, ports, [("y", tiny.FLOAT, [1])], constants={})
    graph = onnx_file.read(path)
    assert len(str(graph.inputs[0])) < 100
    assert len(str(graph)) <= onnx_file.MAX_GRAPH


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "zeros.onnx"
    with path.open("wb") as file:
        file.truncate(2 << 30)
    with pytest.raises(BadFile, match=r"zeros\.onnx is too large for a matting network: 2048 MB, at most 512 are read"):
        onnx_file.read(path)


def test_weights_that_are_too_large_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "big.onnx"
    onnx.save(onnx.load(tiny.recurrent(path)), path, save_as_external_data=True, location="big.bin", size_threshold=0)
    with (tmp_path / "big.bin").open("ab") as file:
        file.truncate(2 << 30)
    with pytest.raises(BadFile, match=r"big\.bin is too large for a matting network"):
        onnx_file.read(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (bytes(100_000_000), "no field starts before byte 1"),
        (b"\x04" * 100, "no field starts before byte 1"),
        (b"\x08\x01" * (onnx_file.MAX_FIELDS + 1), "a message has more than"),
        (b"\x3a\x80\x80\x80\x80\x80\x80\x80\x80\x01", "is incomplete|are missing"),
    ],
    ids=["zeros", "field 0", "many fields", "a length of 2^56"],
)
def test_hostile_content_is_refused_at_once(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(BadFile, match=f"net.onnx is not an ONNX model, or incomplete .*{reason}"):
        onnx_file.read(path)


def _varint(number: int) -> bytes:
    low = number & 0x7F
    return bytes([low | 0x80]) + _varint(number >> 7) if number >> 7 else bytes([low])
