"""``rtmatte ctl``: the status of a running rtmatte, and changes of it, for scripts and hotkeys."""

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from realtime_matte.cli.signals import Signals
from realtime_matte.config.arguments import Parser, add_json, add_pid, process_number
from realtime_matte.errors import SinkError, SpecError, printable, suggest
from realtime_matte.paths import named

if TYPE_CHECKING:
    from realtime_matte.control.client import Instance

COMMANDS: Final[dict[str, tuple[str, ...]]] = {
    "status": (),
    "set": ("KEY", "VALUE", "..."),
    "background": ("NAME",),
    "next": (),
    "standby": ("[on|off]",),
    "snapshot": ("FILE",),
    "record": ("start|stop", "[FILE]"),
    "calibrate": ("[FILE]",),
    "panel": (),
    "quit": (),
}
"""The words after each command; one in brackets may be left out, and after dots any number may follow."""

DESCRIPTION: Final = """\
Read the status of a running rtmatte, and change it.

commands:
  status               what it shows, and why
  set KEY VALUE ...    change an option, one of those below; "" is its default; of output and overlay all values
  background NAME      change the background: an image, blur, green, ...
  next                 the next background of those given with --bg
  standby [on|off]     the standby card, with the camera off; without on or off: toggle
  snapshot FILE        write what others see now as a PNG file
  record start [FILE]  record a video of it; without FILE a new one in the folder for videos
  record stop          complete that video
  calibrate [FILE]     learn the empty room: step out of the camera's view for some seconds; FILE keeps it (PNG)
  panel                the file that leads to its control panel, for two minutes
  quit                 end it

options that set can change: """


def main(words: Sequence[str], *, prog: str, signals: Signals) -> int:
    """Send one command and print the answer. Raises MatteError if it is refused."""
    arguments = _parser(prog).parse_intermixed_args(words)
    command, values = arguments.command, arguments.values
    if command not in COMMANDS:
        raise SpecError(f"no command {command!r}", hint=suggest(command, COMMANDS, f"there are: {', '.join(COMMANDS)}"))
    needed = COMMANDS[command]
    fewest = len([word for word in needed if not word.startswith(("[", "."))])
    if len(values) < fewest or (len(values) > len(needed) and "..." not in needed):
        raise SpecError(f"usage: {prog} {command} {' '.join(needed)}".rstrip())
    signals.raise_interrupts()
    from realtime_matte.control.client import ask, choose

    file = _new_file(values[0]) if command == "snapshot" else None
    instance = choose(process_number(arguments.pid))
    recording = ask(instance, "status")["status"]["recording"] if list(values) == ["stop"] else None
    answer = ask(instance, *_request(command, values))
    if file:
        _write(file, base64.b64decode(answer["image"]))
    page = {"page": answer["page"]} if command == "panel" else {}
    _print(instance, answer["status"] | page, details=command == "status", as_json=arguments.json)
    if not arguments.json and (result := _result(command, values, file, recording, answer["status"])):
        print(printable(result))
    return 0


def _result(
    command: str,
    values: Sequence[str],
    snapshot: Path | None,
    recording: Mapping[str, Any] | None,
    status: Mapping[str, Any],
) -> str:
    """What the command made or changed, in one line; empty if the status shows it."""
    if snapshot:
        return f"snapshot: {snapshot}"
    if recording:
        return f"recorded: {recording['file']}"
    if command == "set":
        return f"{values[0].replace('_', '-')}: {_word(status['options'].get(values[0].replace('-', '_')))}"
    return ""


def _request(command: str, values: Sequence[str]) -> tuple[str, object]:
    """Key and value of the command. Relative paths begin in the current folder, which is not that of the run."""
    key, value = command, cast("object", values[0] if values else None)
    if command == "set":
        key = values[0].replace("-", "_")
        value = (values[1] or None) if len(values) == 2 else tuple(values[1:])  # noqa: PLR2004 - KEY VALUE
    elif command == "background":
        key = "bg"
    elif command == "next":
        key = "next_background"
    elif command == "snapshot":
        value = None
    elif command == "calibrate":
        value = str(Path.cwd() / named(values[0])) if values else None
    elif command == "record":
        return _record_request(values)
    if key in {"bg", "model", "camera", "output", "card", "overlay"}:
        from realtime_matte.config.relative_paths import located

        return key, located(key, value, Path.cwd())
    return key, value


