"""A camera in a real PipeWire, read by a real program."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Self

import numpy as np
import pytest
from fakes.live_cameras import LiveCamera, TimedNetwork
from fakes.pipewire_reader import READER_PROGRAMS, Reader
from fakes.pipewire_session import SESSION_PROGRAMS, PipeWireSession, missing, wait_until
from fakes.scripted import SIZE, SolidBackground

from realtime_matte.errors import MatteError, SinkError
from realtime_matte.frame import Size
from realtime_matte.pipeline import on_demand
from realtime_matte.pipeline.commands import Command
from realtime_matte.pipeline.pipeline import Pipeline
from realtime_matte.pipeline.standby import CARD_EVERY_S
from realtime_matte.sinks import pipewire

ABSENT = missing(*SESSION_PROGRAMS, *READER_PROGRAMS)
pytestmark = pytest.mark.skipif(bool(ABSENT), reason=f"needs a PipeWire session; {ABSENT}")

NODE = "rtmatte.virtual-camera"
BLUE = (200, 40, 10)


@pytest.fixture(scope="module")
def _session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipeWireSession]:
    with PipeWireSession(tmp_path_factory.mktemp("pw")) as running:
        yield running


@pytest.fixture
def session(_session: PipeWireSession, monkeypatch: pytest.MonkeyPatch) -> PipeWireSession:
    """A session that programs of this process find too."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", _session.environment["XDG_RUNTIME_DIR"])
    return _session


def read(session: PipeWireSession, node: str = NODE, size: Size = SIZE) -> Reader:
    wait_until(lambda: f'"{node}"' in (session.objects() or ""), "PipeWire has the camera")
    return Reader(node, size=size, environment=session.environment)


class Run:
    """A pipeline in a thread: a camera that shows the marker behind its person, and the PipeWire camera.

    ``may_load``: the network is opened when this is set.
    """

    def __init__(self, **options: object) -> None:
        self.camera = LiveCamera(count())
        self.reported: list[str] = []
        self.may_load = Event()
        self.may_load.set()
        self._options = options
        self._opened: Future[Pipeline] = Future()
        self._thread = Thread(target=self._run, daemon=True)

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline; waits until it is open."""
        return self._opened.result(60)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.may_load.set()
        self.end()

    def end(self) -> None:
        """End the run as Ctrl-C does. Idempotent."""
        with suppress(MatteError):  # it has ended
            self.pipeline.request("quit")
        self._thread.join(60)
        assert not self._thread.is_alive()

    def _load(self) -> TimedNetwork:
        assert self.may_load.wait(60)
        return TimedNetwork()

    def _run(self) -> None:
        try:
            opened = Pipeline.open(
                self.camera,
                SolidBackground(),
                outputs=["pipewire"],
                size=SIZE,
                model=self._load,
                notify=self.reported.append,
                **self._options,
            )
        except BaseException as error:
            self._opened.set_exception(error)
            raise
        with opened:
            self._opened.set_result(opened)
            opened.run()


@pytest.mark.parametrize("size", [SIZE, (100, 62)])  # planes; and packed, as the width is no multiple of 8
def test_a_program_reads_the_right_colours_of_a_camera_with_its_name(session: PipeWireSession, size: Size) -> None:
    image, half = np.full((size[1], size[0], 3), BLUE, np.uint8), size[0] // 2
    image[:, half:] = BLUE[::-1]
    with (
        closing(pipewire.open("Büro 2", size=size, fps=30.0, alpha=False)) as sink,
        read(session, "rtmatte.b-ro-2", size) as reader,
    ):
        assert '"node.description": "Büro 2"' in (session.objects() or "")
        wait_until(lambda: sink.send(image, 0.0) or reader.newest is not None, "the reader has a frame")
        assert reader.newest is not None
        assert np.abs(reader.newest[:, : half - 2].astype(int) - BLUE).max() <= 6
        assert np.abs(reader.newest[:, half + 2 :].astype(int) - BLUE[::-1]).max() <= 6


def test_only_composites_and_the_card_are_read_from_start_to_end(
    session: PipeWireSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader comes while the network loads, after the first card: it needs a repeated one."""
    monkeypatch.setattr("realtime_matte.pipeline.builder.CARD_EVERY_S", CARD_EVERY_S)
    run = Run()
    run.may_load.clear()
    with run, read(session) as reader:
        reader.wait_for("card")
        run.may_load.set()
        reader.wait_for("composite", frames=5)
        run.camera.faults = 1
        run.camera.opened[-1].lost = True
        reader.wait_for("card")
        reader.wait_for("composite", frames=5)
        run.end()
        reader.assert_private()
        assert "the camera is back" in run.reported


def test_the_camera_comes_back_when_pipewire_was_restarted(session: PipeWireSession) -> None:
    with Run() as run:
        with read(session) as reader:
            reader.wait_for("composite", frames=3)
            session.stop_pipewire()
            reader.assert_private()
        wait_until(lambda: any("PipeWire has stopped" in line for line in run.reported), "it is reported")
        session.start_pipewire()
        wait_until(lambda: NODE in (session.objects() or ""), "the camera is back")
        with read(session) as reader:
            reader.wait_for("composite", frames=3)
            reader.assert_private()
        assert any("PipeWire was started again" in line for line in run.reported)


def test_the_webcam_is_on_only_while_a_program_reads(session: PipeWireSession) -> None:
    with Run(on_demand=True) as run:
        run.pipeline._parts.on_demand._linger_s = 0.0
        for times in (1, 2):
            wait_until(lambda: not run.camera.busy, "the webcam is off")
            with read(session) as reader:
                reader.wait_for("composite", frames=3)
                assert run.camera.busy
            reader.assert_private()
            wait_until(lambda times=times: run.reported.count(on_demand.OFF) == times, "the webcam is off again")


def test_two_programs_read_at_once_and_one_may_leave(session: PipeWireSession) -> None:
    with Run(), read(session) as first:
        first.wait_for("composite")
        with read(session) as second:
            second.wait_for("composite", frames=3)
            second.assert_private()
        first.wait_for("composite", frames=3)
        first.assert_private()


def test_another_size_waits_for_the_reader_and_is_fitted_until_then(session: PipeWireSession) -> None:
    with Run() as run:
        with read(session) as reader:
            reader.wait_for("composite", frames=2)
            run.pipeline.submit(Command("size", (192, 128)))
            wait_until(lambda: "keeps 96x64 while a program reads it" in run.pipeline.size_note, "it waits")
            reader.wait_for("composite", frames=3)
            reader.assert_private()
        wait_until(lambda: not run.pipeline.size_note, "the new size applies")
        with read(session, size=(192, 128)) as reader:
            reader.wait_for("composite", frames=2)
            reader.assert_private()


def test_without_pipewire_the_hint_is_to_start_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with pytest.raises(SinkError, match=r"PipeWire does not accept a camera: .*; systemctl --user start pipewire"):
        pipewire.open("", size=SIZE, fps=30.0, alpha=False)
