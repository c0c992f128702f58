"""The argument parser of every verb."""

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
        raise SpecError(f"{message}; see {self.prog} --help")
