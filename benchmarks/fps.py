"""What the whole line costs from 480p to 4K: fps, processor time, stages, age, memory, start-up.

    python benchmarks/fps.py --json now.json --plot cost.png --compare before.json

Measures what ``rtmatte bench`` measures, by the same code, with more sizes, sources and figures.
"""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from realtime_matte.benchmark import report as bench
from realtime_matte.benchmark.report import Plan, Result
from realtime_matte.cli.bench import LEGEND, heading
from realtime_matte.cli.bench import table as costs
from realtime_matte.cli.console import columns
from realtime_matte.config.arguments import from_arguments
from realtime_matte.errors import BadFile, MatteError
from realtime_matte.stats import STAGES

SIZES = ["854x480", "1280x720", "1920x1080", "3840x2160"]
MEMORY = "memory"
"""The camera that costs nothing: pictures in memory, as fast as they are taken."""

CAMERAS = [MEMORY, "demo"]
NOTICEABLE = 0.03
"""A change of less is not shown as one: runs on a quiet machine differ by as much."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 2 when the user asked for something that is not there."""
    options = _parser().parse_args(arguments)
    try:
        before = _read(options.compare) if options.compare else None
        record = bench.record([_measured(plan) for plan in _plans(options)])
        print("\n".join(report(record, before)))
        if options.json:
            options.json.write_text(json.dumps(record, indent=1))
        if options.plot:
            from plot import write  # noqa: PLC0415 - only those who look need matplotlib

            write(options.plot, results(record))
    except (MatteError, OSError, ImportError) as error:
        print(f"fps: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser(description="Measure the whole line, from memory and from live sources, to nowhere.")
    parser.add_argument("--size", action="append", metavar="WxH", help=f"again for more ({', '.join(SIZES)})")
    parser.add_argument(
        "--camera", action="append", metavar="SPEC", help=f"live, or {MEMORY}; again for more ({', '.join(CAMERAS)})"
    )
    parser.add_argument("--seconds", metavar="N", help="of all rounds of one size together (6)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="figures are their medians (%(default)s)")
    parser.add_argument("--bg", metavar="SPEC", help="background (studio)")
    parser.add_argument("--model", metavar="NAME", help="network (small)")
    parser.add_argument("--provider", metavar="NAME", help="run the network on this alone")
    parser.add_argument("--threads", metavar="N", help="threads of the network on the CPU (1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write a PNG: cost against resolution")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="JSON of an earlier run: what changed since")
    return parser


def _plans(options: Namespace) -> list[Plan]:
    names = ("seconds", "bg", "model", "provider", "threads")
    common = from_arguments({name: getattr(options, name) for name in names})
    return [
        Plan(**common | from_arguments({"size": size, "camera": _spec(camera)}), rounds=options.rounds)  # type: ignore[arg-type]  # checked
        for camera in options.camera or CAMERAS
        for size in options.size or SIZES
    ]


def _spec(camera: str) -> str | None:
    return None if camera == MEMORY else camera


def _measured(plan: Plan) -> Result:
    where = f"{plan.size[0]}x{plan.size[1]} from {plan.camera or MEMORY}"
    print(f"measuring {where} for {plan.seconds:g} s ...", file=sys.stderr, flush=True)
    return bench.run(plan)


def results(record: dict[str, Any]) -> list[Result]:
    """The results of a record."""
    return [bench.result(one) for one in record["results"]]


def report(record: dict[str, Any], before: dict[str, Any] | None) -> list[str]:
    """Everything, in lines to print."""
    lines = heading(record)
    ours = results(record)
    for camera in dict.fromkeys(one.camera for one in ours):
        these = [one for one in ours if one.camera == camera]
        lines += ["", f"From {camera or MEMORY}:", "", costs(these), "", stages(these)]
    lines += ["", LEGEND, *growth(ours)]
    return lines + (["", *changes(before, record)] if before else [])


def stages(measured: Sequence[Result]) -> str:
    """Each stage's p50/p95/p99, and how the source did."""
    rows = [("SIZE", "MODE", "DROPPED", "CORES", *(f"{stage} ms" for stage in STAGES))]
    for one in measured:
        spreads = ("/".join(f"{ms:.2f}" for ms in one.stages_ms[stage]) for stage in STAGES)
        rows.append((_size(one), one.mode, f"{one.dropped}", f"{one.cores:.2f}", *spreads))
    return columns(rows)


def growth(measured: Sequence[Result]) -> list[str]:
    """How the cost grows with the pixels, from the smallest size to the largest."""
    held = sorted((one for one in measured if one.camera is None), key=_pixels)
    if len(held) < 2:  # noqa: PLR2004 - one size does not grow
        return []
    first, last = held[0], held[-1]
    cost, pixels = last.cpu_ms / first.cpu_ms, _pixels(last) / _pixels(first)
    return ["", f"From {_size(first)} to {_size(last)}: {pixels:.1f} times the pixels, {cost:.1f} times the cost."]


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What changed since an earlier record, where both measured the same source at the same size."""
    old = {(one.camera, one.size): one for one in results(before)}
    rows = [("SOURCE", "SIZE", "FPS", "CPU ms", "p95 ms", "FIRST s", "PEAK MB")]
    for now in results(after):
        if then := old.get((now.camera, now.size)):
            pairs = zip(_compared(then), _compared(now), strict=True)
            rows.append((now.camera or MEMORY, _size(now), *(_change(*pair) for pair in pairs)))
    since = f"Since {before['date']} (rtmatte {before['version']}, {results(before)[0].model})"
    if before["machine"] != after["machine"]:
        since += f", on another machine: {before['machine']}"
    return [since, "", columns(rows) if len(rows) > 1 else "Nothing that was measured then was measured now."]


def _compared(one: Result) -> tuple[float, ...]:
    return one.fps, one.cpu_ms, one.work_ms[1], one.first_picture_s, one.peak_rss_mb or 0.0


def _change(then: float, now: float) -> str:
    figures = f"{then:.1f} -> {now:.1f}"
    part = now / then - 1 if then else 0.0
    return f"{figures} ({part:+.0%})" if abs(part) >= NOTICEABLE else figures


def _read(file: Path) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(file.read_text())
        results(record)
    except (ValueError, KeyError, TypeError) as error:
        raise BadFile(f"{file} is no record of this benchmark ({error}); give what --json wrote") from error
    return record


def _pixels(one: Result) -> int:
    return one.size[0] * one.size[1]


def _size(one: Result) -> str:
    return f"{one.size[0]}x{one.size[1]}"


if __name__ == "__main__":
    sys.exit(main())
