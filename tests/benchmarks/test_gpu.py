"""The benchmark of GPUs runs as a whole on the CPU provider, and gives the reason where there is no GPU."""

import json
import subprocess
import sys
from pathlib import Path

import gpu
import pytest
from fakes import networks as tiny

from realtime_matte.models.providers import CPU, Machine


def test_every_program_is_measured_in_the_same_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours = tiny.unverified(tiny.green(tmp_path / "green.onnx", ramp=(60, 140)))
    tiny.rvm(tmp_path / "rvm_mobilenetv3.onnx", foreground=True)
    words = ["--provider=cpu", "--size=96x64", "--rounds=2", "--frames=3", f"--peers={tmp_path}"]
    status = gpu.main([*words, f"--model={ours}", f"--json={tmp_path / 'found.json'}"])
    printed = capsys.readouterr()
    assert status == 0, printed.err
    found = json.loads((tmp_path / "found.json").read_text("utf-8"))["ms"]["96x64"]
    assert {name.rpartition(", ")[2] for name in found} == {"one graph", "the rest on the CPU"}
    assert [name for name in found if name.startswith("RVM fp16")]
    assert all(len(times) == 6 and min(times) > 0 for times in found.values())
    assert all(name in printed.out for name in found)
    assert "the whole pipeline runs on CPU, as one graph" in printed.err


def test_without_a_gpu_the_reason_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gpu, "this_machine", lambda: Machine({CPU.key}, nvidia=False))
    assert gpu.main([]) == 2
    assert capsys.readouterr().err.startswith("gpu: provider 'cuda' cannot run here: no NVIDIA GPU found")


def test_a_graph_that_does_not_run_gives_no_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Such as a network that cannot be a part of it: figures of the CPU would be taken for those of the graph."""
    other = tiny.unverified(tiny.one_channel(tmp_path / "one.onnx", size=(48, 32)))
    assert gpu.main(["--provider=cpu", "--size=96x64", f"--model={other}"]) == 2
    assert "gpu: the pipeline does not run on CPU: only networks of rtmatte's own family" in capsys.readouterr().err


def test_a_missing_package_is_named_with_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = tiny.unverified(tiny.green(tmp_path / "green.onnx", ramp=(60, 140)))
    tiny.rvm(tmp_path / "rvm_mobilenetv3.onnx", foreground=True)
    monkeypatch.setitem(sys.modules, "onnx", None)  # an import of it fails
    assert gpu.main(["--provider=cpu", "--size=96x64", f"--model={ours}", f"--peers={tmp_path}"]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("gpu: RVM in 16 bits needs the package 'onnx', which is not installed; ")
    assert "-m pip install onnx" in line


@pytest.mark.parametrize(("script", "status"), [("gpu", 0), ("quantize_rvm", 2)])
def test_without_onnx_a_script_starts_or_says_so(script: str, status: int) -> None:
    """It is no dependency of rtmatte."""
    code = f"import sys; sys.modules['onnx'] = None; import {script}; sys.exit({script}.main())"
    command = [sys.executable, "-c", code, "--help"]
    folder = Path(gpu.__file__).parent
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
