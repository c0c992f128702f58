"""Keyboard, screen readers, themes and window sizes."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.browser import wait_for, wait_for_new_frames

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow
TABS = ("Background", "Camera", "Output", "Quality", "Settings", "Doctor")
RULES = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
}


def test_axe_finds_nothing_serious(page: "Page") -> None:
    axe = pytest.importorskip("axe_playwright_python.base", reason="needs axe-playwright-python")
    page.evaluate(Path(axe.AXE_FILE_PATH).read_text("utf-8"))
    page.emulate_media(reduced_motion="reduce")
    for scheme, width in (("dark", 1280), ("light", 360)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        for tab in TABS:
            page.get_by_role("tab", name=tab).click()
            wait_for(page, "() => !document.querySelector('[role=tabpanel]:not([hidden]) .placeholder.loading')")
            violations = page.evaluate("async (options) => (await axe.run(document, options)).violations", RULES)
            serious = [
                (one["id"], [node["html"] for node in one["nodes"]])
                for one in violations
                if one["impact"] in {"serious", "critical"}
            ]
            assert not serious, (scheme, tab)
    page.set_viewport_size({"width": 1280, "height": 800})


def test_everything_is_reached_with_the_keyboard(page: "Page") -> None:
    page.locator("#standby").focus()
    page.keyboard.press("Tab")  # record
    page.keyboard.press("Tab")  # the chosen tab
    assert page.evaluate("document.activeElement.id") == "tab-background"
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.getAttribute('aria-selected')") == "true"
    assert page.evaluate("document.activeElement.id") == "tab-camera"
    mirror = "document.activeElement.closest('[data-option=mirror]') !== null"
    page.locator("[data-option=mirror]").wait_for()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate(mirror):
            break
    assert page.evaluate(mirror)
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) != "none"
    page.keyboard.press("Space")  # the switch, not standby
    page.locator("[data-option=mirror] input:checked").wait_for()
    wait_for_new_frames(page)
    assert page.locator("[data-state=running]").count() == 1
    page.keyboard.press("Space")
    page.locator("[data-option=mirror] input:not(:checked)").wait_for()


def test_a_change_of_state_is_announced(page: "Page") -> None:
    live = page.locator("[aria-live=polite]")
    live.get_by_text("Live").wait_for(state="attached")
    page.keyboard.press("Space")
    live.get_by_text("On standby").wait_for(state="attached")
    page.keyboard.press("Space")
    live.get_by_text("Live").wait_for(state="attached")


def test_dark_and_light_follow_the_system_until_one_is_chosen(page: "Page") -> None:
    def brightness() -> int:
        return int(page.evaluate("Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])"))

    page.emulate_media(color_scheme="dark")
    assert brightness() < 64
    page.emulate_media(color_scheme="light")
    assert brightness() > 192
    toggle = page.get_by_role("button", name="Appearance")
    toggle.click()
    toggle.click()
    assert toggle.get_attribute("aria-label") == "Appearance: dark"
    assert brightness() < 64


def test_it_fits_every_window(page: "Page") -> None:
    for width, height in ((360, 640), (900, 500), (2560, 1440)):
        page.set_viewport_size({"width": width, "height": height})
        for tab in TABS:
            page.get_by_role("tab", name=tab).click()
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            wide = "[...document.querySelectorAll('.panel')].some((one) => one.scrollWidth > one.clientWidth)"
            assert not page.evaluate(wide), (width, tab)
        box = page.locator("#standby").bounding_box()
        assert box
        assert box["y"] + box["height"] <= height  # always in view
        assert box["width"] >= 120
        assert box["height"] >= 44
    page.set_viewport_size({"width": 1280, "height": 800})
