"""Files of an older version are found: the unit, the menu entry and presets."""

import sys
from pathlib import Path

import pytest
from fakes.host import FakeHost

from realtime_matte.cli import install_desktop, install_service
from realtime_matte.config import presets
from realtime_matte.doctor.finding import Finding
from realtime_matte.doctor.installed_files import entry_path, installed_files, service_path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHost:
    monkeypatch.setattr("realtime_matte.config.toml_file.user_config_path", lambda *_, **__: tmp_path / "config")
    monkeypatch.setattr("realtime_matte.config.presets.user_config_path", lambda *_, **__: tmp_path / "config")
    monkeypatch.setattr(install_service, "open_once", lambda _config: None)
    fake = FakeHost(tmp_path)
    fake.folder("run/systemd/system")
    fake.answer("systemctl", "")
    return fake


def install(machine: FakeHost, config_file: str | None = None) -> None:
    list(install_service.install(machine.host, config_file))
    list(install_desktop.install(machine.host))


def findings(machine: FakeHost) -> dict[str, Finding]:
    return {finding.part: finding for finding in installed_files(machine.host)}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_nothing_installed_is_nothing_to_report(machine: FakeHost) -> None:
    assert findings(machine) == {}


def test_what_this_version_wrote_is_ok(machine: FakeHost) -> None:
    install(machine)
    assert [(part, found.state) for part, found in findings(machine).items()] == [
        ("service file", "ok"),
        ("menu entry", "ok"),
    ]


@pytest.mark.parametrize("odd", ["plain", 'my "100%" $py', "back\\slash"])
def test_odd_paths_are_understood(machine: FakeHost, monkeypatch: pytest.MonkeyPatch, odd: str) -> None:
    program = machine.write(f"{odd}/python3")
    monkeypatch.setattr(sys, "executable", str(program))
    install(machine)
    assert {found.state for found in findings(machine).values()} == {"ok"}
    program.unlink()
    for found in findings(machine).values():
        assert found.state == "warning"
        assert f"starts {program}, which is gone" in found.found


def test_files_of_an_older_version_are_found_with_the_command_that_replaces_them(machine: FakeHost) -> None:
    install(machine)
    edit(service_path(machine.host), "RestartSec=10\n", "RestartSec=3\n")
    edit(entry_path(machine.host), "Keywords=webcam;", "Keywords=web;")
    found = findings(machine)
    assert found["service file"].found.endswith("rtmatte.service is of another version of rtmatte, or was edited")
    assert found["service file"].hint == (
        "rtmatte install-service writes it again, rtmatte install-service --remove removes it"
    )
    assert found["menu entry"].hint.startswith("rtmatte install-desktop writes it again")


def test_the_hint_keeps_the_configuration_file(machine: FakeHost) -> None:
    options = machine.write("my.toml", "bg = 'blur'\n")
    install(machine, str(options))
    edit(service_path(machine.host), "RestartSec=10\n", "RestartSec=3\n")
    assert f'(with --config "{options}")' in findings(machine)["service file"].hint


def test_a_file_of_another_program_is_left_alone(machine: FakeHost) -> None:
    machine.write("home/me/.config/systemd/user/rtmatte.service", "[Unit]\n")
    assert findings(machine) == {}


def test_a_preset_of_another_version_is_found(machine: FakeHost) -> None:
    folder = presets.folder()
    folder.mkdir(parents=True)
    (folder / "good.toml").write_text("bg = ['blur']\n")
    (folder / "old.toml").write_text("wallpaper = 'blur'\n")
    (found,) = installed_files(machine.host)
    assert (found.part, found.state) == ("preset", "warning")
    assert found.found.startswith("old: ")
    assert "wallpaper" in found.found
