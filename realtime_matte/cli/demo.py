"""``rtmatte demo``: the whole pipeline on a built-in photograph that moves; needs no camera, display or network."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from realtime_matte.cli.main import FAILED
from realtime_matte.cli.signals import INTERRUPTED, Signals
from realtime_matte.config.arguments import Parser, add_options
from realtime_matte.errors import ModelError, SinkError, SpecError, printable
from realtime_matte.paths import named

if TYPE_CHECKING:
    from realtime_matte.frame import Frame, Pixels, RefinedMatte, Size
    from realtime_matte.interfaces import Background, Fit, OpenBackground
    from realtime_matte.pipeline.pipeline import Pipeline

FPS: Final = 30
MAX_S: Final = 3600

SNAPSHOT_AT: Final = 0.5
"""Position in the clip of the frame in side-by-side.png, from 0 to 1."""

GAP_PX: Final = 8
"""White gap between the images of side-by-side.png."""


def main(words: Sequence[str], *, prog: str, signals: Signals) -> int:
    """Write demo.mp4 and side-by-side.png, and print the figures."""
    options = _parser(prog).parse_args(words)
    if not 0 < options.seconds <= MAX_S:
        raise SpecError(f"--seconds: {options.seconds:g} is not a number above 0, up to {MAX_S}")
    folder = _make_folder(options.out)
    start = time.perf_counter()
    frames = max(1, round(options.seconds * FPS))
    clip, image = folder / "demo.mp4", folder / "side-by-side.png"
    snapshot = Snapshot(index=int(frames * SNAPSHOT_AT))
    pipeline = _run(options, clip, snapshot, signals, frames=frames)
    if pipeline.stats.composites + pipeline.stats.standby_cards < frames:
        return INTERRUPTED
    snapshot.write(image)
    if pipeline.failed_outputs:  # each was reported
        return FAILED
    _print(pipeline, time.perf_counter() - start, [clip, image])
    return 0


class Snapshot:
    """Copies of what the pipeline does with frame ``index``: the frame, its alpha and its composite.

    It is an output of the pipeline, and the ``open`` of that output. ``watch`` opens a background that passes on the
    frames and mattes it gets.
    """

    alpha = False
    live = False
    notices = ()

    def __init__(self, *, index: int) -> None:
        self._index = index
        self._images: list[Pixels] = []
        self._awaits_composite = False

    def __call__(self, _rest: str, /, *, size: "Size", fps: float, alpha: bool) -> "Snapshot":  # noqa: ARG002
        """Nothing has to be opened."""
        return self

    def watch(self, spec: str) -> "OpenBackground":
        """The ``open`` of the background that a spec names, watched by this snapshot. Raises SpecError."""
        from realtime_matte import plugins

        plugin = plugins.background(spec)

        def open_background(_rest: str, /, *, size: "Size", fit: "Fit") -> _WatchedBackground:
            background = plugin.open(plugin.rest, size=size, fit=fit)
            if background is None:
                raise SpecError(f"the demo needs a background, and {spec!r} is none", hint="choose another --bg")
            return _WatchedBackground(background, self)

        return open_background

    def take(self, frame: "Frame", matte: "RefinedMatte") -> None:
        """Copy the frame and its alpha, if this is the frame."""
        import numpy as np

        self._awaits_composite = frame.index == self._index
        if self._awaits_composite:
            grey = (matte.alpha * 255 + 0.5).astype(np.uint8)
            self._images = [frame.pixels.copy(), np.dstack([grey, grey, grey])]

    def send(self, image: "Pixels", time: float) -> None:  # noqa: ARG002  # a sink's parameters
        """Copy the composite, if this is the frame's."""
        if self._awaits_composite:
            self._images.append(image.copy())
        self._awaits_composite = False

    def close(self) -> None:
        """Nothing has to be closed."""

    def write(self, path: Path) -> None:
        """Write frame, alpha and composite side by side as PNG. Raises ModelError, SinkError."""
        import cv2
        import numpy as np

        from realtime_matte.media.new_file import write_whole

        if len(self._images) != 3:  # noqa: PLR2004  # frame, alpha, composite
            raise ModelError(f"frame {self._index} has no matte to show in {path}", hint="see the messages above")
        frame, alpha, composite = self._images
        gap = np.full((frame.shape[0], GAP_PX, 3), 255, np.uint8)
        _, data = cv2.imencode(".png", np.hstack([frame, gap, alpha, gap, composite]))
        write_whole(path, data.tobytes())


class _WatchedBackground:
    """A background that passes each frame and matte to a snapshot."""

    def __init__(self, background: "Background", snapshot: Snapshot) -> None:
        self._background = background
        self._snapshot = snapshot

    def image(self, frame: "Frame", matte: "RefinedMatte") -> "Pixels":
        """The background's image."""
        self._snapshot.take(frame, matte)
        return self._background.image(frame, matte)

    def close(self) -> None:
        """Close the background."""
        self._background.close()


def _run(options: argparse.Namespace, clip: Path, snapshot: Snapshot, signals: Signals, *, frames: int) -> "Pipeline":
    """Process the demo source into ``clip`` and the snapshot; the closed pipeline."""
    from realtime_matte.cli.console import limit_opencv_threads, screen
    from realtime_matte.cli.crash_trace import earlier_crash, log_crashes
    from realtime_matte.cli.job_control import job_control
    from realtime_matte.pipeline.commands import Command
    from realtime_matte.pipeline.pipeline import Pipeline

    log_crashes()
    limit_opencv_threads()
    signals.raise_interrupts()
    with (
        screen(quiet=bool(options.quiet), verbose=False) as shown,
        Pipeline.open(
            f"demo?frames={frames}",
            snapshot.watch(options.bg),
            outputs=[f"file:{clip}?overwrite=yes", snapshot],
            model=options.model or "auto",
            provider=options.provider,
            notify=shown.notify,
        ) as pipeline,
        job_control(suspend=(shown.suspend,), resume=shown.resume),
    ):
        signals.forward_to(lambda action: pipeline.submit(Command(action)) if action == "quit" else None)
        for notice in [*earlier_crash(), *pipeline.notices]:
            shown.notify(notice)
        shown.start(pipeline, frames=frames)
        while pipeline.step():
            shown.update(pipeline)
    return pipeline


def _make_folder(name: str) -> Path:
    folder = named(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(f"cannot create the folder {name}: {error.strerror}", hint="choose another --out") from error
    return folder


def _print(pipeline: "Pipeline", seconds: float, files: Sequence[Path]) -> None:
    from realtime_matte.cli.console import stage_times

    report = pipeline.stats.report()
    rate = f"{report.fps:.1f} fps with encoding" if report.fps else "with encoding"
    size = "x".join(map(str, pipeline.source.size))
    print(f"{report.composites} frames of {size}, {rate}; {seconds:.1f} s in all, with start-up")
    print(printable(f"model {pipeline.model}; {stage_times(report, verbose=False)} per frame"))
    for file in files:
        print(printable(f"wrote {file} ({file.stat().st_size / 1e3:.0f} kB)"))


def _parser(prog: str) -> Parser:
    parser = Parser(prog, "Run the whole pipeline on a built-in photograph that moves; no camera is needed.")
    parser.add_argument(
        "--out", metavar="FOLDER", default="demo", help="where to write demo.mp4 and side-by-side.png (default: demo)"
    )
    parser.add_argument("--seconds", metavar="N", type=float, default=6.0, help="length of the clip (default: 6)")
    parser.add_argument("--bg", metavar="SPEC", default="studio", help="the background (default: studio)")
    add_options(parser, ("model", "provider", "quiet"))
    return parser
