"""On demand: the webcam is open only while a program reads the virtual camera."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from vcam_devices import Node, Vivid, wait_until
from vcam_program import Program, reading_program, rtmatte
from vcam_reader import BACKGROUND_NAME, Reader

OFF = "no program reads the output: the camera is off"
ON = "a program reads the output: the camera is on"


def start(camera: object, *outputs: Node) -> Program:
    sinks = [f"virtualcam:{one.path}" for one in outputs]
    return rtmatte(camera=camera, bg=BACKGROUND_NAME, size="640x360", fps=15, output=sinks, on_demand=True)


@pytest.fixture(scope="class")
def running(vcam: Node, marker_camera: str, lab: None) -> Iterator[Program]:  # noqa: ARG001 - in the lab only
    """A run for all tests of it."""
    with start(marker_camera, vcam) as program:
        program.wait_for_output("Ctrl-C ends")
        yield program
        assert program.end(signal.SIGTERM) == 0


@pytest.fixture
def idle(running: Program, vivid: Vivid) -> Program:
    """A run that no program reads, with the camera off and nothing printed yet."""
    wait_off(running, vivid)
    wait_until(lambda: running.output.count(OFF) == running.output.count(ON), "it reports that")
    running.forget_output()
    return running


def wait_off(program: Program, vivid: Vivid) -> None:
    wait_until(lambda: not program.has_open(vivid.node.path), "the camera is closed")


class TestOneRun:
    def test_the_camera_is_open_only_while_a_program_reads(self, idle: Program, vcam: Node, vivid: Vivid) -> None:
        for _ in range(2):
            with Reader(vcam) as reader:
                wait_until(lambda: idle.has_open(vivid.node.path), "the camera is opened")
                reader.wait_for("background", frames=3)
                assert reader.seen[0] == "card"  # at once, before the first matte
            wait_off(idle, vivid)
            reader.assert_private()
        assert [line for line in idle.output.splitlines() if "reads the output" in line] == [
            f"rtmatte: {line}" for line in (ON, OFF) * 2
        ]
        assert "camera stalled" not in idle.output
        assert "camera lost" not in idle.output

    def test_a_reader_that_comes_back_soon_finds_the_camera_on(self, idle: Program, vcam: Node, vivid: Vivid) -> None:
        for _ in range(3):
            with Reader(vcam) as reader:
                reader.wait_for("background", frames=2)
            reader.assert_private()
            assert idle.has_open(vivid.node.path)
        assert OFF not in idle.output

    def test_without_readers_it_takes_almost_no_cpu_time(self, idle: Program) -> None:
        started, spent = time.monotonic(), cpu_s(idle)
        wait_until(lambda: time.monotonic() - started >= 5, "five seconds pass")
        assert cpu_s(idle) - spent < 0.5  # of 5 s, on a slow machine

    def test_a_webcam_that_another_program_took_in_between_is_reported(
        self, idle: Program, vcam: Node, vivid: Vivid
    ) -> None:
        with reading_program(str(vivid.node.path)) as other:
            other.wait_for_output("<")  # it has a frame
            with Reader(vcam) as reader:
                assert "is in use by v4l2-ctl" in idle.wait_for_output("camera lost")
                reader.wait_for("card", frames=2)
                other.end(signal.SIGTERM)
                reader.wait_for("background", frames=2)
        reader.assert_private()

    def test_a_webcam_that_was_unplugged_in_between_is_reported_when_a_reader_comes(
        self, idle: Program, vcam: Node, vivid: Vivid
    ) -> None:
        vivid.unplug()
        with Reader(vcam) as reader:
            assert "no camera at" in idle.wait_for_output("camera lost")
            reader.wait_for("card", frames=2)
            vivid.plug()
            vivid.paint()
            reader.wait_for("background", frames=2)
        reader.assert_private()


def test_a_killed_run_leaves_the_card(vcam: Node, marker_camera: str, lab: None) -> None:  # noqa: ARG001
    with start(marker_camera, vcam) as program, Reader(vcam) as reader:
        reader.wait_for("background")
        assert program.end(signal.SIGKILL) == -signal.SIGKILL
        reader.wait_for("card", frames=2)
    reader.assert_private()


def test_a_reader_of_either_virtual_camera_turns_the_camera_on(
    vcam: Node, second_vcam: Node, vivid: Vivid, marker_camera: str
) -> None:
    with start(marker_camera, vcam, second_vcam) as program:
        for node in (vcam, second_vcam):
            program.wait_for_output("Ctrl-C ends")
            wait_off(program, vivid)
            with Reader(node) as reader:
                reader.wait_for("background", frames=2)
            reader.assert_private()


def test_an_output_that_does_not_report_readers_is_refused(marker_camera: str) -> None:
    with rtmatte(camera=marker_camera, output="null", on_demand=True) as program:
        assert program.end() == 2
        assert len(program.output.splitlines()) == 1
    assert "on demand needs an output that knows whether a program reads it" in program.output
    assert "add --output virtualcam" in program.output


def cpu_s(program: Program) -> float:
    """CPU time it has used, s."""
    words = Path(f"/proc/{program.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
