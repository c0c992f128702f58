"""The cost of each effect, for ``python benchmarks/fps.py --effects``: the whole pipeline with and without it, in turn.

Two pipelines of the same frames take turns of a few frames each, so that other load hits both. The first row compares
the pipeline with itself: differences within its spread are none.
"""

import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import cv2
import numpy as np

from realtime_matte.benchmark.memory_source import MemorySource, demo_frames
from realtime_matte.cli.console import columns
from realtime_matte.frame import Size
from realtime_matte.pipeline.pipeline import Pipeline

SIZES: Final[Sequence[Size]] = ((1280, 720), (1920, 1080))
BLOCK: Final = 4
"""Frames of one turn."""

WARM_UP: Final = 100
"""Frames before: automatic framing has then moved to its place."""

MODEL: Final = "small-int8"
"""By its name, as ``small`` may choose 8 bits for one pipeline and not for the other on a busy machine."""

HEAD: Final = ("EFFECT", "SIZE", "WITHOUT ms", "WITH ms", "DIFFERENCE ms", "QUARTILES")

Options = Mapping[str, object]

EFFECTS: Final[Mapping[str, tuple[Options, Options]]] = {
    "the same twice": ({}, {}),
    "--rotate 180": ({}, {"rotate": "180"}),
    "--zoom 1.5": ({}, {"zoom": 1.5}),
    "--auto-frame": ({}, {"auto_frame": True}),
    "--low-light 0.5": ({}, {"low_light": 0.5}),
    "--low-light auto, in good light": ({}, {"low_light": "auto"}),
    "--white-balance auto": ({}, {"white_balance": "auto"}),
    "--harmonize 0.5": ({}, {"harmonize": 0.5}),
    "--overlay logo": ({}, {"overlay": ("{logo}",)}),
    "--overlay text": ({}, {"overlay": ("text:Name",)}),
    "--overlay clock": ({}, {"overlay": ("clock",)}),
    "blur?lens instead of blur": ({"bg": "blur"}, {"bg": "blur?lens"}),
    "room instead of blur": ({"bg": "blur"}, {"bg": "room"}),
}
"""Options without and with each effect."""


def rows(size: Size, *, rounds: int, model: str = MODEL) -> list[tuple[str, ...]]:
    """A row of the table for each effect at one size."""
    frames = demo_frames(size)
    with TemporaryDirectory() as folder:
        logo = _logo(Path(folder))
        found: list[tuple[str, ...]] = []
        for name, pair in EFFECTS.items():
            print(f"measuring {name} at {size[0]}x{size[1]} ...", file=sys.stderr, flush=True)
            times = paired(lambda options: _open(frames, size, model, logo, options), pair, rounds)
            found.append(_row(name, size, times))
        return found


def paired(
    open_pipeline: Callable[[Options], Pipeline], pair: tuple[Options, Options], rounds: int
) -> list[tuple[float, float]]:
    """Milliseconds of processor time a frame, without and with the effect, of each round."""
    with ExitStack() as stack:
        pipelines = [stack.enter_context(open_pipeline(options)) for options in pair]
        for pipeline in pipelines:
            _run(pipeline, WARM_UP)
        return [(_run(pipelines[0], BLOCK), _run(pipelines[1], BLOCK)) for _ in range(rounds)]


def report(sizes: Sequence[Size], *, rounds: int) -> str:
    """The table."""
    return columns([HEAD, *(row for size in sizes for row in rows(size, rounds=rounds))])


def _row(name: str, size: Size, times: Sequence[tuple[float, float]]) -> tuple[str, ...]:
    without, with_effect = (statistics.median(column) for column in zip(*times, strict=True))
    low, middle, high = statistics.quantiles([after - before for before, after in times], n=4)
    figures = (f"{without:.2f}", f"{with_effect:.2f}", f"{middle:+.2f}", f"{low:+.2f} .. {high:+.2f}")
    return (name, f"{size[0]}x{size[1]}", *figures)


def _run(pipeline: Pipeline, frames: int) -> float:
    start = time.process_time()
    for _ in range(frames):
        pipeline.step()
    return (time.process_time() - start) / frames * 1e3


def _open(frames: Sequence[np.ndarray], size: Size, model: str, logo: Path, options: Options) -> Pipeline:
    values: dict[str, Any] = {name: _with_logo(value, logo) for name, value in options.items()}
    background = values.pop("bg", "studio")
    return Pipeline.open(
        MemorySource(frames), str(background), outputs="null", model=model, provider="cpu", size=size, **values
    )


def _with_logo(value: object, logo: Path) -> object:
    return tuple(str(one).format(logo=logo) for one in value) if isinstance(value, tuple) else value


def _logo(folder: Path) -> Path:
    pixels = np.zeros((200, 200, 4), np.uint8)
    cv2.circle(pixels, (100, 100), 90, (0, 120, 255, 255), -1, cv2.LINE_AA)
    cv2.imwrite(str(folder / "logo.png"), pixels)
    return folder / "logo.png"
