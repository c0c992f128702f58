"""Config on the command line: argparse options made from its fields, and their values parsed.

argparse is kept on purpose: it is in the standard library, ``rtmatte --help`` answers without another import, and the
options come from Config, so that a command-line framework would have nothing to add.
"""

import argparse
import re
import sys
from collections.abc import Collection, Mapping
from typing import Any, NoReturn

from realtime_matte import __version__
from realtime_matte.config.config import options, parse_values
from realtime_matte.config.option import Option
from realtime_matte.errors import SpecError, suggest


class Parser(argparse.ArgumentParser):
    """The parser of one command. It raises SpecError, and accepts no abbreviated options."""

    def __init__(self, prog: str, description: str, *, epilog: str | None = None) -> None:
        super().__init__(
            prog,
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self.add_argument("--version", action="version", version=f"rtmatte {__version__}")

    def _print_message(self, message: str, file: Any = None) -> None:  # noqa: ANN401 -- argparse's
        """Print help or version. argparse itself ignores an error of the write, such as one of a full disk."""
        (file or sys.stderr).write(message)

    def error(self, message: str) -> NoReturn:
        """Raise the error, for ``main`` to print."""
        hint = f"see {self.prog} --help"
        unknown = re.match(r"unrecognized arguments: (?:.*? )??--(?:no-)?([\w-]+)", message)
        if unknown:
            known = [option.removeprefix("--") for option in self._option_string_actions if option.startswith("--")]
            hint = suggest(unknown[1], known, hint, prefix="--")
        elif self._get_positional_actions() and re.match(r"unrecognized arguments: (?:.*? )??-[^-]", message):
            hint = f"{hint}; write -- before a value that begins with -"
        raise SpecError(message, hint=hint)


def add_options(parser: argparse.ArgumentParser, names: Collection[str] | None = None) -> None:
    """Add options of Config, each under the heading of its group.

    Args:
        parser: The parser of a command.
        names: Which fields; None for all. In a parser of some of them, there are no headings.
    """
    groups: dict[str, Any] = {}
    for option in options():
        if names is None:
            group = groups.setdefault(option.group, None) or parser.add_argument_group(option.group)
            groups[option.group] = group
            _add(group, option)
        elif option.name in names:
            _add(parser, option)


def add_network(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose a network and what runs it."""
    add_options(parser, ("model", "provider", "threads"))


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def add_pid(parser: argparse.ArgumentParser) -> None:
    """Add ``--pid``, whose value ``process_number`` parses."""
    parser.add_argument("--pid", metavar="N", help="process number, if several instances are running")


def process_number(text: str | None) -> int | None:
    """The value of ``--pid``. Raises SpecError."""
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise SpecError(f"--pid: {text!r} is not a process number", hint="rtmatte ctl status prints it")
    return int(text[:20])


def from_arguments(arguments: Mapping[str, object]) -> dict[str, object]:
    """The typed values of the options that were given (those that are not None), by field name.

    Raises:
        SpecError: The message names the option as on the command line.
    """
    return parse_values({name: value for name, value in arguments.items() if value is not None}, prefix="--")


def _add(target: argparse._ActionsContainer, option: Option) -> None:
    """Values stay text here: ``from_arguments`` parses them, after those of the file."""
    about = f"{option.help} (default: {option.default_text})" if option.default_text else option.help
    if option.kind == "switch":
        target.add_argument(option.flag, action=argparse.BooleanOptionalAction, help=about)
    else:
        action = "append" if option.kind == "list" else "store"
        target.add_argument(option.flag, metavar=option.metavar, action=action, help=about)
