from pathlib import Path

import numpy as np
import onnx
import pytest
from fakes import networks as tiny

from realtime_matte import models
from realtime_matte.errors import BadFile, ModelError, SpecError
from realtime_matte.frame import Alpha, Frame
from realtime_matte.models import onnx_file
from realtime_matte.models.family import all_families, identify

BLUE, GREEN, RED = 51, 102, 204


def alpha(spec: str, *, frames: int = 1, size: tuple[int, int] = (64, 32)) -> Alpha:
    """Of frames of one colour, after so many of them."""
    pixels = np.full((size[1], size[0], 3), (BLUE, GREEN, RED), np.uint8)
    network, state = tiny.cpu(spec), None
    for index in range(frames):
        matte, state = network.process(Frame(pixels, float(index), index), state)
    return matte.alpha.copy()


def sigmoid(value: float) -> float:
    return 1 / (1 + np.exp(-value))


@pytest.fixture
def networks(tmp_path: Path) -> dict[str, list[Path]]:
    """Networks of each family, by its module."""
    return {
        "recurrent": [tiny.recurrent(tmp_path / "a.onnx")],
        "stateless": [
            tiny.one_channel(tmp_path / "b.onnx"),
            tiny.one_channel(tmp_path / "c.onnx", planar=False),
            tiny.one_channel(tmp_path / "d.onnx", size=None),
            tiny.one_channel(tmp_path / "e.onnx", size=(32, 32), instance_normalisation=True),
            tiny.two_channels(tmp_path / "f.onnx"),
            tiny.two_channels(tmp_path / "g.onnx", planar_out=False),
        ],
        "rvm": [tiny.rvm(tmp_path / "h.onnx"), tiny.rvm(tmp_path / "i.onnx", known=False, ratio=True)],
    }


def test_network_is_recognised_by_its_own_family_only(networks: dict[str, list[Path]]) -> None:
    assert set(networks) == set(all_families())
    for family, paths in networks.items():
        for path in paths:
            graph = onnx_file.read(path)
            assert [name for name, module in all_families().items() if module.recognises(graph)] == [family]


def test_file_name_does_not_matter(tmp_path: Path) -> None:
    path = tiny.one_channel(tmp_path / "rvm_mobilenetv3.onnx")
    assert all_families()["stateless"].recognises(onnx_file.read(path))


def test_graph_of_no_family_is_reported_with_the_known_families(tmp_path: Path) -> None:
    ports = [("x", tiny.FLOAT, [1, 10])], [("y", tiny.FLOAT, [1, 10])]
    path = tiny.write(tmp_path / "words.onnx", [("Identity", ["x"], ["y"], {})], *ports, constants={})
    with pytest.raises(ModelError) as caught:
        models.open(str(path))
    message = str(caught.value)
    assert (
        "words.onnx is not a matting network of a known family: its graph is x float (1, 10) -> y float (1, 10)"
        in message
    )
    assert all(f"{name}: " in message for name in all_families())


@pytest.mark.parametrize("batch", [2, 4])
def test_batch_of_several_images_is_of_no_family(tmp_path: Path, batch: int) -> None:
    ports = [("x", tiny.FLOAT, [batch, 1, 8, 8])], [("y", tiny.FLOAT, [batch, 1, 8, 8])]
    path = tiny.write(tmp_path / "many.onnx", [("Identity", ["x"], ["y"], {})], *ports, constants={})
    with pytest.raises(ModelError, match="not a matting network"):
        models.open(str(path))


def test_output_of_another_size_than_the_image_is_of_no_family(tmp_path: Path) -> None:
    ports = [("x", tiny.FLOAT, [1, 3, 16, 16])], [("y", tiny.FLOAT, [1, 1, 8, 8])]
    crop = {"starts": np.array([0, 0, 0, 0]), "ends": np.array([1, 1, 8, 8])}
    path = tiny.write(tmp_path / "net.onnx", [("Slice", ["x", "starts", "ends"], ["y"], {})], *ports, constants=crop)
    with pytest.raises(ModelError, match="not a matting network"):
        models.open(str(path))


@pytest.mark.parametrize("planar", [True, False])
def test_mediapipe_gets_rgb_from_0_to_1(tmp_path: Path, planar: bool) -> None:  # noqa: FBT001 -- a case
    found = alpha(str(tiny.one_channel(tmp_path / "net.onnx", planar=planar)))
    assert found.shape == (16, 32)
    np.testing.assert_allclose(found, RED / 255, atol=1e-6)


def test_modnet_gets_rgb_from_minus_1_to_1_in_multiples_of_32(tmp_path: Path) -> None:
    found = alpha(str(tiny.one_channel(tmp_path / "net.onnx", size=None)), size=(1280, 720))
    assert found.shape == (288, 512)
    np.testing.assert_allclose(found, RED / 127.5 - 1, atol=1e-6)


