"""The check of browsers: where they look for cameras, and what they find there."""

import json
import os
from pathlib import Path

import pytest
from fakes.host import FakeHost, commands

from realtime_matte.doctor.browsers import BROWSER, PORTAL, browsers
from realtime_matte.doctor.finding import Finding

FIREFOX_PROFILE = "home/me/.config/mozilla/firefox/abc.default/prefs.js"
ON = 'user_pref("media.webrtc.camera.allow-pipewire", true);\n'
OURS = {"media.class": "Video/Source", "node.name": "rtmatte.virtual-camera", "node.description": "Virtual Camera"}
WEBCAM = {"media.class": "Video/Source", "node.name": "v4l2_input.usb", "node.description": "Webcam"}


@pytest.fixture
def machine(tmp_path: Path) -> FakeHost:
    return FakeHost(tmp_path)


def with_firefox(machine: FakeHost, settings: str = "") -> None:
    machine.write("usr/lib64/firefox/omni.ja")
    machine.write(FIREFOX_PROFILE, settings)


def with_chromium(machine: FakeHost, *flags: str) -> None:
    machine.write("usr/bin/chromium")
    state = {"browser": {"enabled_labs_experiments": list(flags)}}
    machine.write("home/me/.config/chromium/Local State", json.dumps(state))


def with_pipewire(machine: FakeHost, *nodes: dict[str, str]) -> None:
    machine.environment["XDG_RUNTIME_DIR"] = str(machine.write("run/user/pipewire-0").parent)
    kinds = "PipeWire:Interface:Client", "PipeWire:Interface:Node"  # a program has the properties of its node
    machine.answer("pw-dump", json.dumps([{"type": kind, "info": {"props": node}} for node in nodes for kind in kinds]))
    machine.answer("busctl", "b true\n")


def find(machine: FakeHost, part: str = BROWSER) -> Finding:
    (finding,) = (one for one in browsers(machine.host) if one.part == part)
    return finding


def test_nothing_is_said_and_asked_without_browsers(machine: FakeHost) -> None:
    with_pipewire(machine, OURS)
    assert list(browsers(machine.host)) == []
    assert machine.asked == []


def test_firefox_looks_at_devices_by_default(machine: FakeHost) -> None:
    with_firefox(machine)
    machine.loopback(10, "Virtual Camera")
    finding = find(machine)
    assert finding.state == "ok"
    assert "Firefox looks for cameras at /dev/video*: it finds " in finding.found
    assert "(Virtual Camera) while rtmatte runs" in finding.found


def test_firefox_of_fedora_looks_in_pipewire(machine: FakeHost) -> None:
    with_firefox(machine)
    machine.write("usr/lib64/firefox/defaults/preferences/all-redhat.js", ON.replace("user_pref", "pref"))
    with_pipewire(machine, WEBCAM, OURS)
    assert find(machine).found == "Firefox looks for cameras in PipeWire: it finds Virtual Camera"


def test_the_user_may_switch_that_off(machine: FakeHost) -> None:
    with_firefox(machine, ON.replace("true", "false"))
    machine.write("usr/lib64/firefox/defaults/preferences/all-redhat.js", ON.replace("user_pref", "pref"))
    assert "at /dev/video*" in find(machine).found


def test_the_profile_that_was_used_last_counts(machine: FakeHost) -> None:
    with_firefox(machine, ON)
    os.utime(machine.root / FIREFOX_PROFILE, (1, 1))
    machine.write("home/me/.mozilla/firefox/new.default/prefs.js")
    assert "at /dev/video*" in find(machine).found


def test_a_browser_that_looks_in_pipewire_does_not_find_a_device(machine: FakeHost) -> None:
    with_firefox(machine, ON)
    machine.loopback(10, "Virtual Camera", busy=True)
    with_pipewire(machine, WEBCAM)
    finding = find(machine)
    assert finding.state == "warning"
    assert "add --output pipewire" in finding.hint
    assert "media.webrtc.camera.allow-pipewire in about:config off" in finding.hint


