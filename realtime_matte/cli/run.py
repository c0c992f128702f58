"""``rtmatte run``: camera in, composites out."""

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from realtime_matte.cli.main import COMMANDS, FAILED
from realtime_matte.cli.signals import Signals
from realtime_matte.config.arguments import Parser, add_options

if TYPE_CHECKING:
    from realtime_matte.cli.console import Screen
    from realtime_matte.config.config import Config
    from realtime_matte.pipeline.pipeline import Pipeline

EPILOG = """\
examples:
  rtmatte --bg blur                      then choose the virtual camera in your call
  rtmatte --bg beach.jpg --output window your own image, shown in a window only
  rtmatte --camera clip.mp4 --bg none --output person.mov

options may also be set in a TOML file, by their names without --: bg = "beach.jpg"

other commands (rtmatte COMMAND --help):
"""


def main(words: Sequence[str], *, prog: str, signals: Signals) -> int:
    """Run until the source ends, the user quits or a limit is reached. FAILED if an output failed."""
    arguments = vars(_parser(prog).parse_args(words))
    import logging

    from realtime_matte.cli.console import limit_opencv_threads, screen
    from realtime_matte.cli.crash_trace import log_crashes
    from realtime_matte.config.toml_file import resolve

    config = resolve(arguments, config=arguments.pop("config"))
    log_crashes()
    limit_opencv_threads()
    logging.basicConfig(level=logging.DEBUG if config.verbose else logging.WARNING, stream=sys.stderr)
    logging.getLogger("numba").setLevel(logging.WARNING)  # it logs every instruction it compiles
    with screen(quiet=config.quiet, verbose=config.verbose) as shown:
        failed_outputs = _run(config, signals, shown)
    return FAILED if failed_outputs else 0


def _run(config: "Config", signals: Signals, shown: "Screen") -> int:
    """The number of outputs that failed, each of which was reported."""
    from realtime_matte.cli.crash_trace import earlier_crash
    from realtime_matte.cli.job_control import job_control
    from realtime_matte.cli.keys import Keys
    from realtime_matte.control.server import serve
    from realtime_matte.pipeline.commands import Command
    from realtime_matte.pipeline.pipeline import Pipeline

    signals.raise_interrupts()
    with (
        Pipeline.open(config=config, notify=shown.notify) as pipeline,
        serve(pipeline, enabled=config.control) as control_notices,
        closing(Keys(pipeline.request, enabled=pipeline.live)) as keys,
        job_control(suspend=(shown.suspend, keys.suspend), resume=shown.resume),
    ):
        signals.forward_to(lambda action: pipeline.submit(Command(action)))  # also after the end, when it is refused
        for notice in [*earlier_crash(), *pipeline.notices, *keys.notices, *control_notices]:
            shown.notify(notice)
        shown.start(pipeline, frames=config.frames or pipeline.frames)
        limit_reached = _limit(config, pipeline)
        while pipeline.step() and not limit_reached():
            shown.update(pipeline)
            keys.poll()
    shown.end(pipeline)
    return pipeline.failed_outputs


def _limit(config: "Config", pipeline: "Pipeline") -> Callable[[], bool]:
    """Whether ``--seconds`` from now or ``--frames`` are reached."""
    ends_at = time.perf_counter() + config.seconds if config.seconds else None

    def reached() -> bool:
        enough = config.frames is not None and pipeline.stats.composites >= config.frames
        return enough or (ends_at is not None and time.perf_counter() >= ends_at)

    return reached


def _parser(prog: str) -> Parser:
    commands = "\n".join(f"  {command:<15} {about}" for command, about in COMMANDS.items() if command != "run")
    parser = Parser(prog, "Replace the background of a camera, live, in a virtual camera.", epilog=EPILOG + commands)
    add_options(parser)
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="configuration file (default: rtmatte/rtmatte.toml in the system's configuration folder)",
    )
    return parser