def test_one_channel_network_with_instance_normalisation_is_modnet(tmp_path: Path) -> None:
    path = tiny.one_channel(tmp_path / "net.onnx", instance_normalisation=True)
    np.testing.assert_allclose(alpha(str(path)), RED / 127.5 - 1, atol=1e-6)


def test_modnet_runs_at_the_requested_size(tmp_path: Path) -> None:
    path = tiny.one_channel(tmp_path / "net.onnx", size=None)
    assert alpha(f"{path}?size=64x96").shape == (96, 64)
    with pytest.raises(SpecError, match="size 60x96 is not a multiple of 32; try 64x96"):
        models.open(f"{path}?size=60x96")


def test_fixed_size_cannot_be_changed(tmp_path: Path) -> None:
    path = tiny.one_channel(tmp_path / "net.onnx")
    assert alpha(f"{path}?size=32x16").shape == (16, 32)
    with pytest.raises(SpecError, match=r"net\.onnx only runs at 32x16; leave out the option 'size'"):
        models.open(f"{path}?size=64x32")


@pytest.mark.parametrize(
    ("mark", "first"),
    [
        ("Relu", RED / 127.5 - 1),
        ("ConvTranspose", RED / 255),
        ("PRelu", (BLUE - 102.890434) / 16047.9),
    ],
)
def test_two_channel_networks_are_normalised_by_their_operators(tmp_path: Path, mark: str, first: float) -> None:
    path = tiny.two_channels(tmp_path / "net.onnx", mark=mark)
    np.testing.assert_allclose(alpha(str(path)), sigmoid(first), atol=1e-6)


@pytest.mark.parametrize("planar_out", [True, False])
@pytest.mark.parametrize("softmax", [True, False])
def test_scores_and_probabilities_give_the_same_alpha(tmp_path: Path, planar_out: bool, softmax: bool) -> None:  # noqa: FBT001
    path = tiny.two_channels(tmp_path / "net.onnx", planar_out=planar_out, softmax=softmax)
    found = alpha(str(path))
    assert found.flags.c_contiguous
    np.testing.assert_allclose(found, sigmoid(RED / 127.5 - 1), atol=1e-6)


@pytest.mark.parametrize("mean", ["-100000", "100000"])
def test_extreme_scores_become_0_and_1_without_a_warning(tmp_path: Path, mean: str) -> None:
    path = tiny.two_channels(tmp_path / "net.onnx")
    np.testing.assert_allclose(alpha(f"{path}?mean={mean}&std=1"), float(mean.startswith("-")), atol=1e-6)


def test_options_of_the_user_replace_those_of_the_metadata(tmp_path: Path) -> None:
    metadata = {"rtmatte.mean": "0", "rtmatte.std": "1000,1,1", "rtmatte.order": "bgr"}
    path = tiny.one_channel(tmp_path / "net.onnx", metadata=metadata)
    np.testing.assert_allclose(alpha(str(path)), BLUE / 1000, atol=1e-6)
    np.testing.assert_allclose(alpha(f"{path}?order=rgb&std=500"), RED / 500, atol=1e-6)


def test_invalid_normalisation_in_the_metadata_is_reported(tmp_path: Path) -> None:
    path = tiny.one_channel(tmp_path / "net.onnx", metadata={"rtmatte.std": "none"})
    with pytest.raises(SpecError, match=r"option std=none in 'metadata.*' is not one number or three"):
        models.open(str(path))


def test_normalisation_in_our_own_metadata_is_not_an_option(tmp_path: Path) -> None:
    path = tiny.recurrent(
        tmp_path / "net.onnx", metadata=tiny.recurrent_metadata(mean="127.5", std="none of this is read")
    )
    np.testing.assert_allclose(alpha(str(path)), (BLUE + GREEN + RED) / 3 / 255 + 0.01, atol=1e-6)


@pytest.mark.parametrize("known_channels", [True, False])
@pytest.mark.parametrize("ratio", [True, False])
def test_rvm_keeps_its_recurrent_state(tmp_path: Path, known_channels: bool, ratio: bool) -> None:  # noqa: FBT001 -- cases
    path = tiny.rvm(tmp_path / "net.onnx", known=known_channels, ratio=ratio)
    found = alpha(str(path), frames=3, size=(1280, 720))
    assert found.shape == (288, 512)
    np.testing.assert_allclose(found, RED / 255 + 0.03, atol=1e-6)


def test_rvm_runs_at_the_requested_size(tmp_path: Path) -> None:
    path = tiny.rvm(tmp_path / "net.onnx")
    assert alpha(f"{path}?size=256x144", size=(1280, 720)).shape == (144, 256)


def test_rvm_in_half_precision_is_refused(tmp_path: Path) -> None:
    path = tiny.rvm(tmp_path / "half.onnx", kind=tiny.HALF)
    with pytest.raises(ModelError, match=r"half\.onnx takes float16; use its float32 export"):
        models.open(str(path))