def test_it_finds_a_device_that_pipewire_lists(machine: FakeHost) -> None:
    with_firefox(machine, ON)
    path = machine.loopback(10, "Virtual Camera", busy=True)
    listed = {"media.class": "Video/Source", "node.description": "Loop (V4L2)", "api.v4l2.path": str(path)}
    with_pipewire(machine, listed)
    assert find(machine).found.endswith("it finds Loop (V4L2)")


def test_before_rtmatte_runs_it_is_said_what_to_start(machine: FakeHost) -> None:
    with_firefox(machine, ON)
    with_pipewire(machine, WEBCAM)
    finding = find(machine)
    assert finding.state == "ok"
    assert finding.found.endswith("while that runs with --output pipewire")


def test_a_browser_that_looks_in_pipewire_needs_it(machine: FakeHost) -> None:
    with_firefox(machine, ON)
    finding = find(machine)
    assert finding.state == "warning"
    assert "systemctl --user start pipewire" in finding.hint


def test_a_browser_that_looks_at_devices_does_not_find_a_node(machine: FakeHost) -> None:
    with_chromium(machine)
    with_pipewire(machine, OURS)
    finding = find(machine)
    assert finding.state == "warning"
    assert finding.hint == "set chrome://flags/#enable-webrtc-pipewire-camera on, and restart it"


def test_an_output_in_pipewire_is_not_found_at_devices(machine: FakeHost) -> None:
    with_chromium(machine)
    machine.loopback(10, "Virtual Camera")
    (finding,) = browsers(machine.host, pipewire_only=True)
    assert finding.found.endswith("and does not find the camera of --output pipewire")


def test_without_any_virtual_camera_both_ways_are_named(machine: FakeHost) -> None:
    with_chromium(machine)
    finding = find(machine)
    assert finding.state == "ok"
    assert "needs --output virtualcam, or chrome://flags" in finding.found


def test_chromium_looks_in_pipewire_by_its_flag(machine: FakeHost) -> None:
    with_chromium(machine, "other@2", "enable-webrtc-pipewire-camera@1")
    with_pipewire(machine, OURS)
    assert find(machine).found == "Chromium looks for cameras in PipeWire: it finds Virtual Camera"


def test_chromium_looks_in_pipewire_by_its_command_line(machine: FakeHost) -> None:
    machine.write("usr/bin/chromium")
    machine.write("home/me/.config/chromium-flags.conf", "--enable-features=WebRtcPipeWireCamera\n")
    with_pipewire(machine, OURS)
    assert "in PipeWire" in find(machine).found


@pytest.mark.parametrize("state", ["", "no JSON", "[]", '{"browser": {"enabled_labs_experiments": 5}}'])
def test_a_damaged_file_of_chromium_counts_as_no_flag(machine: FakeHost, state: str) -> None:
    machine.write("usr/bin/google-chrome")
    machine.write("home/me/.config/google-chrome/Local State", state)
    assert find(machine).found.startswith("Chrome looks for cameras at /dev/video*")


def test_a_portal_without_cameras_is_reported(machine: FakeHost) -> None:
    with_firefox(machine, ON)
    with_pipewire(machine, OURS)
    machine.answer("busctl", "Call failed: Unknown interface", 1)
    assert "install xdg-desktop-portal" in find(machine, PORTAL).hint


def test_a_portal_that_has_missed_the_camera_is_restarted(machine: FakeHost) -> None:
    with_firefox(machine, ON)
    with_pipewire(machine, OURS)
    machine.answer("busctl", "b false\n")
    assert commands(find(machine, PORTAL)) == ["systemctl --user restart xdg-desktop-portal"]


def test_the_portal_is_not_asked_for_browsers_that_look_at_devices(machine: FakeHost) -> None:
    with_firefox(machine)
    with_pipewire(machine, OURS)
    assert len(list(browsers(machine.host))) == 1
    assert machine.asked == ["pw-dump"]
