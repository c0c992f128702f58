"""One run of the line under a terminal: opened, shown, stopped politely."""

import logging
import sys
import time
from collections.abc import Callable
from contextlib import closing

from realtime_matte.cli import INTERRUPTED, threads
from realtime_matte.cli.console import Screen, screen
from realtime_matte.cli.keys import Keys
from realtime_matte.cli.signals import Signals
from realtime_matte.config.config import Config
from realtime_matte.pipeline.pipeline import Pipeline


def run(settings: Config) -> int:
    """The exit status: 0 also when the user stopped it, once there was something to stop; 2 when an output failed."""
    threads.few()
    logging.basicConfig(level=logging.DEBUG if settings.verbose else logging.WARNING, stream=sys.stderr)
    logging.getLogger("numba").setLevel(logging.WARNING)  # it would tell each of its instructions
    try:
        with Signals() as signals, screen(quiet=settings.quiet, verbose=settings.verbose) as shown:
            failed = _run(settings, signals, shown)
    except KeyboardInterrupt:
        return INTERRUPTED
    return 2 if failed else 0


def opened(settings: Config, notify: Callable[[str], None]) -> Pipeline:
    """The line the settings ask for.

    Raises:
        MatteError
    """
    return Pipeline.open(
        settings.camera,
        settings.bg,
        outputs=settings.output,
        model=settings.model,
        provider=settings.provider,
        threads=settings.threads,
        size=settings.size,
        fps=settings.fps,
        mirror=settings.mirror,
        only_me=settings.only_me,
        fit=settings.fit,
        card_image=settings.card,
        card_text=settings.card_text,
        on_demand=settings.on_demand,
        notify=notify,
    )


def _run(settings: Config, signals: Signals, shown: Screen) -> int:
    """How many outputs failed, which was told."""
    with opened(settings, shown.notify) as pipeline, closing(Keys(pipeline.request, wanted=pipeline.live)) as keys:
        signals.hand_to(pipeline.request)
        for note in [*pipeline.notices, *keys.notices]:
            shown.notify(note)
        shown.start(pipeline, frames=settings.frames or pipeline.frames)
        until = _limit(settings, pipeline)
        while pipeline.step() and not until():
            shown.update(pipeline)
            keys.look()
    shown.end(pipeline)
    return pipeline.failed_outputs


def _limit(settings: Config, pipeline: Pipeline) -> Callable[[], bool]:
    ends_at = time.perf_counter() + settings.seconds if settings.seconds else None

    def until() -> bool:
        enough = settings.frames is not None and pipeline.stats.composites >= settings.frames
        return enough or (ends_at is not None and time.perf_counter() >= ends_at)

    return until
