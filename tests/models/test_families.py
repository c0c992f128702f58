from pathlib import Path

import numpy as np
import pytest
from fakes import networks as tiny

from realtime_matte import models
from realtime_matte.errors import BadFile, ModelError, SpecError
from realtime_matte.frame import Alpha, Frame
from realtime_matte.models import onnx_file as graph
from realtime_matte.models.family import known, understand

BLUE, GREEN, RED = 51, 102, 204


def alpha(spec: str, *, frames: int = 1, size: tuple[int, int] = (64, 32)) -> Alpha:
    """Of a picture of one colour, after so many frames."""
    pixels = np.full((size[1], size[0], 3), (BLUE, GREEN, RED), np.uint8)
    network, state = tiny.cpu(spec), None
    for index in range(frames):
        matte, state = network.process(Frame(pixels, float(index), index), state)
    return matte.alpha.copy()


def sigmoid(value: float) -> float:
    return 1 / (1 + np.exp(-value))


@pytest.fixture
def every(tmp_path: Path) -> dict[str, list[Path]]:
    """Networks of each family, by the module they belong to."""
    return {
        "recurrent": [tiny.recurrent(tmp_path / "a.onnx")],
        "mediapipe": [tiny.one_channel(tmp_path / "b.onnx"), tiny.one_channel(tmp_path / "c.onnx", planar=False)],
        "modnet": [
            tiny.one_channel(tmp_path / "d.onnx", size=None),
            tiny.one_channel(tmp_path / "e.onnx", size=(32, 32), instance_normalisation=True),
        ],
        "two_logits": [
            tiny.two_channels(tmp_path / "f.onnx"),
            tiny.two_channels(tmp_path / "g.onnx", planar_out=False),
        ],
        "rvm": [tiny.rvm(tmp_path / "h.onnx"), tiny.rvm(tmp_path / "i.onnx", known=False, ratio=True)],
    }


def test_each_network_is_recognised_by_its_own_family_alone(every: dict[str, list[Path]]) -> None:
    assert set(every) == set(known())
    for family, paths in every.items():
        for path in paths:
            found = graph.read(path)
            assert [name for name, module in known().items() if module.recognises(found)] == [family]


def test_a_files_name_says_nothing(tmp_path: Path) -> None:
    path = tiny.one_channel(tmp_path / "rvm_mobilenetv3.onnx")
    assert known()["mediapipe"].recognises(graph.read(path))


def test_a_graph_of_no_family_is_told_with_those_there_are(tmp_path: Path) -> None:
    ports = [("x", tiny.FLOAT, [1, 10])], [("y", tiny.FLOAT, [1, 10])]
    path = tiny.write(tmp_path / "words.onnx", [("Identity", ["x"], ["y"], {})], *ports, constants={})
    with pytest.raises(ModelError) as caught:
        models.open(str(path))
    told = str(caught.value)
    assert "words.onnx is no matting network of a known family: it takes and gives x float (1, 10) -> y float" in told
    assert all(f"{name}: " in told for name in known())


@pytest.mark.parametrize("batch", [2, 4])
def test_a_batch_of_several_is_of_no_family(tmp_path: Path, batch: int) -> None:
    ports = [("x", tiny.FLOAT, [batch, 1, 8, 8])], [("y", tiny.FLOAT, [batch, 1, 8, 8])]
    path = tiny.write(tmp_path / "many.onnx", [("Identity", ["x"], ["y"], {})], *ports, constants={})
    with pytest.raises(ModelError, match="no matting network"):
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


def test_modnet_takes_the_size_asked_for(tmp_path: Path) -> None:
    path = tiny.one_channel(tmp_path / "net.onnx", size=None)
    assert alpha(f"{path}?size=64x96").shape == (96, 64)
    with pytest.raises(SpecError, match="size 60x96 is not of whole multiples of 32; try 64x96"):
        models.open(f"{path}?size=60x96")


def test_a_fixed_size_cannot_be_asked_otherwise(tmp_path: Path) -> None:
    path = tiny.one_channel(tmp_path / "net.onnx")
    assert alpha(f"{path}?size=32x16").shape == (16, 32)
    with pytest.raises(SpecError, match=r"net\.onnx runs at 32x16 only; leave out the option 'size'"):
        models.open(f"{path}?size=64x32")


