"""The doctor's checks: each opens one part of the line as a run would, and says what it found."""

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import replace

import numpy as np

from realtime_matte import plugins
from realtime_matte.cli import threads
from realtime_matte.config.config import Config
from realtime_matte.config.toml_file import resolve
from realtime_matte.doctor.finding import Finding, good, ill, noted
from realtime_matte.errors import MatteError
from realtime_matte.frame import Frame, Size
from realtime_matte.pipeline import card
from realtime_matte.pipeline.backgrounds import DEFAULT, BackgroundSwitcher
from realtime_matte.pipeline.lifetime import own
from realtime_matte.pipeline.parts import network_opener, renderer_maker, source_opener
from realtime_matte.stats import Stats
from realtime_matte.v4l2.open_files import OURS

WATCHED_S = 2.0
"""How long the camera is watched."""

SLOW = 0.8
"""A camera below this part of the rate it granted is slow."""

DARK = 6.0
"""Mean brightness of 255 below which a picture shows nothing."""

TIMED = 30
"""So many frames the network is timed with."""

BLACK = "others would see nobody"
JERKY = "others would see you move in jerks"


def examine(options: Mapping[str, object], *, config: str | None) -> Iterator[Finding]:
    """Every part of a call, in the order a frame meets it."""
    threads.few()
    try:
        settings = resolve(options, config=config)
    except MatteError as error:
        yield ill("settings", error)
        settings = Config()
    frame = yield from camera(settings)
    background = yield from pictures(settings, frame.size)
    yield from network(settings, frame, background=background)
    for spec in virtual_cameras(settings):
        yield virtual_camera(spec, settings, frame.size)


def camera(settings: Config, *, clock: Callable[[], float] = time.perf_counter) -> Generator[Finding, None, Frame]:
    """The camera, watched for a while; returns one of its frames, or a made-up one."""
    frame = Frame(card.draw(settings.size or (1280, 720)), clock(), 0)
    try:
        with closing(source_opener(settings.camera, size=settings.size, fps=settings.fps)()) as source:
            pixels = np.empty((source.size[1], source.size[0], 3), np.uint8)
            times: list[float] = []
            until = clock() + WATCHED_S
            while clock() < until and (taken := source.read(pixels)):
                frame = Frame(taken.pixels.copy(), taken.time, taken.index)
                times.append(clock())
            yield judged(source.size, source.fps, times, frame)
            for note in source.notices:
                yield good("camera", note)
    except MatteError as error:
        yield _held("camera", error)
    return frame


def pictures(settings: Config, size: Size) -> Generator[Finding, None, str]:
    """Every background and the standby card; returns the first background that opens, or the usual one."""
    opened = []
    for spec in settings.bg:
        try:
            BackgroundSwitcher([spec], size=size, fit=settings.fit, notify=_ignored).close()
        except MatteError as error:
            yield ill("background", error)
        else:
            opened.append(spec)
            yield good("background", spec)
    if settings.card:
        try:
            card.draw(size, image=settings.card)
            yield good("card", settings.card)
        except MatteError as error:
            yield ill("card", error)
    return opened[0] if opened else DEFAULT


def network(settings: Config, frame: Frame, *, background: str) -> Iterator[Finding]:
    """The network and all that follows it, timed on a frame of the camera's."""
    stats = Stats()
    try:
        with ExitStack() as stack:
            opened = own(stack, network_opener(settings.model, provider=settings.provider, threads=settings.threads)())
            backgrounds = own(
                stack, BackgroundSwitcher([background], size=frame.size, fit=settings.fit, notify=_ignored)
            )
            renderer = renderer_maker(frame.size, stats.lap, _ignored)(opened, backgrounds.current)
            for step in range(2 * TIMED):  # the first half warms up
                stats.begin()
                renderer.render(Frame(frame.pixels, frame.time + step / 30, step))
                stats.composite_sent(frame.time)
            yield _timed(f"{opened.name} on {opened.provider}", stats, frame.size, settings.fps or 30.0)
            for note in opened.notices:
                yield noted("model", note)
    except MatteError as error:
        yield ill("model", error)


def virtual_cameras(settings: Config) -> list[str]:
    """Those of the settings, or the one a call would use."""
    return [spec for spec in settings.output if spec.partition(":")[0] in {"virtualcam", "pipewire"}] or ["virtualcam"]


def virtual_camera(spec: str, settings: Config, size: Size) -> Finding:
    """One virtual camera, shown the standby card."""
    try:
        plugin = plugins.sink(spec)
        with closing(plugin.open(plugin.rest, size=size, fps=settings.fps or 30.0, alpha=False)) as sink:
            sink.send(card.draw(size), time.perf_counter())
            return good(spec, "; ".join(sink.notices) or f"took a picture of {size[0]}x{size[1]}")
    except MatteError as error:
        return _held(spec, error)


def _held(part: str, error: MatteError) -> Finding:
    """What cannot be tried because rtmatte itself is at work with it is as it should be."""
    finding = ill(part, error)
    if f"{OURS} (process " not in finding.found:
        return finding
    return replace(finding, state="warning", mend="to have it tried, stop that one first", why="it is in good hands")


def judged(size: Size, fps: float, times: list[float], frame: Frame) -> Finding:
    """How the camera did, from the times its frames came at and the last of them."""
    rate = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0
    found = f"{size[0]}x{size[1]}, {rate:.1f} fps measured of {fps:g} granted"
    if frame.pixels.mean() < DARK:
        return Finding("camera", "warning", f"{found}; its picture is black", "open its shutter, or make light", BLACK)
    if rate < SLOW * fps:
        return Finding(
            "camera", "warning", found, "make more light (cameras slow down in the dark), or a smaller --size", JERKY
        )
    return good("camera", found)


def _timed(model: str, stats: Stats, size: Size, fps: float) -> Finding:
    stages = stats.report().stages
    matte, all_ms = stages["matte"].p50 * 1e3, sum(spread.p50 for spread in stages.values()) * 1e3
    found = f"{model}: {matte:.1f} ms a frame, {all_ms:.1f} with the rest, at {size[0]}x{size[1]}"
    if all_ms > 1e3 / fps:
        mend = "take a smaller --size or a lighter --model"
        return Finding("model", "warning", f"{found}; too slow for {fps:g} fps", mend, JERKY)
    return good("model", found)


def _ignored(_line: str) -> None:
    """What is told is found by the checks themselves."""
