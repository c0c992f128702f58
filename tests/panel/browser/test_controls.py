"""Each control of the page changes what is sent, as the frames that arrive show."""

import re
from typing import TYPE_CHECKING

import pytest
from fakes.browser import wait_for, wait_for_background, wait_for_new_frames

if TYPE_CHECKING:
    from conftest import OpenPage
    from fakes.browser import Panel
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow
BLUE = (0x1E, 0x5A, 0x9B)


def open_tab(page: "Page", name: str) -> None:
    page.get_by_role("tab", name=name).click()


def wait_for_standby(page: "Page") -> None:
    page.locator("[data-state=standby]").wait_for()


def wait_for_live(page: "Page") -> None:
    page.locator("[data-state=running]").wait_for()
    wait_for_background(page, BLUE)


def test_standby_shows_the_card_and_goes_back(page: "Page") -> None:
    wait_for_live(page)
    page.get_by_role("button", name="Standby").click()
    wait_for_standby(page)
    wait_for(page, "(rgb) => rgb.some((value, i) => Math.abs(value - seen.corner[i]) > 20)", list(BLUE))
    page.get_by_role("button", name="Back to live").click()
    wait_for_live(page)


def test_the_space_bar_is_standby_unless_a_field_has_the_focus(page: "Page") -> None:
    wait_for_live(page)
    page.keyboard.press("Space")
    wait_for_standby(page)
    page.keyboard.press("Space")
    wait_for_live(page)
    open_tab(page, "Output")
    text = page.get_by_label("Card text", exact=True)
    text.fill("Back at")
    text.press("Space")
    assert text.input_value() == "Back at "
    text.fill("")
    text.blur()
    page.get_by_role("tab", name="Camera").click()
    page.keyboard.press("Space")  # for the page: the tab was clicked, not reached by a key
    wait_for_standby(page)
    page.keyboard.press("Space")
    wait_for_live(page)


def test_a_press_before_the_answer_counts_too(page: "Page") -> None:
    wait_for_live(page)
    page.evaluate("""() => {
        window.states = [];
        const badge = document.querySelector('.badge');
        new MutationObserver(() => states.push(badge.dataset.state)).observe(badge, {attributes: true});
        for (let i = 0; i < 2; i += 1) document.querySelector('#standby').click();
    }""")
    wait_for(page, "() => states.includes('standby') && states.at(-1) === 'running'")
    wait_for_background(page, BLUE)


def test_mirror_swaps_the_sides(page: "Page") -> None:
    wait_for_live(page)
    open_tab(page, "Camera")
    mirror = page.get_by_role("switch", name="Mirror", exact=True)
    wait_for(page, "() => seen.person > 0.2 && seen.person < 0.48")
    mirror.check()
    wait_for(page, "() => seen.person > 0.52")
    mirror.uncheck()
    wait_for(page, "() => seen.person < 0.48")


def test_a_wrong_value_has_its_message_at_its_field(page: "Page") -> None:
    open_tab(page, "Quality")
    threads = page.get_by_label("Threads", exact=True)
    threads.fill("many")
    threads.press("Enter")
    field = page.locator("[data-option=threads]")
    field.get_by_text(re.compile("whole number")).wait_for()
    assert threads.get_attribute("aria-invalid") == "true"
    assert threads.input_value() == "many"
    threads.fill("")
    threads.press("Enter")
    field.get_by_role("alert").wait_for(state="hidden")


def test_two_pages_stay_in_step(page: "Page", open_page: "OpenPage", program: "Panel") -> None:
    other = open_page(program.url)
    wait_for_live(other)
    for one in (page, other):
        open_tab(one, "Camera")
    page.get_by_role("switch", name="Mirror", exact=True).check()
    other.locator("[data-option=mirror] input:checked").wait_for()
    page.get_by_role("button", name="Standby").click()
    wait_for_standby(other)
    other.get_by_role("button", name="Back to live").click()
    wait_for_live(page)
    other.get_by_role("switch", name="Mirror", exact=True).uncheck()
    page.locator("[data-option=mirror] input:not(:checked)").wait_for()


def test_a_hidden_tab_asks_for_nothing(page: "Page") -> None:
    asked = page.evaluate("""() => {
        Object.defineProperty(document, 'hidden', {configurable: true, get: () => true});
        document.dispatchEvent(new Event('visibilitychange'));
        return seen.asked;
    }""")
    statuses = page.evaluate("seen.statuses")
    wait_for(page, "(count) => seen.statuses >= count", statuses + 3)  # what was asked for has arrived long ago
    assert page.evaluate("seen.asked") == asked
    page.evaluate("""() => {
        delete document.hidden;
        document.dispatchEvent(new Event('visibilitychange'));
    }""")
    wait_for_new_frames(page)


def test_a_snapshot_is_downloaded(page: "Page") -> None:
    with page.expect_download() as download:
        page.get_by_role("button", name="Snapshot").click()
    assert re.fullmatch(r"rtmatte-\d{8}-\d{6}\.png", download.value.suggested_filename)
    assert download.value.path().read_bytes().startswith(b"\x89PNG")


def test_a_recording_has_a_timer_and_ends_in_the_videos_folder(page: "Page", program: "Panel") -> None:
    page.get_by_role("button", name="Record").click()
    page.get_by_role("button", name=re.compile(r"Stop 00:0[1-9]")).click()
    page.get_by_role("button", name="Record").wait_for()
    page.get_by_text("Recording saved").wait_for()
    assert [file.suffix for file in (program.folder / "videos_dir").iterdir()] == [".mp4"]


def test_another_network_is_swapped_in(page: "Page") -> None:
    open_tab(page, "Quality")
    used = page.locator("dd").first
    used.get_by_text("small", exact=True).wait_for()
    page.get_by_role("radio", name="small · low").check()
    used.get_by_text("small?quality=low").wait_for()
    wait_for_background(page, BLUE)
    page.get_by_role("radio", name="small", exact=False).first.check()
    used.get_by_text("small", exact=True).wait_for()
    assert page.locator("svg.chart path").first.get_attribute("d")
    assert re.search(r"Grid\s+\d+ . \d+", page.locator("#panel-quality dl").inner_text())


def test_another_size_arrives_in_the_preview(page: "Page") -> None:
    wait_for_live(page)
    open_tab(page, "Camera")
    ratio = "(ratio) => Math.abs(canvas.width / canvas.height - ratio) < 0.02"
    page.evaluate("window.canvas = document.querySelector('canvas')")
    page.get_by_label("Size", exact=True).select_option("640x480")
    wait_for(page, ratio, 4 / 3)
    wait_for_background(page, BLUE)
    page.get_by_label("Size", exact=True).select_option("")
    wait_for(page, ratio, 16 / 9)
    wait_for_background(page, BLUE)


def test_outputs_are_switched_and_the_last_one_stays(page: "Page") -> None:
    open_tab(page, "Output")
    nowhere = page.get_by_role("switch", name="Nowhere")
    nowhere.click()
    page.locator("#panel-output .error:not([hidden])").wait_for()  # a run needs an output
    page.locator("#panel-output input[value=null]:checked").wait_for()
