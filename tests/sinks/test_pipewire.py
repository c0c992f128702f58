"""The PipeWire camera: with a simulated GStreamer, and one run with the real one."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from realtime_matte.errors import MissingDependency, SinkError, SpecError
from realtime_matte.sinks import pipewire

SIZE = (64, 48)


class FakeGst:
    """The part of GStreamer that is used; ``errors``: the next errors on its bus."""

    State = SimpleNamespace(PLAYING="playing", NULL="null")
    StateChangeReturn = SimpleNamespace(FAILURE="failure", ASYNC="async")
    FlowReturn = SimpleNamespace(OK=SimpleNamespace(value_nick="ok"))
    MessageType = SimpleNamespace(ERROR=1)
    Caps = SimpleNamespace(from_string=lambda text: text)
    Structure = SimpleNamespace(from_string=lambda text: (text, len(text)))
    Buffer = SimpleNamespace(new_wrapped=lambda data: data)

    def __init__(self, *, starts: bool = True) -> None:
        self.starts = starts
        self.states: list[str] = []
        self.properties: dict[str, str] = {}
        self.pushed: list[bytes] = []
        self.errors: list[str] = []
        self.flow: Any = self.FlowReturn.OK

    def parse_launch(self, _text: str) -> "FakeGst":
        return self

    def get_by_name(self, _name: str) -> "FakeGst":
        return self

    def get_bus(self) -> "FakeGst":
        return self

    def set_property(self, name: str, value: str) -> None:
        self.properties[name] = value

    def set_state(self, state: str) -> str:
        self.states.append(state)
        return "async" if self.starts else "failure"

    def emit(self, _signal: str, data: bytes) -> object:
        self.pushed.append(data)
        return self.flow

    def pop_filtered(self, _kind: int) -> object:
        if not self.errors:
            return None
        error = SimpleNamespace(message=self.errors.pop(0))
        return SimpleNamespace(parse_error=lambda: (error, "details"))


@pytest.fixture
def gst(monkeypatch: pytest.MonkeyPatch) -> FakeGst:
    fake = FakeGst()
    monkeypatch.setattr(pipewire, "_gstreamer", lambda: fake)
    return fake


def test_the_camera_has_the_given_name(gst: FakeGst) -> None:
    sink = pipewire.open("My Cam", size=SIZE, fps=29.97, alpha=False)
    assert sink.notices == ["PipeWire camera My Cam (experimental), 64x48"]
    assert gst.properties["caps"] == "video/x-raw,format=YUY2,width=64,height=48,framerate=2997/100"
    assert 'media.class=(string)"Video/Source"' in gst.properties["stream-properties"]
    assert 'node.description=(string)"My Cam"' in gst.properties["stream-properties"]


def test_frames_are_sent_in_even_sizes(gst: FakeGst) -> None:
    sink = pipewire.open("", size=(65, 49), fps=30.0, alpha=False)
    assert sink.notices == [
        "PipeWire camera Virtual Camera (experimental), 64x48 (such cameras have even sizes, 65x49 is cut)"
    ]
    sink.send(np.full((49, 65, 3), (10, 20, 200), np.uint8), 0.0)
    sent = np.frombuffer(gst.pushed[0], np.uint8).reshape(48, 64, 2)
    back = cv2.cvtColor(sent, cv2.COLOR_YUV2BGR_YUY2)
    assert np.abs(back.astype(int) - (10, 20, 200)).max() <= 5  # BT.601 in 8 bits, there and back


@pytest.mark.parametrize(("errors", "flow"), [(["the server is gone"], "ok"), ([], "flushing")])
def test_a_camera_that_went_away_is_reported(gst: FakeGst, errors: list[str], flow: str) -> None:
    sink = pipewire.open("", size=SIZE, fps=30.0, alpha=False)
    gst.errors += errors
    gst.flow = gst.FlowReturn.OK if flow == "ok" else SimpleNamespace(value_nick=flow)
    expected = errors[0] if errors else flow
    with pytest.raises(SinkError, match=f"accepts no more frames: {expected}; open it again"):
        sink.send(np.zeros((48, 64, 3), np.uint8), 0.0)


def test_without_a_running_pipewire_the_hint_is_to_start_it(gst: FakeGst) -> None:
    gst.starts = False
    gst.errors.append("Failed to connect")
    with pytest.raises(SinkError, match="does not accept a camera: Failed to connect; systemctl --user start pipewire"):
        pipewire.open("", size=SIZE, fps=30.0, alpha=False)
    assert gst.states == ["playing", "null"]


def test_a_missing_part_of_gstreamer_is_reported(gst: FakeGst, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(_text: str) -> None:
        raise RuntimeError('no element "pipewiresink"')

    monkeypatch.setattr(gst, "parse_launch", refuses)
    with pytest.raises(MissingDependency, match=r'\(no element "pipewiresink"\); Debian and Ubuntu: sudo apt install'):
        pipewire.open("", size=SIZE, fps=30.0, alpha=False)


def test_without_pygobject_the_hint_is_to_install_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gi", None)
    with pytest.raises(MissingDependency, match=r"needs PyGObject and GStreamer .* pip install '\.\[pipewire\]'"):
        pipewire.open("", size=SIZE, fps=30.0, alpha=False)


@pytest.mark.parametrize("name", ['a "quoted" name', "back\\slash", "two\nlines", "x" * 61])
def test_a_name_that_gstreamer_cannot_carry_is_refused(name: str) -> None:
    with pytest.raises(SpecError, match="no PipeWire camera can be called"):
        pipewire.open(name, size=SIZE, fps=30.0, alpha=False)


def test_alpha_and_a_size_without_pixels_are_refused() -> None:
    with pytest.raises(SpecError, match="cannot carry alpha"):
        pipewire.open("", size=SIZE, fps=30.0, alpha=True)
    with pytest.raises(SpecError, match="cannot be 1x48"):
        pipewire.open("", size=(1, 48), fps=30.0, alpha=False)


# Not simulated

PROGRAMS = ("dbus-run-session", "pipewire", "wireplumber", "pw-cli", "gst-launch-1.0")
ABSENT = [name for name in PROGRAMS if not shutil.which(name)] + ([] if find_spec("gi") else ["PyGObject"])


@pytest.mark.skipif(bool(ABSENT), reason=f"no PipeWire to test with: {', '.join(ABSENT)} missing")
def test_another_program_reads_the_frames(tmp_path: Path) -> None:
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    script = Path(__file__).parents[1] / "fakes" / "pipewire_session.py"
    done = subprocess.run(
        ["dbus-run-session", "--", sys.executable, str(script), str(tmp_path / "frames.raw")],
        env=os.environ | {"XDG_RUNTIME_DIR": str(runtime)},
        stderr=subprocess.STDOUT,
        stdout=subprocess.PIPE,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    frames = np.fromfile(tmp_path / "frames.raw", np.uint8).reshape(-1, 48, 64, 3)
    assert len(frames) == 5
    assert np.abs(frames.astype(int) - (10, 20, 200)).max() <= 5
