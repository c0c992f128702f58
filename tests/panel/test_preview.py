"""When previews are made, on a clock that is passed in, and of what."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from realtime_matte.frame import Pixels
from realtime_matte.media import i420
from realtime_matte.panel import preview
from realtime_matte.panel.preview import Preview, Previews, Request, encode
from realtime_matte.pipeline.commands import CommandQueue, Reply


class ScriptedPipeline:
    """A pipeline whose frames are sent by the test."""

    def __init__(self) -> None:
        self.stats = SimpleNamespace(composites=0, standby_cards=0)
        self.queue = CommandQueue()
        self.widths: list[int] = []

    def call(self, function: Callable[[], object], *, when: Callable[[], bool] | None = None) -> Reply:
        return self.queue.put(lambda reply: reply.set_result(function()), when=when)

    def newest_small(self, width: int) -> Pixels:
        self.widths.append(width)
        return np.zeros((2, 2, 3), np.uint8)


class Stage:
    """Previews of a scripted pipeline. Time passes as the test says."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pipeline = ScriptedPipeline()
        self.supervisor: Any = SimpleNamespace(
            current=SimpleNamespace(pipeline=self.pipeline), set_watched=lambda **_: None
        )
        self.previews = Previews(self.supervisor, clock=lambda: self.now)
        self.shown: list[Preview] = []

    def ask(self, width: int = 640) -> Request:
        """A page that has the last preview asks for the next."""
        return self.previews.request(self.shown[-1].count if self.shown else -1, width, self.shown.append)

    async def frame(self, seconds: float = 1 / 30) -> None:
        """The pipeline sends a frame after ``seconds``, then runs what waits, which the loop hears of."""
        self.now += seconds
        self.pipeline.stats.composites += 1
        self.pipeline.queue.run_waiting()
        for _ in range(3):
            await asyncio.sleep(0)


def test_previews_come_at_fifteen_a_second_and_not_more() -> None:
    """From cameras whose frames come early and late; a preview that waits for its frame does not delay the next."""
    stage, random = Stage(), np.random.default_rng(0)

    async def play() -> None:
        for rate in (30, 25, 60):
            stage.shown.clear()
            stage.ask()
            for late in np.diff(random.uniform(0, 0.4, 10 * rate + 1)):
                before = len(stage.shown)
                await stage.frame((1 + late) / rate)
                if len(stage.shown) > before:
                    stage.ask()
            expected = 125 if rate == 25 else 150  # every second frame of 25
            assert expected - 10 <= len(stage.shown) <= 151, rate

    asyncio.run(play())


def test_a_preview_that_took_long_is_shown_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processor is busy: frames are sent while one is encoded."""
    stage = Stage()

    async def play() -> None:
        def slow(_pixels: Pixels) -> bytes:
            stage.now += 1
            stage.pipeline.stats.composites += 30
            return b"jpeg"

        monkeypatch.setattr(preview, "encode", slow)
        stage.ask()
        await stage.frame()
        assert [one.jpeg for one in stage.shown] == [b"jpeg"]

    asyncio.run(play())


def test_pages_of_two_widths_get_their_own() -> None:
    stage = Stage()

    async def play() -> None:
        stage.ask(640), stage.ask(640), stage.ask(320)
        await stage.frame()
        assert sorted(stage.pipeline.widths) == [320, 640]
        assert len(stage.shown) == 3

    asyncio.run(play())


def test_a_request_waits_for_a_newer_frame_and_for_the_next_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "AGAIN_S", 0)

    stage = Stage()

    async def play() -> None:
        stage.ask()
        await stage.frame()
        stage.ask()
        stage.now += 10
        stage.pipeline.stats.composites -= 1  # no frame was sent in that time
        await stage.frame()
        assert len(stage.shown) == 1
        stage.pipeline.queue.close()
        await asyncio.sleep(0)
        stage.supervisor.current = SimpleNamespace(pipeline=None)
        for _ in range(10):
            await asyncio.sleep(0)
        stage.pipeline = ScriptedPipeline()
        stage.supervisor.current = SimpleNamespace(pipeline=stage.pipeline)
        async with asyncio.timeout(30):
            while len(stage.shown) == 1:
                await asyncio.sleep(0)
                await stage.frame()
        assert set(stage.pipeline.widths) == {640}, "of the new pipeline"

    asyncio.run(play())


def test_what_nobody_waits_for_any_more_is_not_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[Pixels] = []
    monkeypatch.setattr(preview, "encode", lambda pixels: encoded.append(pixels) or b"")

    stage = Stage()

    async def play() -> None:
        stage.previews.forget(stage.ask())
        await stage.frame()
        assert (stage.shown, encoded) == ([], [])
        stage.ask()
        await stage.frame()
        assert (len(stage.shown), len(encoded)) == (1, 1)

    asyncio.run(play())


def test_output_frames_in_planes_are_shown_in_their_colours() -> None:
    bgr = np.full((64, 96, 3), (40, 120, 200), np.uint8)
    shown = cv2.imdecode(np.frombuffer(encode(i420.from_bgr(bgr)), np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert np.abs(shown.astype(int) - bgr).max() <= 4, "JPEG's error and that of I420"
