"""From a camera's bytes to a virtual camera's bytes: MJPEG in memory to I420 in a buffer, ours and others in one run.

    python benchmarks/fps.py --camera mjpeg --peers ../shared/peers --python .venv-benchmark/bin/python

Everything that a user pays for each frame but the kernel's part: decoding, pipeline, conversion to what the virtual
camera carries. Programs are measured in turn (``side_by_side.py``); the profile is of our pipeline alone, in processor
time, and adds up to it.
"""

import json
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from side_by_side import Cost, MeasuredProgram, measure_in_turn, ratio, serve

from realtime_matte.benchmark.memory_source import demo_frames
from realtime_matte.cli.console import columns
from realtime_matte.config.arguments import from_arguments
from realtime_matte.frame import Frame, PixelFormat, Pixels, Size
from realtime_matte.media import i420
from realtime_matte.media.turbojpeg import JpegDecoder
from realtime_matte.pipeline.pipeline import Pipeline
from realtime_matte.stats import STAGES

SIZES: Final = ("1280x720", "1920x1080")
QUALITY: Final = 75
"""JPEG quality at which a frame of the demo is about as large as a webcam's: 76 kB at 720p."""

WARM_UP_FRAMES: Final = 20
FPS: Final = 30
RECIPE_SCRIPT: Final = Path(__file__).with_name("linux_fake_background_webcam.py")
SEGMENTER: Final = "mediapipe_selfie_landscape.tflite"

BEFORE: Final = "small, OpenCV and BGR"
"""Our pipeline as it reads a camera through OpenCV: the baseline of the ratios."""


def jpegs(size: Size) -> list[NDArray[np.uint8]]:
    """The frames of the demo as a webcam compresses them: JPEG, 4:2:2."""
    factor = cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422
    options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY, *factor]
    frames = [cv2.imencode(".jpg", frame, options)[1] for frame in demo_frames(size)]
    return [*frames, *frames[-2:0:-1]]


class JpegSource:
    """An endless source of JPEG images in memory, decoded as the camera source decodes them; its own ``open``.

    ``planes``: by libjpeg-turbo, to I420 where the pipeline takes it; otherwise by OpenCV to BGR.
    """

    live = False
    frames = None
    notices: Sequence[str] = ()
    fps = float(FPS)

    def __init__(self, size: Size, *, planes: bool) -> None:
        self.size = size
        self.pixel_formats: Sequence[PixelFormat] = ("i420", "bgr") if planes else ("bgr",)
        self._images = jpegs(size)
        self._decoder = JpegDecoder() if planes else None
        self._index = -1

    def __call__(self, _rest: str, /, *, size: Size | None, fps: float | None) -> "JpegSource":  # noqa: ARG002
        """Return the source itself, which is open already."""
        return self

    def read(self, pixels: Pixels) -> Frame:
        """The next frame."""
        self._index += 1
        data = self._images[self._index % len(self._images)]
        if self._decoder is None:
            pixels = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
        else:
            assert self._decoder.decode(data, pixels)  # noqa: S101 - this program's own images
        pixel_format: PixelFormat = "bgr" if pixels.ndim == 3 else "i420"  # noqa: PLR2004 - colours
        return Frame(pixels, self._index / self.fps, self._index, pixel_format)

    def close(self) -> None:
        """Free the decoder."""
        if self._decoder:
            self._decoder.close()


class BytesSink:
    """Keeps the bytes of the newest output frame as a virtual camera takes them; its own ``open``."""

    alpha = False
    live = False
    notices: Sequence[str] = ()

    def __init__(self) -> None:
        self.bytes = np.empty(0, np.uint8)
        self._converted = np.empty(0, np.uint8)

    def __call__(self, _rest: str, /, *, size: Size, fps: float, alpha: bool) -> "BytesSink":  # noqa: ARG002
        """Prepare for frames of ``size``."""
        self._converted, self.bytes = i420.empty(size), i420.empty(size)
        return self

    def send(self, image: Pixels, time: float) -> None:
        """Convert the output frame, and copy it as into the kernel."""
        cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420, dst=self._converted)
        self.send_i420(self._converted, time)

    def send_i420(self, image: Pixels, time: float) -> None:  # noqa: ARG002 - it is shown at once
        """Copy the output frame as into the kernel."""
        np.copyto(self.bytes, image)

    def close(self) -> None:
        """Nothing is open."""


def open_pipeline(size: Size, model: str, *, planes: bool, by_processor: bool = False) -> Pipeline:
    """Our pipeline from JPEG images to a virtual camera's bytes; ``by_processor``: stages in processor time."""
    clock = time.process_time if by_processor else time.perf_counter
    source, sink = JpegSource(size, planes=planes), BytesSink()
    return Pipeline.open(
        source, "studio", outputs=sink, model=model, provider="cpu", size=size, notify=_ignore, clock=clock
    )


def serve_program(fields: dict[str, Any]) -> int:
    """Be one of our measured programs."""
    cv2.setNumThreads(1)  # as the program does
    with open_pipeline(tuple(fields["size"]), fields["model"], planes=fields["planes"]) as pipeline:
        for _ in range(WARM_UP_FRAMES):
            pipeline.step()
        serve(pipeline.step)
    return 0


