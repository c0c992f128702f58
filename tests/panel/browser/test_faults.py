"""What the page shows when something is missing or goes away, and how it comes back."""

import signal
import threading
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import pytest
from fakes import browser as real
from fakes.browser import LONG_MS, wait_for, wait_for_background, wait_for_new_frames
from fakes.stream_server import Request, serving

if TYPE_CHECKING:
    from conftest import OpenPage

pytestmark = pytest.mark.slow
SILENCE_MS = 7000
"""Longer than the page waits for a status."""

BACKGROUND, BLUE = "#1e5a9b", (0x1E, 0x5A, 0x9B)


class Phone:
    """A phone used as a webcam, which can be unplugged."""

    def __init__(self) -> None:
        self.plugged = threading.Event()
        self.plugged.set()
        self._frames = [cv2.imencode(".jpg", frame)[1].tobytes() for frame in real.marker_frames()]

    def serve(self, request: Request) -> None:
        """Send frames while it is plugged in."""
        if not self.plugged.is_set():
            request.send_error(503)
            return
        request.start()
        for index in count():
            data = self._frames[index % len(self._frames)]
            head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
            try:
                request.wfile.write(head.encode() + data + b"\r\n")
            except OSError:
                return
            if request.server.ends.wait(0.1) or not self.plugged.is_set():
                return


def test_a_camera_is_missing_then_plugged_in_then_unplugged_and_plugged_in_again(
    open_page: "OpenPage", tmp_path: Path
) -> None:
    phone = Phone()
    phone.plugged.clear()
    words = ("--output", "null", "--bg", BACKGROUND, "--model", "small")
    with serving(phone.serve) as server, real.panel(tmp_path, "--camera", server.url(), *words) as program:
        page = open_page(program.url)
        page.get_by_role("tab", name="Doctor", selected=True).wait_for()
        page.get_by_role("heading", name=str(server.url())).wait_for()
        phone.plugged.set()
        page.get_by_role("button", name="Try again").first.click()
        wait_for_background(page, BLUE)
        phone.plugged.clear()
        page.locator("[data-state='camera lost']").wait_for(timeout=LONG_MS)
        wait_for(page, "(rgb) => rgb.some((value, i) => Math.abs(value - seen.corner[i]) > 20)", list(BLUE))  # the card
        phone.plugged.set()
        page.locator("[data-state=running]").wait_for(timeout=LONG_MS)
        wait_for_background(page, BLUE)


def test_a_program_that_stops_answering_is_found_again(open_page: "OpenPage", program: "real.Panel") -> None:
    page = open_page(program.url, clock=True)
    wait_for_new_frames(page, 1)
    program.send(signal.SIGSTOP)
    try:
        page.clock.fast_forward(SILENCE_MS)
        page.get_by_text("Connection lost").wait_for(timeout=LONG_MS)
        assert page.get_by_role("button", name="Standby").is_disabled()
    finally:
        program.send(signal.SIGCONT)
    wait_for_new_frames(page)
    page.get_by_text("Connection lost").wait_for(state="hidden")
    assert page.get_by_role("button", name="Standby").is_enabled()
