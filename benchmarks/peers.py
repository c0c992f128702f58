"""The same work done by others, in the same run: whole tools and networks, picture in to picture out.

    python benchmarks/peers.py --peers ../shared/peers --model ../shared/peers/rvm_mobilenetv3.onnx

Ours, Linux-Fake-Background-Webcam's recipe, and our line with any other network, on the same pictures in memory, to
nowhere; each in a process of its own, warm, with its own default threads, one round of each in turn.
"""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
from contest import Contender, Cost, contest, ratio

from realtime_matte import __version__
from realtime_matte.benchmark import machine
from realtime_matte.benchmark import memory as held
from realtime_matte.cli.console import columns
from realtime_matte.config.arguments import from_arguments
from realtime_matte.frame import Size

HERE = Path(__file__).parent
SIZES = ["1280x720", "1920x1080"]
OURS = "ours"
RECIPE = "lfbw recipe"
SEGMENTER = "mediapipe_selfie_landscape.tflite"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 2 when something is not there."""
    options = _parser().parse_args(arguments)
    try:
        sizes = [from_arguments({"size": size})["size"] for size in options.size or SIZES]
        record = _record({_text(size): _measured(options, size) for size in sizes})
    except (OSError, ValueError, RuntimeError) as error:
        print(f"peers: {error}", file=sys.stderr)
        return 2
    print("\n".join(report(record)))
    if options.json:
        options.json.write_text(json.dumps(record, indent=1))
    return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser(description="Measure the whole line beside others, round by round.")
    parser.add_argument("--size", action="append", metavar="WxH", help=f"again for more ({', '.join(SIZES)})")
    parser.add_argument("--ours", default="small", metavar="NAME", help="our network (%(default)s)")
    parser.add_argument("--model", action="append", default=[], metavar="SPEC", help="another, in our line; again")
    parser.add_argument("--peers", type=Path, metavar="FOLDER", help=f"holds {SEGMENTER}: also the recipe")
    parser.add_argument("--python", default=sys.executable, metavar="FILE", help="a Python that has mediapipe (this)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="figures are their medians (%(default)s)")
    parser.add_argument("--seconds", type=float, default=2.0, metavar="N", help="of one round (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round")
    return parser


def _measured(options: Namespace, size: Size) -> dict[str, list[Cost]]:
    with TemporaryDirectory() as folder, ExitStack() as stack:
        contenders = [_line(OURS, options.ours, size)]
        stack.callback(contenders[0].close)
        for spec in options.model:
            contenders.append(_line(Path(spec).stem, spec, size))
            stack.callback(contenders[-1].close)
        if options.peers:
            contenders.append(_recipe(options, size, Path(folder)))
            stack.callback(contenders[-1].close)
        print(f"measuring {_text(size)}: {', '.join(one.name for one in contenders)} ...", file=sys.stderr, flush=True)
        costs = contest(contenders, rounds=options.rounds, seconds=options.seconds)
    return {contender.name: mine for contender, mine in zip(contenders, costs, strict=True)}


def _line(name: str, spec: str, size: Size) -> Contender:
    plan = json.dumps({"size": size, "model": spec, "provider": "cpu"})
    return Contender(name, [sys.executable, str(HERE / "line.py"), plan])


def _recipe(options: Namespace, size: Size, folder: Path) -> Contender:
    pictures = folder / "pictures.npy"
    np.save(pictures, np.stack(held.pictures(size)))
    segmenter = options.peers / SEGMENTER
    if not segmenter.is_file():
        raise FileNotFoundError(f"no {segmenter}; --peers names a folder that holds MediaPipe's segmenter")
    return Contender(RECIPE, [options.python, str(HERE / "lfbw.py"), str(pictures), str(segmenter)])


def _record(measured: dict[str, dict[str, list[Cost]]]) -> dict[str, object]:
    return {
        "version": __version__,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine.describe(),
        "rounds": {
            size: {name: [asdict(cost) for cost in costs] for name, costs in contenders.items()}
            for size, contenders in measured.items()
        },
    }


def report(record: dict[str, object]) -> list[str]:
    """A table, and our ratio to each."""
    rows = [("SIZE", "", "FPS", "CPU ms", "CORES", "OUR FPS", "OUR CPU")]
    rounds = record["rounds"]
    assert isinstance(rounds, dict)  # noqa: S101 - for the type checker
    for size, contenders in rounds.items():
        costs = {name: [Cost(**one) for one in told] for name, told in contenders.items()}
        rows += [(size, name, *_figures(mine), *_ratios(costs[OURS], mine)) for name, mine in costs.items()]
    where = record["machine"]
    assert isinstance(where, dict)  # noqa: S101 - likewise
    return [
        f"rtmatte {record['version']}, on {where['cpu']}, {where['cores']} cores, {where['system']}",
        "",
        columns(rows),
        "",
        "CPU: processor time a picture, all threads. OUR FPS, OUR CPU: ours over theirs, medians of the rounds.",
    ]


def _figures(costs: Sequence[Cost]) -> tuple[str, str, str]:
    cores = median(one.cpu_s / one.wall_s for one in costs)
    return f"{median(one.fps for one in costs):.1f}", f"{median(one.cpu_ms for one in costs):.1f}", f"{cores:.2f}"


def _ratios(ours: Sequence[Cost], theirs: Sequence[Cost]) -> tuple[str, str]:
    return f"{ratio(ours, theirs, 'fps'):.2f}x", f"{ratio(ours, theirs, 'cpu_ms'):.2f}x"


def _text(size: Size) -> str:
    return f"{size[0]}x{size[1]}"


if __name__ == "__main__":
    sys.exit(main())
