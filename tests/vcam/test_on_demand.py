"""On demand: the webcam is open only while a program reads the virtual camera."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from vcam_devices import Node, Vivid, until
from vcam_program import Program, holder, rtmatte
from vcam_reader import BACKDROP_NAME, Watcher

OFF = "nobody watches: the camera is off"
ON = "somebody watches: the camera is on"


def begun(camera: object, *outputs: Node) -> Program:
    sinks = [f"virtualcam:{one.path}" for one in outputs]
    return rtmatte(camera=camera, bg=BACKDROP_NAME, size="640x360", fps=15, output=sinks, on_demand=True)


@pytest.fixture
def idle(vcam: Node, vivid: Vivid, room: str) -> Iterator[Program]:
    """A run that nobody watches, with the camera off."""
    assert room == str(vivid.node.path)
    with begun(room, vcam) as program:
        program.wait_told("Ctrl-C ends")
        off(program, vivid)
        yield program


def off(program: Program, vivid: Vivid) -> None:
    until(lambda: not program.holds(vivid.node.path), "the camera is let go of")


def test_the_camera_is_open_only_while_somebody_reads(idle: Program, vcam: Node, vivid: Vivid) -> None:
    for _ in range(2):
        with Watcher(vcam) as watcher:
            until(lambda: idle.holds(vivid.node.path), "the camera is opened")
            watcher.wait("backdrop", pictures=3)
            assert watcher.seen[0] == "card"  # before the first matte, and at once
        off(idle, vivid)
        watcher.assert_private()
    assert [line for line in idle.told.splitlines() if "watches" in line] == [
        f"rtmatte: {line}" for line in (ON, OFF) * 2
    ]
    assert "stalled" not in idle.told
    assert "lost" not in idle.told
    assert idle.end(signal.SIGTERM) == 0


def test_who_leaves_and_comes_back_soon_finds_it_on(idle: Program, vcam: Node, vivid: Vivid) -> None:
    for _ in range(3):
        with Watcher(vcam) as watcher:
            watcher.wait("backdrop", pictures=2)
        watcher.assert_private()
        assert idle.holds(vivid.node.path)
    assert OFF not in idle.told


def test_while_nobody_reads_it_costs_next_to_nothing(idle: Program) -> None:
    began, spent = time.monotonic(), cpu_s(idle)
    until(lambda: time.monotonic() - began >= 5, "five seconds pass")
    assert cpu_s(idle) - spent < 0.5  # of 5 s, on a machine where all is slow


def test_meanwhile_others_may_use_the_webcam_and_that_is_told(idle: Program, vcam: Node, vivid: Vivid) -> None:
    with holder(str(vivid.node.path)) as other:
        other.wait_told("<")  # it has a picture
        with Watcher(vcam) as watcher:
            assert "is used by v4l2-ctl" in idle.wait_told("camera lost")
            watcher.wait("card", pictures=2)
            other.end(signal.SIGTERM)
            watcher.wait("backdrop", pictures=2)
    watcher.assert_private()


def test_a_webcam_that_is_pulled_out_meanwhile_is_missed_when_somebody_comes(
    idle: Program, vcam: Node, vivid: Vivid
) -> None:
    vivid.unplug()
    with Watcher(vcam) as watcher:
        assert "no camera at" in idle.wait_told("camera lost")
        watcher.wait("card", pictures=2)
        vivid.plug()
        vivid.paint()
        watcher.wait("backdrop", pictures=2)
    watcher.assert_private()


def test_a_killed_run_leaves_the_webcam_off_and_the_card(idle: Program, vcam: Node) -> None:
    with Watcher(vcam) as watcher:
        watcher.wait("backdrop")
        assert idle.end(signal.SIGKILL) == -signal.SIGKILL
        watcher.wait("card", pictures=2)
    watcher.assert_private()


def test_either_of_two_virtual_cameras_will_do(vcam: Node, feed: Node, vivid: Vivid, room: str) -> None:
    with begun(room, vcam, feed) as program:
        for node in (vcam, feed):
            program.wait_told("Ctrl-C ends")
            off(program, vivid)
            with Watcher(node) as watcher:
                watcher.wait("backdrop", pictures=2)
            watcher.assert_private()


def test_an_output_that_does_not_tell_who_watches_is_refused(room: str) -> None:
    with rtmatte(camera=room, output="null", on_demand=True) as program:
        assert program.end() == 2
        assert len(program.told.splitlines()) == 1
    assert "on demand needs an output that tells whether somebody watches" in program.told
    assert "add --output virtualcam" in program.told


def cpu_s(program: Program) -> float:
    """Processor time it has had."""
    words = Path(f"/proc/{program.number}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
