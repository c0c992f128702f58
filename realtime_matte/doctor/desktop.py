"""Whether desktop programs find the virtual camera: through PipeWire and its portal, and from Flatpak's sandbox."""

import json
from collections.abc import Iterator
from configparser import ConfigParser, Error
from pathlib import Path
from typing import Any, Final

from realtime_matte.doctor.finding import Finding, FixCommand, ok, warning
from realtime_matte.doctor.host import Host
from realtime_matte.v4l2.loopback import LoopbackDevices

PIPEWIRE: Final = "pipewire"
FLATPAK: Final = "flatpak"
RESTART: Final = FixCommand(("systemctl", "--user", "restart", "wireplumber"))

NODE: Final = "PipeWire:Interface:Node"
"""The type of a node; the program that made it has the same properties under another type."""

PORTAL: Final = "portal"
STORE: Final = "org.freedesktop.impl.portal.PermissionStore"
BUSCTL: Final = ("busctl", "--user", "--json=short", "call", STORE, f"/{STORE.replace('.', '/')}", STORE)
"""Calls a method of the permission store of xdg-desktop-portal; of systemd, as every desktop with a portal has it."""

PROGRAMS: Final = (
    "com.brave.Browser",
    "com.discordapp.Discord",
    "com.google.Chrome",
    "com.microsoft.Edge",
    "com.slack.Slack",
    "io.github.ungoogled_software.ungoogled_chromium",
    "org.chromium.Chromium",
    "org.mozilla.firefox",
    "org.signal.Signal",
    "us.zoom.Zoom",
)
"""Flatpak programs that make video calls."""


def pipewire(host: Host) -> Iterator[Finding]:
    """Whether PipeWire lists each virtual camera; nothing if it does not run or cannot be queried."""
    devices = LoopbackDevices(host.root).list_devices()
    if not devices or not pipewire_runs(host) or (nodes := camera_nodes(host)) is None:
        return
    listed = {str(node.get("api.v4l2.path") or node.get("object.path", "").removeprefix("v4l2:")) for node in nodes}
    for device in devices:
        if device.path in listed:
            yield ok(PIPEWIRE, f"lists {device.title}")
        elif device.busy:
            yield warning(
                PIPEWIRE,
                f"does not list {device.title}",
                hint="restart its session manager, which interrupts sound for a moment",
                why="programs that use cameras through PipeWire do not see it; PipeWire examines a device only once",
                commands=[RESTART],
            )
        else:
            yield ok(PIPEWIRE, f"runs; it can list {device.title} only while rtmatte runs: check again then")


def pipewire_runs(host: Host) -> bool:
    """Whether PipeWire has a socket in this session."""
    folder = host.environment.get("XDG_RUNTIME_DIR", "")
    return bool(folder) and (Path(folder) / "pipewire-0").exists()


def camera_nodes(host: Host) -> list[dict[str, Any]] | None:
    """The properties of the cameras that PipeWire lists; None if it does not answer."""
    answer = host.ask(["pw-dump"])
    if answer is None or answer.status:
        return None
    try:
        nodes = [_properties(entry) for entry in json.loads(answer.text) if entry.get("type") == NODE]
    except ValueError:
        return None
    return [node for node in nodes if node.get("media.class") == "Video/Source"]


def _properties(entry: dict[str, Any]) -> dict[str, Any]:
    return (entry.get("info") or {}).get("props") or {}


def portal(host: Host) -> Iterator[Finding]:
    """One finding for each program to which the portal denies the camera.

    The first answer to its question is stored for good, also one that was only closed or timed out: the program gets no
    camera and the user is not asked again (xdg-desktop-portal issues 1336, 1705, 2154).
    """
    answer = host.ask([*BUSCTL, "Lookup", "ss", "devices", "camera"])
    if answer is None or answer.status:
        return  # no portal, or no program has asked yet
    for program in _denied(answer.text):
        clear = FixCommand((*BUSCTL, "DeletePermission", "sss", "devices", "camera", program))
        yield warning(
            PORTAL,
            f"denies cameras to {program or 'programs without a sandbox'}",
            hint="clear that answer, restart the program, and allow the camera when it asks",
            why="a denial, or a question that was closed, is stored, and the program gets no camera without a question",
            commands=[clear],
        )


def _denied(text: str) -> list[str]:
    """The programs with a ``no`` in the answer of Lookup, of type a{sas}v."""
    try:
        permissions = json.loads(text)["data"][0]
        return [str(program) for program, answers in permissions.items() if "no" in answers]
    except (ValueError, LookupError, TypeError, AttributeError):
        return []


def flatpak(host: Host) -> Iterator[Finding]:
    """One finding for each installed program that makes calls: whether its sandbox shows it the devices."""
    folders = host.home / ".local/share/flatpak", host.root / "var/lib/flatpak"
    for program in PROGRAMS:
        folder = next((folder for folder in folders if (folder / "app" / program).is_dir()), None)
        if folder is None:
            continue
        if sees_devices(program, folder, overrides=folders[::-1]):
            yield ok(FLATPAK, f"{program} may access devices")
        else:
            hint = f"flatpak override --user --device=all {program}, then restart it, if you accept so wide a sandbox"
            why = "it finds the virtual camera only if PipeWire lists it"
            yield warning(FLATPAK, f"{program} may not access devices", hint=hint, why=why)


def sees_devices(program: str, folder: Path, *, overrides: tuple[Path, ...]) -> bool:
    """Whether a program may access devices: by its metadata, then by the ``overrides`` in this order.

    Args:
        program: Its id.
        folder: The Flatpak installation that has it.
        overrides: The installations whose overrides apply: the administrator's first, then the user's.
    """
    files = [folder / f"app/{program}/current/active/metadata"]
    files += [override / "overrides" / name for override in overrides for name in ("global", program)]
    sees = False
    for permission in (permission for file in files for permission in _device_permissions(file)):
        sees = permission == "all" or (sees and permission != "!all")
    return sees


def _device_permissions(path: Path) -> list[str]:
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, Error):
        return []  # missing, or malformed, in which case Flatpak ignores it too
    return parser.get("Context", "devices", fallback="").split(";")
