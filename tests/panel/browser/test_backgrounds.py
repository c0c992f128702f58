"""The gallery: choosing, adding by drop and by choice, what is refused, adjusting and deleting."""

import base64
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from fakes.browser import jpeg, wait_for, wait_for_background, wait_for_new_frames

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.slow
BLUE = (0x1E, 0x5A, 0x9B)
GREEN = (0x20, 0x90, 0x40)
SAND = (0xD0, 0xB0, 0x60)

DROP = """([name, type, data]) => {
    const file = new File([Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0))], name, {type});
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(file);
    for (const event of ['dragenter', 'dragover', 'drop']) {
        document.body.dispatchEvent(new DragEvent(event, {dataTransfer, bubbles: true, cancelable: true}));
    }
}"""


CLICKS = """(names) => {
    for (const name of names) document.querySelector(`.tile[title="${name}"]`).click();
}"""


@pytest.fixture
def gallery(page: "Page") -> Iterator["Page"]:
    """The page; the run has its first background again afterwards."""
    yield page
    page.get_by_role("button", name="Colour", exact=True).click()
    page.get_by_label("Color", exact=True).fill("#1e5a9b")
    wait_for_background(page, BLUE)


def drop(page: "Page", name: str, data: bytes, kind: str = "image/jpeg") -> None:
    page.evaluate(DROP, [name, kind, base64.b64encode(data).decode()])


def chosen(name: str) -> str:
    return f".tile:has-text('{name}')[aria-pressed=true]"


def test_a_colour_is_picked(gallery: "Page") -> None:
    gallery.get_by_role("button", name="Colour", exact=True).click()
    for value, rgb in (("#209040", GREEN), ("#d0b060", SAND)):
        gallery.get_by_label("Color", exact=True).fill(value)
        wait_for_background(gallery, rgb)


def test_the_last_of_quick_choices_stays(gallery: "Page") -> None:
    requests: list[str] = []

    def delay_the_first(route: "Route") -> None:
        requests.append(route.request.post_data or "")
        if len(requests) == 1:
            gallery.wait_for_timeout(500)
        route.continue_()

    gallery.route("**/api/background", delay_the_first)
    gallery.evaluate(CLICKS, ["Beach", "Studio"])
    gallery.locator(chosen("Studio")).wait_for()
    assert [json.loads(request)["id"] for request in requests] == ["beach", "studio"]
    gallery.unroute("**/api/background")


def test_a_click_on_the_current_background_keeps_its_options(gallery: "Page") -> None:
    gallery.get_by_label("Color", exact=True).fill("#d0b060")
    wait_for_background(gallery, SAND)
    gallery.get_by_role("button", name="Colour", exact=True).click()
    wait_for_new_frames(gallery, 5)
    wait_for_background(gallery, SAND)


def test_a_click_changes_the_background(gallery: "Page") -> None:
    wait_for_background(gallery, BLUE)
    gallery.get_by_role("button", name="Beach").click()
    gallery.locator(chosen("Beach")).wait_for()
    wait_for(gallery, "(rgb) => rgb.some((value, i) => Math.abs(value - seen.corner[i]) > 60)", list(BLUE))


def test_a_dropped_image_becomes_the_background_and_can_be_deleted(gallery: "Page") -> None:
    drop(gallery, "Meadow.jpg", jpeg(GREEN[::-1]))
    gallery.locator(chosen("Meadow")).wait_for()
    wait_for_background(gallery, GREEN)
    gallery.get_by_role("button", name="Remove Meadow").click()
    gallery.get_by_role("button", name="Meadow", exact=True).wait_for(state="detached")


def test_a_chosen_file_becomes_the_background(gallery: "Page") -> None:
    with gallery.expect_file_chooser() as chooser:
        gallery.get_by_role("button", name="Add an image or a video").click()
    chooser.value.set_files({"name": "Sand.png", "mimeType": "image/png", "buffer": jpeg(SAND[::-1])})
    wait_for_background(gallery, SAND)
    gallery.get_by_role("button", name="Remove Sand").click()


def test_a_text_named_jpg_has_its_message_at_its_place(page: "Page") -> None:
    drop(page, "notes.jpg", b"this is no image\n" * 20)
    message = page.locator(".upload.failed")
    message.get_by_text("notes.jpg").wait_for()
    assert "jpg" in message.inner_text()
    message.get_by_role("button", name="Dismiss").click()
    message.wait_for(state="detached")
    wait_for_background(page, BLUE)
