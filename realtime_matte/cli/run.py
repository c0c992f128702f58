"""``rtmatte run``: camera in, composites out."""

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from realtime_matte.cli import running
from realtime_matte.cli.main import COMMANDS
from realtime_matte.cli.signals import Signals

if TYPE_CHECKING:
    from realtime_matte.cli.console import Screen
    from realtime_matte.config.config import Config

ABOUT = "Replace the background of a camera, live, in a virtual camera."

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
    commands = "\n".join(f"  {command:<15} {about}" for command, about in COMMANDS.items() if command != "run")
    return running.start(vars(running.parser(prog, ABOUT, epilog=EPILOG + commands).parse_args(words)), signals, _run)


def _run(config: "Config", signals: Signals, shown: "Screen", config_file: str | None) -> int:
    """The number of outputs that failed, each of which was reported."""
    if config.panel:
        from realtime_matte.cli.panel import supervise

        return supervise(config, signals, shown, config_file=config_file, opens=None, stay=False)
    from realtime_matte.cli.blocked_signals import reported
    from realtime_matte.cli.crash_trace import earlier_crash
    from realtime_matte.cli.job_control import job_control
    from realtime_matte.cli.keys import Keys
    from realtime_matte.control.run import PipelineRun
    from realtime_matte.control.server import serve
    from realtime_matte.pipeline.commands import Command
    from realtime_matte.pipeline.pipeline import Pipeline

    signals.raise_interrupts()
    keeps_files = running.keeps_files(config)
    with (
        reported(signals, running.devices(config), keeps_files=lambda: keeps_files),
        Pipeline.open(config=config, notify=shown.notify) as pipeline,
        serve(PipelineRun(pipeline), enabled=config.control) as control_notices,
        closing(Keys(pipeline.request, enabled=pipeline.live)) as keys,
        job_control(suspend=(shown.suspend, keys.suspend), resume=shown.resume),
    ):
        signals.forward_to(lambda action: pipeline.submit(Command(action)))  # also after the end, when it is refused
        notices = [*earlier_crash(), *pipeline.notices, *keys.notices, *control_notices]
        running.show(pipeline, config, shown, keys, notices=notices, reached=running.limit(config))
    shown.end(pipeline)
    return pipeline.failed_outputs
