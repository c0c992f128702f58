"""What matting a clip costs beside decoding and encoding it, with one process and two, and with RVM's network.

    python benchmarks/batch.py clip.mp4 --rvm ../shared/peers/rvm_mobilenetv3.onnx

Every round runs, one after the other: FFmpeg decoding and encoding the clip with the encoder and the options of
``rtmatte matte`` (libx264, one thread), the batch with one process, the batch with two, and the batch with RVM's
network. Reported are medians over the rounds, of frames a second by the clock and of processor time a frame, of all
processes. The batch mattes several copies of the clip, so that two processes have work; its start is part of the time.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from realtime_matte import __version__
from realtime_matte.batch.matte_clips import matte_clips
from realtime_matte.batch.settings import BatchSettings
from realtime_matte.batch.video_files import H264
from realtime_matte.benchmark import machine

BACKGROUND: Final = "color:#00a060"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Returns 2 without FFmpeg."""
    options = _parser().parse_args(arguments)
    if shutil.which("ffmpeg") is None:
        print("batch: the program ffmpeg is missing", file=sys.stderr)
        return 2
    with TemporaryDirectory() as folder:
        copies = [Path(folder, "in", f"{number}{options.clip.suffix}") for number in range(options.copies)]
        copies[0].parent.mkdir()
        for copy in copies:
            shutil.copy(options.clip, copy)
        figures = measure(runs(options, copies, Path(folder)), options.rounds, options.frames * len(copies))
    described = machine.describe()
    print(f"rtmatte {__version__}, {options.model}, on {described['cpu']}, {described['cores']} cores")
    for name, (fps, cpu_ms) in figures.items():
        print(f"{name:<28} {fps:8.1f} frames/s {cpu_ms:8.1f} ms processor time a frame")
    if options.json:
        options.json.write_text(json.dumps({"machine": described, "figures": figures}, indent=1))
    return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        description="Measure the batch beside FFmpeg alone, with one process and two, and with RVM."
    )
    parser.add_argument("clip", type=Path, help="a clip")
    parser.add_argument("--frames", type=int, required=True, metavar="N", help="how many frames it has")
    parser.add_argument("--model", default="small", metavar="NAME", help="(%(default)s)")
    parser.add_argument("--rvm", metavar="FILE", help="RVM's network as ONNX")
    parser.add_argument(
        "--copies", type=int, default=2, metavar="N", help="copies of the clip in a batch (%(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="(%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    return parser


def runs(options: Namespace, copies: Sequence[Path], folder: Path) -> dict[str, Callable[[], None]]:
    """What is measured, by name."""

    def batch(model: str, jobs: int) -> Callable[[], None]:
        def run() -> None:
            settings = BatchSettings(write="composite", background=BACKGROUND, model=model, provider="cpu")
            results = matte_clips([*map(str, copies)], folder / "out", settings, jobs=jobs, overwrite=True)
            failed = [one.reason for one in results if one.reason]
            if failed:
                raise RuntimeError(failed[0])

        return run

    found = {
        "ffmpeg, decode and encode": lambda: ffmpeg(copies, folder / "encoded.mp4"),
        f"{options.model}, one process": batch(options.model, 1),
        f"{options.model}, two processes": batch(options.model, 2),
    }
    if options.rvm:
        found["rvm, one process"] = batch(options.rvm, 1)
    return found


def ffmpeg(copies: Sequence[Path], out: Path) -> None:
    """Decode and encode each clip, as the batch does, in one thread each."""
    encoder = [word for name, value in H264.items() for word in (f"-{name}", value)]
    for copy in copies:
        command = ["ffmpeg", "-v", "error", "-y", "-threads", "1", "-i", str(copy), "-an", "-c:v", "libx264"]
        subprocess.run([*command, *encoder, "-threads", "1", str(out)], check=True)  # noqa: S603


def measure(found: dict[str, Callable[[], None]], rounds: int, frames: int) -> dict[str, tuple[float, float]]:
    """(frames a second, ms of processor time a frame) of each, medians over the rounds."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in found}
    for number in range(rounds):
        for name, run in found.items():
            start, before = time.perf_counter(), _processor_s()
            run()
            taken[name].append((frames / (time.perf_counter() - start), (_processor_s() - before) / frames * 1e3))
            print(f"round {number + 1}: {name}", file=sys.stderr, flush=True)
    return {name: (median(fps for fps, _ in one), median(ms for _, ms in one)) for name, one in taken.items()}


def _processor_s() -> float:
    """Processor time of this process and of those that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    times = os.times()
    return times.user + times.system + ended.ru_utime + ended.ru_stime


if __name__ == "__main__":
    sys.exit(main())