@pytest.mark.parametrize(
    ("mark", "first"),
    [
        ("Relu", RED / 127.5 - 1),
        ("ConvTranspose", RED / 255),
        ("PRelu", (BLUE - 102.890434) / 16047.9),
    ],
)
def test_two_logits_get_their_colours_by_their_operators(tmp_path: Path, mark: str, first: float) -> None:
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
def test_far_scores_end_at_0_and_1_without_a_warning(tmp_path: Path, mean: str) -> None:
    path = tiny.two_channels(tmp_path / "net.onnx")
    np.testing.assert_allclose(alpha(f"{path}?mean={mean}&std=1"), float(mean.startswith("-")), atol=1e-6)


def test_what_the_user_says_of_the_colours_wins(tmp_path: Path) -> None:
    told = {"rtmatte.mean": "0", "rtmatte.std": "1000,1,1", "rtmatte.order": "bgr"}
    path = tiny.one_channel(tmp_path / "net.onnx", told=told)
    np.testing.assert_allclose(alpha(str(path)), BLUE / 1000, atol=1e-6)
    np.testing.assert_allclose(alpha(f"{path}?order=rgb&std=500"), RED / 500, atol=1e-6)


def test_wrong_metadata_of_the_colours_is_told(tmp_path: Path) -> None:
    path = tiny.one_channel(tmp_path / "net.onnx", told={"rtmatte.std": "none"})
    with pytest.raises(SpecError, match=r"option std=none in 'metadata.*' is not one number or three"):
        models.open(str(path))


def test_what_our_metadata_tells_of_its_own_graph_is_no_option(tmp_path: Path) -> None:
    path = tiny.recurrent(tmp_path / "net.onnx", told=tiny.metadata(mean="127.5", std="none of this is read"))
    np.testing.assert_allclose(alpha(str(path)), (BLUE + GREEN + RED) / 3 / 255 + 0.01, atol=1e-6)


@pytest.mark.parametrize("known_channels", [True, False])
@pytest.mark.parametrize("ratio", [True, False])
def test_rvm_remembers(tmp_path: Path, known_channels: bool, ratio: bool) -> None:  # noqa: FBT001 -- cases
    path = tiny.rvm(tmp_path / "net.onnx", known=known_channels, ratio=ratio)
    found = alpha(str(path), frames=3, size=(1280, 720))
    assert found.shape == (288, 512)
    np.testing.assert_allclose(found, RED / 255 + 0.03, atol=1e-6)


def test_rvm_takes_the_size_asked_for(tmp_path: Path) -> None:
    path = tiny.rvm(tmp_path / "net.onnx")
    assert alpha(f"{path}?size=256x144", size=(1280, 720)).shape == (144, 256)


def test_rvm_in_half_precision_is_told(tmp_path: Path) -> None:
    path = tiny.rvm(tmp_path / "half.onnx", kind=tiny.HALF)
    with pytest.raises(ModelError, match=r"half\.onnx takes float16; take its float32 export"):
        models.open(str(path))


@pytest.mark.parametrize(
    "told",
    [
        {"area": "large"},
        {"multiple": "0"},
        {"states": "not json"},
        {"states": "[1]"},
        {"states": '[{"input": "m8"}]'},
        {"states": '[{"input": "m8", "output": "n8", "channels": 0, "stride": 8}]'},
    ],
)
def test_broken_metadata_is_told(tmp_path: Path, told: dict[str, str]) -> None:
    path = tiny.recurrent(tmp_path / "net.onnx", told=tiny.metadata(**told))
    with pytest.raises(BadFile, match=r"net\.onnx has broken metadata \(.+\); download or export it again"):
        models.open(str(path))


def test_missing_metadata_is_told(tmp_path: Path) -> None:
    path = tiny.recurrent(tmp_path / "net.onnx", told={"rtmatte.family": "recurrent"})
    with pytest.raises(BadFile, match=r"net\.onnx has broken metadata \(KeyError\('rtmatte\.area'\)\)"):
        models.open(str(path))


def test_states_that_the_graph_lacks_are_told(tmp_path: Path) -> None:
    states = '[{"input": "m16", "output": "n16", "channels": 2, "stride": 16}]'
    path = tiny.recurrent(tmp_path / "net.onnx", told=tiny.metadata(states=states))
    with pytest.raises(BadFile, match=r"net\.onnx has no m16, n16 in its graph; there are: frame uint8"):
        understand(graph.read(path), {})
