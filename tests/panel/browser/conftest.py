"""The browser, the program that most tests share, and what every page must keep to."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright", reason="the tests of the page need Playwright: pip install playwright")

from fakes import browser as real

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

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
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
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


class Pages:
    """Opens pages, and checks what holds for each of them whatever it showed.

    No frame had the marker's colour, no other server was asked, nothing was blocked by the page's policy, no error.
    """

    def __init__(self, browser: "Browser") -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._private: list[Page] = []
        self._problems: list[str] = []

    def open(
        self,
        url: str,
        *,
        width: int = 1280,
        height: int = 800,
        private: bool = True,
        clock: bool = False,
        **given: object,
    ) -> "Page":
        """A page in a context of its own. ``private``: the camera's background must not be seen."""
        context = self._browser.new_context(viewport={"width": width, "height": height}, **given)  # type: ignore[arg-type]
        self._contexts.append(context)
        context.add_init_script(real.WATCH)
        context.set_default_timeout(real.LONG_MS)
        page = context.new_page()
        origin = url.split("#", maxsplit=1)[0]
        problem = self._problems.append
        page.on("request", lambda request: request.url.startswith((origin, "blob:")) or problem(request.url))
        page.on("pageerror", lambda error: problem(str(error)))
        page.on("console", lambda message: "Content Security" in message.text and problem(message.text))
        if clock:
            page.clock.install()  # which runs, and can be set forward
        page.goto(url)
        if private:
            self._private.append(page)
        return page

    def check(self) -> None:
        """Check what was seen until now."""
        marked = [page.evaluate("window.seen?.marked ?? 0") for page in self._private if not page.is_closed()]
        assert not any(marked), "the camera's background was shown"
        assert not self._problems

    def close(self) -> None:
        """Check, and close all."""
        try:
            self.check()
        finally:
            for context in self._contexts:
                context.close()


@pytest.fixture
def open_page(chromium: "Browser") -> Iterator[OpenPage]:
    """Opens pages that are closed with the test."""
    with closing(Pages(chromium)) as pages:
        yield pages.open


@pytest.fixture(scope="module")
def kept_page(chromium: "Browser", program: real.Panel) -> Iterator[tuple[Pages, "Page"]]:
    """One page of the shared program for the tests of a module."""
    with closing(Pages(chromium)) as pages:
        yield pages, pages.open(program.url)


@pytest.fixture
def page(kept_page: tuple[Pages, "Page"]) -> Iterator["Page"]:
    """The page of the shared program, live, with its first tab open and the focus nowhere."""
    pages, opened = kept_page
    opened.get_by_role("tab", name="Background").click()
    opened.evaluate("document.activeElement.blur()")
    real.wait_for_new_frames(opened, 1)
    yield opened
    pages.check()
