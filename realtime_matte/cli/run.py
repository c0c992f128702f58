"""``rtmatte run``: camera in, matted picture out."""

import argparse
from collections.abc import Sequence

from realtime_matte.cli import VERBS
from realtime_matte.config.arguments import Parser

EXAMPLES = """\
examples:
  rtmatte --bg beach.jpg                 pick the virtual camera in your call
  rtmatte --bg blur --output window      look at it only
  rtmatte --camera clip.mp4 --bg none --output person.mov

settings can also stand in a TOML file, under the options' names without --

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
    parser = Parser(prog, "Another background behind you, live, in a virtual camera.", more=EXAMPLES + verbs)
    _add_parts(parser.add_argument_group("what"))
    _add_looks(parser.add_argument_group("how it looks"))
    _add_control(parser.add_argument_group("how it runs"))
    return parser


def _add_parts(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--bg",
        metavar="SPEC",
        action="append",
        help="beach.jpg, a clip, a folder, blur, a colour such as green or #336699, none, studio (the default);"
        " several may be given, and key b goes through them",
    )
    add(
        "--camera",
        metavar="SPEC",
        help="0, /dev/video2, a part of its name (the first one there is); or clip.mp4, me.jpg, demo",
    )
    add(
        "--output",
        metavar="SPEC",
        action="append",
        help="virtualcam (the default), virtualcam:DEVICE, window, file.mp4, .webm, .mov or .mkv, frames:FOLDER, null,"
        " pipewire (experimental); several may be given",
    )
    add(
        "--model",
        metavar="NAME",
        help="one of `rtmatte models`, or an ONNX file; small?quality=low is cheaper (auto: small, or"
        " large on a GPU that has the time)",
    )
    add("--provider", metavar="NAME", help="run the network on this alone: cpu, cuda, ... (the best one that works)")
    add("--threads", metavar="N", help="threads of the network on the CPU")


def _add_looks(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--size", metavar="WxH", help="size of the output, and wished of the camera, such as 1280x720")
    add("--fps", metavar="N", help="frames a second, wished of the camera; no more are taken")
    add("--mirror", action=argparse.BooleanOptionalAction, help="swap left and right of what others see")
    add(
        "--only-me",
        action=argparse.BooleanOptionalAction,
        help="of several people show the foremost alone; those who touch in the picture count as one",
    )
    add("--fit", metavar="HOW", help="how a background fills the picture: cover (the default), contain, stretch, tile")
    add("--card", metavar="IMAGE", help="picture of the standby card, shown whenever there is no matte")
    add("--card-text", metavar="TEXT", help="text on the standby card, whatever the reason")


def _add_control(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--on-demand",
        action=argparse.BooleanOptionalAction,
        help="camera on only while somebody reads the virtual camera (Linux); the standby card waits there meanwhile",
    )
    add("--config", metavar="FILE", help="settings file (rtmatte/rtmatte.toml where your system keeps settings)")
    add("--seconds", metavar="N", help="stop after so long")
    add("--frames", metavar="N", help="stop after so many pictures")
    add("--quiet", action="store_true", default=None, help="no live line; fall-backs and faults are still told")
    add("--verbose", action="store_true", default=None, help="tell more: each stage's p95, what the libraries say")
