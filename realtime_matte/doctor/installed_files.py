"""Files that ``install-service`` and ``install-desktop`` write, and whether those here are of this version.

The texts are here, so that the doctor can compare a file with what this version would write.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from realtime_matte.config import presets
from realtime_matte.doctor.finding import Finding, ok, warning
from realtime_matte.doctor.host import Host
from realtime_matte.errors import MatteError
from realtime_matte.paths import is_file

SERVICE_MARK: Final = "# Written by rtmatte install-service; rtmatte install-service --remove takes it away."
"""First line of the unit. It identifies our units, those of earlier versions too, so its text must not change."""

SERVICE: Final = """\
{mark}
[Unit]
Description=rtmatte: background replacement in a virtual camera
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart={command}
Restart=on-failure
RestartSec=10
SuccessExitStatus=130
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""

ENTRY_MARK: Final = "# Written by rtmatte install-desktop; rtmatte install-desktop --remove takes it away."
"""First line of the entry. It identifies our entries, those of earlier versions too, so its text must not change."""

ENTRY: Final = """\
{mark}
[Desktop Entry]
Type=Application
Version=1.5
Name=rtmatte
GenericName=Webcam background
Comment=Replace the background of your webcam, live
Exec={command}
Icon=rtmatte
Terminal=false
Categories=AudioVideo;Video;
Keywords=webcam;camera;background;blur;virtual camera;
StartupNotify=true
Actions=page;

[Desktop Action page]
Name=Open in the browser
Exec={page_command}
"""


@dataclass(frozen=True, slots=True)
class InstalledFile:
    """A file that an ``install-`` command writes.

    Attributes:
        part: Its name in the doctor's list.
        mark: Its first line.
        template: Its text.
        commands: The keys of the lines that have a command, in order, and the names of these in the template.
        install: The command that writes it.
    """

    part: str
    mark: str
    template: str
    commands: tuple[tuple[str, str], ...]
    install: str


SERVICE_FILE: Final = InstalledFile(
    "service file", SERVICE_MARK, SERVICE, (("ExecStart", "command"),), "rtmatte install-service"
)
ENTRY_FILE: Final = InstalledFile(
    "menu entry", ENTRY_MARK, ENTRY, (("Exec", "command"), ("Exec", "page_command")), "rtmatte install-desktop"
)


def service_path(host: Host) -> Path:
    """The user's unit."""
    return _folder(host, "XDG_CONFIG_HOME", ".config") / "systemd/user/rtmatte.service"


def entry_path(host: Host) -> Path:
    """The entry in the user's menu."""
    return _folder(host, "XDG_DATA_HOME", ".local/share") / "applications/rtmatte.desktop"


def installed_files(host: Host) -> Iterator[Finding]:
    """Findings about the unit, the entry of the menu and the presets, as far as there are any."""
    for path, kind in ((service_path(host), SERVICE_FILE), (entry_path(host), ENTRY_FILE)):
        text = _read(path)
        if text.startswith(kind.mark):
            yield examine(path, text, kind)
    yield from saved_presets()


def examine(path: Path, text: str, kind: InstalledFile) -> Finding:
    """Whether a file starts something that exists, and is as this version would write it."""
    found = _commands(text, kind)
    program = _program(found[0], kind) if found else ""
    again = f"{kind.install} writes it again{_with_options(found)}, {kind.install} --remove removes it"
    if program and not is_file(Path(program)):
        return warning(kind.part, f"{path} starts {program}, which is gone", hint=again, why="it starts nothing")
    names = [name for _, name in kind.commands]
    expected = kind.template.format(mark=kind.mark, **dict(zip(names, found, strict=False))) if found else ""
    if text != expected:
        why = "what this version needs may be missing in it"
        return warning(kind.part, f"{path} is of another version of rtmatte, or was edited", hint=again, why=why)
    return ok(kind.part, f"{path}, of this version")


def saved_presets() -> Iterator[Finding]:
    """A finding for each preset of the control panel that this version does not accept."""
    for name in presets.names():
        try:
            presets.load(name)
        except MatteError as cause:
            hint = f"{cause.hint + '; or ' if cause.hint else ''}save the preset again in the control panel"
            why = "it was saved by another version of rtmatte, or edited"
            yield warning("preset", f"{name}: {cause.message}", hint=hint, why=why)


def _commands(text: str, kind: InstalledFile) -> list[str]:
    """The commands in the file, in the order of ``kind.commands``; empty if one is missing."""
    keys = {key for key, _ in kind.commands}
    found = [value for key, _, value in (line.partition("=") for line in text.splitlines()) if key in keys]
    return found if len(found) == len(kind.commands) else []


def _program(command: str, kind: InstalledFile) -> str:
    """The first word of a command, as the kind of file quotes it: menu entries escape what was escaped once more."""
    text = command if kind is SERVICE_FILE else command.replace("\\\\", "\\")
    quoted = re.match(r'"((?:[^"\\]|\\.)*)"', text)
    if not quoted:
        return command.partition(" ")[0]
    word = re.sub(r"\\(.)", r"\1", quoted[1]).replace("%%", "%")
    return word.replace("$$", "$") if kind is SERVICE_FILE else word


def _with_options(commands: list[str]) -> str:
    """A reminder of the configuration file that the unit names."""
    named = re.search(r'"--config" ("(?:[^"\\]|\\.)*")', commands[0]) if commands else None
    return f" (with --config {named[1]})" if named else ""


def _folder(host: Host, variable: str, usual: str) -> Path:
    configured = host.environment.get(variable, "")
    return Path(configured) if configured.startswith("/") else host.home / usual


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return ""
