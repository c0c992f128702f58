"""``rtmatte install-service``: starts rtmatte at every login by a systemd user unit; ``--remove`` removes it."""

import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING, Final

from realtime_matte.cli.signals import Signals
from realtime_matte.config.arguments import Parser
from realtime_matte.doctor.host import Host
from realtime_matte.doctor.installed_files import SERVICE, SERVICE_MARK, service_path
from realtime_matte.errors import SinkError, SpecError, printable
from realtime_matte.paths import named

if TYPE_CHECKING:
    from realtime_matte.config.config import Config

NAME: Final = "rtmatte.service"
LINK: Final = f"default.target.wants/{NAME}"
"""What ``systemctl enable`` makes beside the unit."""

RELOAD: Final = ("systemctl", "--user", "daemon-reload")
ENABLE: Final = ("systemctl", "--user", "enable", NAME)
DISABLE: Final = ("systemctl", "--user", "disable", "--now", NAME)


def main(words: Sequence[str], *, prog: str, signals: Signals) -> int:
    """Write or remove the unit, and print each step."""
    options = _parser(prog).parse_args(words)
    signals.raise_interrupts()
    host = Host()
    if not options.remove:
        refuse(host, root=hasattr(os, "geteuid") and os.geteuid() == 0)
    lines = remove(host) if options.remove else install(host, options.config)
    for line in lines:
        print(printable(line))
    return 0


def refuse(host: Host, *, root: bool) -> None:
    """Raise SpecError if this system has no systemd, or the user is ``root``."""
    if not _has_systemd(host):
        raise SpecError(
            "systemd does not run this system, so a service cannot be installed",
            hint="start rtmatte from your session's autostart",
        )
    if root:
        raise SpecError("a service installed by root would run rtmatte as root", hint="run this without sudo")


def install(host: Host, config_file: str | None) -> Iterator[str]:
    """Write the unit for the configuration file ``config_file``, or for the default one. Yields the lines to print.

    Raises:
        MatteError: The options are invalid, a part of the pipeline cannot be opened, the unit cannot be written or is
            not ours, or systemctl failed.
    """
    from realtime_matte.config.toml_file import resolve

    unit_path(host)
    open_once(resolve({}, config=config_file))
    yield from write_unit(host, config_file)


def write_unit(host: Host, config_file: str | None) -> Iterator[str]:
    """As ``install``, of options whose parts are known to open."""
    from realtime_matte.config.toml_file import resolve
    from realtime_matte.media.new_file import write_whole

    config = resolve({}, config=config_file)
    unit = unit_path(host)
    try:
        unit.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(f"cannot write {unit}: {error.strerror}", hint="check the folder's permissions") from error
    write_whole(unit, SERVICE.format(mark=SERVICE_MARK, command=_command(config_file)).encode())
    yield f"wrote {unit}"
    yield from _run(host, RELOAD, ENABLE)
    yield "it starts at your next login; now: systemctl --user start rtmatte"
    yield "its messages: journalctl --user -u rtmatte"
    yield _camera_use(config)
    yield from _kernel_module()


def open_once(config: "Config") -> None:
    """Open every part as the service does, which starts in another folder, and close it again.

    A service that cannot start would only write to the journal, at every login.

    Raises:
        MatteError: A part cannot be opened.
    """
    from realtime_matte.cli.console import limit_opencv_threads
    from realtime_matte.pipeline.pipeline import Pipeline

    limit_opencv_threads()
    with chdir("/"), Pipeline.open(config=config, notify=lambda _notice: None):
        pass


def remove(host: Host) -> Iterator[str]:
    """Stop the service, then remove the unit. Yields the lines to print. Raises SinkError where either fails.

    Where systemd does not run, no service does: only the unit is removed, if there is one.
    """
    unit = unit_path(host)
    if not unit.exists():
        yield f"there is no {unit}: nothing to remove"
        return
    running = _has_systemd(host)
    if running:
        yield from _run(host, DISABLE)
    try:
        (unit.parent / LINK).unlink(missing_ok=True)  # systemctl removed it, where it runs
        unit.unlink()
    except OSError as error:
        raise SinkError(f"cannot remove {unit}: {error.strerror}", hint="check the folder's permissions") from error
    yield f"removed {unit}"
    if running:
        yield from _run(host, RELOAD)


def _has_systemd(host: Host) -> bool:
    return (host.root / "run/systemd/system").is_dir()


def unit_path(host: Host) -> Path:
    """The path of the unit. Raises SpecError if another program wrote the file there."""
    unit = service_path(host)
    if unit.exists() and not host.read(str(unit)).startswith(SERVICE_MARK):
        raise SpecError(f"{unit} was not written by rtmatte", hint="move it away first")
    return unit


def _command(config_file: str | None) -> str:
    words = [sys.executable, "-m", "realtime_matte", "run", "--quiet"]
    words += ["--config", str(named(config_file).absolute())] if config_file is not None else []
    return " ".join(map(_quote, words))


def _quote(word: str) -> str:
    """A word of a command in a unit file (systemd.service(5), Command Lines)."""
    if any(not char.isprintable() for char in word):
        raise SpecError(f"a service cannot have the argument {word!r}: it contains an unprintable character")
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$") + '"'


def _run(host: Host, *commands: tuple[str, ...]) -> Iterator[str]:
    """Run each command. Raises SinkError at the first that fails, with the commands that are left."""
    for done, command in enumerate(commands):
        answer = host.ask(command)
        if answer is None or answer.status:
            output = " ".join(answer.text.split()) if answer else "no answer"
            left = " && ".join(map(shlex.join, commands[done:]))
            raise SinkError(f"{shlex.join(command)} failed ({output})", hint=f"run yourself: {left}")
        yield f"ran {shlex.join(command)}"


def _camera_use(config: "Config") -> str:
    if config.on_demand:
        return "the camera is on only while a program reads the virtual camera"
    return "while it runs, the camera is on; systemctl --user stop rtmatte switches it off"


def _kernel_module() -> Iterator[str]:
    from realtime_matte.doctor.kernel_module import BOOT_FILES

    yield "the virtual camera must exist after boot: rtmatte doctor --fix writes, after asking,"
    for path, line in BOOT_FILES.items():
        yield f"  {path}: {line}"


def _parser(prog: str) -> Parser:
    parser = Parser(prog, "Start rtmatte at every login, with the options of its file, by a systemd user service.")
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="configuration file (default: rtmatte/rtmatte.toml in the system's configuration folder)",
    )
    parser.add_argument("--remove", action="store_true", help="stop and remove the service")
    return parser
