"""Quality against cost, everybody on one picture, from what quality.py and peers.py wrote with --json.

python benchmarks/headline.py quality.json peers.json docs/quality-against-cost.png
"""

import json
import re
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from contest import Cost
from labels import sides
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

OURS, THEIRS, FAINT = "#c0392b", "#34495e", "#95a5a6"
REFINED = " + refiner"
WORDS = {"mediapipe": "MediaPipe", "google": "Google", "meet": "Meet", "sinet": "SINet", "humanseg": "HumanSeg"}
CAPITALS = {"pp", "rvm", "v2"}
INCHES = 12.0, 5.2
DPI = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 2 when a file is not there, or not what it should be."""
    parser = ArgumentParser(description="Draw quality against cost.")
    parser.add_argument("quality", type=Path, help="what quality.py --json wrote")
    parser.add_argument("peers", type=Path, help="what peers.py --json wrote")
    parser.add_argument("picture", type=Path, help="the PNG to write")
    options = parser.parse_args(arguments)
    try:
        write(options.picture, json.loads(options.quality.read_text()), json.loads(options.peers.read_text()))
    except (OSError, ValueError, KeyError) as error:
        print(f"headline: {error}; give the JSON of quality.py and that of peers.py", file=sys.stderr)
        return 2
    return 0


def write(file: Path, quality: dict[str, Any], peers: dict[str, Any]) -> None:
    """Networks by their error and their time; whole lines by theirs."""
    figure = Figure(figsize=INCHES, dpi=DPI, layout="constrained")
    networks, lines = figure.subplots(1, 2, width_ratios=(3, 2))
    draw_networks(networks, quality)
    draw_lines(lines, peers)
    figure.draw_without_rendering()  # only now it is known where points lie
    name_points(networks, points_of(quality))
    figure.savefig(file)


def draw_networks(axes: Axes, quality: dict[str, Any]) -> None:
    """Error over milliseconds, both logarithmic; better is up and to the left."""
    points = points_of(quality)
    own = ours(points)
    for name, (ms, error) in points.items():
        color = OURS if name in own else THEIRS
        axes.scatter(ms, error, s=130 if name in own else 55, marker="*" if name in own else "o", color=color, zorder=3)
    axes.set(xscale="log", yscale="log")
    axes.margins(0.16)
    axes.invert_yaxis()
    plain_ticks(axes)
    axes.set_xlabel("processor time of one frame on one thread, ms (log), better is left")
    axes.set_ylabel("error of alpha: 1000 x MAD (log), better is up")
    axes.set_title(f"Networks: quality against cost ({quality['set']})")
    axes.grid(alpha=0.25)


def name_points(axes: Axes, points: dict[str, tuple[float, float]]) -> None:
    """Each beside its point; ours stand out."""
    own, shown = ours(points), {label(name): axes.transData.transform(at) for name, at in points.items()}
    for name, (across, up) in zip(points, sides(shown, axes.bbox.extents).values(), strict=True):
        axes.annotate(
            label(name), points[name], xytext=(7 * across, 7 * up), textcoords="offset points", fontsize=9,
            ha={1: "left", 0: "center", -1: "right"}[across], va={1: "bottom", 0: "center", -1: "top"}[up],
            color=OURS if name in own else THEIRS, fontweight="bold" if name in own else "normal",
        )  # fmt: skip


def draw_lines(axes: Axes, peers: dict[str, Any]) -> None:
    """Processor time a picture of whole lines, at every size."""
    rows = [
        (f"{label(name)}\n{size}", [Cost(**one) for one in rounds], name == "ours")
        for size, contenders in peers["rounds"].items()
        for name, rounds in contenders.items()
    ]
    for place, (_, rounds, own) in enumerate(rows):
        cpu, fps = median(one.cpu_ms for one in rounds), median(one.fps for one in rounds)
        axes.barh(place, cpu, color=OURS if own else FAINT)
        axes.annotate(f"{cpu:.1f} ms, {fps:.0f} fps", (cpu, place), xytext=(4, 0), textcoords="offset points",
                      va="center", fontsize=9)  # fmt: skip
    axes.set_yticks(range(len(rows)), [name for name, _, _ in rows], fontsize=9)
    axes.invert_yaxis()
    axes.margins(x=0.4)
    axes.set_xlabel("processor time a picture, all threads, ms")
    axes.set_title("Whole lines: picture in, picture out")


def points_of(quality: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Milliseconds and error of each network."""
    return {one["name"]: (one["ms"], one["figures"]["mad"]) for one in quality["networks"]}


def ours(names: Sequence[str] | dict[str, Any]) -> set[str]:
    """The networks that were also scored with the refiner, in both ways."""
    refined = {name for name in names if name.endswith(REFINED)}
    return refined | {name.removesuffix(REFINED) for name in refined}


def label(name: str) -> str:
    """As people write it."""
    words = re.split("[_ ]", name.replace("?quality=", " "))
    return " ".join(WORDS.get(word, word.upper() if word in CAPITALS else word) for word in words)


def plain_ticks(axes: Axes) -> None:
    """Numbers as people write them, within what is shown."""
    for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        if axis.get_scale() == "log":
            shown = [tick for tick in (1, 2, 3, 5, 10, 20, 30, 50, 100, 200) if min(limits) <= tick <= max(limits)]
            axis.set_ticks(shown, [f"{tick:g}" for tick in shown])
            axis.set_minor_locator(NullLocator())


if __name__ == "__main__":
    sys.exit(main())
