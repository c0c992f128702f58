"""The latency of the virtual camera: the age of a frame in another program, measured through the device.

    python benchmarks/latency.py --camera demo --device /dev/video10

The background carries each frame's time as black and white blocks in its upper right corner, so that the time is part
of the composite that is sent, through network, refiner, compositing and the driver. A second program (timestamp.py)
reads the device and subtracts. Measured from taking a frame from the source until the reader has its composite.
"""

import json
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryFile
from typing import Any, Final

import numpy as np
import timestamp

from realtime_matte import Pipeline, __version__
from realtime_matte.benchmark import machine
from realtime_matte.config.arguments import from_arguments
from realtime_matte.errors import MatteError
from realtime_matte.frame import Frame, Pixels, RefinedMatte, Size
from realtime_matte.interfaces import Fit
from realtime_matte.v4l2.loopback import LoopbackDevices

TIMEOUT_S: Final = 60.0
"""Maximum time for the reader to start, and to end."""


class TimestampBackground:
    """A grey background with the time of the frame it is for."""

    def __init__(self, size: Size) -> None:
        self._image = np.full((size[1], size[0], 3), 90, np.uint8)

    def image(self, frame: Frame, matte: RefinedMatte) -> Pixels:  # noqa: ARG002 - the stamp is beside the person
        """The background with the frame's time."""
        timestamp.draw(self._image, frame.time)
        return self._image

    def close(self) -> None:
        """Do nothing: there is no file or device."""


def open_background(_rest: str, /, *, size: Size, fit: Fit) -> TimestampBackground:  # noqa: ARG001 - drawn for the size
    """The ``open`` of the background."""
    return TimestampBackground(size)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Returns 2 if there is no virtual camera, or if nothing was read."""
    options = _parser().parse_args(arguments)
    try:
        record = _measure(options)
        lines = report(record)
    except (MatteError, OSError, RuntimeError) as error:
        print(f"latency: {error}", file=sys.stderr)
        return 2
    print("\n".join(lines))
    if options.json:
        options.json.write_text(json.dumps(record, indent=1))
    return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser(description="Measure from taking a frame until another program has its composite.")
    parser.add_argument("--camera", default="demo", metavar="SPEC", help="a live source (%(default)s)")
    parser.add_argument("--device", default="", metavar="PATH", help="the v4l2loopback device (the first free one)")
    parser.add_argument("--size", metavar="WxH", default="1280x720", help="(%(default)s)")
    parser.add_argument("--model", default="auto", metavar="NAME", help="network (%(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, metavar="N", help="how long to count (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure")
    return parser


def _measure(options: Namespace) -> dict[str, Any]:
    size: Any = from_arguments({"size": options.size})["size"]
    device = LoopbackDevices().choose(options.device).path
    with Pipeline.open(
        options.camera,
        open_background,
        outputs=[f"virtualcam:{device}"],
        model=options.model,
        size=size,
        notify=_print_notice,
    ) as pipeline:
        read = _read_ages(pipeline, device, options.seconds)
        sent = pipeline.stats.report().age
        mode = pipeline.mode
    return {
        "version": __version__,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine.describe(),
        "mode": mode,
        "model": options.model,
        "sent_ms": [sent.p50 * 1e3, sent.p95 * 1e3] if sent else None,
        "read_ms": read,
    }


def _read_ages(pipeline: Pipeline, device: str, seconds: float) -> list[float | None]:
    """The ages that the reader prints, which runs beside the pipeline. Raises RuntimeError if it prints none."""
    end = time.monotonic() + seconds + 2 * TIMEOUT_S
    pipeline.run(until=lambda: pipeline.stats.composites > 0 or time.monotonic() > end)
    command = [sys.executable, str(Path(__file__).with_name("timestamp.py")), device, str(seconds)]
    with TemporaryFile("w+") as output, Popen(command, stdout=output) as reader:  # noqa: S603 - a program of this folder
        try:
            pipeline.run(until=lambda: reader.poll() is not None or time.monotonic() > end)
        finally:
            reader.kill()
        output.seek(0)
        lines = output.readlines()
    if reader.wait() or not lines:
        raise RuntimeError(f"no frame could be read from {device}; close other programs that use it")
    ages: list[float | None] = json.loads(lines[-1])
    return ages


def report(record: dict[str, Any]) -> list[str]:
    """The figures, in lines to print. Raises RuntimeError if no stamp was read."""
    ages = [age for age in record["read_ms"] if age is not None]
    if not ages:
        raise RuntimeError("no frame has a readable stamp; keep its upper right corner free")
    p50, p95 = np.percentile(ages, (50, 95))
    on, sent = record["machine"], record["sent_ms"]
    lines = [
        f"rtmatte {record['version']}, {record['model']}, on {on['cpu']}, {on['cores']} cores, {on['system']}",
        "",
        f"From a frame taken ({record['mode']}) to its image in another program: p50 {p50:.1f} ms, p95 {p95:.1f} ms",
        f"({len(ages)} frames; {len(record['read_ms']) - len(ages)} without a readable stamp are not counted).",
    ]
    if sent:
        lines.append(f"Sent to the driver (last 256 composites): p50 {sent[0]:.1f} ms, p95 {sent[1]:.1f} ms.")
    return lines


def _print_notice(notice: str) -> None:
    print(notice, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
