"""Where each browser looks for cameras, in PipeWire or at /dev/video*, and which virtual cameras it finds there."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from realtime_matte.doctor.desktop import camera_nodes, pipewire_runs
from realtime_matte.doctor.finding import Finding, FixCommand, ok, warning
from realtime_matte.doctor.host import Host
from realtime_matte.paths import is_file
from realtime_matte.v4l2.loopback import LoopbackDevice, LoopbackDevices

BROWSER: Final = "browser"
PORTAL: Final = "portal"

PREFERENCE: Final = "media.webrtc.camera.allow-pipewire"
PREFERENCE_LINE: Final = re.compile(
    rf'^\s*(?:user_pref|pref|defaultPref|lockPref)\(\s*"{re.escape(PREFERENCE)}"\s*,\s*(true|false)\s*\)', re.MULTILINE
)
FLAG: Final = "enable-webrtc-pipewire-camera"
FEATURE: Final = "WebRtcPipeWireCamera"

PLANNED: Final = "the camera of --output pipewire"

OUR_NODES: Final = "rtmatte."
"""How the names of rtmatte's nodes begin; see ``sinks/pipewire.py``."""

ASK_PORTAL: Final = (
    *("busctl", "--user", "get-property", "org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop"),
    *("org.freedesktop.portal.Camera", "IsCameraPresent"),
)
RESTART_PORTAL: Final = FixCommand(("systemctl", "--user", "restart", "xdg-desktop-portal"))


