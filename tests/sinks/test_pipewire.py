"""The PipeWire camera's name, sizes and reports, with a simulated node; ``tests/pipewire`` uses the real one."""

from collections.abc import Mapping

import numpy as np
import pytest

from realtime_matte.errors import MissingDependency, SinkError, SpecError
from realtime_matte.frame import Pixels, Size
from realtime_matte.media import i420
from realtime_matte.pipewire import library
from realtime_matte.sinks import pipewire

SIZE = (64, 48)


class FakeNode:
    """A node that PipeWire accepts while ``fault`` is empty."""

    fault = ""

    def __init__(self, properties: Mapping[str, str], *, size: Size, fps: float) -> None:
        self.properties = properties
        self.size = size
        self.fps = fps
        self.is_lost = True
        self.attempts = 0
        self.shown: list[Pixels] = []
        self.closed = 0

    def connect(self) -> None:
        self.attempts += 1
        if self.fault:
            raise OSError(0, self.fault)
        self.is_lost = False

    def wait_connected(self) -> None:
        assert not self.is_lost

    def show(self, frame: Pixels) -> None:
        self.shown.append(frame.copy())

    def wait_for_reader(self, timeout_s: float) -> bool:
        return timeout_s > 0

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> list[FakeNode]:
    """Every node that is made."""
    made: list[FakeNode] = []

    class Kept(FakeNode):
        def __init__(self, properties: Mapping[str, str], *, size: Size, fps: float) -> None:
            super().__init__(properties, size=size, fps=fps)
            made.append(self)

    monkeypatch.setattr(pipewire, "CameraNode", Kept)
    return made


def test_the_camera_has_the_given_name(nodes: list[FakeNode]) -> None:
    sink = pipewire.open('My "Cam"', size=SIZE, fps=29.97, alpha=False)
    assert sink.notices == ['PipeWire camera My "Cam", 64x48']
    assert nodes[0].properties["node.description"] == 'My "Cam"'
    assert nodes[0].properties["node.name"] == "rtmatte.my-cam"
    assert nodes[0].fps == 29.97


def test_programs_take_it_for_a_camera(nodes: list[FakeNode]) -> None:
    pipewire.open("", size=SIZE, fps=30.0, alpha=False)
    assert nodes[0].properties["media.class"] == "Video/Source"
    assert nodes[0].properties["media.role"] == "Camera"  # the portal passes on no other nodes
    assert nodes[0].properties["node.description"] == "Virtual Camera"


def test_frames_are_sent_in_even_sizes(nodes: list[FakeNode]) -> None:
    sink = pipewire.open("", size=(65, 49), fps=30.0, alpha=False)
    assert sink.notices == ["PipeWire camera Virtual Camera, 64x48 (such cameras have even sizes, 65x49 is cut)"]
    sink.send(np.full((49, 65, 3), (10, 20, 200), np.uint8), 0.0)
    back = i420.to_bgr(nodes[0].shown[0])
    assert back.shape == (48, 64, 3)
    assert np.abs(back.astype(int) - (10, 20, 200)).max() <= 5  # BT.601 in 8 bits, there and back


def test_it_comes_back_with_pipewire_and_both_is_reported(nodes: list[FakeNode]) -> None:
    sink = pipewire.open("", size=SIZE, fps=30.0, alpha=False)
    node, frame, now = nodes[0], np.zeros((72, 64), np.uint8), [100.0]
    sink._clock = lambda: now[0]
    node.is_lost, node.fault = True, "Host is down"
    sink.send_i420(frame, 0.0)
    sink.send_i420(frame, 0.0)
    assert node.attempts == 2  # at the start, and at once; not for every frame
    assert "PipeWire has stopped" in sink.notices[1]
    node.fault = ""
    now[0] += 1.0
    sink.send_i420(frame, 0.0)
    assert not node.is_lost
    assert len(sink.notices) == 2
    assert "PipeWire was started again" in sink.notices[1]


def test_it_knows_whether_a_program_reads(nodes: list[FakeNode]) -> None:
    readers = pipewire.open("", size=SIZE, fps=30.0, alpha=False).open_readers()
    assert readers.wait_for_reader(1)
    assert not readers.wait_for_reader(0)
    assert len(nodes) == 1


def test_without_a_running_pipewire_the_hint_is_to_start_it(
    nodes: list[FakeNode], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeNode, "fault", "Host is down")
    with pytest.raises(SinkError, match="does not accept a camera: Host is down; systemctl --user start pipewire"):
        pipewire.open("", size=SIZE, fps=30.0, alpha=False)
    assert nodes[0].closed == 1


def test_without_the_library_the_hint_is_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library.sys, "platform", "linux")
    monkeypatch.setattr(library, "NAME", "libpipewire-none.so.0")
    library.load.cache_clear()
    try:
        with pytest.raises(MissingDependency, match=r"needs libpipewire-none.so.0 .*sudo apt install libpipewire"):
            pipewire.open("", size=SIZE, fps=30.0, alpha=False)
    finally:
        library.load.cache_clear()


@pytest.mark.parametrize("name", ["two\nlines", "x" * 61])
def test_a_name_that_programs_cannot_show_is_refused(name: str) -> None:
    with pytest.raises(SpecError, match="no PipeWire camera can be called"):
        pipewire.open(name, size=SIZE, fps=30.0, alpha=False)


def test_alpha_and_a_size_without_pixels_are_refused() -> None:
    with pytest.raises(SpecError, match="cannot carry alpha"):
        pipewire.open("", size=SIZE, fps=30.0, alpha=True)
    with pytest.raises(SpecError, match="cannot be 1x48"):
        pipewire.open("", size=(1, 48), fps=30.0, alpha=False)
