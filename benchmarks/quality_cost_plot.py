"""A plot of quality against cost, from what quality.py and peers.py wrote with --json.

python benchmarks/quality_cost_plot.py quality.json peers.json docs/quality-against-cost.png

The settings of one network of ours, such as ``small?quality=low``, are points of one curve.
"""

import json
import re
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final, TypeAlias

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from side_by_side import Cost

OURS_COLOR, PEER_COLOR, BAR_COLOR = "#c0392b", "#34495e", "#95a5a6"
REFINED: Final = " + refiner"
SPELLINGS: Final = {
    "mediapipe": "MediaPipe",
    "google": "Google",
    "meet": "Meet",
    "sinet": "SINet",
    "humanseg": "HumanSeg",
}
CAPITALS: Final = {"pp", "rvm", "v2"}
INCHES: Final = (12.0, 5.2)
DPI: Final = 130

Point: TypeAlias = tuple[float, float]
Box: TypeAlias = tuple[float, float, float, float]
"""Left, bottom, right, top in pixels."""

SIDES: Final = ((1, 0), (-1, 0), (0, 1), (0, -1))
"""Right of the point, left of it, above, below; the first of the best is taken."""

GAP_PX, LETTER_PX, LINE_PX, POINT_PX = 9.0, 7.2, 16.0, 6.0
"""From a point to its label, width of a letter, height of a line, radius of a point."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Returns 2 if a file is missing or malformed."""
    parser = ArgumentParser(description="Plot quality against cost.")
    parser.add_argument("quality", type=Path, help="what quality.py --json wrote")
    parser.add_argument("peers", type=Path, help="what peers.py --json wrote")
    parser.add_argument("image", type=Path, help="the PNG to write")
    options = parser.parse_args(arguments)
    try:
        write(options.image, json.loads(options.quality.read_text()), json.loads(options.peers.read_text()))
    except (OSError, ValueError, KeyError) as error:
        print(f"quality_cost_plot: {error}; give the JSON of quality.py and that of peers.py", file=sys.stderr)
        return 2
    return 0


def write(file: Path, quality: dict[str, Any], peers: dict[str, Any]) -> None:
    """Write the plot: networks by error and time, whole pipelines by processor time."""
    figure = Figure(figsize=INCHES, dpi=DPI, layout="constrained")
    networks, pipelines = figure.subplots(1, 2, width_ratios=(3, 2))
    plot_networks(networks, quality)
    plot_pipelines(pipelines, peers)
    figure.draw_without_rendering()  # computes the positions in pixels
    label_points(networks, points_of(quality))
    figure.savefig(file)


def plot_networks(axes: Axes, quality: dict[str, Any]) -> None:
    """Error over milliseconds, both logarithmic; better is up and to the left."""
    points = points_of(quality)
    own = ours(points)
    for name, (ms, error) in points.items():
        color = OURS_COLOR if name in own else PEER_COLOR
        axes.scatter(ms, error, s=130 if name in own else 55, marker="*" if name in own else "o", color=color, zorder=3)
    for curve in curves(own, points):
        axes.plot(*zip(*curve, strict=True), color=OURS_COLOR, linewidth=1.2, alpha=0.6, zorder=2)
    axes.set(xscale="log", yscale="log")
    axes.margins(0.16)
    axes.invert_yaxis()
    plain_ticks(axes)
    axes.set_xlabel("processor time of one frame on one thread, ms (log), better is left")
    axes.set_ylabel("error of alpha: 1000 x MAD (log), better is up")
    axes.set_title(f"Networks: quality against cost ({quality['set']})")
    axes.grid(alpha=0.25)


def label_points(axes: Axes, points: dict[str, Point]) -> None:
    """Write each name beside its point; ours in bold."""
    own, pixels = ours(points), axes.transData.transform(list(points.values()))
    positions = {title(name): (float(x), float(y)) for name, (x, y) in zip(points, pixels, strict=True)}
    for name, (across, up) in zip(points, label_sides(positions, axes.bbox.extents).values(), strict=True):
        axes.annotate(
            title(name), points[name], xytext=(7 * across, 7 * up), textcoords="offset points", fontsize=9,
            ha={1: "left", 0: "center", -1: "right"}[across], va={1: "bottom", 0: "center", -1: "top"}[up],
            color=OURS_COLOR if name in own else PEER_COLOR, fontweight="bold" if name in own else "normal",
        )  # fmt: skip