def profile(size: Size, model: str, *, planes: bool, seconds: float) -> dict[str, float]:
    """Processor time of each stage of a frame, ms, all threads: medians; "rest": what is between the stages."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with open_pipeline(size, model, planes=planes, by_processor=True) as pipeline:
            for _ in range(WARM_UP_FRAMES):
                pipeline.step()
            pipeline.stats.restart()
            costs = []
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                start = time.process_time()
                pipeline.step()
                costs.append(time.process_time() - start)
            stages = pipeline.stats.report().stages
    finally:
        cv2.setNumThreads(threads)
    figures = {stage: stages[stage].p50 * 1e3 for stage in STAGES}
    whole = median(costs) * 1e3
    return figures | {"rest": whole - sum(figures.values()), "all": whole}


def measure(options: Namespace) -> dict[str, Any]:
    """Rounds and profiles, by size. Raises OSError, ValueError, RuntimeError."""
    found: dict[str, Any] = {}
    for text in options.size or SIZES:
        size: Size = from_arguments({"size": text})["size"]  # type: ignore[assignment]  # parsed
        rounds = _measure_in_turn(options, size)
        profiles = {
            name: profile(size, model, planes=planes, seconds=float(options.seconds or 4))
            for name, (model, planes) in _ours().items()
        }
        found[text] = {
            "kilobytes": round(median(len(image) for image in jpegs(size)) / 1e3),
            "rounds": {name: [asdict(cost) for cost in costs] for name, costs in rounds.items()},
            "profiles": profiles,
        }
    return found


def report(found: dict[str, Any]) -> list[str]:
    """Tables of the rounds and of the profiles, in lines to print."""
    rows = [("SIZE", "", "CPU ms", "% OF A CORE AT 30", "FPS", "OF THE FIRST")]
    stages = [("SIZE", "STAGES, ms", "decode", *STAGES[1:], "rest", "all")]
    for size, measured in found.items():
        costs = {name: [Cost(**one) for one in rounds] for name, rounds in measured["rounds"].items()}
        for name, theirs in costs.items():
            ms = median(one.cpu_ms for one in theirs)
            fps = median(one.fps for one in theirs)
            share = ratio(theirs, costs[BEFORE], "cpu_ms")
            rows.append((size, name, f"{ms:.1f}", f"{ms * FPS / 10:.0f}", f"{fps:.1f}", f"{share:.2f}x"))
        for name, figures in measured["profiles"].items():
            stages.append((size, name, *(f"{ms:.1f}" for ms in figures.values())))
    sizes = ", ".join(f"{size}: {measured['kilobytes']} kB a frame" for size, measured in found.items())
    return [f"MJPEG 4:2:2 in memory ({sizes}) to I420 in a buffer.", "", columns(rows), "", columns(stages)]


def _ours() -> dict[str, tuple[str, bool]]:
    return {
        BEFORE: ("small", False),
        "small": ("small", True),
        "small?quality=low": ("small?quality=low", True),
    }


def _measure_in_turn(options: Namespace, size: Size) -> dict[str, list[Cost]]:
    programs: list[MeasuredProgram] = []
    with TemporaryDirectory() as folder, ExitStack() as stack:

        def start(name: str, command: Sequence[str]) -> None:
            programs.append(stack.enter_context(closing(MeasuredProgram(name, command))))

        for name, (model, planes) in _ours().items():
            start(name, _our_command(size, model, planes=planes))
        if options.model:
            start(f"{Path(options.model).stem} in our pipeline", _our_command(size, options.model, planes=True))
        if options.peers:
            start("RVM in our pipeline", _our_command(size, str(options.peers / "rvm_mobilenetv3.onnx"), planes=True))
            start("lfbw recipe", _recipe_command(options, size, Path(folder)))
        print(f"measuring {size[0]}x{size[1]} in turn: {len(programs)} programs ...", file=sys.stderr, flush=True)
        seconds = float(options.seconds or 6) / options.rounds
        costs = measure_in_turn(programs, rounds=options.rounds, seconds=seconds)
    return {program.name: measured for program, measured in zip(programs, costs, strict=True)}


def _our_command(size: Size, model: str, *, planes: bool) -> list[str]:
    return [sys.executable, __file__, json.dumps({"size": size, "model": model, "planes": planes})]


def _recipe_command(options: Namespace, size: Size, folder: Path) -> list[str]:
    images = folder / "images.npz"
    np.savez(images, *jpegs(size))
    segmenter = options.peers / SEGMENTER
    if not segmenter.is_file():
        raise FileNotFoundError(f"no {segmenter}; --peers names a folder that holds MediaPipe's segmenter")
    return [options.python, str(RECIPE_SCRIPT), str(images), str(segmenter)]


def _ignore(_notice: str) -> None:
    """Drop a notice."""


if __name__ == "__main__":
    sys.exit(serve_program(json.loads(sys.argv[1])))
