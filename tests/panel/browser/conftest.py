"""The browser, the program that most tests share, and what every page must keep to."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright", reason="the tests of the page need Playwright: pip install playwright")

from fakes import browser as real

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BACKGROUND = "#1e5a9b"
"""The new background of the shared program; far from the marker's colour and from the person's."""

OpenPage = Callable[..., "Page"]


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """One browser for all tests."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - most tests do without

    path = real.find_chromium()
    if not path:
        pytest.skip("there is no Chromium here")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The camera: a person who moves before the marker's colour."""
    path = tmp_path_factory.mktemp("camera") / "marker.mp4"
    real.write_clip(path, real.marker_frames())
    return path


@pytest.fixture(scope="session")
def program(clip: Path, chromium: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[real.Panel]:
    """The program that tests share which leave it as they found it."""
    del chromium  # first: without one nothing is started
    words = ("--camera", f"{clip}?loop", "--output", "null", "--bg", BACKGROUND, "--model", "small", "--quiet")
    with real.panel(tmp_path_factory.mktemp("panel"), *words) as running:
        yield running


@pytest.fixture
def open_page(chromium: "Browser") -> Iterator[OpenPage]:
    """Opens pages, and checks at the end what holds for each of them whatever it showed.

    No frame had the marker's colour, no other server was asked, nothing was blocked by the page's policy, no error.
    """
    contexts, pages, problems = [], [], []

    def open_one(url: str, *, width: int = 1280, height: int = 800, private: bool = True, **given: object) -> "Page":
        context = chromium.new_context(viewport={"width": width, "height": height}, **given)
        context.add_init_script(real.WATCH)
        context.set_default_timeout(real.LONG_MS)
        page = context.new_page()
        origin = url.split("#", maxsplit=1)[0]
        page.on("request", lambda request: request.url.startswith((origin, "blob:")) or problems.append(request.url))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: "Content Security" in message.text and problems.append(message.text))
        page.goto(url)
        contexts.append(context)
        if private:
            pages.append(page)
        return page

    yield open_one
    marked = [page.evaluate("window.seen?.marked ?? 0") for page in pages if not page.is_closed()]
    for context in contexts:
        context.close()
    assert not any(marked), "the camera's background was shown"
    assert not problems


@pytest.fixture
def page(open_page: OpenPage, program: real.Panel) -> "Page":
    """The page of the shared program, with its first frames."""
    opened = open_page(program.url)
    real.wait_for_new_frames(opened, 1)
    return opened
