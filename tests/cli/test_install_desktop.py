"""``rtmatte install-desktop``: what it writes, prints and refuses."""

import configparser
import shlex
import sys
from pathlib import Path

import pytest
from fakes.host import FakeHost

from realtime_matte.cli import install_desktop
from realtime_matte.cli.install_desktop import elsewhere, install, remove
from realtime_matte.doctor.installed_files import ENTRY_MARK
from realtime_matte.errors import SinkError, SpecError


@pytest.fixture
def machine(tmp_path: Path) -> FakeHost:
    return FakeHost(tmp_path)


def entry(machine: FakeHost) -> Path:
    return machine.root / "home/me/.local/share/applications/rtmatte.desktop"


def icon(machine: FakeHost) -> Path:
    return machine.root / "home/me/.local/share/icons/hicolor/scalable/apps/rtmatte.svg"


def test_the_entry_opens_the_panel_and_has_an_icon(machine: FakeHost) -> None:
    lines = list(install(machine.host))
    assert lines[:2] == [f"wrote {icon(machine)}", f"wrote {entry(machine)}"]
    assert entry(machine).read_text("utf-8").splitlines()[0] == ENTRY_MARK
    parser = configparser.RawConfigParser()
    parser.read(entry(machine), "utf-8")
    found = dict(parser["Desktop Entry"])
    assert (found["type"], found["name"], found["icon"], found["terminal"]) == (
        "Application",
        "rtmatte",
        "rtmatte",
        "false",
    )
    assert shlex.split(found["exec"]) == [sys.executable, "-m", "realtime_matte", "panel", "--app"]
    assert shlex.split(parser["Desktop Action page"]["exec"])[-1] == "panel"
    assert "<svg" in icon(machine).read_text("utf-8")


def test_an_odd_path_of_python_is_quoted(machine: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", '/opt/my "100%" $py\\`x')
    list(install(machine.host))
    assert 'Exec="/opt/my \\\\"100%%\\\\" \\\\$py\\\\\\\\\\\\`x" "-m"' in entry(machine).read_text("utf-8")
    monkeypatch.setattr(sys, "executable", "/opt/a\nb")
    with pytest.raises(SpecError, match="unprintable character"):
        list(install(machine.host))


def test_remove_leaves_nothing(machine: FakeHost) -> None:
    list(install(machine.host))
    list(install(machine.host))  # again is no error
    assert list(remove(machine.host)) == [f"removed {entry(machine)}", f"removed {icon(machine)}"]
    assert not entry(machine).exists()
    assert not icon(machine).exists()
    assert list(remove(machine.host)) == [f"there is no {entry(machine)}: nothing to remove"]


def test_an_entry_of_another_program_stays(machine: FakeHost) -> None:
    entry(machine).parent.mkdir(parents=True)
    entry(machine).write_text("[Desktop Entry]\n", "utf-8")
    for action in (install, remove):
        with pytest.raises(SpecError, match="was not written by rtmatte"):
            list(action(machine.host))
    assert entry(machine).read_text("utf-8") == "[Desktop Entry]\n"


def test_a_folder_that_cannot_be_made_is_an_error(machine: FakeHost) -> None:
    icon(machine).parents[4].parent.mkdir(parents=True)
    icon(machine).parents[4].write_text("", "utf-8")
    with pytest.raises(SinkError, match="cannot write"):
        list(install(machine.host))


@pytest.mark.parametrize("system", sorted(install_desktop.ELSEWHERE))
def test_other_systems_say_how(system: str) -> None:
    assert any(f'"{sys.executable}" "-m" "realtime_matte" "panel"' in line for line in elsewhere(system))
