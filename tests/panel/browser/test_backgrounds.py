"""The gallery: choosing, adding by drop and by choice, what is refused, adjusting and deleting."""

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from fakes.browser import jpeg, wait_for, wait_for_background

if TYPE_CHECKING:
    from playwright.sync_api import Page

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
