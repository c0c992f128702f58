"""The cost of the whole pipeline from 480p to 4K: fps, processor time, stages, age, memory, start-up.

    python benchmarks/fps.py --json now.json --plot cost.png --compare before.json

Measures the same as ``rtmatte bench``, with the same code, at more sizes and with more sources and figures.
"""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import camera_bytes
import effects_cost

from realtime_matte.benchmark import machine
from realtime_matte.benchmark import report as bench
from realtime_matte.benchmark.report import Plan, Result
from realtime_matte.cli.bench import LEGEND, heading, table
from realtime_matte.cli.console import columns
from realtime_matte.config import parsers
from realtime_matte.config.arguments import from_arguments
from realtime_matte.errors import BadFile, MatteError
from realtime_matte.stats import STAGES

SIZES: Final = ("854x480", "1280x720", "1920x1080", "3840x2160")
MEMORY: Final = "memory"
"""The camera that costs nothing: frames in memory, read without waiting."""

CAMERAS: Final = (MEMORY, "demo")
MJPEG: Final = "mjpeg"
"""The camera of ``camera_bytes.py``: JPEG images in memory, to a virtual camera's bytes, beside others."""

ROUNDS_OF_EFFECTS: Final = 10
"""Pairs of turns for each of ``--rounds``: a turn is short."""

NOTICEABLE: Final = 0.03
"""A smaller change is not shown as a percentage: runs on an idle machine differ by as much."""

