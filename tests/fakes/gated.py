"""A whole pipeline whose real capture thread does one thing in each step, so that a run is the same every time."""

import threading
from collections.abc import Callable, Mapping, Sequence

import pytest

from fakes.privacy import StartClock
from fakes.scripted import (
    SIZE,
    Recorder,
    ScriptedNetwork,
    ScriptedSource,
    SolidBackground,
    TimedNetwork,
    wait_until,
)
from realtime_matte.capture.worker import CaptureWorker
from realtime_matte.errors import SourceError
from realtime_matte.frame import Frame, PixelFormat, Pixels, Size
from realtime_matte.interfaces import Network, OpenBackground
from realtime_matte.pipeline import builder
from realtime_matte.pipeline.pipeline import Pipeline

LONG_S = 30.0
"""Longer than any wait of a test that passes."""

Script = Sequence[int | str]
"""The frames of a camera, by index; a text is its loss."""


class Gate:
    """Lets the capture thread do one thing (read a frame, open the camera) in each step of the pipeline."""

    def __init__(self) -> None:
        self.waiting = False
        self._permits = threading.Semaphore(0)
        self._open = False

    def pass_one(self) -> None:
        """The capture thread: wait for the next step."""
        self.waiting = True
        assert self._open or self._permits.acquire(timeout=LONG_S)

    def let_one_pass(self) -> None:
        """The pipeline's thread: begin a step."""
        while self._permits.acquire(blocking=False):
            pass
        self.waiting = False  # here, since the capture thread may begin much later on a busy machine
        self._permits.release()

    def open(self) -> None:
        """Never stop the capture thread again."""
        self._open = True
        self._permits.release()


class GatedCamera(ScriptedSource):
    """A camera that delivers one frame a step."""

    def __init__(self, script: Script, gate: Gate, *, size: Size = SIZE) -> None:
        super().__init__(script, size=size, live=True)
        self._gate = gate

    def read(self, pixels: Pixels) -> Frame | None:
        self._gate.pass_one()
        return super().read(pixels)


def run(
    *cameras: Script | SourceError | GatedCamera,
    monkeypatch: pytest.MonkeyPatch,
    gate: Gate | None = None,
    network: ScriptedNetwork | Callable[[], Network] | None = None,
    sinks: Sequence[Recorder] | None = None,
    background: str | OpenBackground | Sequence[OpenBackground] | None = None,
    mirror: bool = False,
    card_on_doubt: bool = False,
    options: Mapping[str, object] | None = None,
    after: Callable[[Pipeline, int], None] = lambda _pipeline, _step: None,
    reported: list[str] | None = None,
) -> Recorder:
    """Run a whole pipeline. Returns what its first output got.

    ``cameras``: what each opening of the camera gives, in turn: a script, or an error. ``after``: called after each
    step. ``options``: further fields of Config.
    """
    sinks = sinks or [Recorder(live=True)]
    network = network or TimedNetwork()
    gate = gate or Gate()
    openings = iter(cameras)

    class GatedWorker(CaptureWorker):
        """The real worker; retries at once, has no stalls, and does not wait for a step while it is closed."""

        def __init__(
            self, open_source: Callable[[], ScriptedSource], *, ahead: bool, pixel_format: PixelFormat
        ) -> None:
            super().__init__(open_source, ahead=ahead, stall_s=LONG_S, retry_s=(0,), pixel_format=pixel_format)

        def close(self) -> None:
            gate.open()
            super().close()

    def open_camera(_rest: str, /, *, size: Size | None, fps: float | None) -> ScriptedSource:  # noqa: ARG001
        camera = next(openings)
        if isinstance(camera, SourceError):
            gate.pass_one()
            raise camera
        return camera if isinstance(camera, GatedCamera) else GatedCamera(camera, gate)

    monkeypatch.setattr(builder, "CaptureWorker", GatedWorker)
    with Pipeline.open(
        open_camera,
        background or SolidBackground(),
        outputs=sinks,
        model=(lambda: network) if isinstance(network, ScriptedNetwork) else network,
        card_on_doubt=card_on_doubt,
        clock=StartClock(),
        **{"mirror": mirror, **(options or {})},
        notify=(reported if reported is not None else []).append,
    ) as pipeline:
        capture, step = pipeline._parts.capture, 0
        gate.let_one_pass()
        while pipeline.step():
            after(pipeline, step)
            wait_until(lambda: gate.waiting or capture.state.phase in {"paused", "ended"})
            gate.let_one_pass()
            step += 1
    return sinks[0]
