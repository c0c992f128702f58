"""What may show the own room, because the user asks for it: no page of another test is open at that time."""

from typing import TYPE_CHECKING

import pytest
from fakes.browser import MARKER, wait_for_background

if TYPE_CHECKING:
    from conftest import OpenPage
    from fakes.browser import Panel

pytestmark = pytest.mark.slow
BLUE = (0x1E, 0x5A, 0x9B)


def test_a_blur_shows_the_room_and_has_a_slider(open_page: "OpenPage", program: "Panel") -> None:
    page = open_page(program.url, private=False)  # the user asks for the own room
    page.get_by_role("button", name="Blur", exact=True).click()
    page.get_by_label("Strength", exact=True).press("End")
    wait_for_background(page, MARKER, within=60)
    page.get_by_role("button", name="Colour", exact=True).click()
    page.get_by_label("Color", exact=True).fill("#1e5a9b")
    wait_for_background(page, BLUE)
