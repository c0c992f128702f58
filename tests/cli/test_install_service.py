"""``rtmatte install-service``: what it writes, runs, prints and refuses."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import networks as tiny_networks
from fakes.host import FakeHost

from realtime_matte.cli import install_service
from realtime_matte.cli.install_service import install, open_once, refuse, remove
from realtime_matte.cli.main import main
from realtime_matte.doctor.installed_files import SERVICE_MARK
from realtime_matte.errors import MatteError, MissingFile, SinkError, SpecError


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHost:
    """A machine with systemd and without a configuration file."""
    monkeypatch.setattr(
        "realtime_matte.config.toml_file.user_config_path", lambda *_names, **_more: tmp_path / "nowhere"
    )
    monkeypatch.setattr(install_service, "open_once", lambda _config: None)
    fake = FakeHost(tmp_path)
    fake.folder("run/systemd/system")
    fake.answer("systemctl", "")
    return fake


def unit(machine: FakeHost) -> Path:
    return machine.root / "home/me/.config/systemd/user/rtmatte.service"


def test_the_unit_runs_rtmatte_and_restarts_after_a_failure(machine: FakeHost) -> None:
    lines = list(install(machine.host, None))
    assert lines[:3] == [
        f"wrote {unit(machine)}",
        "ran systemctl --user daemon-reload",
        "ran systemctl --user enable rtmatte.service",
    ]
    assert "  /etc/modules-load.d/rtmatte.conf: v4l2loopback" in lines
    written = unit(machine).read_text("utf-8").splitlines()
    assert written[0] == SERVICE_MARK
    assert f'ExecStart="{sys.executable}" "-m" "realtime_matte" "run" "--quiet"' in written
    assert "Restart=on-failure" in written
    assert "WantedBy=default.target" in written


def test_an_options_file_has_its_absolute_path_quoted_for_systemd(
    machine: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = machine.write('my "100 %" $et.toml', "bg = 'blur'\n")
    monkeypatch.chdir(machine.root)
    list(install(machine.host, odd.name))
    expected = f'"--config" "{machine.root}/my \\"100 %%\\" $$et.toml"'
    assert f"{expected}\n" in unit(machine).read_text("utf-8")


def test_with_invalid_options_nothing_is_written(machine: FakeHost) -> None:
    with pytest.raises(MissingFile):
        list(install(machine.host, "none.toml"))
    wrong = machine.write("wrong.toml", "nonsense = 1\n")
    with pytest.raises(SpecError, match="no option 'nonsense'"):
        list(install(machine.host, str(wrong)))
    assert not unit(machine).exists()


@pytest.fixture
def opens(machine: FakeHost, monkeypatch: pytest.MonkeyPatch) -> FakeHost:
    """The machine, on which parts are really opened, and another working folder than that of the settings."""
    monkeypatch.setattr(install_service, "open_once", open_once)
    monkeypatch.chdir(machine.folder("elsewhere"))
    for name in ("beside.png", "elsewhere/here.png"):
        cv2.imwrite(str(machine.write(name)), np.full((8, 8, 3), 90, np.uint8))
    return machine


OPENS = {"camera": "demo", "size": "96x64", "output": "null", "bg": "beside.png", "model": "tiny.onnx?unverified"}


def settings(machine: FakeHost, **changed: str) -> str:
    tiny_networks.recurrent(machine.root / "tiny.onnx")
    return str(machine.write("my.toml", "\n".join(f"{key} = '{value}'" for key, value in (OPENS | changed).items())))


def test_every_part_is_opened_from_the_folder_of_the_settings(opens: FakeHost) -> None:
    folder = Path.cwd()
    list(install(opens.host, settings(opens)))
    assert unit(opens).exists()
    assert Path.cwd() == folder


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("bg", "nowhere/beside.png", "nowhere/beside.png"),
        ("bg", "here.png", "here.png"),
        ("bg", "nowhere.mp4", "nowhere.mp4"),
        ("bg", "folder:nowhere", "nowhere"),
        ("camera", "clip.mp4", "clip.mp4"),
        ("camera", "99", "camera"),
        ("model", "my.onnx", "my.onnx"),
        ("card", "card.png", "card.png"),
        ("output", "nowhere/call.mp4", "nowhere/call.mp4"),
        ("output", "virtualcam:/dev/video99", "virtual camera|/dev/video99"),
    ],
)
def test_what_will_not_open_is_refused_and_nothing_is_written(
    option: str, value: str, message: str, opens: FakeHost
) -> None:
    with pytest.raises(MatteError, match=message):
        list(install(opens.host, settings(opens, **{option: value})))
    assert not unit(opens).exists()
    assert opens.asked == []


def test_the_configured_folder_is_used(machine: FakeHost) -> None:
    machine.environment["XDG_CONFIG_HOME"] = str(machine.root / "elsewhere")
    list(install(machine.host, None))
    assert (machine.root / "elsewhere/systemd/user/rtmatte.service").is_file()


def test_commands_that_were_not_run_are_named(machine: FakeHost) -> None:
    machine.answer("systemctl", "Failed to connect to bus:\nNo medium found\n", status=1)
    lines = install(machine.host, None)
    assert next(lines).startswith("wrote ")
    left = "systemctl --user daemon-reload && systemctl --user enable rtmatte.service"
    with pytest.raises(
        SinkError, match=rf"daemon-reload failed \(Failed to connect to bus: No medium found\); run yourself: {left}$"
    ):
        next(lines)
    assert machine.asked == ["systemctl --user daemon-reload"]


def test_a_service_that_cannot_be_stopped_is_not_removed(machine: FakeHost) -> None:
    list(install(machine.host, None))
    machine.answer("systemctl", "Failed to connect to bus", status=1)
    with pytest.raises(SinkError, match="disable --now"):
        list(remove(machine.host))
    assert unit(machine).exists()


def test_it_says_when_the_camera_is_on(machine: FakeHost) -> None:
    assert "while it runs, the camera is on; systemctl --user stop rtmatte switches it off" in install(
        machine.host, None
    )


def test_remove_leaves_nothing(machine: FakeHost) -> None:
    list(install(machine.host, None))
    machine.asked.clear()
    assert list(remove(machine.host)) == [
        "ran systemctl --user disable --now rtmatte.service",
        f"removed {unit(machine)}",
        "ran systemctl --user daemon-reload",
    ]
    assert not unit(machine).exists()
    assert list(remove(machine.host)) == [f"there is no {unit(machine)}: nothing to remove"]


def test_a_unit_of_another_program_is_left_alone(machine: FakeHost) -> None:
    machine.write(str(unit(machine).relative_to(machine.root)), "[Unit]\n")
    for act in (lambda: list(install(machine.host, None)), lambda: list(remove(machine.host))):
        with pytest.raises(SpecError, match="was not written by rtmatte; move it away first"):
            act()
    assert unit(machine).read_text("utf-8") == "[Unit]\n"


def test_a_second_install_replaces_the_first(machine: FakeHost) -> None:
    config = machine.write("my.toml")
    list(install(machine.host, None))
    list(install(machine.host, str(config)))
    assert "my.toml" in unit(machine).read_text("utf-8")


def test_a_read_only_folder_is_an_error(machine: FakeHost) -> None:
    machine.write("home/me/.config", "a file")
    with pytest.raises(SinkError, match=r"cannot write .*rtmatte.service: .*; check the folder's permissions"):
        list(install(machine.host, None))


def test_without_systemd_it_refuses(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="systemd does not run this system"):
        refuse(FakeHost(tmp_path).host, root=False)


def test_without_systemd_there_is_nothing_to_remove(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also for root: the page on removing rtmatte has this step for every system."""
    machine = FakeHost(tmp_path)
    monkeypatch.setattr(install_service, "Host", lambda: machine.host)
    for user in (1000, 0):
        monkeypatch.setattr("os.geteuid", lambda user=user: user, raising=False)
        assert main(["install-service", "--remove"]) == 0
        assert capsys.readouterr().out.endswith("rtmatte.service: nothing to remove\n")


