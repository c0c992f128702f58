"""A call in Chromium, which finds the virtual camera by its name and shows its frames; the panel in another page."""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from vcam_chromium import Chromium, Page, find, served
from vcam_devices import Node, in_lab, wait_until
from vcam_program import Program, rtmatte
from vcam_reader import BACKGROUND, BACKGROUND_NAME, Reader

CALL = (Path(__file__).parent / "client.html").read_bytes()

WATCH_PREVIEW = """
(async count => {
  const values = () => {
    const canvas = document.querySelector('canvas.image');
    return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  };
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  const low = [255, 255, 255], high = [0, 0, 0];
  let drawn = 0;
  return await new Promise(done => {
    CanvasRenderingContext2D.prototype.drawImage = function (...rest) {
      draw.apply(this, rest);
      if (!this.canvas.matches('canvas.image') || values()[0] < 128) return;
      values().forEach((value, i) => {
        if (i % 4 < 3) {
          low[i % 4] = Math.min(low[i % 4], value);
          high[i % 4] = Math.max(high[i % 4], value);
        }
      });
      if (++drawn === count) {
        CanvasRenderingContext2D.prototype.drawImage = draw;
        done([low, high]);
      }
    };
  });
})(COUNT)
"""
"""The lowest and highest value of each colour in COUNT frames that the panel draws after the first bright one."""


@pytest.fixture(scope="module")
def browser(vcam: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:  # noqa: ARG001 - for its skip
    program = find()
    if program is None:
        pytest.skip("no Chromium here; apt-get install chromium")
    with Chromium(program, folder=tmp_path_factory.mktemp("browser")) as chromium:
        yield chromium


@pytest.fixture
def call(browser: Chromium) -> Iterator[Page]:
    """A page that can join a call."""
    with served(CALL) as address:
        yield browser.open(address)


def start(vcam: Node, camera: str, **options: object) -> Program:
    return rtmatte(
        camera=camera, bg=BACKGROUND_NAME, size="640x360", fps=15, output=f"virtualcam:{vcam.path}", **options
    )


def watch(call: Page, vcam: Node, *, patient: bool) -> dict[str, Any]:
    """What the call saw in ten frames."""
    seen: dict[str, Any] = call.run(f"watch({vcam.label!r}, 10, {str(patient).lower()})")
    return seen


def assert_background(extremes: list[list[int]]) -> None:
    for pixel in extremes:
        for one, other in zip(pixel, BACKGROUND[::-1], strict=True):
            assert abs(one - other) < 24, extremes  # of 255: the browser has its own conversion from YUV, or from JPEG


def test_a_call_in_chromium_shows_only_the_background(
    vcam: Node, marker_camera: str, call: Page, tmp_path: Path
) -> None:
    on_demand = in_lab()  # outside of it the camera is an image, which cannot be switched off
    with start(vcam, marker_camera, on_demand=on_demand) as program:
        with Reader(vcam) as reader:
            reader.wait_for("background")
        if on_demand:
            program.wait_for_output("no program reads the output: the camera is off")
        seen = watch(call, vcam, patient=on_demand)
        (tmp_path / "call.png").write_bytes(call.screenshot())
    assert seen["label"].startswith(vcam.label)
    assert (seen["width"], seen["height"]) == (640, 360)
    assert seen["frameRate"] == 15
    assert_background(seen["extremes"])


@pytest.mark.usefixtures("lab")
def test_the_panel_shows_what_the_call_shows_and_turns_the_camera_on(
    vcam: Node, marker_camera: str, browser: Chromium, call: Page, tmp_path: Path
) -> None:
    with start(vcam, marker_camera, on_demand=True, panel=True) as program:
        program.wait_for_output("Ctrl-C ends")
        wait_until(lambda: not program.has_open(Path(marker_camera)), "the camera is closed")
        panel = browser.open(panel_address(program))
        assert_background(panel.run(WATCH_PREVIEW.replace("COUNT", "3")))
        program.wait_for_output("a program reads the output: the camera is on")  # the preview is what looks at it
        seen = watch(call, vcam, patient=True)
        assert_background(panel.run(WATCH_PREVIEW.replace("COUNT", "3")))
        (tmp_path / "panel.png").write_bytes(panel.screenshot())
    assert_background(seen["extremes"])
    assert "camera lost" not in program.output


def panel_address(program: Program) -> str:
    """The page's address, in the file whose address is printed."""
    line = program.wait_for_output("control panel: file:")
    text = Path(unquote(urlsplit(line.partition("control panel: ")[2]).path)).read_text()
    found = re.search(r'url=([^"]+)"', text)
    assert found
    return html.unescape(found[1])
