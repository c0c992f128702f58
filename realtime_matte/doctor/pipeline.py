"""Checks of the pipeline: opens each part as a run would, and measures the camera and the network."""

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from typing import Final

import cv2
import numpy as np

from realtime_matte import plugins
from realtime_matte.config.config import Config
from realtime_matte.config.toml_file import resolve
from realtime_matte.doctor.finding import Finding, error, ok, warning
from realtime_matte.errors import MatteError
from realtime_matte.frame import Frame, Size
from realtime_matte.models.checked_network import CheckedNetwork
from realtime_matte.pipeline.backgrounds import DEFAULT, BackgroundSwitcher
from realtime_matte.pipeline.builder import own, source_opener
from realtime_matte.pipeline.network_opening import network_opener
from realtime_matte.pipeline.notices import DARK
from realtime_matte.pipeline.renderer_opening import RendererMaker
from realtime_matte.pipeline.standby import draw_card
from realtime_matte.stats import Stats
from realtime_matte.v4l2.open_files import RTMATTE

CAMERA_S: Final = 2.0
"""How long the camera is read to measure its rate."""

SLOW: Final = 0.8
"""A camera below this fraction of its actual mode's rate is slow."""

TIMED_FRAMES: Final = 30
"""Number of frames the network is timed with."""

DEFAULT_SIZE: Final = 1280, 720
DEFAULT_FPS: Final = 30.0

DARK_WHY: Final = "others would not see you"
SLOW_WHY: Final = "others would see jerky movement"


def examine(arguments: Mapping[str, object], *, config_file: str | None) -> Iterator[Finding]:
    """Every part of the pipeline, in the order a frame passes them. ``arguments``, ``config_file``: as for a run."""
    cv2.setNumThreads(1)  # as a run does: frames are too small to share among threads
    try:
        config = resolve(arguments, config=config_file)
    except MatteError as cause:
        yield error("settings", cause)
        config = Config()
    yield from parts(config)


def parts(config: Config) -> Iterator[Finding]:
    """Every part of the pipeline of these options. The devices must be free."""
    frame = yield from camera(config)
    background = yield from backgrounds(config, frame.size)
    yield from standby_card(config, frame.size)
    yield from network(config, frame, background=background)
    for spec in virtual_cameras(config):
        yield virtual_camera(spec, config, frame.size)


def camera(config: Config, *, clock: Callable[[], float] = time.perf_counter) -> Generator[Finding, None, Frame]:
    """The camera, read for CAMERA_S. Returns its last frame, or the standby card if it cannot be opened."""
    frame = Frame(draw_card(config.size or DEFAULT_SIZE), clock(), 0)
    try:
        with closing(source_opener(config.camera, size=config.size, fps=config.fps)()) as source:
            pixels = np.empty((source.size[1], source.size[0], 3), np.uint8)
            times: list[float] = []
            end = clock() + CAMERA_S
            while clock() < end and (taken := source.read(pixels)):
                frame = Frame(taken.pixels.copy(), taken.time, taken.index)
                times.append(clock())
            yield judge_camera(source.size, source.fps, times, frame)
            for notice in source.notices:
                yield ok("camera", notice)
    except MatteError as cause:
        yield _device_error("camera", cause)
    return frame


def judge_camera(size: Size, fps: float, times: list[float], frame: Frame) -> Finding:
    """Whether a camera is slow or dark, from the times at which its frames arrived, and the last frame."""
    rate = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0
    found = f"{size[0]}x{size[1]}, {rate:.1f} fps measured, {fps:g} in its mode"
    if frame.pixels.mean() < DARK:
        hint = "open its shutter, or turn on a light"
        return warning("camera", f"{found}; its image is black", hint=hint, why=DARK_WHY)
    if rate < SLOW * fps:
        hint = "add light (cameras slow down in the dark), or choose a smaller --size"
        return warning("camera", found, hint=hint, why=SLOW_WHY)
    return ok("camera", found)


