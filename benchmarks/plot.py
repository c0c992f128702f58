"""Cost against resolution, as a picture."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from realtime_matte.benchmark.report import Result

LINES = (
    ("whole line, processor time", "#1f4e79", "o"),
    ("network", "#c0504d", "s"),
    ("everything else", "#7f7f7f", "^"),
)
INCHES = 7.0, 4.5
FRAME_MS = 1000 / 30


def write(file: Path, results: Sequence[Result]) -> None:
    """Milliseconds a picture over megapixels, both logarithmic, of what was measured from memory."""
    held = sorted((one for one in results if one.camera is None), key=_megapixels)
    sizes = [_megapixels(one) for one in held]
    costs = (
        [one.cpu_ms for one in held],
        [one.stages_ms["matte"][0] for one in held],
        [one.overhead_ms for one in held],
    )
    figure = Figure(figsize=INCHES, layout="constrained")
    axes = figure.add_subplot()
    for (label, color, marker), cost in zip(LINES, costs, strict=True):
        axes.loglog(sizes, cost, marker=marker, color=color, label=label)
    as_pixels = [costs[0][0] * size / sizes[0] for size in sizes]
    axes.loglog(sizes, as_pixels, linestyle="--", color="#b0b0b0", label="growing as the pixels")
    axes.axhline(FRAME_MS, linestyle=":", color="#606060", linewidth=1)
    axes.annotate("30 fps", (sizes[0], FRAME_MS), xytext=(0, 3), textcoords="offset points", color="#606060")
    axes.set_xticks(sizes, [f"{one.size[0]}x{one.size[1]}" for one in held])
    axes.minorticks_off()
    axes.set_yticks(ticks := [0.5, 1, 2, 5, 10, 20, 50, 100], [f"{tick:g}" for tick in ticks])
    axes.set_ylim(0.8 * min(map(min, costs)), 1.3 * max(FRAME_MS, *as_pixels))
    axes.set_ylabel("milliseconds a picture (median)")
    axes.set_title(f"Cost against resolution: {held[0].model}")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    figure.savefig(file, dpi=120)


def _megapixels(one: Result) -> float:
    return one.size[0] * one.size[1] / 1e6
