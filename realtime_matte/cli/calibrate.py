"""``rtmatte calibrate``: learn the empty room, in the rtmatte that runs or in a short run of its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realtime_matte.cli import running
from realtime_matte.cli.signals import Signals
from realtime_matte.config.arguments import add_pid, process_number
from realtime_matte.errors import SpecError

if TYPE_CHECKING:
    from realtime_matte.cli.console import Screen
    from realtime_matte.config.config import Config
    from realtime_matte.interfaces import Action

ABOUT = """\
Learn the empty room: count down, and look at it while you are out of the camera's view.

If an rtmatte runs, it is asked, as by `rtmatte ctl calibrate`. Otherwise, or with --camera, a short run of its own
opens the camera and sends nothing. With --plate FILE the empty room is kept in that file, which only your user can
read; `rtmatte --plate FILE` begins with it. Without --plate nothing is written."""

EPILOG = """\
examples:
  rtmatte calibrate                      the rtmatte that runs
  rtmatte calibrate --plate room.png     ... and keep it
  rtmatte --plate room.png               start with it
"""


def main(words: Sequence[str], *, prog: str, signals: Signals) -> int:
    """Calibrate, and print the result. Raises MatteError if the room was not empty or not at rest."""
    made = running.parser(prog, ABOUT, epilog=EPILOG)
    add_pid(made)
    arguments = vars(made.parse_args(words))
    pid = process_number(arguments.pop("pid"))
    if pid is not None and arguments["camera"] is not None:
        raise SpecError("--pid asks an rtmatte that runs, --camera opens one", hint="leave one out")
    if pid is not None or (arguments["camera"] is None and _is_running()):
        return _ask(pid, arguments["plate"], prog=prog, signals=signals)
    return running.start(arguments, signals, _run)


def _is_running() -> bool:
    from realtime_matte.control.client import instances

    return bool(instances())


def _ask(pid: int | None, plate: str | None, *, prog: str, signals: Signals) -> int:
    """Ask the running instance. Its answer comes when the room is known."""
    from realtime_matte.cli import ctl
    from realtime_matte.control.client import choose
    from realtime_matte.paths import named
    from realtime_matte.pipeline.calibration import STEP_OUT
    from realtime_matte.render.plate_file import check_plate_writable

    choose(pid)  # raises before anybody steps out
    if plate:
        check_plate_writable(Path.cwd() / named(plate))
    print(STEP_OUT, flush=True)
    words = ["calibrate", *([plate] if plate else []), *(["--pid", str(pid)] if pid is not None else [])]
    status = ctl.main(words, prog=prog, signals=signals)
    print("the empty room is known" if plate is None else f"the empty room is known, and kept in {plate}")
    return status


def _run(config: "Config", signals: Signals, shown: "Screen", _config_file: str | None) -> int:
    """A run that sends nothing, until the room is known. No output can fail: 0. A signal is a KeyboardInterrupt."""
    from realtime_matte.cli.blocked_signals import reported
    from realtime_matte.pipeline.commands import Command, Reply
    from realtime_matte.pipeline.pipeline import Pipeline
    from realtime_matte.render.plate_file import check_plate_writable

    file = str(Path.cwd() / config.plate) if config.plate else None
    if file:
        check_plate_writable(Path(file))
    replies: list[Reply] = []
    actions: list[Action] = []  # that signals requested

    def notify(notice: str) -> None:
        if not any(one.done() and notice == str(one.exception()) for one in replies):  # this command's error: see main
            shown.notify(notice)

    signals.raise_interrupts()
    with (
        reported(signals, f"the camera {config.camera!r}", keeps_files=lambda: False),
        Pipeline.open(config=config.replace(**_quiet()), notify=notify) as pipeline,
    ):

        def submit(action: "Action") -> None:
            actions.append(action)
            pipeline.submit(Command(action))

        signals.forward_to(submit)
        for notice in pipeline.notices:
            shown.notify(notice)
        reply = pipeline.submit(Command("calibrate", file))
        replies.append(reply)
        while not reply.done() and pipeline.step():
            pass
    if "quit" in actions and reply.exception():
        raise KeyboardInterrupt
    reply.result()
    return 0


def _quiet() -> dict[str, Any]:
    """Options of a run that only looks."""
    return {"output": "null", "bg": "green", "plate": None, "calibrate": False, "on_demand": False, "overlay": ()}
