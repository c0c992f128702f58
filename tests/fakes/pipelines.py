"""Whole pipelines made of scripted parts."""

from collections.abc import Sequence

import pytest

from fakes.scripted import SIZE, Recorder, ScriptedCapture, ScriptedNetwork, ScriptedSource, SolidBackground, opener
from realtime_matte.frame import Size
from realtime_matte.interfaces import OpenSource
from realtime_matte.pipeline import builder
from realtime_matte.pipeline.pipeline import Pipeline


def open_pipeline(
    source: str | OpenSource,
    *sinks: Recorder,
    background: SolidBackground | Sequence[SolidBackground] | None = None,
    network: ScriptedNetwork | None = None,
    reported: list[str] | None = None,
    **options: object,
) -> Pipeline:
    """A pipeline from ``source`` to ``sinks``; its notices are appended to ``reported``."""
    network = network or ScriptedNetwork()
    return Pipeline.open(
        source,
        background or SolidBackground(),
        outputs=sinks,
        model=lambda: network,
        notify=(reported if reported is not None else []).append,
        **options,
    )


def clip(frames: int, *, size: Size = SIZE) -> OpenSource:
    """A file of so many frames."""
    return opener(ScriptedSource(range(frames), size=size))


def scripted_camera(monkeypatch: pytest.MonkeyPatch, capture: ScriptedCapture) -> OpenSource:
    """A camera with a scripted capture in the place of the capture thread."""
    monkeypatch.setattr(builder, "open_capture", lambda *_, **__: capture)
    return opener(ScriptedSource([], live=True))
