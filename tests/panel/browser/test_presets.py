"""What outlives a run: presets and the page that is left open."""

from typing import TYPE_CHECKING

import pytest
from fakes import browser as real
from fakes.browser import wait_for, wait_for_background

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import OpenPage

pytestmark = pytest.mark.slow
GREEN = (0x20, 0x90, 0x40)
BLUE = (0x1E, 0x5A, 0x9B)


def test_presets_survive_a_restart(open_page: "OpenPage", tmp_path: "Path", clip: "Path") -> None:
    words = ("--output", "null", "--model", "small", "--quiet")
    camera = tmp_path / "camera.mp4"  # not there in the first run, which needs no network then
    with real.panel(tmp_path, "--camera", f"{camera}?loop", *words, "--bg", "#209040") as program:
        page = open_page(program.url)
        page.get_by_role("heading", name="camera.mp4").wait_for()
        page.get_by_role("tab", name="Settings").click()
        page.get_by_label("Name of the preset").fill("Evening")
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_role("button", name="Use preset Evening").wait_for()
        port = str(program.port)
    page.get_by_text("Connection lost").wait_for()
    camera.write_bytes(clip.read_bytes())
    again = ("--bg", "#1e5a9b", "--panel-port", port)
    with real.panel(tmp_path, "--camera", f"{camera}?loop", *words, *again) as program:
        page.get_by_text("This page belongs to an earlier run").wait_for()  # its key is of the first run
        new = open_page(program.url)
        wait_for_background(new, BLUE)
        new.get_by_label("Preset", exact=True).select_option("Evening")
        wait_for_background(new, GREEN)
        new.get_by_role("tab", name="Settings").click()
        new.get_by_role("button", name="Remove preset Evening").click()
        new.get_by_text("No presets yet").wait_for()
        wait_for(new, "() => document.querySelector('.pick').hidden")
