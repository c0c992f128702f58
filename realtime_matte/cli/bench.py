"""``rtmatte bench``: measures the whole pipeline on this machine and prints a table."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from realtime_matte.cli.signals import Signals
from realtime_matte.config.arguments import Parser, add_json, add_network
from realtime_matte.errors import printable

if TYPE_CHECKING:
    from realtime_matte.benchmark.report import Percentiles, Plan, Result

SIZES: Final = ("640x360", "1280x720", "1920x1080")
HEADINGS: Final = ("SIZE", "FPS", "CPU ms", "MATTE ms", "REST ms", "p95 ms", "AGE ms", "FIRST s", "PEAK MB")
LEGEND: Final = """\
CPU: processor time per output frame, all threads. MATTE: the network. REST: everything else. p95: of both. AGE: from
taking a frame until its composite was sent, p50/p95/p99. FIRST: from the start of the process to the first composite.
Frames are read from memory without waiting, unless --camera names a source."""


def main(words: Sequence[str], *, prog: str, signals: Signals) -> int:
    """Measure each size in its own process, and print a table or JSON."""
    arguments = vars(_parser(prog).parse_args(words))
    signals.raise_interrupts()
    as_json, sizes = arguments.pop("json"), arguments.pop("size") or SIZES
    from realtime_matte.benchmark import report
    from realtime_matte.config.arguments import from_arguments

    plans = [report.Plan(**from_arguments(arguments | {"size": size})) for size in sizes]  # type: ignore[arg-type]  # parsed
    _check(plans[0])
    results = _measure(plans)
    record = report.record(results)
    print(json.dumps(record, indent=2) if as_json else "\n".join([*heading(record), "", table(results), "", LEGEND]))
    return 0


def _check(plan: "Plan") -> None:
    """Open what a plan names, except the network: its kernels are compiled first where it is measured."""
    from realtime_matte.config.config import Config
    from realtime_matte.pipeline.backgrounds import BackgroundSwitcher
    from realtime_matte.pipeline.builder import source_opener
    from realtime_matte.pipeline.checks import check_config

    camera = plan.camera or "demo"
    check_config(Config(camera=camera, bg=plan.bg, output=("null",), model=plan.model, provider=plan.provider))
    BackgroundSwitcher(plan.bg, size=plan.size, fit="cover", notify=print).close()
    source_opener(camera, size=plan.size, fps=None)().close()


def _measure(plans: Sequence["Plan"]) -> "list[Result]":
    """Each plan in its own process."""
    import numba  # noqa: F401 - an environment that it refuses is an error here, and a traceback in the process measured

    from realtime_matte.benchmark import report

    results: list[Result] = []
    for plan in plans:
        print(f"measuring {_size(plan.size)} for {plan.seconds:g} s ...", file=sys.stderr, flush=True)
        results.append(report.run(plan))
    return results


def heading(record: Mapping[str, Any]) -> list[str]:
    """The version, the model and the machine, and every notice once."""
    machine, results = record["machine"], record["results"]
    line = f"rtmatte {record['version']}, {results[0]['model']}, on {machine['cpu']}, {machine['cores']} cores, "
    line += f"{machine['system']}, Python {machine['python']}, ONNX Runtime {machine['onnxruntime']}"
    return [printable(one) for one in (line, *dict.fromkeys(notice for one in results for notice in one["notices"]))]


def table(results: Sequence["Result"]) -> str:
    """The table, a row for each result."""
    from realtime_matte.cli.console import columns

    return columns([HEADINGS, *map(_row, results)])


def _parser(prog: str) -> Parser:
    parser = Parser(
        prog, "Measure the whole pipeline on this machine, from frames in memory to no output.", epilog=LEGEND
    )
    parser.add_argument("--size", metavar="WxH", action="append", help=f"may be repeated ({', '.join(SIZES)})")
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
        f"{result.first_composite_s:.2f}",
        peak,
    )


def _age(age: "Percentiles | None") -> str:
    return "/".join(f"{ms:.1f}" for ms in age) if age else "-"


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
