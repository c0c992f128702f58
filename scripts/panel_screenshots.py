"""Screenshots of the control panel for the documentation, with its weight and its time to the first paint.

Run ``PYTHONPATH=tests python scripts/panel_screenshots.py`` with Chromium and Playwright installed. The program is the
real one, on the demo camera.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

import cv2
import numpy as np
from fakes import browser as real
from playwright.sync_api import Browser, Page, sync_playwright

from realtime_matte.frame import Pixels

DOCS = Path(__file__).parents[1] / "docs"
STATIC = Path(real.__file__).parents[2] / "realtime_matte" / "panel" / "static"
JPEG_QUALITY = 82
PAINTS = 9
RIPPLES = 5


def main() -> None:
    """Write docs/panel.jpg and docs/panel-phone.jpg, and print the figures."""
    weight = sum(file.stat().st_size for file in STATIC.iterdir())
    print(f"page weight: {weight / 1000:.1f} kB in {len(list(STATIC.iterdir()))} files")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=real.find_chromium(), args=["--no-sandbox"])
        words = ("--camera", "demo", "--output", "null", "--bg", "beach", "--model", "small", "--size", "960x540")
        with real.panel(Path(folder), *words) as program:
            shoot(chromium, program.url, "panel", width=1280, height=800, scheme="dark", act=fill_gallery)
            shoot(chromium, program.url, "panel-phone", width=390, height=780, scheme="light", scale=2)
            paints = [first_paint(chromium, program.url) for _ in range(PAINTS)]
        chromium.close()
    print(f"first paint: median {median(paints):.0f} ms of {PAINTS}, slowest {max(paints):.0f} ms")


def shoot(
    browser: Browser,
    url: str,
    name: str,
    *,
    width: int,
    height: int,
    scheme: str,
    scale: float = 1,
    act: Callable[[Page], None] = lambda _: None,
) -> None:
    """Write one screenshot as a JPEG."""
    options = {"viewport": {"width": width, "height": height}, "color_scheme": scheme, "device_scale_factor": scale}
    with browser.new_context(**options) as context:
        page = context.new_page()
        page.add_init_script(real.WATCH)
        page.goto(url)
        act(page)
        page.wait_for_load_state("networkidle")
        real.wait_for_new_frames(page, 5)
        image = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    path = DOCS / f"{name}.jpg"
    cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def fill_gallery(page: Page) -> None:
    """Add backgrounds as a user would, then go back to the beach."""
    for name, colors in (("Dusk", ("#29245c", "#f08a5d")), ("Forest", ("#12402f", "#a8c686"))):
        file = {"name": f"{name}.png", "mimeType": "image/png", "buffer": hills(*colors)}
        page.locator("#add-file").set_input_files(file)
        page.locator(f".tile:has-text('{name}')[aria-pressed=true]").wait_for()
    page.get_by_role("button", name="Beach").click()
    page.locator(".tile:has-text('Beach')[aria-pressed=true]").wait_for()


def hills(far: str, near: str) -> bytes:
    """A drawn landscape as PNG, from the colour of the sky to that of the ground."""
    first, last = (np.array([int(text[i : i + 2], 16) for i in (5, 3, 1)], float) for text in (far, near))
    image: Pixels = np.empty((360, 640, 3), np.uint8)
    image[:] = (first * 0.6 + last * 0.4).astype(np.uint8)
    across = np.arange(640)
    for index in range(RIPPLES):
        part = index / (RIPPLES - 1)
        line = 120 + 50 * index + 26 * np.sin(across / (60 + 12 * index) + 2.2 * index)
        points = np.vstack([np.column_stack([across, line]), [[639, 359], [0, 359]]]).astype(np.int32)
        cv2.fillPoly(image, [points], tuple(map(float, last + (first - last) * part)), cv2.LINE_AA)
    return cv2.imencode(".png", image)[1].tobytes()


def first_paint(browser: Browser, url: str) -> float:
    """Milliseconds from the navigation to the first paint, in a new page."""
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        page.goto(url)
        page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length")
        return float(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))


if __name__ == "__main__":
    main()