@pytest.mark.parametrize(
    "changes",
    [
        {"area": "large"},
        {"multiple": "0"},
        {"area": "1" + 400 * "0"},
        {"multiple": "1" + 5000 * "0"},
        {"states": "not json"},
        {"states": "[1]"},
        {"states": '[{"input": "m8"}]'},
        {"states": '[{"input": "m8", "output": "n8", "channels": 0, "stride": 8}]'},
        {"states": '[{"input": "m8", "output": "n8", "channels": Infinity, "stride": 8}]'},
        {"states": '[{"input": "m8", "output": "n8", "channels": 2, "stride": -1e999}]'},
        {"states": '[{"input": "m8", "output": "n8", "channels": NaN, "stride": 8}]'},
        {"states": 100_000 * "["},
        {"states": 100_000 * '{"input": '},
        {"plate": 100_000 * "[" + 100_000 * "]"},
    ],
)
def test_invalid_metadata_is_reported(tmp_path: Path, changes: dict[str, str]) -> None:
    path = tiny.recurrent(tmp_path / "net.onnx", metadata=tiny.recurrent_metadata(**changes))
    with pytest.raises(BadFile, match=r"net\.onnx has invalid metadata \(.+\); download or export it again"):
        models.open(str(path))


def test_missing_metadata_is_reported(tmp_path: Path) -> None:
    path = tiny.recurrent(tmp_path / "net.onnx", metadata={"rtmatte.family": "recurrent"})
    with pytest.raises(BadFile, match=r"net\.onnx has invalid metadata \(KeyError\('rtmatte\.area'\)\)"):
        models.open(str(path))


def test_states_missing_in_the_graph_are_reported(tmp_path: Path) -> None:
    states = '[{"input": "m16", "output": "n16", "channels": 2, "stride": 16}]'
    path = tiny.recurrent(tmp_path / "net.onnx", metadata=tiny.recurrent_metadata(states=states))
    with pytest.raises(BadFile, match=r"net\.onnx has no m16, n16 in its graph, which is frame uint8"):
        identify(onnx_file.read(path), {})


@pytest.mark.parametrize(
    "size", [(20_000, 20_000), (2_000_000_000, 2_000_000_000), (-5, -5), (2**22, 2), (1, 2**31 - 1)]
)
@pytest.mark.parametrize("planar", [True, False])
def test_declared_sizes_are_refused_before_anything_is_allocated(
    tmp_path: Path,
    size: tuple[int, int],
    planar: bool,  # noqa: FBT001 -- a case
) -> None:
    path = tiny.one_channel(tmp_path / "net.onnx", size=size, planar=planar)
    with pytest.raises(BadFile, match=r"net\.onnx cannot be run: its tensor 'input' is 1x.*, not of 1 to"):
        tiny.cpu(str(path))


@pytest.mark.parametrize(
    "changes",
    [
        {"area": "1000000000"},
        {"multiple": "1000000000"},
        {"multiple": "65536"},
        {"states": '[{"input": "m8", "output": "n8", "channels": 2000000000, "stride": 8}]'},
        {"states": '[{"input": "m8", "output": "n8", "channels": 1, "stride": 2000000000}]'},
    ],
)
def test_sizes_in_the_metadata_are_refused_before_anything_is_allocated(
    tmp_path: Path, changes: dict[str, str]
) -> None:
    path = tiny.recurrent(tmp_path / "net.onnx", metadata=tiny.recurrent_metadata(**changes))
    with pytest.raises(BadFile, match=r"net\.onnx cannot be run: its tensor '(frame|m8)' is "):
        tiny.cpu(str(path))


def test_a_requested_size_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = tiny.one_channel(tmp_path / "net.onnx", size=None)
    with pytest.raises(BadFile, match=r"is 1x3x4096x4096, not of 1 to .* numbers; export it for a smaller input"):
        tiny.cpu(f"{path}?size=4096x4096")


@pytest.mark.parametrize("value", [1e30, 255.0, 1.2, -1e30, -0.2])
@pytest.mark.parametrize("family", ["one channel", "recurrent", "rvm"])
def test_an_output_that_clipping_would_turn_into_an_alpha_is_refused(tmp_path: Path, family: str, value: float) -> None:
    paths = {
        "one channel": tiny.one_channel(tmp_path / "a.onnx"),
        "recurrent": tiny.recurrent(tmp_path / "c.onnx"),
        "rvm": tiny.rvm(tmp_path / "d.onnx"),
    }
    model = onnx.load(paths[family])
    output = model.graph.output[0].name
    for node in model.graph.node:
        node.output[:] = ["before" if name == output else name for name in node.output]
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.float32(0), "nothing"))
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.float32(value), "value"))
    model.graph.node.append(onnx.helper.make_node("Mul", ["before", "nothing"], ["flat"]))
    model.graph.node.append(onnx.helper.make_node("Add", ["flat", "value"], [output]))
    onnx.save(model, paths[family])
    with pytest.raises(ModelError, match=r"fails on its first frames: its output is in .* instead of 0 \.\. 1"):
        tiny.cpu(str(paths[family]))
