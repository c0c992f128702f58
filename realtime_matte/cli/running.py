"""What the commands share that run a pipeline: options, the process around it, and its loop."""

import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from realtime_matte.cli.main import FAILED
from realtime_matte.cli.signals import Signals
from realtime_matte.config.arguments import Parser, add_options

if TYPE_CHECKING:
    from realtime_matte.cli.console import Screen
    from realtime_matte.cli.keys import Keys
    from realtime_matte.config.config import Config
    from realtime_matte.pipeline.pipeline import Pipeline

NO_FILES: Final = {"null", "window", "virtualcam", "pipewire"}
"""Outputs that leave nothing incomplete when the process is ended before the first composite."""


def parser(prog: str, about: str, *, epilog: str) -> Parser:
    """The parser of a command that runs the pipeline."""
    made = Parser(prog, about, epilog=epilog)
    add_options(made)
    made.add_argument(
        "--config",
        metavar="FILE",
        help="configuration file (default: rtmatte/rtmatte.toml in the system's configuration folder)",
    )
    made.add_argument("--preset", metavar="NAME", help="start with a preset saved in the control panel")
    return made


def start(
    arguments: dict[str, Any], signals: Signals, run: "Callable[[Config, Signals, Screen, str | None], int]"
) -> int:
    """Prepare the process and call ``run``, which returns the number of outputs that failed. The exit status.

    Args:
        arguments: Values of the command line.
        signals: Those of the process.
        run: Gets the options, the signals, the screen, and the file of ``--config``.
    """
    import logging

    from realtime_matte.cli.console import limit_opencv_threads, screen
    from realtime_matte.cli.crash_trace import log_crashes
    from realtime_matte.config import presets
    from realtime_matte.config.toml_file import resolve

    config_file, preset = arguments.pop("config"), arguments.pop("preset")
    config = resolve(arguments, config=config_file, preset=None if preset is None else presets.load(preset))
    log_crashes()
    limit_opencv_threads()
    logging.basicConfig(level=logging.DEBUG if config.verbose else logging.WARNING, stream=sys.stderr)
    logging.getLogger("numba").setLevel(logging.WARNING)  # it logs every instruction it compiles
    with screen(quiet=config.quiet, verbose=config.verbose) as shown:
        failed_outputs = run(config, signals, shown, config_file)
    return FAILED if failed_outputs else 0


def show(
    pipeline: "Pipeline",
    config: "Config",
    shown: "Screen",
    keys: "Keys",
    *,
    notices: Sequence[str],
    reached: "Callable[[Pipeline | None], bool]",
) -> None:
    """Run an open pipeline until it ends or a limit is reached, and show how it goes."""
    for notice in notices:
        shown.notify(notice)
    shown.start(pipeline, frames=config.frames or pipeline.frames)
    while pipeline.step() and not reached(pipeline):
        shown.update(pipeline)
        keys.poll()


def devices(config: "Config") -> str:
    """The camera and the outputs, for messages."""
    names = [f"the camera {config.camera!r}", *(f"the output {output!r}" for output in config.output)]
    return " or ".join(names)


def keeps_files(config: "Config") -> bool:
    """Whether outputs write files, which must be closed. Raises SpecError."""
    from realtime_matte import plugins

    return not all(plugins.sink(output).name in NO_FILES for output in config.output)


def limit(config: "Config") -> "Callable[[Pipeline | None], bool]":
    """Whether ``--seconds`` from the first call or ``--frames`` are reached."""
    ends_at: float | None = None

    def reached(pipeline: "Pipeline | None") -> bool:
        nonlocal ends_at
        if config.seconds and ends_at is None:
            ends_at = time.perf_counter() + config.seconds
        enough = pipeline and config.frames is not None and pipeline.stats.composites >= config.frames
        return bool(enough) or (ends_at is not None and time.perf_counter() >= ends_at)

    return reached