def backgrounds(config: Config, size: Size) -> Generator[Finding, None, str]:
    """Every background. Returns the first that can be opened, or the default one."""
    opened = []
    for spec in config.bg:
        try:
            BackgroundSwitcher([spec], size=size, fit=config.fit, notify=_ignore).close()
        except MatteError as cause:
            yield error("background", cause)
        else:
            opened.append(spec)
            yield ok("background", spec)
    return opened[0] if opened else DEFAULT


def standby_card(config: Config, size: Size) -> Iterator[Finding]:
    """The image of the standby card; nothing if the built-in one is used."""
    if config.card:
        try:
            draw_card(size, image=config.card)
            yield ok("card", config.card)
        except MatteError as cause:
            yield error("card", cause)


def network(config: Config, frame: Frame, *, background: str) -> Iterator[Finding]:
    """The network with everything that follows it up to the composite, timed on a frame of the camera."""
    stats, refused = Stats(), list[str]()
    try:
        with ExitStack() as stack:
            open_network = network_opener(config.model, provider=config.provider, threads=config.threads)
            opened = own(stack, CheckedNetwork(open_network()))
            switcher = own(stack, BackgroundSwitcher([background], size=frame.size, fit=config.fit, notify=_ignore))
            renderer = RendererMaker(frame.size, stats.lap, refused.append)(opened, switcher.current)
            for step in range(2 * TIMED_FRAMES):  # the first half is the warm-up
                stats.begin()
                renderer.render(Frame(frame.pixels, frame.time + step / 30, step))
                stats.composite_sent(frame.time)
            yield _judge_speed(f"{opened.name} on {opened.provider}", stats, frame.size, config.fps or DEFAULT_FPS)
            for notice in opened.notices:
                yield warning("model", notice)
            if opened.pipeline:
                yield _judge_graph([one for one in renderer.notices if one not in opened.notices], refused)
    except MatteError as cause:
        yield error("model", cause)


def _judge_graph(runs: Sequence[str], refused: Sequence[str]) -> Finding:
    """Whether the graph of the whole pipeline runs, and where."""
    return ok("graph", "; ".join(runs)) if runs else warning("graph", refused[-1])


def _judge_speed(model: str, stats: Stats, size: Size, fps: float) -> Finding:
    stages = stats.report().stages
    matte_ms, all_ms = stages["matte"].p50 * 1e3, sum(spread.p50 for spread in stages.values()) * 1e3
    found = f"{model}: {matte_ms:.1f} ms a frame, {all_ms:.1f} with all other stages, at {size[0]}x{size[1]}"
    if all_ms > 1e3 / fps:
        hint = "choose a smaller --size or a lighter --model"
        return warning("model", f"{found}; too slow for {fps:g} fps", hint=hint, why=SLOW_WHY)
    return ok("model", found)


def virtual_cameras(config: Config) -> list[str]:
    """The virtual cameras among the outputs, or the default one if there is none."""
    return [spec for spec in config.output if spec.partition(":")[0] in {"virtualcam", "pipewire"}] or ["virtualcam"]


def virtual_camera(spec: str, config: Config, size: Size) -> Finding:
    """One virtual camera: opens it and sends the standby card."""
    try:
        plugin = plugins.sink(spec)
        with closing(plugin.open(plugin.rest, size=size, fps=config.fps or DEFAULT_FPS, alpha=False)) as sink:
            sink.send(draw_card(size), time.perf_counter())
            return ok(spec, "; ".join(sink.notices) or f"accepted an image of {size[0]}x{size[1]}")
    except MatteError as cause:
        return _device_error(spec, cause)


def _device_error(part: str, cause: MatteError) -> Finding:
    """A device that cannot be checked because a running rtmatte uses it is as it should be."""
    if RTMATTE not in cause.used_by:
        return error(part, cause)
    hint = "to check it, stop that rtmatte first"
    return warning(part, cause.message, hint=hint, why="it works for the rtmatte that uses it")


def _ignore(_notice: str) -> None:
    """Drop a notice: the checks report the same facts as findings."""
