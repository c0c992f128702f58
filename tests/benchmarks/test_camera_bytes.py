"""From a camera's bytes to a virtual camera's bytes: the benchmark measures what it says."""

import json
from pathlib import Path

import camera_bytes
import cv2
import fps
import numpy as np
import pytest
from fakes import networks as tiny_networks

from realtime_matte.errors import MissingDependency
from realtime_matte.media import i420
from realtime_matte.media.turbojpeg import JpegDecoder

SIZE = (96, 64)


@pytest.fixture(autouse=True)
def decoder() -> None:
    """Every test needs libjpeg-turbo."""
    try:
        JpegDecoder().close()
    except MissingDependency:
        pytest.skip("libturbojpeg is not installed")


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Our networks are replaced by one whose alpha is the brightness."""
    spec = tiny_networks.unverified(tiny_networks.recurrent(tmp_path / "tiny.onnx"))
    monkeypatch.setattr(camera_bytes, "_ours", lambda: {camera_bytes.BEFORE: (spec, False), "tiny": (spec, True)})
    return spec


@pytest.mark.parametrize("planes", [False, True])
def test_bytes_of_both_ways_are_those_of_the_virtual_camera(model: str, planes: bool) -> None:  # noqa: FBT001
    with camera_bytes.open_pipeline(SIZE, model, planes=planes) as pipeline:
        assert pipeline.step()
        [sink] = pipeline._parts.outputs._sinks
        assert isinstance(sink, camera_bytes.BytesSink)
        image = i420.to_bgr(sink.bytes)
        assert image.std() > 5
        newest = pipeline._parts.outputs._newest
        assert newest is not None
        assert newest.ndim == (2 if planes else 3)


def test_images_are_those_of_a_webcam() -> None:
    images = camera_bytes.jpegs(SIZE)
    assert len(images) > 2
    assert cv2.imdecode(images[0], cv2.IMREAD_COLOR).shape == (64, 96, 3)


def test_the_profile_adds_up(model: str) -> None:
    figures = camera_bytes.profile(SIZE, model, planes=True, seconds=0.2)
    assert sum(ms for stage, ms in figures.items() if stage != "all") == pytest.approx(figures["all"])
    assert figures["matte"] > 0


@pytest.mark.slow
def test_the_report_has_every_program_and_stage(model: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    del model
    words = ["--camera", "mjpeg", "--size", "96x64", "--rounds", "1", "--seconds", "0.1", "--json", str(tmp_path / "x")]
    assert fps.main(words) == 0
    printed = capsys.readouterr().out
    for word in (camera_bytes.BEFORE, "tiny", "% OF A CORE AT 30", "decode", "rest"):
        assert word in printed
    assert np.isfinite(json.loads((tmp_path / "x").read_text())["sizes"]["96x64"]["profiles"]["tiny"]["all"])


@pytest.mark.slow
def test_a_folder_without_the_segmenter_is_reported(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rvm_mobilenetv3.onnx").write_bytes(Path(model.partition("?")[0]).read_bytes())
    assert fps.main(["--camera", "mjpeg", "--size", "96x64", "--peers", str(tmp_path)]) == 2
    assert "fps: " in capsys.readouterr().err
