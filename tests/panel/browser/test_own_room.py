"""What may show the own room, because the user asks for it: no page of another test is open at that time."""

from typing import TYPE_CHECKING

import pytest
from fakes.browser import MARKER, wait_for_background

if TYPE_CHECKING:
    from conftest import OpenPage
    from fakes.browser import Panel
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow
BLUE = (0x1E, 0x5A, 0x9B)


def test_a_blur_shows_the_room_and_has_a_slider(open_page: "OpenPage", program: "Panel") -> None:
    page = open_page(program.url, private=False)  # the user asks for the own room
    page.get_by_role("button", name="Blur", exact=True).click()
    page.get_by_label("Strength", exact=True).press("End")
    wait_for_background(page, MARKER, within=60)
    drag(page, "Strength")
    page.get_by_role("button", name="Colour", exact=True).click()
    page.get_by_label("Color", exact=True).fill("#1e5a9b")
    wait_for_background(page, BLUE)


def drag(page: "Page", label: str) -> None:
    """Drag a slider; it must stay under the pointer while the answers to its changes arrive."""
    slider = page.get_by_label(label, exact=True)
    slider.evaluate("(element) => { element.first = true; }")
    box = slider.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] - 8, box["y"] + box["height"] / 2)
    page.mouse.down()
    values = set()
    for part in (0.7, 0.5, 0.3):
        with page.expect_response("**/api/backgrounds"):  # the gallery is asked for again after each change
            page.mouse.move(box["x"] + box["width"] * part, box["y"] + box["height"] / 2)
        values.add(slider.input_value())
    page.mouse.up()
    assert len(values) == 3
    assert slider.evaluate("(element) => element.first && element.isConnected")
