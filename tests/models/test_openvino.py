"""OpenVINO on one of its devices: options of its session, and the real package where an environment has it.

Environment variable:
    RTMATTE_OPENVINO_PYTHON: a Python with onnxruntime-openvino instead of onnxruntime.
"""

import json
import os
import subprocess
from pathlib import Path

import onnxruntime
import pytest
from fakes import networks as tiny
from fakes.models import Script, mean_alphas, start_network

from realtime_matte.errors import ModelError
from realtime_matte.models.providers import CPU, OPENVINO, Machine

MACHINE = Machine({OPENVINO.key, CPU.key}, nvidia=False, system="linux")

REAL = """
import json, sys
from realtime_matte import models
from realtime_matte.errors import MatteError
from realtime_matte.frame import Frame
from realtime_matte.models import verify

frame = Frame(verify.warm_up_frames()[0], 0.0, 0)
def alpha(provider):
    network = models.open("small", provider=provider, threads=1)
    return network, network.process(frame, None)[0].alpha.copy()
_, expected = alpha("cpu")
network, actual = alpha("openvino?device=CPU")
auto, _ = alpha("openvino?device=AUTO")
try:
    alpha("openvino?device=NPU")
    reason = ""
except MatteError as error:
    reason = error.message
print(json.dumps([network.provider, float(abs(actual - expected).mean()), auto.provider, auto.notices, reason]))
"""


@pytest.fixture
def net(tmp_path: Path) -> Path:
    return tiny.recurrent(tmp_path / "tiny.onnx")


def test_a_session_gets_its_device_a_cache_and_the_threads(net: Path) -> None:
    script = Script()
    network = start_network(net, {OPENVINO.key: script}, machine=MACHINE, provider="openvino?device=CPU")
    assert network.provider == "openvino"
    assert script.options["device_type"] == "CPU"
    assert script.options["num_of_threads"] == "1"
    assert Path(script.options["cache_dir"]).name == "openvino"
    assert "reshape_input" not in script.options


def test_an_npu_gets_the_shapes_of_its_tensors(net: Path) -> None:
    script = Script()
    network = start_network(net, {OPENVINO.key: script}, machine=MACHINE, provider="openvino?device=NPU")
    ports = {port.name for port in onnxruntime.InferenceSession(net).get_inputs()}
    shapes = script.options["reshape_input"].rstrip("]").split("],")
    assert {shape.partition("[")[0] for shape in shapes} == ports
    assert all(int(side) > 0 for shape in shapes for side in shape.partition("[")[2].split(","))
    assert mean_alphas(network, [51]) == [0.21]


def test_a_device_that_is_not_there_is_reported(net: Path) -> None:
    with pytest.raises(ModelError, match=r"OpenVINO \(NPU\) is not used: it finds no NPU on this machine") as refused:
        start_network(net, {OPENVINO.key: Script(unlisted=True)}, machine=MACHINE, provider="openvino?device=NPU")
    assert "rtmatte doctor" in refused.value.hint


@pytest.mark.skipif("RTMATTE_OPENVINO_PYTHON" not in os.environ, reason="RTMATTE_OPENVINO_PYTHON is not set")
def test_the_real_package_runs_our_network_on_its_cpu_device() -> None:
    command = [os.environ["RTMATTE_OPENVINO_PYTHON"], "-c", REAL]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout  # noqa: S603
    provider, difference, auto, notices, reason = json.loads(printed.splitlines()[-1])
    assert (provider, auto) == ("openvino", "openvino")
    assert difference < 0.005
    if reason:  # no NPU here
        assert reason == "OpenVINO (NPU) is not used: it finds no NPU on this machine"
        assert notices[0].startswith(reason)
