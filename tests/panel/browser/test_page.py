"""The page in a real browser, with the real program, its network and a camera that sees the marker's colour."""

from typing import TYPE_CHECKING

import pytest
from fakes.browser import wait_for, wait_for_background, wait_for_new_frames

if TYPE_CHECKING:
    from conftest import OpenPage
    from fakes.browser import Panel
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow
BLUE = (0x1E, 0x5A, 0x9B)


def test_the_token_opens_the_page_and_leaves_the_address(page: "Page") -> None:
    assert "token" not in page.url
    page.reload()
    wait_for_new_frames(page, 1)


def test_no_token_no_page(open_page: "OpenPage", program: "Panel") -> None:
    page = open_page(program.url.split("#")[0])
    page.get_by_text("This address has no key").wait_for()


def test_a_wrong_token_is_told_so(open_page: "OpenPage", program: "Panel") -> None:
    page = open_page(program.url.split("#")[0] + "#token=wrong")
    page.get_by_text("This page belongs to an earlier run").wait_for()


def test_the_preview_moves_and_shows_the_background_and_never_the_room(page: "Page") -> None:
    wait_for_background(page, BLUE)
    wait_for(page, "() => new Set(seen.sums).size >= 5")
    assert page.evaluate("seen.marked") == 0
    assert 0.2 < page.evaluate("seen.person") < 0.5  # the person is there, at the left of the middle
