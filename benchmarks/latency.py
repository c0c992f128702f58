"""How late a picture is that another program reads from the virtual camera, measured through the device.

    python benchmarks/latency.py --camera demo --device /dev/video10

The background carries each frame's time as black and white blocks in its upper right corner, so they are in the picture
that is really sent, through network, refiner, composite and the driver. A second program (reader.py) reads the device
and subtracts. What is measured is from the moment a frame was taken from the source until the reader holds its picture.
"""

import json
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import stamp

from realtime_matte import Pipeline, __version__
from realtime_matte.benchmark import machine
from realtime_matte.config.arguments import from_arguments
from realtime_matte.errors import MatteError
from realtime_matte.frame import Frame, Pixels, RefinedMatte, Size
from realtime_matte.interfaces import Fit
from realtime_matte.v4l2.loopback import LoopbackDevices

PATIENCE_S = 60.0
"""So long the reader may take to start, and to end."""


class Stamped:
    """A grey background with the time of the frame it is for."""

    def __init__(self, size: Size) -> None:
        self._picture = np.full((size[1], size[0], 3), 90, np.uint8)

    def image(self, frame: Frame, matte: RefinedMatte) -> Pixels:  # noqa: ARG002 - the stamp stands where nobody does
        """Stamped anew."""
        stamp.draw(self._picture, frame.time)
        return self._picture

    def close(self) -> None:
        """Nothing to let go of."""


def stamped(_rest: str, /, *, size: Size, fit: Fit) -> Stamped:  # noqa: ARG001 - it is drawn for the size
    """An ``open`` as backgrounds have it."""
    return Stamped(size)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 2 where there is no virtual camera, or nothing was read."""
    options = _parser().parse_args(arguments)
    try:
        record = _measured(options)
    except (MatteError, OSError, RuntimeError) as error:
        print(f"latency: {error}", file=sys.stderr)
        return 2
    print("\n".join(report(record)))
    if options.json:
        options.json.write_text(json.dumps(record, indent=1))
    return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser(description="Measure from a frame's taking to another program that reads its picture.")
    parser.add_argument("--camera", default="demo", metavar="SPEC", help="a live source (%(default)s)")
    parser.add_argument("--device", default="", metavar="PATH", help="the v4l2loopback device (the first free one)")
    parser.add_argument("--size", metavar="WxH", default="1280x720", help="(%(default)s)")
    parser.add_argument("--model", default="auto", metavar="NAME", help="network (%(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, metavar="N", help="counted (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure")
    return parser


def _measured(options: Namespace) -> dict[str, Any]:
    size: Any = from_arguments({"size": options.size})["size"]
    device = LoopbackDevices().choose(options.device).path
    with Pipeline.open(
        options.camera, stamped, outputs=[f"virtualcam:{device}"], model=options.model, size=size, notify=_tell
    ) as pipeline:
        read = _read(pipeline, device, options.seconds)
        handed_over = pipeline.stats.report().age
        mode = pipeline.mode
    return {
        "version": __version__,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine.describe(),
        "mode": mode,
        "model": options.model,
        "handed_over_ms": [handed_over.p50 * 1e3, handed_over.p95 * 1e3] if handed_over else None,
        "read_ms": read,
    }


def _read(pipeline: Pipeline, device: str, seconds: float) -> list[float | None]:
    """What the reader tells, which reads while the line runs. Raises RuntimeError where it tells nothing."""
    late = time.monotonic() + seconds + 2 * PATIENCE_S
    pipeline.run(until=lambda: pipeline.stats.composites > 0 or time.monotonic() > late)
    words = [sys.executable, str(Path(__file__).with_name("reader.py")), device, str(seconds)]
    with TemporaryFile("w+") as told, subprocess.Popen(words, stdout=told) as reader:  # noqa: S603 - our own program
        try:
            pipeline.run(until=lambda: reader.poll() is not None or time.monotonic() > late)
        finally:
            reader.kill()
        told.seek(0)
        lines = told.readlines()
    if reader.wait() or not lines:
        raise RuntimeError(f"the reader of {device} was given no pictures; is another program in its way?")
    ages: list[float | None] = json.loads(lines[-1])
    return ages


def report(record: dict[str, Any]) -> list[str]:
    """What is measured, and where, in lines to print. Raises RuntimeError without a single stamp."""
    ages = [age for age in record["read_ms"] if age is not None]
    if not ages:
        raise RuntimeError("no picture carried a readable stamp; is somebody in its upper right corner?")
    p50, p95 = np.percentile(ages, (50, 95))
    where, handed_over = record["machine"], record["handed_over_ms"]
    lines = [
        f"rtmatte {record['version']}, {record['model']}, on {where['cpu']}, {where['cores']} cores, {where['system']}",
        "",
        f"Frame taken from {record['mode']} to its picture in another program: p50 {p50:.1f} ms, p95 {p95:.1f} ms",
        f"({len(ages)} pictures; {len(record['read_ms']) - len(ages)} without a readable stamp left out).",
    ]
    if handed_over:
        lines.append(
            f"Handed to the driver (last 256 pictures): p50 {handed_over[0]:.1f} ms, p95 {handed_over[1]:.1f} ms."
        )
    return lines


def _tell(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
