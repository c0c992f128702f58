"""What ``rtmatte ctl`` sees of a panel: also while there is no pipeline, and where its page is."""

import asyncio
import re
import stat
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from fakes.panel import Panel

from realtime_matte.config.config import Config
from realtime_matte.control.run import PANEL
from realtime_matte.control.status import Status, as_json
from realtime_matte.errors import SourceError, SpecError
from realtime_matte.panel import opening
from realtime_matte.panel.opening import MAX_FILES, MoreFiles, page_opened
from realtime_matte.panel.panel_run import PanelRun
from realtime_matte.panel.supervisor import Current, Supervisor
from realtime_matte.pipeline.commands import Command

CAMERA = "rtsp://me:secret@camera/live"


@pytest.fixture
def supervisor() -> Supervisor:
    """One that has opened no pipeline yet."""
    return Supervisor(Config(camera=CAMERA, bg=("green", "blue")), notify=[].append)


@pytest.fixture
def run(supervisor: Supervisor) -> PanelRun:
    return PanelRun(supervisor, lambda: "file:///page.html")


def status(run: PanelRun) -> Status:
    return asyncio.run(run.status())


def test_while_a_pipeline_is_opened_the_status_says_so(run: PanelRun) -> None:
    found = status(run)
    assert (found.state, found.reason) == ("starting", "the pipeline is being opened")
    assert (found.background, found.backgrounds, found.size) == ("green", ("green", "blue"), (0, 0))


def test_without_a_pipeline_the_status_says_why_and_what_to_do(run: PanelRun, supervisor: Supervisor) -> None:
    supervisor._current = Current(fault=SourceError(f"no camera at {CAMERA}", hint="plug one in"))
    found = status(run)
    assert (found.state, found.reason) == ("fault", "no camera at rtsp://me:***@camera/live; plug one in")
    assert found.options["camera"] == "rtsp://me:***@camera/live"
    assert found.options["bg"] == "green"
    assert "secret" not in str(as_json(found))


def test_quit_works_without_a_pipeline(run: PanelRun, supervisor: Supervisor) -> None:
    assert run.submit(Command("quit")).result(0) is None
    assert supervisor.quitting
    assert status(run).state == "ended"


def test_other_commands_need_a_pipeline_or_change_the_next_one(run: PanelRun, supervisor: Supervisor) -> None:
    run.submit(Command("mirror", "on")).result(0)
    assert supervisor.config.mirror is True
    with pytest.raises(SpecError, match="the pipeline is being opened"):
        run.submit(Command("snapshot"))


def test_the_page_is_found_without_a_pipeline(run: PanelRun) -> None:
    assert run.submit(Command(PANEL)).result(0) == "file:///page.html"


def test_the_figures_are_those_of_the_pipeline_that_runs(panel: Panel) -> None:
    run = PanelRun(panel.supervisor, str)
    showing = panel.pipeline.call(lambda: run.showing(panel.pipeline)).result(60)
    panel.pipeline.call(showing.__enter__).result(60)  # type: ignore[attr-defined]
    assert (status(run).state, status(run).model) == ("running", "scripted")


# the file that leads to the page


def leads_to(address: str) -> str:
    found = re.search(r'content="0; url=([^"]*)"', Path(unquote(urlsplit(address).path)).read_text("utf-8"))
    assert found
    return found[1]


def test_each_request_has_a_file_of_its_own_for_this_user_alone(
    panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "redirect_folder", lambda: tmp_path)
    reported: list[str] = []
    with page_opened(panel.server, opens=None, notify=reported.append) as another:
        first, second = another(), another()
        assert first != second
        assert panel.ask("GET", "/api/status")[0] == 200  # an open page goes on
        for address in (first, second):
            assert leads_to(address) == f"{panel.server.url}#token={panel.server.token}"
            assert stat.S_IMODE(Path(urlsplit(address).path).stat().st_mode) == 0o600
        assert panel.server.token not in "".join([first, second, *reported])
    assert list(tmp_path.glob("*.html")) == [], "deleted at the end"


def test_such_a_file_does_not_stay_for_long_and_there_are_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = MoreFiles("http://127.0.0.1:1/", folder=tmp_path)
    for _ in range(MAX_FILES + 2):
        newest = files.another()
    assert len(list(tmp_path.glob("*.html"))) == MAX_FILES
    assert leads_to(newest)
    files.close()
    assert list(tmp_path.glob("*.html")) == []
    monkeypatch.setattr(opening, "ANOTHER_S", 0)
    files.another()
    files._files[0][1].join(60)
    assert list(tmp_path.glob("*.html")) == []
    files.close()