@dataclass(frozen=True, slots=True)
class Browser:
    """An installed browser.

    Attributes:
        name: For the user.
        in_pipewire: Whether it looks for cameras in PipeWire, by the settings last used; else at /dev/video*.
        setting: What switches that, in words.
    """

    name: str
    in_pipewire: bool
    setting: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a browser may be. ``programs``: patterns below the root; ``settings``: folders below the home folder."""

    name: str
    programs: Sequence[str]
    settings: Sequence[str]


FIREFOX: Final = (
    Place("Firefox", ("usr/lib*/firefox*", "opt/firefox*"), (".mozilla/firefox", ".config/mozilla/firefox")),
    Place("Firefox (Snap)", ("snap/firefox/current/usr/lib/firefox",), ("snap/firefox/common/.mozilla/firefox",)),
    Place(
        "Firefox (Flatpak)",
        ("var/lib/flatpak/app/org.mozilla.firefox/current/active/files/lib/firefox",),
        (".var/app/org.mozilla.firefox/.mozilla/firefox", ".var/app/org.mozilla.firefox/config/mozilla/firefox"),
    ),
)
CHROMIUM: Final = (
    Place("Chromium", ("usr/bin/chromium", "usr/bin/chromium-browser"), (".config/chromium",)),
    Place("Chromium (Snap)", ("snap/chromium/current",), ("snap/chromium/common/chromium",)),
    Place("Chrome", ("usr/bin/google-chrome", "usr/bin/google-chrome-stable"), (".config/google-chrome",)),
    Place("Brave", ("usr/bin/brave-browser", "usr/bin/brave"), (".config/BraveSoftware/Brave-Browser",)),
    Place("Edge", ("usr/bin/microsoft-edge", "usr/bin/microsoft-edge-stable"), (".config/microsoft-edge",)),
)


def browsers(host: Host, *, pipewire_only: bool = False) -> Iterator[Finding]:
    """One finding for each browser; and one for the portal, if a browser needs it and it does not serve.

    ``pipewire_only``: a run sends to PipeWire, and to no device.
    """
    installed = list_browsers(host)
    if not installed:
        return
    devices = LoopbackDevices(host.root).list_devices()
    nodes = camera_nodes(host) if pipewire_runs(host) else None
    paths = {device.path for device in devices}
    planned = [PLANNED] if pipewire_only else []
    names = [str(node.get("node.description")) for node in nodes or [] if _is_virtual(node, paths)]
    for browser in installed:
        if not browser.in_pipewire:
            yield _at_devices(browser, names or planned, () if pipewire_only else devices)
        elif nodes is None:
            yield _without_pipewire(browser)
        else:
            yield _in_pipewire(browser, names, devices)
    if nodes is not None and any(browser.in_pipewire for browser in installed):
        yield from _portal(host, cameras=len(nodes))


def list_browsers(host: Host) -> list[Browser]:
    """The browsers of this machine, each with the settings that were used last."""
    firefox = [browser for place in FIREFOX if (browser := _firefox(host, place))]
    return [*firefox, *(browser for place in CHROMIUM if (browser := _chromium(host, place)))]


def _without_pipewire(browser: Browser) -> Finding:
    return warning(
        BROWSER,
        f"{browser.name} looks for cameras in PipeWire, which does not answer",
        hint=f"systemctl --user start pipewire wireplumber, or set {browser.setting} off",
        why="it does not look at /dev/video*",
    )


def _in_pipewire(browser: Browser, names: Sequence[str], devices: Sequence[LoopbackDevice]) -> Finding:
    looks = f"{browser.name} looks for cameras in PipeWire"
    if names:
        return ok(BROWSER, f"{looks}: it finds {' and '.join(names)}")
    if any(device.busy for device in devices):
        return warning(
            BROWSER,
            f"{looks}, which has no virtual camera now",
            hint=f"add --output pipewire to rtmatte, or set {browser.setting} off",
            why="it does not look at /dev/video*, where rtmatte sends",
        )
    return ok(BROWSER, f"{looks}: it finds rtmatte while that runs with --output pipewire")


def _at_devices(browser: Browser, names: Sequence[str], devices: Sequence[LoopbackDevice]) -> Finding:
    looks = f"{browser.name} looks for cameras at /dev/video*"
    if devices:
        return ok(BROWSER, f"{looks}: it finds {' and '.join(device.title for device in devices)} while rtmatte runs")
    if names:
        return warning(
            BROWSER,
            f"{looks}, and does not find {' and '.join(names)}",
            hint=f"set {browser.setting} on, and restart it",
            why="the camera is in PipeWire only",
        )
    return ok(BROWSER, f"{looks}: it needs --output virtualcam, or {browser.setting} on for --output pipewire")


def _portal(host: Host, *, cameras: int) -> Iterator[Finding]:
    """Whether the portal serves browsers that look in PipeWire."""
    answer = host.ask(ASK_PORTAL)
    if answer is None:
        return  # no busctl: nothing is known
    if answer.status:
        yield warning(
            PORTAL,
            "does not offer cameras",
            hint="install xdg-desktop-portal and the one of your desktop (-gnome, -kde, -gtk), then log in again",
            why="browsers get cameras of PipeWire through it only",
        )
    elif cameras and answer.text.split() == ["b", "false"]:
        yield warning(
            PORTAL,
            f"reports no camera, though PipeWire has {cameras}",
            hint="restart it while rtmatte runs",
            why="pages that list cameras before they ask find none; version 1.16 looks only when it starts",
            commands=[RESTART_PORTAL],
        )


def _firefox(host: Host, place: Place) -> Browser | None:
    """Firefox with its defaults, then the settings of the profile that was used last; None if it is not installed."""
    programs = [path for pattern in place.programs for path in sorted(host.root.glob(pattern))]
    programs = [path for path in programs if is_file(path / "omni.ja")]
    if not programs:
        return None
    defaults = ("defaults/pref*/*.js", "browser/defaults/preferences/*.js", "*.cfg")
    files = [path for program in programs for pattern in defaults for path in sorted(program.glob(pattern))]
    profiles = [path for folder in place.settings for path in (host.home / folder).glob("*/prefs.js")]
    if profiles:
        latest = max(profiles, key=_changed)
        files += [latest, latest.with_name("user.js")]
    values = [value for path in files for value in PREFERENCE_LINE.findall(_text(path))]
    return Browser(place.name, values[-1:] == ["true"], f"{PREFERENCE} in about:config")


def _chromium(host: Host, place: Place) -> Browser | None:
    """A browser of Chromium's family, by its flag or its command line; None if it is not installed."""
    if not any((host.root / program).exists() for program in place.programs):
        return None
    flags = [flag for folder in place.settings for flag in _flags(host.home / folder / "Local State")]
    files = [*host.root.glob("etc/chromium.d/*"), *(host.home / ".config").glob("*-flags.conf")]
    on = f"{FLAG}@1" in flags or any(FEATURE in _text(path) for path in files)
    return Browser(place.name, on and f"{FLAG}@2" not in flags, f"chrome://flags/#{FLAG}")


def _flags(state: Path) -> Sequence[object]:
    """The flags that the user has changed; none if the browser was never started."""
    try:
        flags = json.loads(_text(state))["browser"]["enabled_labs_experiments"]
    except (ValueError, LookupError, TypeError):
        return ()
    return flags if isinstance(flags, list) else ()


def _is_virtual(node: dict[str, object], paths: set[str]) -> bool:
    return str(node.get("node.name")).startswith(OUR_NODES) or node.get("api.v4l2.path") in paths


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return ""


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