def _record_request(values: Sequence[str]) -> tuple[str, object]:
    """Key and value of ``record start [FILE]`` and ``record stop``. Raises SpecError."""
    word, *file = values
    if word not in {"start", "stop"} or (word == "stop" and file):
        raise SpecError(f"no command record {' '.join(values)!r}", hint="use: record start [FILE], or record stop")
    return f"record_{word}", str(Path.cwd() / named(file[0])) if file else None


def _new_file(name: str) -> Path:
    """The file to write. Raises SinkError if it exists, so that a snapshot never replaces another image."""
    path = named(name)
    if path.suffix.lower() != ".png":
        raise SpecError(f"a snapshot is a PNG file, and {name!r} is not named as one", hint="name it like shot.png")
    if path.exists():
        raise SinkError(f"{name!r} already exists", hint="name another file")
    return path


def _write(path: Path, data: bytes) -> None:
    """Write the file whole, or raise SinkError."""
    from realtime_matte.media.new_file import write_whole

    write_whole(path, data)


def _print(instance: "Instance", status: Mapping[str, Any], *, details: bool, as_json: bool) -> None:
    if as_json:
        print(json.dumps(status, indent=2))
        return
    print(printable(f"rtmatte (pid {instance.pid}): {_summary(status)}"))
    if "page" in status:
        print(printable(f"control panel: {status['page']}"))
    if details:
        for line in _details(status):
            print(printable(line))


def _summary(status: Mapping[str, Any]) -> str:
    """The state in one line."""
    parts = [f"{status['state']} ({status['reason']})" if status["reason"] else status["state"]]
    if status["state"] == "running":
        if status["fps"]:  # 0 before the second frame
            parts.append(f"{status['fps']:.1f} fps")
        if status["age_p50_s"] is not None:
            parts.append(f"age {status['age_p50_s'] * 1e3:.0f}/{status['age_p95_s'] * 1e3:.0f} ms")
    if status["recording"]:
        minutes, seconds = divmod(int(status["recording"]["seconds"]), 60)
        parts.append(f"recording {minutes}:{seconds:02} to {status['recording']['file']}")
    network = [f"{status['model']} on {status['provider']}"] if status["model"] else []  # none without a pipeline
    return ", ".join([*parts, f"background {status['background']}", *network])


def _details(status: Mapping[str, Any]) -> list[str]:
    """What ``status`` prints below the summary."""
    stages = ", ".join(f"{name} {seconds * 1e3:.1f}" for name, seconds in status["stages_s"].items())
    width, height = status["size"]
    options = ", ".join(f"{name.replace('_', '-')} {_word(value)}" for name, value in status["options"].items())
    lines = [f"  size: {status['size_note']}"] if status["size_note"] else []
    if width:
        lines.append(f"  source: {width}x{height} at {status['camera_fps']:g} fps, {status['dropped']} dropped")
    lines += [
        f"  options: {options}",
        f"  backgrounds: {', '.join(status['backgrounds'])}",
        f"  CPU: {status['cpu'] * 100:.0f} % of a core since the last status",
    ]
    if stages:
        lines.append(f"  stages: {stages} ms")
    if status["readers"]:
        lines.append(f"  readers: {', '.join(status['readers'])}")
    outputs = [f"  output {output['name']}: {output['fault'] or 'works'}" for output in status["outputs"]]
    return [*lines, *outputs, *(f"  {line}" for line in dict.fromkeys([*status["notices"], *status["messages"]]))]


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):  # a size, or several specs
        return ("x" if value and all(isinstance(one, int) for one in value) else " ").join(map(str, value)) or "none"
    return "default" if value is None else str(value)


def _parser(prog: str) -> Parser:
    from realtime_matte.pipeline.commands import LIVE

    parser = Parser(prog, DESCRIPTION + ", ".join(sorted(name.replace("_", "-") for name in LIVE)))
    parser.add_argument("command", metavar="COMMAND", help=f"one of: {', '.join(COMMANDS)}")
    parser.add_argument(
        "values", nargs="*", default=[], metavar="VALUE", help="what the command takes: see the list above"
    )
    add_json(parser)
    add_pid(parser)
    return parser
