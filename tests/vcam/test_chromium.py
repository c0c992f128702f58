"""A call in a browser: Chromium finds the virtual camera by its name and shows its frames."""

import base64
from pathlib import Path

import pytest
from vcam_chromium import Chromium, find
from vcam_devices import Node, in_lab
from vcam_program import rtmatte
from vcam_reader import BACKGROUND, BACKGROUND_NAME, Reader

PAGE = (Path(__file__).parent / "client.html").read_bytes()


def test_a_call_in_chromium_shows_only_the_background(vcam: Node, marker_camera: str, tmp_path: Path) -> None:
    program = find()
    if program is None:
        pytest.skip("no Chromium here; apt-get install chromium")
    options = {
        "camera": marker_camera,
        "bg": BACKGROUND_NAME,
        "size": "640x360",
        "fps": 15,
        "output": f"virtualcam:{vcam.path}",
    }
    on_demand = in_lab()  # outside of it the camera is an image, which cannot be switched off
    with rtmatte(**options, on_demand=on_demand) as call:
        with Reader(vcam) as reader:
            reader.wait_for("background")
        if on_demand:
            call.wait_for_output("no program reads the output: the camera is off")
        with Chromium(program, PAGE, folder=tmp_path) as browser:
            seen = browser.run(f"watch({vcam.label!r}, 10, {str(on_demand).lower()})")
            (tmp_path / "call.png").write_bytes(base64.b64decode(browser.screenshot()))
    assert seen["label"].startswith(vcam.label)
    assert (seen["width"], seen["height"]) == (640, 360)
    assert seen["frameRate"] == 15
    for pixel in seen["extremes"]:
        for one, other in zip(pixel, BACKGROUND[::-1], strict=True):
            assert abs(one - other) < 24, seen  # of 255: the browser has its own conversion from YUV
