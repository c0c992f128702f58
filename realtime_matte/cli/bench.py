"""``rtmatte bench``: what the whole line costs on this machine."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from realtime_matte.cli.table import columns
from realtime_matte.config.arguments import Parser, add_json, add_network

if TYPE_CHECKING:
    from realtime_matte.benchmark.report import Percentiles, Result

SIZES = ["640x360", "1280x720", "1920x1080"]
HEADS = ("SIZE", "FPS", "CPU ms", "MATTE ms", "REST ms", "p95 ms", "AGE ms", "FIRST s", "PEAK MB")
LEGEND = """\
CPU: processor time a picture, all threads. MATTE: the network. REST: everything else. p95: of both. AGE: from when a
frame was taken until its picture was handed over, p50/p95/p99. FIRST: from the start of the process to the first matted
picture. Pictures are read from memory, as fast as they are taken, unless --camera names a source."""


def main(words: Sequence[str], *, prog: str) -> int:
    """Measure each size in a process of its own, and print a table."""
    options = vars(_parser(prog).parse_args(words))
    as_json, sizes = options.pop("json"), options.pop("size") or SIZES
    from realtime_matte.benchmark import report as bench
    from realtime_matte.config.arguments import from_arguments

    plans = [bench.Plan(**from_arguments(options | {"size": size})) for size in sizes]  # type: ignore[arg-type]  # checked
    results: list[Result] = []
    for plan in plans:
        print(f"measuring {_size(plan.size)} for {plan.seconds:g} s ...", file=sys.stderr, flush=True)
        results.append(bench.run(plan))
    record = bench.record(results)
    print(json.dumps(record, indent=2) if as_json else "\n".join([*heading(record), "", table(results), "", LEGEND]))
    return 0


def heading(record: Mapping[str, Any]) -> list[str]:
    """What was measured, on what, and what is to be known of it."""
    machine, results = record["machine"], record["results"]
    where = f"rtmatte {record['version']}, {results[0]['model']}, on {machine['cpu']}, {machine['cores']} cores, "
    where += f"{machine['system']}, Python {machine['python']}, ONNX Runtime {machine['onnxruntime']}"
    return [where, *dict.fromkeys(note for one in results for note in one["notices"])]


def table(results: Sequence["Result"]) -> str:
    """A row for each."""
    return columns([HEADS, *map(_row, results)])


def _parser(prog: str) -> Parser:
    parser = Parser(prog, "Measure the whole line on this machine, pictures in memory to nowhere.", epilog=LEGEND)
    parser.add_argument(
        "--size", metavar="WxH", action="append", help=f"may be given several times ({', '.join(SIZES)})"
    )
    parser.add_argument("--seconds", metavar="N", help="how long to measure each size (6)")
    parser.add_argument("--camera", metavar="SPEC", help="a live source, such as demo, 0 or clip.mp4?loop (memory)")
    parser.add_argument("--bg", metavar="SPEC", help="background (studio)")
    add_network(parser)
    add_json(parser)
    return parser


def _row(result: "Result") -> tuple[str, ...]:
    figures = result.fps, result.cpu_ms, result.stages_ms["matte"][0], result.overhead_ms, result.work_ms[1]
    peak = f"{result.peak_rss_mb:.0f}" if result.peak_rss_mb else "?"
    return (
        _size(result.size),
        *(f"{figure:.1f}" for figure in figures),
        _age(result.age_ms),
        f"{result.first_picture_s:.2f}",
        peak,
    )


def _age(age: "Percentiles | None") -> str:
    return "/".join(f"{ms:.1f}" for ms in age) if age else "-"


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
