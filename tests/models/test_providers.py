from pathlib import Path

import pytest

from realtime_matte import models
from realtime_matte.errors import SpecError
from realtime_matte.models.providers import (
    COREML,
    CPU,
    CUDA,
    DIRECTML,
    OPENVINO,
    TENSORRT,
    Machine,
    Provider,
    nvidia_gpu,
    requested_provider,
)

EVERY = frozenset(provider.key for provider in (TENSORRT, CUDA, DIRECTML, COREML, OPENVINO, CPU))
NOT_INCLUDED = "the installed ONNX Runtime does not include"


def test_provider_names_ignore_case() -> None:
    machine = Machine(EVERY, nvidia=True)
    for provider in (TENSORRT, CUDA, DIRECTML, COREML, OPENVINO, CPU):
        assert requested_provider(provider.name, machine) is provider
        assert requested_provider(provider.title, machine) is provider


@pytest.mark.parametrize("device", ["NPU", "gpu", "Cpu", "auto"])
def test_a_provider_runs_on_the_device_that_its_spec_names(device: str) -> None:
    found = requested_provider(f"OpenVINO?device={device}", Machine(EVERY, nvidia=False))
    assert (found.key, found.name, found.chosen) == (OPENVINO.key, "openvino", device.upper())
    assert (found.options["device_type"], found.static) == (device.upper(), device == "NPU")
    assert found.title == f"OpenVINO ({device.upper()})"


@pytest.mark.parametrize("provider", [CUDA, CPU])
def test_the_whole_pipeline_is_requested_of_a_provider_by_its_spec(provider: Provider) -> None:
    machine = Machine(EVERY, nvidia=True)
    found = requested_provider(f"{provider.title}?pipeline", machine)
    assert (found.key, found.pipeline) == (provider.key, True)
    assert not requested_provider(provider.name, machine).pipeline
    assert not requested_provider(f"{provider.name}?pipeline=no", machine).pipeline


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("tensorrt?pipeline", "no option 'pipeline' in 'tensorrt?pipeline'"),
        ("cuda?pipeline=both", "option pipeline=both in 'cuda?pipeline=both' is not yes or no"),
        ("openvino?device=TPU", "option device=TPU in 'openvino?device=TPU' is not one of NPU, GPU, CPU, AUTO"),
        ("cuda?device=0", "no option 'device' in 'cuda?device=0'"),
    ],
)
def test_an_unknown_option_is_refused(spec: str, message: str) -> None:
    with pytest.raises(SpecError) as refused:
        requested_provider(spec, Machine(EVERY, nvidia=True))
    assert refused.value.message.startswith(message)


def test_provider_status_lists_every_provider() -> None:
    found = {status.name: status.unavailable for status in models.provider_status()}
    assert list(found) == ["tensorrt", "cuda", "directml", "coreml", "openvino", "cpu"]
    assert found["cpu"] == ""


@pytest.mark.parametrize(
    ("provider", "system", "reason"),
    [
        (DIRECTML, "linux", "it exists only on Windows"),
        (
            DIRECTML,
            "win32",
            f"{NOT_INCLUDED} DirectML; pip install onnxruntime-directml instead",
        ),
        (COREML, "linux", "it exists only on macOS"),
        (COREML, "darwin", f"{NOT_INCLUDED} CoreML; pip install onnxruntime instead"),
        (OPENVINO, "darwin", "it exists only on Linux and Windows"),
        (
            OPENVINO,
            "linux",
            f"{NOT_INCLUDED} OpenVINO; pip install onnxruntime-openvino instead",
        ),
    ],
)
def test_only_packages_for_this_system_are_proposed(provider: Provider, system: str, reason: str) -> None:
    assert Machine({CPU.key}, nvidia=False, system=system).unavailable(provider) == reason
    assert Machine(EVERY, nvidia=True, system=system).unavailable(provider) == ""


def test_gpu_is_found_by_its_device_file(tmp_path: Path) -> None:
    (tmp_path / "nvidia-caps").touch()
    assert not nvidia_gpu(tmp_path, visible="0")
    (tmp_path / "nvidia0").touch()
    assert nvidia_gpu(tmp_path, visible="0")


@pytest.mark.parametrize("visible", ["", "-1"])
def test_gpu_hidden_from_cuda_is_not_found(tmp_path: Path, visible: str) -> None:
    (tmp_path / "nvidia0").touch()
    assert not nvidia_gpu(tmp_path, visible=visible)