FRAME_MS: Final = 1000 / 30
CURVES: Final = (
    ("whole pipeline, processor time", "#1f4e79", "o"),
    ("network", "#c0504d", "s"),
    ("everything else", "#7f7f7f", "^"),
)
"""Label, colour and marker."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Returns 2 if something that was asked for does not exist."""
    options = _parser().parse_args(arguments)
    try:
        if options.camera == [MJPEG]:
            return _measure_camera_bytes(options)
        if options.effects:
            sizes = [size for text in options.size or () if (size := parsers.size(text))] or effects_cost.SIZES
            print(effects_cost.report(sizes, rounds=options.rounds * ROUNDS_OF_EFFECTS))
            return 0
        before = _read(options.compare) if options.compare else None
        record = bench.record([_measure(plan) for plan in _plans(options)])
        print("\n".join(report(record, before)))
        if options.json:
            options.json.write_text(json.dumps(record, indent=1))
        if options.plot:
            plot(options.plot, results(record))
    except (MatteError, OSError, ImportError, RuntimeError) as error:
        print(f"fps: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser(description="Measure the whole pipeline, from memory and from live sources, to no output.")
    parser.add_argument("--size", action="append", metavar="WxH", help=f"may be repeated ({', '.join(SIZES)})")
    parser.add_argument(
        "--camera",
        action="append",
        metavar="SPEC",
        help=f"live, or {MEMORY}; may be repeated ({', '.join(CAMERAS)})"
        f"; {MJPEG}, alone: from a camera's bytes to a virtual camera's, beside others",
    )
    parser.add_argument("--peers", type=Path, metavar="FOLDER", help=f"for {MJPEG}: RVM and MediaPipe's segmenter")
    parser.add_argument("--python", default=sys.executable, metavar="FILE", help=f"for {MJPEG}: one with mediapipe")
    parser.add_argument("--seconds", metavar="N", help="of all rounds of one size together (6)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="figures are their medians (%(default)s)")
    parser.add_argument("--bg", metavar="SPEC", help="background (studio)")
    parser.add_argument("--model", metavar="NAME", help=f"network (auto); for {MJPEG}: one more beside ours")
    parser.add_argument("--provider", metavar="NAME", help="run the network only on this provider")
    parser.add_argument("--threads", metavar="N", help="threads of the network on the CPU (1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write a PNG: cost against resolution")
    parser.add_argument("--effects", action="store_true", help="measure each effect instead, at 720p and 1080p")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="JSON of an earlier run: what changed since")
    return parser


def _measure_camera_bytes(options: Namespace) -> int:
    found = camera_bytes.measure(options)
    on = machine.describe()
    print("\n".join([f"On {on['cpu']}, {on['cores']} cores, {on['system']}", "", *camera_bytes.report(found)]))
    if options.json:
        options.json.write_text(json.dumps({"machine": on, "sizes": found}, indent=1))
    return 0


def _plans(options: Namespace) -> list[Plan]:
    names = ("seconds", "bg", "model", "provider", "threads")
    common = from_arguments({name: getattr(options, name) for name in names})
    return [
        Plan(**common | from_arguments({"size": size, "camera": _spec(camera)}), rounds=options.rounds)  # type: ignore[arg-type]  # parsed
        for camera in options.camera or CAMERAS
        for size in options.size or SIZES
    ]


def _spec(camera: str) -> str | None:
    return None if camera == MEMORY else camera


def _measure(plan: Plan) -> Result:
    source = f"{plan.size[0]}x{plan.size[1]} from {plan.camera or MEMORY}"
    print(f"measuring {source} for {plan.seconds:g} s ...", file=sys.stderr, flush=True)
    return bench.run(plan)


def results(record: dict[str, Any]) -> list[Result]:
    """The results of a record."""
    return [bench.result(one) for one in record["results"]]


def report(record: dict[str, Any], before: dict[str, Any] | None) -> list[str]:
    """Every figure, in lines to print."""
    lines = heading(record)
    measured = results(record)
    for camera in dict.fromkeys(one.camera for one in measured):
        of_camera = [one for one in measured if one.camera == camera]
        lines += ["", f"From {camera or MEMORY}:", "", table(of_camera), "", stages(of_camera)]
    lines += ["", LEGEND, *growth(measured)]
    return lines + (["", *changes(before, record)] if before else [])


def stages(measured: Sequence[Result]) -> str:
    """A table of each stage's p50/p95/p99, and of the source."""
    rows = [("SIZE", "MODE", "DROPPED", "CORES", *(f"{stage} ms" for stage in STAGES))]
    for one in measured:
        percentiles = ("/".join(f"{ms:.2f}" for ms in one.stages_ms[stage]) for stage in STAGES)
        rows.append((_size(one), one.mode, f"{one.dropped}", f"{one.cores:.2f}", *percentiles))
    return columns(rows)


def growth(measured: Sequence[Result]) -> list[str]:
    """How the cost grows with the pixels, from the smallest size in memory to the largest."""
    from_memory = sorted((one for one in measured if one.camera is None), key=_pixels)
    if len(from_memory) < 2:  # noqa: PLR2004 - one size does not grow
        return []
    first, last = from_memory[0], from_memory[-1]
    cost, pixels = last.cpu_ms / first.cpu_ms, _pixels(last) / _pixels(first)
    return ["", f"From {_size(first)} to {_size(last)}: {pixels:.1f} times the pixels, {cost:.1f} times the cost."]


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What changed since an earlier record, for each source and size that both have."""
    old = {(one.camera, one.size): one for one in results(before)}
    rows: list[tuple[str, ...]] = [("SOURCE", "SIZE", "FPS", "CPU ms", "p95 ms", "FIRST s", "PEAK MB")]
    for new in results(after):
        if then := old.get((new.camera, new.size)):
            pairs = zip(_compared(then), _compared(new), strict=True)
            rows.append((new.camera or MEMORY, _size(new), *(_change(*pair) for pair in pairs)))
    since = f"Since {before['date']} (rtmatte {before['version']}, {results(before)[0].model})"
    if before["machine"] != after["machine"]:
        since += f", on another machine: {before['machine']}"
    return [since, "", columns(rows) if len(rows) > 1 else "No source and size was measured both times."]


def _compared(one: Result) -> tuple[float, ...]:
    return one.fps, one.cpu_ms, one.work_ms[1], one.first_composite_s, one.peak_rss_mb or 0.0


def _change(then: float, now: float) -> str:
    figures = f"{then:.1f} -> {now:.1f}"
    change = now / then - 1 if then else 0.0
    return f"{figures} ({change:+.0%})" if abs(change) >= NOTICEABLE else figures


def _read(file: Path) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(file.read_text())
        results(record)
    except (ValueError, KeyError, TypeError) as error:
        raise BadFile(f"{file} is no record of this benchmark ({error})", hint="give what --json wrote") from error
    return record


def plot(file: Path, measured: Sequence[Result]) -> None:
    """Write a PNG: milliseconds per frame over megapixels, both logarithmic, of the results from memory."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - needed only for --plot

    from_memory = sorted((one for one in measured if one.camera is None), key=_pixels)
    megapixels = [_pixels(one) / 1e6 for one in from_memory]
    costs = (
        [one.cpu_ms for one in from_memory],
        [one.stages_ms["matte"][0] for one in from_memory],
        [one.overhead_ms for one in from_memory],
    )
    figure = Figure(figsize=(7.0, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for (label, color, marker), cost in zip(CURVES, costs, strict=True):
        axes.loglog(megapixels, cost, marker=marker, color=color, label=label)
    proportional = [costs[0][0] * size / megapixels[0] for size in megapixels]
    axes.loglog(megapixels, proportional, linestyle="--", color="#b0b0b0", label="proportional to the pixels")
    axes.axhline(FRAME_MS, linestyle=":", color="#606060", linewidth=1)
    axes.annotate("30 fps", (megapixels[0], FRAME_MS), xytext=(0, 3), textcoords="offset points", color="#606060")
    axes.set_xticks(megapixels, [_size(one) for one in from_memory])
    axes.minorticks_off()
    axes.set_yticks(ticks := [0.5, 1, 2, 5, 10, 20, 50, 100], [f"{tick:g}" for tick in ticks])
    axes.set_ylim(0.8 * min(map(min, costs)), 1.3 * max(FRAME_MS, *proportional))
    axes.set_ylabel("milliseconds per frame (median)")
    axes.set_title(f"Cost against resolution: {from_memory[0].model}")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    figure.savefig(file, dpi=120)


def _pixels(one: Result) -> int:
    return one.size[0] * one.size[1]


def _size(one: Result) -> str:
    return f"{one.size[0]}x{one.size[1]}"


if __name__ == "__main__":
    sys.exit(main())
