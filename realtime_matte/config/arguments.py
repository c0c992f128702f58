"""The argument parser of every verb, and the options that several have."""

import argparse
from typing import NoReturn

from realtime_matte import __version__
from realtime_matte.errors import SpecError


class Parser(argparse.ArgumentParser):
    """Speaks in one line of what is wrong, and takes no option that is not written out."""

    def __init__(self, prog: str, about: str, *, more: str | None = None) -> None:
        super().__init__(
            prog,
            description=about,
            epilog=more,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self.add_argument("--version", action="version", version=f"rtmatte {__version__}")

    def error(self, message: str) -> NoReturn:
        """Raise it, for ``main`` to tell."""
        raise SpecError(f"{message}", hint=f"see {self.prog} --help")


def add_network(parser: argparse.ArgumentParser) -> None:
    """Which network runs on what."""
    parser.add_argument("--model", metavar="NAME", help="the network (auto: small, on a GPU large)")
    parser.add_argument("--provider", metavar="NAME", help="run the network on this alone")
    parser.add_argument("--threads", metavar="N", help="threads of the network on the CPU")


def add_json(parser: argparse.ArgumentParser) -> None:
    """For programs."""
    parser.add_argument("--json", action="store_true", help="for programs")
