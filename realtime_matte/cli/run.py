"""``rtmatte run``: camera in, matted picture out."""

from collections.abc import Sequence

from realtime_matte.cli import VERBS
from realtime_matte.config.arguments import Parser, add_options

EPILOG = """\
examples:
  rtmatte --bg beach.jpg                 then choose the virtual camera in your call
  rtmatte --bg blur --output window      show it in a window only
  rtmatte --camera clip.mp4 --bg none --output person.mov

options may also be set in a TOML file, by their names without --: bg = "beach.jpg"

other verbs (rtmatte VERB --help):
"""


def main(words: Sequence[str], *, prog: str) -> int:
    """Run until the source ends, the user quits or a limit is reached."""
    options = vars(_parser(prog).parse_args(words))
    config = options.pop("config")
    from realtime_matte.cli.session import run
    from realtime_matte.config.toml_file import resolve

    return run(resolve(options, config=config))


def _parser(prog: str) -> Parser:
    verbs = "\n".join(f"  {verb:<15} {about}" for verb, about in VERBS.items() if verb != "run")
    parser = Parser(prog, "Replace the background of a camera, live, in a virtual camera.", epilog=EPILOG + verbs)
    add_options(parser)
    parser.add_argument(
        "--config", metavar="FILE", help="options file (default: rtmatte/rtmatte.toml in the system's settings folder)"
    )
    return parser
