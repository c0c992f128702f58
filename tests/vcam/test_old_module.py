"""v4l2loopback before 0.13, which old_module.sh builds for the lab: many starts on one device, and the refusal."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from vcam_devices import Node, wait_until
from vcam_program import Program, reading_program, rtmatte, sending_program

from realtime_matte.errors import SinkError
from realtime_matte.sinks import virtualcam
from realtime_matte.v4l2.loopback import LoopbackDevices

MODULE = Path("/sys/module/v4l2loopback")
SYSFS = Path("/sys/class/video4linux")
FRAME = np.full((180, 320, 3), 100, np.uint8)
STARTS = 20


@pytest.fixture(autouse=True)
def old(lab: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - in the lab only
    """An old module, and a kernel in which it is not refused."""
    if (MODULE / "version").exists():
        pytest.skip("needs v4l2loopback before 0.13: tests/vcam/old_module.sh")
    monkeypatch.setattr(virtualcam, "LoopbackDevices", lambda: LoopbackDevices(release="6.17.0"))


def start(vcam: Node) -> virtualcam.VirtualCamera:
    """A start on the device; it has sent a frame."""
    sink = virtualcam.open(str(vcam.path), size=(320, 180), fps=15, alpha=False)
    sink.send(FRAME, 0.0)
    return sink


@contextmanager
def reading(vcam: Node, sink: virtualcam.VirtualCamera) -> Iterator[Program]:
    """A program that reads the device, and has read a frame."""
    with reading_program(str(vcam.path)) as reader:
        show(sink, reader)
        yield reader


def show(sink: virtualcam.VirtualCamera, reader: Program) -> None:
    """Send until the program has read further frames; its output has one sign for each."""
    before = reader.output.count("<")

    def shown() -> bool:
        sink.send(FRAME, 0.0)
        return reader.output.count("<") >= before + 3

    wait_until(shown, "the program reads frames")


def test_every_start_is_accepted_while_a_program_reads_all_the_time(vcam: Node) -> None:
    start(vcam).close()
    first = start(vcam)
    with reading(vcam, first) as reader:
        first.close()
        for _ in range(STARTS):
            sink = start(vcam)
            assert "a timeout image can crash the kernel, so none is set" in sink.notices[1]
            show(sink, reader)
            sink.close()


def test_after_a_killed_writer_a_start_is_accepted_once_the_reader_is_gone(vcam: Node, tmp_path: Path) -> None:
    image = str(tmp_path / "image.png")
    assert cv2.imwrite(image, FRAME)
    with sending_program(image, str(vcam.path)) as writer:
        wait_until(lambda: "YUYV" in (SYSFS / vcam.path.name / "format").read_text(), "ffmpeg sends")
        with reading_program(str(vcam.path)) as reader:
            reader.wait_for_output("<")
            writer.end(signal.SIGKILL)
            with pytest.raises(SinkError, match="turn the camera off in v4l2-ctl"):
                start(vcam)
    for _ in range(2):
        start(vcam).close()


def test_in_this_kernel_it_is_refused(vcam: Node) -> None:
    with rtmatte(camera="demo", output=f"virtualcam:{vcam.path}") as program:
        assert program.end() == 2
        assert "v4l2loopback before 0.13 is refused in kernel" in program.output
        assert len(program.output.splitlines()) == 1
