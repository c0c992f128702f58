"""``rtmatte demo``: the whole line on a built-in picture; no camera, no display, no network connection needed."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from realtime_matte.cli import INTERRUPTED
from realtime_matte.config.arguments import Parser
from realtime_matte.errors import SinkError, SpecError
from realtime_matte.paths import named

if TYPE_CHECKING:
    from realtime_matte.pipeline.pipeline import Pipeline

SHOWN_AT = 0.5
"""Which frame is put side by side: so far into the clip."""


def main(words: Sequence[str], *, prog: str) -> int:
    """Write demo.mp4 and side-by-side.png, and print the figures."""
    options = _parser(prog).parse_args(words)
    if not 0 < options.seconds <= 3600:  # noqa: PLR2004  # an hour
        raise SpecError(f"--seconds: {options.seconds:g} is not a number above 0, up to 3600")
    folder = _folder(options.out)
    from realtime_matte.cli import threads
    from realtime_matte.cli.console import screen
    from realtime_matte.cli.exhibit import Exhibit, Keeper, witnessed
    from realtime_matte.cli.signals import Signals
    from realtime_matte.pipeline.pipeline import Pipeline

    threads.few()
    began = time.perf_counter()
    frames = max(1, round(options.seconds * 30))
    clip, picture = folder / "demo.mp4", folder / "side-by-side.png"
    exhibit = Exhibit(at=int(frames * SHOWN_AT))
    with (
        Signals() as signals,
        screen(quiet=options.quiet, verbose=False) as shown,
        Pipeline.open(
            f"demo?frames={frames}",
            witnessed(options.bg, exhibit),
            outputs=[f"file:{clip}?overwrite=yes", Keeper(exhibit)],
            model=options.model,
            provider=options.provider,
            notify=shown.notify,
        ) as pipeline,
    ):
        signals.hand_to(pipeline.request)
        for note in pipeline.notices:
            shown.notify(note)
        shown.start(pipeline, frames=frames)
        while pipeline.step():
            shown.update(pipeline)
    if pipeline.stats.composites + pipeline.stats.standby_cards < frames:
        return INTERRUPTED
    exhibit.write(picture)
    if pipeline.failed_outputs:  # which was told
        return 2
    _print(pipeline, time.perf_counter() - began, [clip, picture])
    return 0


def _parser(prog: str) -> Parser:
    parser = Parser(prog, "The whole line on a built-in picture of a person who moves: no camera needed.")
    parser.add_argument("--out", metavar="FOLDER", default="demo", help="where to write demo.mp4 and side-by-side.png")
    parser.add_argument("--seconds", metavar="N", type=float, default=6.0, help="how long a clip (6)")
    parser.add_argument("--bg", metavar="SPEC", default="studio", help="the background (studio)")
    parser.add_argument("--model", metavar="NAME", default="auto", help="the network (auto)")
    parser.add_argument("--provider", metavar="NAME", help="run the network on this alone")
    parser.add_argument("--quiet", action="store_true", help="no live line")
    return parser


def _folder(name: str) -> Path:
    folder = named(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(f"cannot make the folder {name}: {error.strerror}", hint="take another --out") from error
    return folder


def _print(pipeline: "Pipeline", seconds: float, files: Sequence[Path]) -> None:
    from realtime_matte.cli.figures import stages

    report = pipeline.stats.report()
    print(f"{report.composites} pictures of {pipeline.mode} in {seconds:.1f} s: {report.fps:.1f} fps with encoding")
    print(f"model {pipeline.model}; {stages(report, verbose=False)} a picture")
    for file in files:
        print(f"wrote {file} ({file.stat().st_size / 1e3:.0f} kB)")
