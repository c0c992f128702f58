"""A network from outside takes a bounded amount of memory and time before it is refused.

Other members of the kind that were tried by hand, with the same result: graphs with ScatterND, GatherND, Gather of
many indices, CumSum and Trilu of a huge tensor, Einsum, ConvTranspose with wide strides, a branch of If, a sequence
that grows in a Loop.
"""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fakes import networks as tiny
from fuzz import networks

from realtime_matte import models
from realtime_matte.errors import BadFile, ModelError
from realtime_matte.models import first_run

limited = pytest.mark.skipif(sys.platform != "linux", reason="the limits are those of Linux")


@limited
@pytest.mark.parametrize("kind", [kind for kind in networks.BOMBS if kind not in {"slow", "tile"}])
def test_huge_tensors_inside_a_network_are_refused(kind: str, tmp_path: Path) -> None:
    networks.bomb(tmp_path / "bomb.onnx", kind=kind)
    with pytest.raises(BadFile, match=r"bomb\.onnx needs more than 1024 MB of memory; .*\?unlimited runs it anyway"):
        models.open(f"{tmp_path}/bomb.onnx?unverified", provider="cpu")


@limited
@pytest.mark.parametrize("kind", ["slow", "endless"])
def test_networks_that_compute_for_hours_are_refused(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_run, "MAX_PROCESSOR_S", 1)
    path = tmp_path / "slow.onnx"
    networks.endless(path) if kind == "endless" else networks.bomb(path, kind=kind)
    with pytest.raises(BadFile, match=r"slow\.onnx needs more than 1 s of processor time for its first frames"):
        models.open(f"{path}?unverified", provider="cpu")


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (tiny.recurrent, "?quality=high&unverified"),
        (tiny.one_channel, "?unverified"),
        (tiny.two_channels, "?unverified"),
        (tiny.rvm, "?unverified"),
    ],
)
def test_a_network_of_each_family_passes(make: Any, options: str, tmp_path: Path) -> None:  # noqa: ANN401
    models.open(f"{make(tmp_path / 'tiny.onnx')}{options}", provider="cpu").close()


def test_unlimited_runs_without_the_limits(ours: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_run.subprocess, "run", _ended(-signal.SIGSEGV))
    with pytest.raises(BadFile):
        models.open(f"{ours}?unverified", provider="cpu")
    models.open(f"{ours}?unverified&unlimited", provider="cpu").close()
    models.open("small", provider="cpu").close()


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
@pytest.mark.parametrize(
    ("status", "printed", "message"),
    [
        (-signal.SIGSEGV, b"", r"tiny\.onnx makes ONNX Runtime crash \(SIGSEGV\); choose another --model"),
        (-signal.SIGKILL, b"", r"tiny\.onnx needs more memory than this machine has left; choose"),
        (0xC0000005, b"", r"tiny\.onnx makes ONNX Runtime crash \(status 3221225477\)"),
        (1, b"Traceback\nImportError: numpy", "first run of .*: ImportError: numpy; .unlimited runs it anyway"),
    ],
)
def test_a_process_without_an_answer_is_an_error_that_says_why(
    ours: str, monkeypatch: pytest.MonkeyPatch, status: int, printed: bytes, message: str
) -> None:
    monkeypatch.setattr(first_run.subprocess, "run", _ended(status, printed))
    with pytest.raises((BadFile, ModelError), match=message):
        models.open(f"{ours}?unverified", provider="cpu")


def test_a_failure_reads_as_without_the_limits(tmp_path: Path) -> None:
    states = '[{"input": "m8", "output": "n8", "channels": 5, "stride": 8}]'
    path = tiny.recurrent(tmp_path / "odd.onnx", metadata=tiny.recurrent_metadata(states=states))
    with pytest.raises(ModelError, match=r"fails on its first frames: .+; choose another --model"):
        models.open(f"{path}?unverified", provider="cpu")


def _ended(status: int, printed: bytes = b"") -> Any:  # noqa: ANN401 -- takes what subprocess.run does
    return lambda words, **_: subprocess.CompletedProcess(words, status, b"", printed)
