"""``rtmatte install-desktop``: puts rtmatte with an icon into the desktop's menu (Linux); ``--remove`` removes it."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from realtime_matte.cli.signals import Signals
from realtime_matte.config.arguments import Parser
from realtime_matte.doctor.host import Host
from realtime_matte.doctor.installed_files import ENTRY, ENTRY_MARK, entry_path
from realtime_matte.errors import SinkError, SpecError, printable

RESERVED: Final = '"`$\\'
"""Characters that a backslash precedes in a quoted argument (Desktop Entry Specification, The Exec key)."""

ELSEWHERE: Final = {
    "darwin": (
        "macOS has no menu for this: in the app Shortcuts, make a shortcut with the action Run Shell Script:",
        "  {command}",
        "and add it to the Dock with File, Add to Dock",
    ),
    "win32": (
        "on Windows: right-click the desktop, New, Shortcut, and give as its location:",
        "  {command}",
        "then drag it to the taskbar, or into the folder that Win+R, shell:programs opens",
    ),
}


def main(words: Sequence[str], *, prog: str, signals: Signals) -> int:
    """Write or remove the entry and its icon, or say how on other systems; print each step."""
    parser = Parser(prog, "Put rtmatte with its control panel into the desktop's menu (Linux).")
    parser.add_argument("--remove", action="store_true", help="remove it from the menu")
    options = parser.parse_args(words)
    signals.raise_interrupts()
    if sys.platform in ELSEWHERE:
        lines: Iterator[str] = elsewhere(sys.platform)
    else:
        lines = remove(Host()) if options.remove else install(Host())
    for line in lines:
        print(printable(line))
    return 0


def install(host: Host) -> Iterator[str]:
    """Write the entry and the icon. Yields the lines to print.

    Raises:
        SinkError: They cannot be written.
        SpecError: An entry of that name was not written by rtmatte.
    """
    from realtime_matte.media.new_file import write_whole

    entry, icon = _paths(host)
    commands = {"command": _command("--app"), "page_command": _command()}
    for path, data in (
        (icon, _icon().read_bytes()),
        (entry, ENTRY.format(mark=ENTRY_MARK, **commands).encode()),
    ):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(f"cannot write {path}: {error.strerror}", hint="check the folder's permissions") from error
        write_whole(path, data)
        yield f"wrote {path}"
    yield "rtmatte is in the desktop's menu now; some desktops show it after the next login"


def remove(host: Host) -> Iterator[str]:
    """Remove the entry and the icon. Yields the lines to print. Raises SinkError."""
    entry, icon = _paths(host)
    if not entry.exists():
        yield f"there is no {entry}: nothing to remove"
        return
    for path in (entry, icon):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise SinkError(f"cannot remove {path}: {error.strerror}", hint="check the folder's permissions") from error
        yield f"removed {path}"


def elsewhere(system: str) -> Iterator[str]:
    """The lines that say how it is done on another system."""
    command = " ".join(f'"{word}"' for word in (sys.executable, "-m", "realtime_matte", "panel", "--app"))
    for line in ELSEWHERE[system]:
        yield line.format(command=command)


def _paths(host: Host) -> tuple[Path, Path]:
    """The paths of entry and icon. Raises SpecError if another program wrote the entry there."""
    entry = entry_path(host)
    if entry.exists() and not host.read(str(entry)).startswith(ENTRY_MARK):
        raise SpecError(f"{entry} was not written by rtmatte", hint="move it away first")
    return entry, entry.parents[1] / "icons/hicolor/scalable/apps/rtmatte.svg"


def _command(*options: str) -> str:
    return " ".join(map(_quote, (sys.executable, "-m", "realtime_matte", "panel", *options)))


def _quote(word: str) -> str:
    """A word of the key Exec: quoted, its escapes escaped again as in every value of the file."""
    if any(not char.isprintable() for char in word):
        raise SpecError(f"a menu entry cannot have the argument {word!r}: it contains an unprintable character")
    quoted = "".join(f"\\{char}" if char in RESERVED else char for char in word)
    return '"' + quoted.replace("\\", "\\\\").replace("%", "%%") + '"'


def _icon() -> Path:
    return Path(__file__).parents[1] / "panel/static/icon.svg"
