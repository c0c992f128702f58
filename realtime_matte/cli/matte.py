"""``rtmatte matte``: matte many clips into a folder, and go on where an earlier call was ended."""

import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from realtime_matte.cli.signals import Signals
from realtime_matte.config.arguments import Parser, add_json, add_options, from_arguments
from realtime_matte.errors import SpecError

if TYPE_CHECKING:
    from realtime_matte.batch.matte_clips import ClipResult, Engine
    from realtime_matte.batch.settings import BatchSettings

ABOUT: Final = "Matte clips, image sequences and stills into a folder. Started again, it leaves out what is whole."

EPILOG: Final = """\
examples:
  rtmatte matte lectures/ --out mattes                       ProRes 4444 with straight alpha, for editors
  rtmatte matte lectures/ --out mattes --write alpha         grey PNGs of 16 bits
  rtmatte matte talk.mp4 --out out --bg office.jpg           over another background, with the sound
  rtmatte matte 'plates/shot.%04d.png' --out out --format exr --range 1001-1100

INPUT: a clip, an image, a folder (with the folders in it), a glob, or the pattern of an image sequence.
exit status: 0 all results are whole, 1 some inputs failed, 2 a wrong option or a full disk
"""

PARTLY: Final = 1
"""Exit status when some inputs failed."""

RANGE: Final = re.compile(r"(\d{1,9})-(\d{1,9})?", re.ASCII)

NUMBERS: Final = {
    "warmup": (float, "a number of seconds, such as 2"),
    "fps": (float, "a number, such as 25"),
    "jobs": (int, "a whole number from 1"),
}


def main(words: Sequence[str], *, prog: str, signals: Signals) -> int:
    """Matte everything that is named. PARTLY if an input failed."""
    arguments = vars(_parser(prog).parse_args(words))
    signals.raise_interrupts()
    from realtime_matte import models
    from realtime_matte.batch.matte_clips import Batch
    from realtime_matte.cli.matte_progress import follow
    from realtime_matte.paths import named

    numbers = {name: _number(name, arguments.pop(name)) for name in NUMBERS}
    if not arguments["out"]:
        raise SpecError("--out: the name of the folder is empty", hint="write . for the current folder")
    settings, dask = _settings(arguments, numbers), arguments.pop("dask")
    engine = _engine(dask, numbers["jobs"])
    models.check_spec(settings.model, provider=None if dask else settings.provider)  # not once for each clip
    with follow(as_json=arguments["json"], quiet=arguments["quiet"]) as screen:
        batch = Batch(
            arguments["input"],
            named(arguments["out"]),
            settings,
            checksum=arguments["checksum"],
            overwrite=arguments["overwrite"],
            stills=arguments["stills"],
            notify=screen.notify,
        )
        try:
            results = batch.run(engine)
        except KeyboardInterrupt:
            screen.interrupt()
            raise
        screen.end(results)
    _print_traces(results)
    return PARTLY if any(one.state == "failed" for one in results) else 0


def _parser(prog: str) -> Parser:
    parser = Parser(prog, ABOUT, epilog=EPILOG)
    parser.add_argument("input", metavar="INPUT", nargs="+", help="what to matte, see below")
    parser.add_argument("--out", metavar="FOLDER", required=True, help="folder of the results")
    parser.add_argument(
        "--write", metavar="WHAT", help="alpha, foreground or composite (default: foreground; composite with --bg)"
    )
    parser.add_argument(
        "--format",
        metavar="NAME",
        help="png16, png8, exr, prores, webm or mp4 (default: png16 for alpha, prores for foreground, else mp4)",
    )
    parser.add_argument("--bg", metavar="SPEC", help="background of a composite (default: studio)")
    add_options(parser, ("fit", "provider", "threads"))
    parser.add_argument("--model", metavar="NAME", help="as of rtmatte (default: large)")
    parser.add_argument("--range", metavar="A-B", help="only these frames, from 0 or as the images are numbered")
    parser.add_argument("--warmup", metavar="S", help="with --range: seconds before A that are matted and thrown away")
    parser.add_argument("--no-cuts", action="store_true", help="take each clip as one shot, without looking for cuts")
    parser.add_argument("--fps", metavar="N", help="frame rate of image sequences (default: 25)")
    parser.add_argument("--stills", action="store_true", help="take numbered images as photographs, not as a sequence")
    parser.add_argument("--jobs", metavar="N", help="processes (default: as many as cores and memory allow)")
    parser.add_argument("--dask", metavar="ADDRESS", help="run on the workers of a Dask scheduler, tcp://host:8786")
    parser.add_argument("--checksum", action="store_true", help="compare inputs by their hash instead of their time")
    parser.add_argument("--overwrite", action="store_true", help="make everything again, and replace other files")
    parser.add_argument("--quiet", action="store_true", help="print failures only")
    add_json(parser)
    return parser


def _settings(arguments: dict[str, Any], numbers: dict[str, Any]) -> "BatchSettings":
    from realtime_matte.batch.settings import BatchSettings

    config = from_arguments({name: arguments.pop(name) for name in ("fit", "provider", "threads", "model", "bg")})
    background: Any = config.pop("bg", None)
    if background is not None and arguments["write"] not in {None, "composite"}:
        raise SpecError(f"--bg has no effect on --write {arguments['write']}", hint="leave one of them out")
    if numbers["warmup"] is not None and not arguments["range"]:
        raise SpecError("--warmup has no effect without --range", hint="add --range, or leave it out")
    given: dict[str, Any] = {
        **config,
        "write": arguments["write"] or ("composite" if background else None),
        "format": arguments["format"],
        "background": background[0] if isinstance(background, tuple | list) else background,
        "warmup_s": numbers["warmup"],
        "fps": numbers["fps"],
        "cuts": not arguments["no_cuts"],
    }
    given["first"], given["last"] = _range(arguments["range"])
    return BatchSettings(**{name: value for name, value in given.items() if value is not None})


def _range(text: str | None) -> tuple[int | None, int | None]:
    if text is None:
        return None, None
    match = RANGE.fullmatch(text)
    if match is None:
        raise SpecError(
            f"--range: {text!r} is not two frame numbers", hint="write it as in 100-199, or 100- to the end"
        )
    return int(match[1]), None if match[2] is None else int(match[2])


def _number(name: str, text: str | None) -> Any:  # noqa: ANN401 - as the kind of NUMBERS says
    if text is None:
        return None
    kind, about = NUMBERS[name]
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or (kind is int and value < 1):
        raise SpecError(f"--{name}: {text!r} is not {about}", hint="correct it")
    return value


def _engine(dask: str | None, jobs: int | None) -> "Engine":
    if dask:
        if jobs:
            raise SpecError("--jobs has no effect with --dask", hint="start as many Dask workers as you want")
        from realtime_matte.batch.dask_workers import run_on_dask

        return partial(run_on_dask, dask)
    from realtime_matte.batch.local_pool import run_local, usable_processes

    engine: Callable[..., Any] = run_local
    return partial(engine, processes=jobs or usable_processes())


def _print_traces(results: "Sequence[ClipResult]") -> None:
    for one in results:
        if one.trace:
            print(one.trace, file=sys.stderr)
