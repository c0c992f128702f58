"""The same work done by others, in the same run: whole programs and networks, frame in to frame out.

    python benchmarks/peers.py --peers ../shared/peers --model ../shared/peers/rvm_mobilenetv3.onnx

Our pipeline, the steps of Linux-Fake-Background-Webcam, and our pipeline with any other network, on the same frames in
memory, to no output; each in its own process, warm, with its default number of threads, one round of each in turn.
"""

import json
import sys
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final, cast

import cv2
import numpy as np
from side_by_side import Cost, MeasuredProgram, measure_in_turn, ratio, serve

from realtime_matte import __version__
from realtime_matte.benchmark import machine
from realtime_matte.benchmark.memory_source import MemorySource, demo_frames
from realtime_matte.benchmark.rounds import Plan, open_pipeline
from realtime_matte.cli.console import columns
from realtime_matte.config.arguments import from_arguments
from realtime_matte.frame import Size

SIZES: Final = ("1280x720", "1920x1080")
OURS: Final = "ours"
RECIPE: Final = "lfbw recipe"
RECIPE_SCRIPT: Final = Path(__file__).with_name("linux_fake_background_webcam.py")
SEGMENTER: Final = "mediapipe_selfie_landscape.tflite"
WARM_UP_FRAMES: Final = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Returns 2 if something does not exist."""
    options = _parser().parse_args(arguments)
    if options.serve:
        return serve_pipeline(json.loads(options.serve))
    try:
        sizes = [cast("Size", from_arguments({"size": size})["size"]) for size in options.size or SIZES]
        record = _record({_text(size): _measure(options, size) for size in sizes})
    except (OSError, ValueError, RuntimeError) as error:
        print(f"peers: {error}", file=sys.stderr)
        return 2
    print("\n".join(report(record)))
    if options.json:
        options.json.write_text(json.dumps(record, indent=1))
    return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser(description="Measure the whole pipeline beside others, round by round.")
    parser.add_argument("--size", action="append", metavar="WxH", help=f"may be repeated ({', '.join(SIZES)})")
    parser.add_argument("--ours", default="small", metavar="NAME", help="our network (%(default)s)")
    parser.add_argument(
        "--model", action="append", default=[], metavar="SPEC", help="another network in our pipeline; may be repeated"
    )
    parser.add_argument("--peers", type=Path, metavar="FOLDER", help=f"holds {SEGMENTER}: measure the recipe too")
    parser.add_argument("--python", default=sys.executable, metavar="FILE", help="a Python with mediapipe (this one)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="figures are their medians (%(default)s)")
    parser.add_argument("--seconds", type=float, default=2.0, metavar="N", help="of one round (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round")
    parser.add_argument("--serve", help=SUPPRESS)  # a Plan as JSON: be one of the measured programs
    return parser


def serve_pipeline(fields: dict[str, object]) -> int:
    """Be our pipeline as a measured program, by the fields of a Plan."""
    cv2.setNumThreads(1)  # as the program does
    plan = Plan(**fields | {"size": tuple(fields["size"])})  # type: ignore[arg-type]  # from JSON
    with open_pipeline(plan, MemorySource(demo_frames(plan.size)), []) as pipeline:
        for _ in range(WARM_UP_FRAMES):
            pipeline.step()
        serve(pipeline.step)
    return 0


def _measure(options: Namespace, size: Size) -> dict[str, list[Cost]]:
    with TemporaryDirectory() as folder, ExitStack() as stack:
        programs: list[MeasuredProgram] = []

        def start(name: str, command: Sequence[str]) -> None:
            programs.append(MeasuredProgram(name, command))
            stack.callback(programs[-1].close)

        start(OURS, _pipeline_command(options.ours, size))
        for spec in options.model:
            start(Path(spec).stem, _pipeline_command(spec, size))
        if options.peers:
            start(RECIPE, _recipe_command(options, size, Path(folder)))
        names = ", ".join(program.name for program in programs)
        print(f"measuring {_text(size)}: {names} ...", file=sys.stderr, flush=True)
        costs = measure_in_turn(programs, rounds=options.rounds, seconds=options.seconds)
    return {program.name: measured for program, measured in zip(programs, costs, strict=True)}


def _pipeline_command(spec: str, size: Size) -> list[str]:
    plan = json.dumps({"size": size, "model": spec, "provider": "cpu"})
    return [sys.executable, __file__, "--serve", plan]


def _recipe_command(options: Namespace, size: Size, folder: Path) -> list[str]:
    frames = folder / "frames.npy"
    np.save(frames, np.stack(demo_frames(size)))
    segmenter = options.peers / SEGMENTER
    if not segmenter.is_file():
        raise FileNotFoundError(f"no {segmenter}; --peers names a folder that holds MediaPipe's segmenter")
    return [options.python, str(RECIPE_SCRIPT), str(frames), str(segmenter)]


def _record(measured: dict[str, dict[str, list[Cost]]]) -> dict[str, object]:
    return {
        "version": __version__,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine.describe(),
        "rounds": {
            size: {name: [asdict(cost) for cost in costs] for name, costs in programs.items()}
            for size, programs in measured.items()
        },
    }


def report(record: dict[str, object]) -> list[str]:
    """A table of the figures and of our ratio to each, in lines to print."""
    rows = [("SIZE", "", "FPS", "CPU ms", "CORES", "OUR FPS", "OUR CPU")]
    rounds = record["rounds"]
    assert isinstance(rounds, dict)  # noqa: S101 - for the type checker
    for size, programs in rounds.items():
        costs = {name: [Cost(**one) for one in measured] for name, measured in programs.items()}
        rows += [(size, name, *_figures(theirs), *_ratios(costs[OURS], theirs)) for name, theirs in costs.items()]
    on = record["machine"]
    assert isinstance(on, dict)  # noqa: S101 - as above
    return [
        f"rtmatte {record['version']}, on {on['cpu']}, {on['cores']} cores, {on['system']}",
        "",
        columns(rows),
        "",
        "CPU: processor time per frame, all threads. OUR FPS, OUR CPU: ours over theirs, medians of the rounds.",
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
