"""``rtmatte doctor``: opens every part of a call and reports what would not work; ``--fix`` runs the certain fixes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from realtime_matte.cli.signals import Signals
from realtime_matte.config.arguments import Parser, add_json, add_network
from realtime_matte.doctor.finding import Finding, error, record, to_text
from realtime_matte.errors import MatteError, missing_dependency

FIX = """\
--fix lists the commands that are certain to be right, asks before it runs them, and checks again. Without a terminal,
and with --json, it only lists them. The exit status is 0 if a call would work, 1 if not."""


def main(words: Sequence[str], *, prog: str, signals: Signals) -> int:
    """Run every check. Returns 0 if a call would work, 1 if not."""
    arguments = vars(_parser(prog).parse_args(words))
    signals.raise_interrupts()
    as_json, fix, config_file = arguments.pop("json"), arguments.pop("fix"), arguments.pop("config")
    findings = _examine(arguments, config_file=config_file, quiet=as_json)
    if as_json:
        commands = {"fix": _commands(findings)} if fix else {}
        print(json.dumps({"works": works(findings), "findings": [*map(record, findings)]} | commands, indent=2))
        return int(not works(findings))
    if fix:
        from realtime_matte.doctor.fix import apply

        if apply(findings):
            print("\nchecking again:")
            findings = _examine(arguments, config_file=config_file, quiet=False)
    print("a call would work" if works(findings) else "a call would not work yet: see ERROR above")
    return int(not works(findings))


def works(findings: Sequence[Finding]) -> bool:
    """Whether a call would work."""
    return all(finding.state != "error" for finding in findings)


def _examine(arguments: Mapping[str, object], *, config_file: str | None, quiet: bool) -> list[Finding]:
    """All findings; each is printed as soon as it is known, unless ``quiet``."""
    findings = []
    for finding in _checks(arguments, config_file=config_file):
        findings.append(finding)
        if not quiet:
            print(to_text(finding), flush=True)
    return findings


def _checks(arguments: Mapping[str, object], *, config_file: str | None) -> Iterator[Finding]:
    """The installation, the system, and the pipeline if the packages it needs can be imported."""
    from realtime_matte.doctor.cuda import nvidia
    from realtime_matte.doctor.host import Host
    from realtime_matte.doctor.installation import installation
    from realtime_matte.doctor.system import system

    host = Host()
    yield from installation()
    yield from (on_system := [*system(host, outputs=_outputs(arguments, config_file))])
    try:
        from realtime_matte.doctor.pipeline import examine

        yield from nvidia(host)
    except Exception as cause:  # noqa: BLE001 - missing_dependency raises a bug again
        yield error("installation", missing_dependency(cause))
    else:
        yield from (_refer(finding, on_system) for finding in examine(arguments, config_file=config_file))


def _outputs(arguments: Mapping[str, object], config_file: str | None) -> Sequence[str]:
    """The outputs of a run; none if its options are refused, which a later check reports."""
    from realtime_matte.config.toml_file import resolve

    try:
        return resolve(arguments, config=config_file).output
    except MatteError:
        return ()


def _refer(finding: Finding, on_system: Sequence[Finding]) -> Finding:
    """The finding; if the kernel module is the cause of a missing virtual camera, its hint refers to that finding."""
    module = any(other.part == "v4l2loopback" and other.state != "ok" for other in on_system)
    if module and finding.state == "error" and finding.part.startswith("virtualcam"):
        return replace(finding, hint="see v4l2loopback above")
    return finding


def _commands(findings: Sequence[Finding]) -> list[str]:
    from realtime_matte.doctor.fix import commands

    return [command.text for command in commands(findings)]


def _parser(prog: str) -> Parser:
    about = "Check every part of a call: Python, packages, system, camera, network, virtual camera."
    parser = Parser(prog, about, epilog=FIX)
    parser.add_argument("--fix", action="store_true", help="run the fixes that are certain, after asking")
    parser.add_argument("--camera", metavar="SPEC", help="the camera to check (the first one)")
    parser.add_argument("--output", metavar="SPEC", action="append", help="the virtual camera to check (virtualcam)")
    parser.add_argument("--size", metavar="WxH", help="size to check it with")
    parser.add_argument("--fps", metavar="N", help="frames per second to check it with")
    parser.add_argument("--config", metavar="FILE", help="configuration file")
    add_network(parser)
    add_json(parser)
    return parser
