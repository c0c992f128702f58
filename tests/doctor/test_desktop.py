"""The checks of PipeWire and Flatpak."""

import json
from pathlib import Path

import pytest
from fakes.host import FakeHost, commands

from realtime_matte.doctor.desktop import flatpak, pipewire, portal


@pytest.fixture
def machine(tmp_path: Path) -> FakeHost:
    return FakeHost(tmp_path)


# PipeWire


def with_pipewire(machine: FakeHost, *entries: dict[str, object], busy: bool = True) -> str:
    machine.environment["XDG_RUNTIME_DIR"] = str(machine.write("run/user/pipewire-0").parent)
    machine.answer("pw-dump", json.dumps([{"info": None}, {"type": "Core"}, *entries]))
    return str(machine.loopback(10, "Virtual Camera", busy=busy))


def node(path: str) -> dict[str, object]:
    return {
        "type": "PipeWire:Interface:Node",
        "info": {"props": {"media.class": "Video/Source", "api.v4l2.path": path}},
    }


def test_camera_listed_by_pipewire_is_ok(machine: FakeHost) -> None:
    with_pipewire(machine, node(str(machine.root / "dev/video10")))
    (finding,) = pipewire(machine.host)
    assert finding.state == "ok"
    assert finding.found.startswith("lists ")


def test_session_manager_is_restarted_if_the_camera_is_not_listed(machine: FakeHost) -> None:
    with_pipewire(machine, node("/dev/video0"))
    (finding,) = pipewire(machine.host)
    assert finding.state == "warning"
    assert commands(finding) == ["systemctl --user restart wireplumber"]


def test_pipewire_is_not_judged_while_nothing_is_sent(machine: FakeHost) -> None:
    with_pipewire(machine, busy=False)
    (finding,) = pipewire(machine.host)
    assert finding.state == "ok"
    assert "only while rtmatte runs" in finding.found


@pytest.mark.parametrize(("text", "status"), [("", 1), ("no JSON", 0), ("[]", 3)])
def test_pipewire_without_an_answer_is_skipped(machine: FakeHost, text: str, status: int) -> None:
    with_pipewire(machine)
    machine.answer("pw-dump", text, status)
    assert list(pipewire(machine.host)) == []


def test_no_finding_without_pipewire(machine: FakeHost) -> None:
    machine.loopback(10, "Virtual Camera")
    assert list(pipewire(machine.host)) == []
    assert machine.asked == []


# Flatpak

FIREFOX = "org.mozilla.firefox"


def requests(machine: FakeHost, devices: str, home: str = "var/lib/flatpak") -> None:
    machine.write(f"{home}/app/{FIREFOX}/current/active/metadata", f"[Application]\n\n[Context]\ndevices={devices}\n")


def test_program_that_requests_devices_is_ok(machine: FakeHost) -> None:
    requests(machine, "dri;all;")
    assert [finding.state for finding in flatpak(machine.host)] == ["ok"]


def test_sandbox_is_widened_only_by_the_user(machine: FakeHost) -> None:
    requests(machine, "dri;", "home/me/.local/share/flatpak")
    (finding,) = flatpak(machine.host)
    assert finding.state == "warning"
    assert finding.hint.startswith(f"flatpak override --user --device=all {FIREFOX}, then restart it")
    assert finding.commands == ()


@pytest.mark.parametrize(
    ("requested", "override", "state"), [("dri;", "all;", "ok"), ("all;", "!all;", "warning"), ("all;", "dri;", "ok")]
)
def test_user_override_is_applied(machine: FakeHost, requested: str, override: str, state: str) -> None:
    requests(machine, requested)
    machine.write(f"home/me/.local/share/flatpak/overrides/{FIREFOX}", f"[Context]\ndevices={override}\n")
    assert [finding.state for finding in flatpak(machine.host)] == [state]


def test_malformed_metadata_requests_nothing(machine: FakeHost) -> None:
    machine.write(f"var/lib/flatpak/app/{FIREFOX}/current/active/metadata", b"\xff no [ file")
    assert [finding.state for finding in flatpak(machine.host)] == ["warning"]


# The portal

STORE = "org.freedesktop.impl.portal.PermissionStore"


def stored(machine: FakeHost, permissions: object, status: int = 0) -> None:
    answer = {"type": "a{sas}v", "data": [permissions, {"type": "y", "data": 0}]}
    machine.answer("busctl", json.dumps(answer), status)


@pytest.mark.parametrize(
    ("program", "shown", "word"),
    [
        ("org.mozilla.firefox", "org.mozilla.firefox", "org.mozilla.firefox"),
        ("com.google.Chrome", "com.google.Chrome", "com.google.Chrome"),
        ("", "programs without a sandbox", "''"),
    ],
)
def test_a_stored_denial_is_found_with_the_command_that_clears_it(
    machine: FakeHost, program: str, shown: str, word: str
) -> None:
    stored(machine, {program: ["no"], "org.signal.Signal": ["yes"], "us.zoom.Zoom": ["ask"], "x": []})
    (finding,) = portal(machine.host)
    assert (finding.state, finding.found) == ("warning", f"denies cameras to {shown}")
    call = f"busctl --user --json=short call {STORE} /org/freedesktop/impl/portal/PermissionStore {STORE}"
    assert machine.asked == [f"{call} Lookup ss devices camera"]
    assert commands(finding) == [f"{call} DeletePermission sss devices camera {word}"]


@pytest.mark.parametrize("permissions", [{}, {"org.mozilla.firefox": ["yes"]}, [], None, "no"])
def test_without_a_denial_nothing_is_found(machine: FakeHost, permissions: object) -> None:
    stored(machine, permissions)
    assert list(portal(machine.host)) == []


@pytest.mark.parametrize("text", ["Call failed: No entry for camera", "", "null", "[]", "{}"])
def test_a_store_without_cameras_is_no_finding(machine: FakeHost, text: str) -> None:
    for status in (0, 1):
        machine.answer("busctl", text, status)
        assert list(portal(machine.host)) == []


def test_without_busctl_the_portal_is_not_judged(machine: FakeHost) -> None:
    assert list(portal(machine.host)) == []
