"""``rtmatte install-service``: start at every login, by a systemd unit of the user; ``--remove`` takes it away."""

import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from realtime_matte.config.arguments import Parser
from realtime_matte.doctor.host import Host
from realtime_matte.errors import SinkError, SpecError
from realtime_matte.paths import named

if TYPE_CHECKING:
    from realtime_matte.config.config import Config

NAME: Final = "rtmatte.service"
MARK: Final = "# Written by rtmatte install-service; rtmatte install-service --remove takes it away."
UNIT: Final = """\
{mark}
[Unit]
Description=rtmatte: another background behind you, in a virtual camera
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
RELOAD: Final = ("systemctl", "--user", "daemon-reload")
ENABLE: Final = ("systemctl", "--user", "enable", NAME)
DISABLE: Final = ("systemctl", "--user", "disable", "--now", NAME)


def main(words: Sequence[str], *, prog: str) -> int:
    """Write the unit, or take it away, and say what was done."""
    options = _parser(prog).parse_args(words)
    host = Host()
    refuse(host, root=hasattr(os, "geteuid") and os.geteuid() == 0)
    lines = remove(host) if options.remove else install(host, options.config)
    for line in lines:
        print(line)
    return 0


def refuse(host: Host, *, root: bool) -> None:
    """Raise where there can be no such service. ``root``: the administrator asks."""
    if not (host.root / "run/systemd/system").is_dir():
        raise SpecError(
            "no systemd runs this system, so there is nothing to write a service for",
            hint="let what starts your session start rtmatte",
        )
    if root:
        raise SpecError(
            "a service of the administrator's would run rtmatte as root", hint="call this as yourself, not sudo"
        )


def install(host: Host, config: str | None) -> Iterator[str]:
    """Write the unit for the settings in the file ``config``, or in the usual one. Yields what is to be told.

    Raises:
        MatteError: the settings are wrong; the unit cannot be written, or is somebody else's; systemd does not answer.
    """
    from realtime_matte.config.toml_file import resolve

    settings = resolve({}, config=config)
    unit = _checked(host)
    try:
        unit.parent.mkdir(parents=True, exist_ok=True)
        unit.write_text(UNIT.format(mark=MARK, command=_command(config)), "utf-8")
    except OSError as error:
        raise SinkError(f"cannot write {unit}: {error.strerror}", hint="check the folder's permissions") from error
    yield f"wrote {unit}"
    yield from _run(host, RELOAD, ENABLE)
    yield "it starts at your next login; now: systemctl --user start rtmatte"
    yield "what it says: journalctl --user -u rtmatte"
    yield _light(settings)
    yield from _module()


def remove(host: Host) -> Iterator[str]:
    """Stop it, and take the unit away. Raises SinkError, before anything is taken away, where it cannot be stopped."""
    unit = _checked(host)
    if not unit.exists():
        yield f"there is no {unit}: nothing to remove"
        return
    yield from _run(host, DISABLE)
    try:
        unit.unlink()
    except OSError as error:
        raise SinkError(f"cannot remove {unit}: {error.strerror}", hint="check the folder's permissions") from error
    yield f"removed {unit}"
    yield from _run(host, RELOAD)


def _checked(host: Host) -> Path:
    """Where the unit belongs; only one of ours may be there."""
    given = host.environment.get("XDG_CONFIG_HOME", "")
    unit = (Path(given) if given.startswith("/") else host.home / ".config") / "systemd/user" / NAME
    if unit.exists() and not host.read(str(unit)).startswith(MARK):
        raise SpecError(f"{unit} was not written by rtmatte", hint="move it away first")
    return unit


def _command(config: str | None) -> str:
    words = [sys.executable, "-m", "realtime_matte", "run", "--quiet"]
    words += ["--config", str(named(config).absolute())] if config is not None else []
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    """As systemd reads a word (systemd.service, command lines)."""
    if any(not char.isprintable() for char in word):
        raise SpecError(f"no service can be given {word!r}: it holds a character that cannot be printed")
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$") + '"'


def _run(host: Host, *commands: tuple[str, ...]) -> Iterator[str]:
    """Run each. Raises SinkError at the first that fails, with what is left to do."""
    for done, command in enumerate(commands):
        answer = host.ask(command)
        if answer is None or answer.status:
            said = " ".join(answer.text.split()) if answer else "no answer"
            left = " && ".join(map(shlex.join, commands[done:]))
            raise SinkError(f"{shlex.join(command)} failed ({said})", hint=f"run yourself: {left}")
        yield f"ran {shlex.join(command)}"


def _light(settings: "Config") -> str:
    if settings.on_demand:
        return "the camera is on only while a program watches the virtual camera"
    return "while it runs, the camera is on; systemctl --user stop rtmatte switches it off"


def _module() -> Iterator[str]:
    from realtime_matte.doctor.kernel_module import BOOT_FILES

    yield "the virtual camera has to be there at boot: rtmatte doctor --fix writes, after asking,"
    for path, line in BOOT_FILES.items():
        yield f"  {path}: {line}"


def _parser(prog: str) -> Parser:
    parser = Parser(prog, "Start rtmatte at every login, with the settings of its file: a systemd user service.")
    parser.add_argument("--config", metavar="FILE", help="the settings file, if not the usual one")
    parser.add_argument("--remove", action="store_true", help="stop the service and take it away again")
    return parser
