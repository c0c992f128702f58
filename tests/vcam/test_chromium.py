"""A browser's call: Chromium finds the virtual camera by its name and shows what it is given."""

import base64
from pathlib import Path

import pytest
from vcam_chromium import Chromium, find
from vcam_devices import Node, in_lab
from vcam_program import rtmatte
from vcam_reader import BACKDROP, BACKDROP_NAME, Watcher

PAGE = (Path(__file__).parent / "client.html").read_bytes()


def test_a_call_in_chromium_shows_the_background_where_the_room_was(vcam: Node, room: str, tmp_path: Path) -> None:
    program = find()
    if program is None:
        pytest.skip("no Chromium here; apt-get install chromium")
    options = {"camera": room, "bg": BACKDROP_NAME, "size": "640x360", "fps": 15, "output": f"virtualcam:{vcam.path}"}
    on_demand = in_lab()  # elsewhere the room is a picture, which nothing switches off
    with rtmatte(**options, on_demand=on_demand) as call:
        with Watcher(vcam) as watcher:
            watcher.wait("backdrop")
        if on_demand:
            call.wait_told("nobody watches: the camera is off")
        with Chromium(program, PAGE, folder=tmp_path) as browser:
            seen = browser.run(f"watch({vcam.label!r}, 10, {str(on_demand).lower()})")
            (tmp_path / "call.png").write_bytes(base64.b64decode(browser.screenshot()))
    assert seen["label"].startswith(vcam.label)
    assert (seen["width"], seen["height"]) == (640, 360)
    assert seen["frameRate"] == 15
    for pixel in seen["extremes"]:
        for one, other in zip(pixel, BACKDROP[::-1], strict=True):
            assert abs(one - other) < 24, seen  # of 255: the browser's own way from YUV
