"""``rtmatte ctl set size`` while a program keeps the virtual camera open, and after that program has left."""

import signal
import sys
from pathlib import Path

import cv2
import numpy as np
from vcam_devices import Node, wait_until
from vcam_program import Program, rtmatte
from vcam_reader import BACKGROUND, BACKGROUND_NAME, TOLERANCE, Reader, i420, plain, run_program

from realtime_matte.control import client

NEW_SIZE = (320, 240)
"""Of another shape: fitted into the old size, it has black bars at both sides."""


def size_note(program: Program) -> str:
    """What the status says of an output that keeps its size."""
    return str(client.ask(client.choose(program.pid), "status", timeout_s=60)["status"]["size_note"])


def test_the_size_waits_while_a_program_reads_and_applies_when_it_leaves(
    vcam: Node,
    marker_camera: str,
    lab: None,  # noqa: ARG001 - it changes the device
    tmp_path: Path,
) -> None:
    options = {"bg": BACKGROUND_NAME, "size": "640x360", "fps": 15, "output": f"virtualcam:{vcam.path}"}
    with rtmatte(camera=marker_camera, **options) as program:
        with Reader(vcam, fitted_from=NEW_SIZE) as reader:
            reader.wait_for("background", frames=2)
            run_program(sys.executable, "-m", "realtime_matte", "ctl", "set", "size", "320x240")
            assert "keeps 640x360 while a program reads it" in size_note(program)
            reader.wait_for("fitted", frames=5)
            assert reader.is_reading
            assert "keeps 640x360" in size_note(program)
        reader.assert_private()
        wait_until(lambda: not size_note(program), "the new size applies")
        target = tmp_path / "frames"
        run_program("v4l2-ctl", "-d", str(vcam.path), "--stream-mmap=2", "--stream-count=5", f"--stream-to={target}")
        frames = np.fromfile(target, np.uint8).reshape(5, -1)
        assert cv2.absdiff(frames[-1], i420(plain(BACKGROUND, size=NEW_SIZE))).max() <= TOLERANCE
        assert program.end(signal.SIGTERM) == 0
