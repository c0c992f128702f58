"""The checks of NPUs and integrated GPUs."""

from pathlib import Path

import pytest
from fakes.host import FakeHost, commands

from realtime_matte.doctor.accelerators import accelerators


@pytest.fixture
def machine(tmp_path: Path) -> FakeHost:
    return FakeHost(tmp_path)


def with_npu(machine: FakeHost) -> Path:
    machine.folder("sys/bus/pci/drivers/intel_vpu")
    link = machine.folder("sys/class/accel/accel0/device") / "driver"
    link.symlink_to(machine.root / "sys/bus/pci/drivers/intel_vpu")
    return machine.write("dev/accel/accel0")


def test_a_machine_without_such_devices_has_no_findings(machine: FakeHost) -> None:
    assert list(accelerators(machine.host, openvino=True)) == []


def test_an_npu_is_named_with_its_driver(machine: FakeHost) -> None:
    path = with_npu(machine)
    [finding] = accelerators(machine.host, openvino=True)
    assert (finding.part, finding.state) == ("NPU", "ok")
    assert finding.found == f"{path} (driver intel_vpu): me may use it, with --provider openvino?device=NPU"


def test_a_user_outside_its_group_joins_it(machine: FakeHost) -> None:
    path, gid = with_npu(machine), 4711
    machine.write("etc/group", f"render:x:{path.stat().st_gid or gid}:\n")
    machine.may_use = False
    [finding] = accelerators(machine.host, openvino=True)
    assert finding.state == "warning"
    assert finding.found == f"{path}: me may not use them"
    [command] = commands(finding)
    assert command in {"sudo usermod -aG render me", f"sudo setfacl -m u:me:rw {path}"}  # the second one as root


def test_without_openvino_an_npu_is_named_and_a_gpu_is_not(machine: FakeHost) -> None:
    with_npu(machine)
    machine.write("dev/dri/renderD128")
    machine.may_use = False
    [finding] = accelerators(machine.host, openvino=False)
    assert (finding.part, finding.state) == ("NPU", "ok")
    assert "onnxruntime-openvino" in finding.found
    machine.may_use = True
    assert [finding.part for finding in accelerators(machine.host, openvino=True)] == ["NPU", "GPU"]
