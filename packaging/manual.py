"""The man page and the shell completions, made from the parsers: `python packaging/manual.py FOLDER`.

Writes rtmatte.1, and rtmatte.bash, _rtmatte (zsh) and rtmatte.fish.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Final, cast

from realtime_matte import __version__
from realtime_matte.cli.ctl import COMMANDS as CTL
from realtime_matte.cli.main import COMMANDS
from realtime_matte.cli.signals import Signals
from realtime_matte.config.arguments import Parser
from realtime_matte.config.config import options

CHOICES: Final = {option.flag: option.choices for option in options() if option.choices}
"""The values of options of which all are known."""


class _Captured(Exception):
    """Carries the parser of a command out of it."""


def parser_of(command: str) -> argparse.ArgumentParser:
    """The parser that ``rtmatte command`` uses."""

    def capture(parser: Parser, *_: object) -> object:
        raise _Captured(parser)

    original, Parser.print_help = Parser.print_help, capture  # type: ignore[method-assign,assignment]
    try:
        import_module(f"realtime_matte.cli.{command.replace('-', '_')}").main(
            ["--help"], prog=f"rtmatte {command}", signals=Signals()
        )
    except _Captured as captured:
        return cast("argparse.ArgumentParser", captured.args[0])
    finally:
        Parser.print_help = original  # type: ignore[method-assign]
    raise AssertionError(command)


def flags(parser: argparse.ArgumentParser) -> Iterator[tuple[argparse.Action, str]]:
    """Each option with a long name, and that name."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no public list
        for name in action.option_strings:
            if name.startswith("--"):
                yield action, name


def man_page(parsers: dict[str, argparse.ArgumentParser]) -> str:
    """The page rtmatte(1)."""
    lines = [
        f'.TH RTMATTE 1 "" "rtmatte {__version__}" "User Commands"',
        ".SH NAME",
        "rtmatte \\- replace the background of a webcam, live",
        ".SH SYNOPSIS",
        ".B rtmatte",
        "[\\fICOMMAND\\fR] [\\fIOPTIONS\\fR]",
        ".SH DESCRIPTION",
        "Reads a webcam, separates the person from the background with a neural network of its own, puts a new",
        "background behind, and sends the result to a virtual camera that any video call can use. Nothing leaves the",
        "machine.",
        ".SH COMMANDS",
    ]
    for name, about in COMMANDS.items():
        lines += [".TP", f".B {roff(name)}", roff(about)]
    for name, parser in parsers.items():
        lines += [f".SH RTMATTE {roff(name.upper())}", *paragraphs(parser.description)]
        for action in dict(flags(parser)):
            lines += option_lines(action)
        lines += [".PP", *paragraphs(parser.epilog)] if parser.epilog else []
    lines += [".SH EXIT STATUS", *EXIT_STATUS, ".SH FILES", *FILES]
    return "\n".join(line for line in lines if line) + "\n"


def paragraphs(text: str | None) -> list[str]:
    """A text whose lines stay as they are."""
    return [".nf", *(roff(line) or ".sp" for line in (text or "").strip().splitlines()), ".fi"]


EXIT_STATUS: Final = (
    ".TP\n.B 0\nsuccess",
    ".TP\n.B 1\n\\fBdoctor\\fR: a call would not work; \\fBmodels\\fR: a network file was changed",
    ".TP\n.B 2\nan error, printed in one line",
    ".TP\n.B 130\nstopped before anything ran, or stopped twice",
)
FILES: Final = (
    ".TP\n.I ~/.config/rtmatte/rtmatte.toml\noptions, as on the command line without the hyphens",
    ".TP\n.I ~/.config/rtmatte/presets/\npresets of the control panel",
    ".TP\n.I ~/.local/share/rtmatte/\nbackgrounds that were added in the control panel",
    ".TP\n.I ~/.cache/rtmatte/, ~/.cache/realtime-matte/, ~/.local/state/rtmatte/\ncaches, and traces of crashes",
)


def option_lines(action: argparse.Action) -> list[str]:
    """An option of the man page."""
    value = f" \\fI{roff(str(action.metavar))}\\fR" if action.metavar else ""
    names = ", ".join(f"\\fB{roff(name)}\\fR" for name in action.option_strings)
    return [".TP", f"{names}{value}", roff(help_text(action))]


def help_text(action: argparse.Action) -> str:
    """The help of an option in one line."""
    return " ".join((action.help or "").replace("%%", "%").split())