def test_a_unit_is_removed_where_systemd_does_not_run(machine: FakeHost) -> None:
    """As in a rescue system: systemctl cannot be asked, and is not needed."""
    list(install(machine.host, None))
    link = unit(machine).parent / "default.target.wants/rtmatte.service"
    link.parent.mkdir()
    link.symlink_to(unit(machine))
    (machine.root / "run/systemd/system").rmdir()
    machine.asked.clear()
    assert list(remove(machine.host)) == [f"removed {unit(machine)}"]
    assert not machine.asked
    assert not link.is_symlink()


def test_root_is_refused(machine: FakeHost) -> None:
    refuse(machine.host, root=False)
    with pytest.raises(SpecError, match="would run rtmatte as root"):
        refuse(machine.host, root=True)


def test_the_verb_prints_each_line(
    machine: FakeHost, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(install_service, "Host", lambda: machine.host)
    monkeypatch.setattr("os.geteuid", lambda: 1000, raising=False)
    assert main(["install-service"]) == 0
    assert capsys.readouterr().out.startswith(f"wrote {unit(machine)}\nran systemctl --user daemon-reload\n")
    assert main(["install-service", "--remove"]) == 0
    assert f"removed {unit(machine)}\n" in capsys.readouterr().out


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze to check the unit with")
def test_systemd_accepts_the_unit(machine: FakeHost) -> None:
    config = machine.write("a file.toml")
    list(install(machine.host, str(config)))
    command = ["systemd-analyze", "--user", "verify", str(unit(machine))]
    environment = os.environ | {"XDG_RUNTIME_DIR": str(machine.folder("run/user"))}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)  # noqa: S603 - our own
    assert "rtmatte.service" not in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr
