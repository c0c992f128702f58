"""A second real camera as the background: its image is shown, and of the first one nothing but the person."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from vcam_devices import LIMIT_S, Node, Vivid, wait_until
from vcam_program import rtmatte
from vcam_reader import Reader

SECOND = Node(Path("/dev/video2"))
RED = (0, 0, 255)
"""What the second camera shows, BGR; its test pattern 7."""

ONE_CAMERA = ("n_devs=1", "node_types=0x1", "vid_cap_nr=0", "input_types=0x0", "num_inputs=1")
TWO_CAMERAS = ("n_devs=2", "node_types=0x1,0x1", "vid_cap_nr=0,2", "input_types=0x0,0x0", "num_inputs=1,1")


def reload_vivid(parameters: tuple[str, ...]) -> None:
    """Load the fake webcam's driver again."""
    for words in (("-r", "vivid"), ("vivid", *parameters)):
        subprocess.run(["/run/mp", *words], check=True, timeout=LIMIT_S)
    wait_until(Vivid.node.path.exists, "vivid is loaded")


@pytest.fixture
def two_cameras(vivid: Vivid) -> Iterator[Vivid]:
    """The first one shows MARKER all over, the second one RED."""
    reload_vivid(TWO_CAMERAS)
    try:
        wait_until(SECOND.path.exists, "there is a second camera")
        vivid.paint()
        words = ["v4l2-ctl", "-d", str(SECOND.path), "-c", "test_pattern=7,osd_text_mode=2"]
        subprocess.run(words, check=True, timeout=LIMIT_S)
        yield vivid
    finally:
        vivid.plug()
        reload_vivid(ONE_CAMERA)


@pytest.mark.parametrize("effects", [{}, {"low_light": 1, "harmonize": 1, "auto_frame": True, "rotate": 90}])
def test_the_second_camera_is_behind_the_person(vcam: Node, two_cameras: Vivid, effects: dict[str, object]) -> None:
    output = f"virtualcam:{vcam.path}"
    with rtmatte(camera=0, bg="camera:2", size="640x360", fps=15, output=output, **effects) as program:
        program.wait_for_output("Ctrl-C ends")
        assert program.has_open(SECOND.path)
        with Reader(vcam, background=RED) as reader:
            reader.wait_for("background", frames=5)
            program.send(signal.SIGUSR1)
            reader.wait_for("card", frames=3)
            program.send(signal.SIGUSR1)
            reader.wait_for("background", frames=3)
            two_cameras.unplug()  # both, since they are of one driver
            reader.wait_for("card", frames=3)
            assert program.end(signal.SIGTERM) == 0
            reader.wait_last("card")
        reader.assert_private()