def roff(text: str) -> str:
    """Text with what roff would read as a command escaped."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", escaped)


def bash(parsers: dict[str, argparse.ArgumentParser]) -> str:
    """Completion for bash."""
    lines = [
        "# Completion of rtmatte for bash; made by packaging/manual.py.",
        "_rtmatte() {",
        "    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}",
        '    local command=${COMP_WORDS[1]} words=""',
        '    case "$previous" in',
    ]
    lines += [
        f'        {flag}) COMPREPLY=($(compgen -W "{" ".join(values)}" -- "$word")); return ;;'
        for flag, values in CHOICES.items()
    ]
    lines += [
        "    esac",
        "    if ((COMP_CWORD == 1)) && [[ $word != -* ]]; then",
        f'        COMPREPLY=($(compgen -W "{" ".join(COMMANDS)}" -- "$word"))',
        "        return",
        "    fi",
        '    case "$command" in',
    ]
    for name, parser in parsers.items():
        pattern = "run | -*" if name == "run" else name
        names = " ".join(dict.fromkeys(flag for _, flag in flags(parser)))
        lines.append(f'        {pattern}) words="{names}" ;;')
    lines += [
        "    esac",
        f'    if [[ $command == ctl ]] && ((COMP_CWORD == 2)) && [[ $word != -* ]]; then words="{" ".join(CTL)}"; fi',
        "    if [[ $word == -* || -n $words && $command == ctl && COMP_CWORD -eq 2 ]]; then",
        '        COMPREPLY=($(compgen -W "$words" -- "$word"))',
        "    fi",
        "}",
        "complete -o default -F _rtmatte rtmatte",
    ]
    return "\n".join(lines) + "\n"


def zsh(parsers: dict[str, argparse.ArgumentParser]) -> str:
    """Completion for zsh."""
    lines = [
        "#compdef rtmatte",
        "# Completion of rtmatte for zsh; made by packaging/manual.py.",
        "_rtmatte() {",
        "    local -a commands",
        "    commands=(",
    ]
    lines += [f"        {quoted(f'{name}:{about}')}" for name, about in COMMANDS.items()]
    lines += [
        "    )",
        "    if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then",
        "        _describe command commands",
        "        return",
        "    fi",
        '    case "$words[2]" in',
    ]
    for name, parser in parsers.items():
        lines.append(f"        {'run | -*' if name == 'run' else name})")
        lines.append("            _arguments \\")
        lines += [f"                {zsh_option(action, flag)} \\" for action, flag in flags(parser)]
        lines += [f"                '2:command:({' '.join(CTL)})' \\"] if name == "ctl" else []
        lines += ["                '*:file:_files'", "            ;;"]
    lines += ["    esac", "}", '_rtmatte "$@"']
    return "\n".join(lines) + "\n"


def zsh_option(action: argparse.Action, flag: str) -> str:
    """An option of _arguments."""
    about = re.sub(r"([\[\]:])", r"\\\1", help_text(action))
    if not action.metavar:
        return quoted(f"{flag}[{about}]")
    values = f"({' '.join(CHOICES[flag])})" if flag in CHOICES else "_files"
    return quoted(f"*{flag}[{about}]:{str(action.metavar).lower()}:{values}")


def fish(parsers: dict[str, argparse.ArgumentParser]) -> str:
    """Completion for fish."""
    lines = ["# Completion of rtmatte for fish; made by packaging/manual.py."]
    names = " ".join(COMMANDS)
    lines += [
        f"complete -c rtmatte -f -n 'not __fish_seen_subcommand_from {names}' -a {name} -d {fish_quoted(about)}"
        for name, about in COMMANDS.items()
    ]
    lines.append(f"complete -c rtmatte -f -n '__fish_seen_subcommand_from ctl' -a {fish_quoted(' '.join(CTL))}")
    for name, parser in parsers.items():
        seen = f"__fish_seen_subcommand_from {name}"
        if name == "run":
            seen += f"; or not __fish_seen_subcommand_from {names}"
        for action, flag in flags(parser):
            value = (
                f" -x -a {fish_quoted(' '.join(CHOICES[flag]))}" if flag in CHOICES else " -r" if action.metavar else ""
            )
            about = fish_quoted(help_text(action))
            lines.append(f"complete -c rtmatte -n '{seen}' -l {flag.removeprefix('--')}{value} -d {about}")
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """A word for sh and zsh."""
    return "'" + text.replace("'", "'\\''") + "'"


def fish_quoted(text: str) -> str:
    """A word for fish."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def main() -> int:
    """Write the four files."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    parsers = {name: parser_of(name) for name in COMMANDS}
    written = {"rtmatte.1": man_page, "rtmatte.bash": bash, "_rtmatte": zsh, "rtmatte.fish": fish}
    for name, make in written.items():
        (folder / name).write_text(make(parsers), "utf-8")
        print(f"wrote {folder / name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