def plot_pipelines(axes: Axes, peers: dict[str, Any]) -> None:
    """Processor time per frame of whole pipelines, at every size."""
    rows = [
        (f"{title(name)}\n{size}", [Cost(**one) for one in rounds], name == "ours")
        for size, programs in peers["rounds"].items()
        for name, rounds in programs.items()
    ]
    for place, (_, rounds, own) in enumerate(rows):
        cpu, fps = median(one.cpu_ms for one in rounds), median(one.fps for one in rounds)
        axes.barh(place, cpu, color=OURS_COLOR if own else BAR_COLOR)
        axes.annotate(f"{cpu:.1f} ms, {fps:.0f} fps", (cpu, place), xytext=(4, 0), textcoords="offset points",
                      va="center", fontsize=9)  # fmt: skip
    axes.set_yticks(range(len(rows)), [name for name, _, _ in rows], fontsize=9)
    axes.invert_yaxis()
    axes.margins(x=0.4)
    axes.set_xlabel("processor time per frame, all threads, ms")
    axes.set_title("Whole pipelines: frame in, frame out")


def points_of(quality: dict[str, Any]) -> dict[str, Point]:
    """Milliseconds and error of each network; of ours only with the refiner, as the program runs them."""
    bare = {one["name"].removesuffix(REFINED) for one in quality["networks"] if one["name"].endswith(REFINED)}
    shown = [one for one in quality["networks"] if one["name"] not in bare]
    return {one["name"]: (one["ms"], one["figures"]["mad"]) for one in shown}


def ours(names: Iterable[str]) -> set[str]:
    """The networks that have the refiner."""
    return {name for name in names if name.endswith(REFINED)}


def curves(names: Iterable[str], points: Mapping[str, Point]) -> list[list[Point]]:
    """The points of each network on all of its grids, by cost."""
    found: dict[str, list[Point]] = {}
    for name in names:
        found.setdefault(name.removesuffix(REFINED).split("?")[0], []).append(points[name])
    return [sorted(curve) for curve in found.values()]


def title(name: str) -> str:
    """A network's name as it is usually spelled."""
    words = re.split("[_ ]", name.removesuffix(REFINED).replace("?quality=", " "))
    return " ".join(SPELLINGS.get(word, word.upper() if word in CAPITALS else word) for word in words)


def plain_ticks(axes: Axes) -> None:
    """Decimal numbers on logarithmic axes, within the limits."""
    for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        if axis.get_scale() == "log":
            ticks = [tick for tick in (1, 2, 3, 5, 10, 20, 30, 50, 100, 200) if min(limits) <= tick <= max(limits)]
            axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
            axis.set_minor_locator(NullLocator())


def label_sides(points: Mapping[str, Point], area: Box) -> dict[str, tuple[int, int]]:
    """For each label, by its text and its point in pixels, the side where it overlaps least, inside the ``area``."""
    occupied = [(x - POINT_PX, y - POINT_PX, x + POINT_PX, y + POINT_PX) for x, y in points.values()]
    found = {}
    for label, point in points.items():
        boxes = {side: _label_box(point, side, len(label)) for side in SIDES}
        found[label] = min(SIDES, key=lambda side: _overlap_cost(boxes[side], occupied, area))
        occupied.append(boxes[found[label]])
    return found


def _label_box(point: Point, side: tuple[int, int], letters: int) -> Box:
    (x, y), width = point, letters * LETTER_PX
    middle = x + side[0] * (GAP_PX + width / 2), y + side[1] * (GAP_PX + LINE_PX / 2)
    return middle[0] - width / 2, middle[1] - LINE_PX / 2, middle[0] + width / 2, middle[1] + LINE_PX / 2


def _overlap_cost(box: Box, occupied: Iterable[Box], area: Box) -> float:
    outside = (box[2] - box[0]) * (box[3] - box[1]) - _overlap(box, area)
    return outside + sum(_overlap(box, other) for other in occupied)


def _overlap(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)


if __name__ == "__main__":
    sys.exit(main())
