"""``rtmatte doctor``: every part opened for real, and judged."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from realtime_matte.cli import missing
from realtime_matte.cli.findings import Finding, told
from realtime_matte.cli.parser import Parser


def main(words: Sequence[str], *, prog: str) -> int:
    """Try everything a call needs. 0: a call would work; 1: it would not."""
    options = vars(_parser(prog).parse_args(words))
    as_json, config = options.pop("json"), options.pop("config")
    findings: list[Finding] = []
    for finding in _examined(options, config=config):
        findings.append(finding)
        if not as_json:
            print(told(finding), flush=True)
    works = all(finding.state != "bad" for finding in findings)
    if as_json:
        print(json.dumps({"works": works, "findings": [asdict(finding) for finding in findings]}, indent=2))
    else:
        print("a call would work" if works else "a call would not work yet: see BAD above")
    return 0 if works else 1


def _examined(options: Mapping[str, object], *, config: str | None) -> Iterator[Finding]:
    """What was installed, and then the parts, if what they need could be loaded."""
    from realtime_matte.cli.installation import installation

    yield from installation()
    try:
        from realtime_matte.cli.checks import examine
    except ImportError as error:
        missing(error)  # it was found just now; a bug of ours is raised again
    else:
        yield from examine(options, config=config)


def _parser(prog: str) -> Parser:
    parser = Parser(prog, "Try every part for real: Python, packages, camera, network, virtual camera.")
    parser.add_argument("--camera", metavar="SPEC", help="the camera to try (0)")
    parser.add_argument("--output", metavar="SPEC", action="append", help="the virtual camera to try (virtualcam)")
    parser.add_argument("--model", metavar="NAME", help="the network to try (small)")
    parser.add_argument("--provider", metavar="NAME", help="run the network on this alone")
    parser.add_argument("--threads", metavar="N", help="threads of the network on the CPU")
    parser.add_argument("--size", metavar="WxH", help="size to try it with")
    parser.add_argument("--fps", metavar="N", help="frames a second to try it with")
    parser.add_argument("--config", metavar="FILE", help="settings file")
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser
