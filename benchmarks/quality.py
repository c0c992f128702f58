"""Quality of networks: every figure of metrics.py for models of ours, any ONNX file and the peers, on the same pixels.

    python benchmarks/quality.py --model small --peers ../shared/peers --data ../shared/data --set composites

From a training script: ``from quality import collect, evaluate`` (needs neither the package nor rich).
"""

import json
import math
import platform
import sys
from argparse import ArgumentParser, BooleanOptionalAction, Namespace
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import composites
import cv2
import numpy as np
from clips import Clip
from metrics import FIGURES, HIGHER_IS_BETTER, Alpha, Scores, body_kept, evaluate, iou, mad, mean, score_clip
from networks import ScoredNetwork, peers
from sets import SETS, collect

__all__ = ["collect", "evaluate", "main", "mean", "score_clip"]

HEADINGS = ("IoU", "BF", "BF 2px", "MAD", "MSE", "Grad", "Conn", "dtSSD")
DIGITS = (4, 3, 3, 2, 2, 2, 2, 2)
MIRRORED = {"iou_mirrored": ("IoU", 4), "mad_mirrored": ("MAD", 2), "mirror_difference": ("difference", 2)}
"""Figures of ``--mirror``: heading and digits."""

WIDTH = 110
"""Columns of the table without a terminal."""


@dataclass(frozen=True, slots=True)
class Result:
    """The figures of a network: over all clips and of each, and its time per frame (median, one thread)."""

    name: str
    figures: Scores
    clips: dict[str, Scores]
    ms: float


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Returns 2 if something that was asked for does not exist."""
    options = _parser().parse_args(arguments)
    cv2.setNumThreads(1)
    try:
        _run(options)
    except (OSError, ValueError, ImportError, RuntimeError) as error:
        print(f"quality: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser(description="Score matting networks against true alphas, side by side.")
    parser.add_argument(
        "--model", action="append", default=[], metavar="SPEC", help="a name or an ONNX file; may be repeated"
    )
    parser.add_argument("--peers", type=Path, metavar="FOLDER", help="public networks: a folder with a peers.py")
    parser.add_argument(
        "--peer", action="append", default=[], metavar="NAME", help="only this one of them; may be repeated"
    )
    parser.add_argument("--set", default="composites", metavar="SET", help=f"{', '.join(SETS)}, or a folder")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the data pack (%(default)s)")
    parser.add_argument("--cache", type=Path, default=composites.CACHE, help="where composites are kept (%(default)s)")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N clips or stills")
    parser.add_argument(
        "--refine", action=BooleanOptionalAction, default=True, help="score each --model with the refiner too"
    )
    parser.add_argument("--no-plate", action="store_true", help="give networks no clean plate")
    parser.add_argument("--mirror", action="store_true", help="score each clip mirrored too, and compare both alphas")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure of every clip")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="write a PNG of frames, alphas and composites")
    return parser


def _run(options: Namespace) -> None:
    networks = [network for spec in options.model for network in _package_models(spec, refined=options.refine)]
    networks += peers(options.peers, options.peer) if options.peers else []
    if not networks:
        raise ValueError("nothing to score; name a network with --model or a folder of networks with --peers")
    clips = collect(options.set, data=options.data, cache=options.cache, limit=options.limit)
    clips = without_plates(clips) if options.no_plate else clips
    results = score(networks, clips, mirror=options.mirror)
    show(results, f"{options.set}: {len(clips)} clips")
    show_kinds(results, clips)
    if options.mirror:
        show_mirrored(results)
    if options.json:
        options.json.write_text(json.dumps(report(results, options.set), indent=1))
    if options.sheet:
        from contact_sheet import write  # noqa: PLC0415 - needed only for --sheet

        write(options.sheet, clips, networks)


def without_plates(clips: Sequence[Clip]) -> list[Clip]:
    """The same clips, of whose rooms nothing is known."""
    return [replace(clip, read_plate=None) for clip in clips]


def _package_models(spec: str, *, refined: bool) -> Iterator[ScoredNetwork]:
    import package_models  # noqa: PLC0415 - peers can be scored, and training can evaluate, without the package

    network = package_models.open_network(spec)
    yield package_models.coarse(spec, network)
    if refined:
        yield package_models.refined(spec, network)


def score(networks: Sequence[ScoredNetwork], clips: Sequence[Clip], *, mirror: bool = False) -> list[Result]:
    """Each network on each clip, with a progress bar; ``mirror``: also on the mirrored clip."""
    from rich.progress import Progress  # noqa: PLC0415 - training environments have no rich

    with Progress(transient=True) as progress:
        task = progress.add_task("", total=len(networks) * len(clips))
        results = []
        for network in networks:
            scores = {}
            for clip in clips:
                progress.update(task, description=f"{network.name}: {clip.name}")
                scores[clip.name] = _score(network, clip, mirror=mirror)
                progress.advance(task)
            results.append(Result(network.name, mean(list(scores.values())), scores, network.ms(clips[0].frames[0])))
    return results


def _score(network: ScoredNetwork, clip: Clip, *, mirror: bool) -> Scores:
    frames, truths, plate = clip.frames, clip.alphas, clip.plate
    alphas = network.alphas(frames, plate)
    scores = score_clip(alphas, truths)
    if clip.body_from is not None:
        scores["body_kept"] = body_kept(alphas[0], truths[0], first_row=clip.body_from)
    if mirror:
        mirrored = [np.ascontiguousarray(frame[:, ::-1]) for frame in frames]
        of_mirrored = network.alphas(mirrored, plate.mirrored if plate else None)
        scores |= _mirrored_scores(alphas, [np.ascontiguousarray(alpha[:, ::-1]) for alpha in of_mirrored], truths)
    return scores


def _mirrored_scores(alphas: Sequence[Alpha], of_mirrored: Sequence[Alpha], truths: Sequence[Alpha]) -> Scores:
    """Figures of MIRRORED; ``of_mirrored``: the mirrored clip's alphas, mirrored back."""
    return mean(
        [
            {
                "iou_mirrored": iou(other, truth),
                "mad_mirrored": mad(other, truth),
                "mirror_difference": mad(alpha, other),
            }
            for alpha, other, truth in zip(alphas, of_mirrored, truths, strict=True)
        ]
    )


def show(results: Sequence[Result], title: str) -> None:
    """Print the table, the best of each column in bold."""
    _print(title, (*HEADINGS, "ms"), [(result.name, _cells(result, results)) for result in results])


def _cells(result: Result, results: Sequence[Result]) -> list[str]:
    figures = [_cell(result, results, *column) for column in zip(FIGURES, DIGITS, strict=True)]
    return [*figures, f"{result.ms:.1f}"]


def show_kinds(results: Sequence[Result], clips: Sequence[Clip]) -> None:
    """Print the IoU on each kind of clips, if the set has several; for stripes the share of the body that is kept."""
    kinds = {kind: [clip.name for clip in clips if clip.kind == kind] for kind in dict.fromkeys(c.kind for c in clips)}
    if len(kinds) < 2:  # noqa: PLR2004 - a single kind is the whole set
        return
    if clips[0].body_from is not None:
        rows = [(each.name, [_mean_and_least(each, names) for names in kinds.values()]) for each in results]
        _print("body kept below the bands: mean (least)", tuple(kinds), rows)
        return
    rows = []
    for result in results:
        figures = [mean([result.clips[name] for name in names])["iou"] for names in kinds.values()]
        rows.append((result.name, [f"{figure:.{DIGITS[0]}f}" for figure in figures]))
    _print("IoU on each kind", tuple(kinds), rows)


def _mean_and_least(result: Result, names: Sequence[str]) -> str:
    shares = [result.clips[name]["body_kept"] for name in names]
    return f"{sum(shares) / len(shares):.3f} ({min(shares):.2f})"


def show_mirrored(results: Sequence[Result]) -> None:
    """Print the figures on mirrored clips, and the mean difference (x1000) of the alphas of both."""
    rows = [
        (each.name, [f"{each.figures[figure]:.{digits}f}" for figure, (_, digits) in MIRRORED.items()])
        for each in results
    ]
    _print("on mirrored clips", tuple(heading for heading, _ in MIRRORED.values()), rows)


def _cell(result: Result, results: Sequence[Result], figure: str, digits: int) -> str:
    value, others = result.figures[figure], [other.figures[figure] for other in results]
    if math.isnan(value):
        return "-"
    best = max(others) if figure in HIGHER_IS_BETTER else min(others)
    return f"[bold]{value:.{digits}f}[/]" if value == best else f"{value:.{digits}f}"


def _print(title: str, headings: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]) -> None:
    from rich.console import Console  # noqa: PLC0415 - training environments have no rich
    from rich.table import Table  # noqa: PLC0415 - as above

    table = Table(title=title)
    table.add_column("network", overflow="fold")
    for heading in headings:
        table.add_column(heading, justify="right")
    for name, cells in rows:
        table.add_row(name, *cells)
    Console(width=None if sys.stdout.isatty() else WIDTH).print(table)


def report(results: Sequence[Result], name: str) -> dict[str, object]:
    """Every figure, for JSON; one that does not exist (dtSSD of stills) is null."""
    return {
        "set": name,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()} {platform.system()}, Python {platform.python_version()}",
        "networks": [
            {
                "name": result.name,
                "ms": result.ms,
                "figures": _plain(result.figures),
                "clips": {clip: _plain(scores) for clip, scores in result.clips.items()},
            }
            for result in results
        ],
    }


def _plain(scores: Scores) -> dict[str, float | None]:
    return {figure: None if math.isnan(value) else value for figure, value in scores.items()}


if __name__ == "__main__":
    sys.exit(main())
