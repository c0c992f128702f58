"""The button that learns the empty room: it counts down, says that the room is known, and why it is not."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fakes import browser as real
from fakes import networks

if TYPE_CHECKING:
    from conftest import OpenPage

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("colour", "brightness", "result"),
    [(real.MARKER, 0.0, "The empty room is known"), ((250, 250, 250), 1.0, "not calibrated: a person is seen in ")],
    ids=["empty", "with a person"],
)
def test_it_counts_down_and_shows_the_result(
    open_page: "OpenPage", tmp_path: Path, colour: tuple[int, int, int], brightness: float, result: str
) -> None:
    """The empty room is in the marker's colour, which no page may show; the second network takes white for a person.

    The white flickers, as what does not move at all is taken for the room.
    """
    camera = tmp_path / "room.mp4"
    darker = [0, 30 if brightness else 0] * 5
    real.write_clip(camera, [np.full((*real.SIZE[::-1], 3), colour, np.uint8) - np.uint8(step) for step in darker])
    model = networks.with_plate(tmp_path / "seeing.onnx", brightness=brightness)
    words = ("--camera", f"{camera}?loop", "--output", "null", "--bg", "#1e5a9b", "--quiet")
    with real.panel(tmp_path, *words, "--model", networks.unverified(model), "--size", "320x180") as program:
        page = open_page(program.url)
        page.get_by_role("tab", name="Quality").click()
        button = page.locator("#calibrate")
        button.click()
        page.get_by_role("button", name="Step out of view: 5").wait_for()
        page.get_by_role("button", name="Step out of view: 3").wait_for()
        assert button.get_attribute("aria-busy") == "true"
        page.locator(".toasts").get_by_text(result).wait_for()
        page.get_by_role("button", name="Learn the empty room").wait_for()
        assert button.get_attribute("aria-busy") is None
        assert not [line for line in program.lines if "Traceback" in line]
