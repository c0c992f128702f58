"""``rtmatte doctor``: every part opened for real, and judged; with ``--fix`` also mended, as far as that is certain."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from realtime_matte.cli import missing
from realtime_matte.config.arguments import Parser, add_json, add_network
from realtime_matte.doctor.finding import Finding, ill, record, told

FIX = """\
--fix lists the commands that need no guess, asks before it runs them, and looks again. Without a terminal, and with
--json, it never asks: it only lists them. The exit status is 0 when a call would work, 1 when not."""


def main(words: Sequence[str], *, prog: str) -> int:
    """Try everything a call needs. 0: a call would work; 1: it would not."""
    options = vars(_parser(prog).parse_args(words))
    as_json, fix, config = options.pop("json"), options.pop("fix"), options.pop("config")
    findings = _examine(options, config=config, quiet=as_json)
    if as_json:
        commands = {"fix": _plan(findings)} if fix else {}
        print(json.dumps({"works": works(findings), "findings": [*map(record, findings)]} | commands, indent=2))
        return int(not works(findings))
    if fix:
        from realtime_matte.doctor.fix import mend

        if mend(findings):
            print("\nlooking again:")
            findings = _examine(options, config=config, quiet=False)
    print("a call would work" if works(findings) else "a call would not work yet: see BAD above")
    return int(not works(findings))


def works(findings: Sequence[Finding]) -> bool:
    """Whether a call would."""
    return all(finding.state != "bad" for finding in findings)


def _examine(options: Mapping[str, object], *, config: str | None, quiet: bool) -> list[Finding]:
    """Each finding is told as soon as it is there."""
    findings = []
    for finding in _examined(options, config=config):
        findings.append(finding)
        if not quiet:
            print(told(finding), flush=True)
    return findings


def _examined(options: Mapping[str, object], *, config: str | None) -> Iterator[Finding]:
    """What was installed, the system, and then the parts, if what they need could be loaded."""
    from realtime_matte.doctor.host import Host
    from realtime_matte.doctor.installation import installation
    from realtime_matte.doctor.system import nvidia, system

    host = Host()
    yield from installation()
    yield from (around := [*system(host)])
    try:
        from realtime_matte.doctor.pipeline import examine

        yield from nvidia(host)
    except ImportError as error:
        yield ill("installation", missing(error))
    else:
        yield from (_short(finding, around) for finding in examine(options, config=config))


def _short(finding: Finding, around: Sequence[Finding]) -> Finding:
    """A virtual camera that is not there is mended where its kernel module is."""
    mended = any(other.part == "v4l2loopback" and other.state != "good" for other in around)
    if mended and finding.state == "bad" and finding.part.startswith("virtualcam"):
        return replace(finding, mend="see v4l2loopback above")
    return finding


def _plan(findings: Sequence[Finding]) -> list[str]:
    from realtime_matte.doctor.fix import commands

    return [command.text for command in commands(findings)]


def _parser(prog: str) -> Parser:
    about = "Try every part for real: Python, packages, system, camera, network, virtual camera."
    parser = Parser(prog, about, epilog=FIX)
    parser.add_argument("--fix", action="store_true", help="mend what needs no guess; asks before it runs anything")
    parser.add_argument("--camera", metavar="SPEC", help="the camera to try (the first one)")
    parser.add_argument("--output", metavar="SPEC", action="append", help="the virtual camera to try (virtualcam)")
    parser.add_argument("--size", metavar="WxH", help="size to try it with")
    parser.add_argument("--fps", metavar="N", help="frames a second to try it with")
    parser.add_argument("--config", metavar="FILE", help="settings file")
    add_network(parser)
    add_json(parser)
    return parser
