"""The doctor on a machine with real cameras: its findings before and after the fix."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from vcam_devices import LIMIT_S, Node
from vcam_program import reading_program

CONTROL = Path("/dev/v4l2loopback")
CONFIG = struct.Struct("2i32s4I4i")
"""struct v4l2_loopback_config of v4l2loopback 0.15; the last number is announce_all_caps."""
ADD, REMOVE = (1 << 30 | size << 16 | ord("~") << 8 | number for number, size in ((1, CONFIG.size), (2, 4)))


def words(camera: str, vcam: Node, *more: str) -> list[str]:
    options = ["--camera", camera, "--size", "640x360", "--output", f"virtualcam:{vcam.path}", "--threads", "1"]
    return [sys.executable, "-m", "realtime_matte", "doctor", *options, "--provider", "cpu", *more]


def examined(camera: str, vcam: Node) -> tuple[int, dict[str, list[dict[str, str]]]]:
    """The exit status, and the findings by part."""
    done = subprocess.run(words(camera, vcam, "--json"), stdout=subprocess.PIPE, timeout=LIMIT_S, check=False)
    findings: dict[str, list[dict[str, str]]] = {}
    for finding in json.loads(done.stdout)["findings"]:
        findings.setdefault(finding["part"], []).append(finding)
    return done.returncode, findings


def test_a_machine_with_cameras_is_ok(vcam: Node, marker_camera: str) -> None:
    status, findings = examined(marker_camera, vcam)
    assert status == 0
    assert findings["v4l2loopback"][0]["found"].startswith("loaded")
    assert findings[f"virtualcam:{vcam.path}"][0]["state"] == "ok"
    assert f"{vcam.path} ({vcam.label})" in [finding["found"] for finding in findings["virtual camera"]]
    assert "fps measured" in findings["camera"][0]["found"]


@pytest.mark.usefixtures("lab")
def test_the_program_that_uses_the_webcam_is_named(vcam: Node, marker_camera: str) -> None:
    with reading_program(marker_camera) as program:
        program.wait_for_output("<")  # it has a frame
        status, findings = examined(marker_camera, vcam)
        assert status == 1
        (finding,) = findings["camera"]
        assert f"is in use by v4l2-ctl (pid {program.pid})" in finding["found"]


@pytest.fixture
def both(lab: None) -> Iterator[Node]:  # noqa: ARG001 - in the lab only
    """A virtual camera created without exclusive_caps."""
    with CONTROL.open("rb+", buffering=0) as control:
        fcntl.ioctl(control, ADD, CONFIG.pack(12, -1, b"Both", 0, 0, 0, 0, 2, 10, 0, 1))
        try:
            yield Node(Path("/dev/video12"))
        finally:
            fcntl.ioctl(control, REMOVE, 12)


def test_a_virtual_camera_that_browsers_do_not_list_is_found(both: Node, vcam: Node, marker_camera: str) -> None:
    _, findings = examined(marker_camera, vcam)
    (finding,) = [finding for finding in findings["virtual camera"] if finding["state"] != "ok"]
    assert finding["found"] == f"{both.path} (Both) was created without exclusive_caps=1"
    assert finding["commands"] == []  # two other cameras would go with it


@pytest.mark.usefixtures("lab")
def test_fix_in_a_terminal_asks_fixes_and_checks_again(vcam: Node, marker_camera: str) -> None:
    files = [Path("/etc/modules-load.d/rtmatte.conf"), Path("/etc/modprobe.d/rtmatte.conf")]
    terminal, child_end = pty.openpty()
    try:
        program = subprocess.Popen(
            words(marker_camera, vcam, "--fix"), stdin=child_end, stdout=child_end, stderr=child_end
        )
        os.close(child_end)
        os.write(terminal, b"y\n")
        text = read_all(terminal)
        assert program.wait(LIMIT_S) == 0
        assert "run these now, some of them as administrator? [y/N]" in text
        assert text.count("\r\ndone\r\n") == 2
        assert "at boot         loaded by /etc/modules-load.d/rtmatte.conf" in text.partition("checking again:")[2]
        assert [path.read_text() for path in files] == [
            "v4l2loopback\n",
            'options v4l2loopback video_nr=10 exclusive_caps=1 card_label="Virtual Camera"\n',
        ]
    finally:
        os.close(terminal)
        for path in files:
            path.unlink(missing_ok=True)


def read_all(terminal: int) -> str:
    text = b""
    try:
        while piece := os.read(terminal, 4096):
            text += piece
    except OSError:  # no program has the terminal open any more
        pass
    return text.decode()
