"""The supervisor: one pipeline after another, and life without one."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.pipelines import clip, open_pipeline, scripted_camera
from fakes.scripted import Recorder, ScriptedCapture, wait_until

from realtime_matte.config.config import Config
from realtime_matte.errors import BadFile, MatteError, SinkError, SourceError, SpecError
from realtime_matte.panel import supervisor as supervisor_module
from realtime_matte.panel.supervisor import Supervisor
from realtime_matte.pipeline.commands import Command
from realtime_matte.pipeline.pipeline import Pipeline

MANY = 1_000_000


class Openings:
    """Stands in for ``Pipeline.open``: raises the errors in turn, then opens scripted pipelines."""

    def __init__(self, *errors: MatteError, frames: int = MANY) -> None:
        self.errors = list(errors)
        self.configs: list[Config] = []
        self._frames = frames

    def __call__(self, *, config: Config, **_more: object) -> Pipeline:
        self.configs.append(config)
        if self.errors:
            raise self.errors.pop(0)
        return open_pipeline(clip(self._frames), Recorder(live=True), reported=[], mirror=config.mirror)


class Clock:
    """Advances by a second at each call."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def supervised(
    openings: Openings,
    *,
    actions: list[Callable[[Supervisor], object]],
    reported: list[str] | None = None,
    **more: Path,
) -> Supervisor:
    """Run a supervisor in this thread; while it waits or runs, each action is called once, then it quits."""
    left = list(actions)
    supervisor = Supervisor(
        Config(bg="green"),
        notify=(reported if reported is not None else []).append,
        open_pipeline=openings,
        clock=Clock(),
        devices=more.get("devices", Path("/nowhere")),
    )

    def act() -> None:
        if left:
            left.pop(0)(supervisor)
        else:
            supervisor.request("quit")

    def show(pipeline: Pipeline) -> None:
        while pipeline.step():
            act()

    supervisor.run(show, wait=act)
    return supervisor


NO_CAMERA = SourceError("no camera", hint="plug one in")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "POLL_S", 0.001)


def test_without_a_camera_it_lives_and_reports_the_fault_once() -> None:
    openings, reported, faults = Openings(NO_CAMERA, NO_CAMERA, NO_CAMERA), [], []
    actions = [lambda supervisor: faults.append(supervisor.current.fault)] * 30
    supervised(openings, actions=actions, reported=reported)
    assert reported == ["no camera; plug one in"]
    assert faults[0] is NO_CAMERA
    assert len(openings.configs) == 4, "a camera that cannot be opened is tried again"


def test_another_fault_than_a_missing_camera_waits_for_the_user() -> None:
    for error in (SpecError("wrong"), BadFile("no image"), SinkError("no virtual camera")):
        openings = Openings(error)
        supervised(openings, actions=[lambda _supervisor: None] * 30)
        assert len(openings.configs) == 1


def test_restart_tries_again() -> None:
    openings = Openings(SinkError("no virtual camera"))
    seen: list[bool] = []
    supervised(
        openings,
        actions=[
            lambda supervisor: supervisor.submit(Command("restart")),
            lambda supervisor: seen.append(supervisor.current.pipeline is not None),
        ],
    )
    assert seen == [True]


def test_a_device_that_appears_is_found(tmp_path: Path) -> None:
    openings = Openings(SinkError("no virtual camera"))
    plug_in = lambda _supervisor: (tmp_path / "video0").touch()  # noqa: E731
    supervised(openings, actions=[plug_in, *[lambda _supervisor: None] * 10], devices=tmp_path)
    assert len(openings.configs) == 2


def test_an_option_that_is_changed_without_a_pipeline_is_used_for_the_next() -> None:
    openings = Openings(SinkError("no virtual camera"))
    supervised(openings, actions=[lambda supervisor: supervisor.submit(Command("camera", "demo"))])
    assert [config.camera for config in openings.configs] == ["camera", "demo"]


def test_an_invalid_option_without_a_pipeline_is_refused() -> None:
    supervisor = Supervisor(Config(), notify=[].append)
    with pytest.raises(SpecError, match="mirror: 'maybe' is not true or false"):
        supervisor.submit(Command("mirror", "maybe"))
    for key in ("snapshot", "record_start", "next_background", "nonsense"):
        with pytest.raises(SpecError, match="the pipeline is being opened"):
            supervisor.submit(Command(key))


def test_changes_survive_a_restart() -> None:
    openings = Openings()
    supervised(
        openings,
        actions=[
            lambda supervisor: supervisor.submit(Command("mirror", value=True)),
            lambda _supervisor: None,
            lambda supervisor: supervisor.submit(Command("restart")),
            lambda _supervisor: None,
        ],
    )
    assert [config.mirror for config in openings.configs] == [False, True]


def test_a_refused_change_is_not_kept() -> None:
    supervisor = supervised(
        Openings(),
        actions=[lambda supervisor: supervisor.submit(Command("bg", "/no/such.jpg")), *[lambda _supervisor: None] * 5],
    )
    assert "/no/such.jpg" not in supervisor.config.bg


def test_changes_by_others_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "StatusReader", lambda _pipeline: None)
    found: list[Config] = []
    supervised(
        Openings(),
        actions=[
            lambda supervisor: supervisor.current.pipeline.submit(Command("mirror", value=True)),  # as rtmatte ctl
            lambda _supervisor: None,
            lambda supervisor: found.append(supervisor.config),
        ],
    )
    assert found[0].mirror is True


@pytest.mark.parametrize("end", ["restart", "failure"])
def test_standby_survives_a_restart_and_no_frame_is_sent(monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """Who hides does not want to be shown because a pipeline was opened again."""
    sinks: list[Recorder] = []

    def opened(**_options: object) -> Pipeline:
        sinks.append(Recorder(live=True, fails_at=6 if end == "failure" and not sinks else None))
        return open_pipeline(scripted_camera(monkeypatch, ScriptedCapture(range(MANY))), sinks[-1])

    left: list[Callable[[Supervisor], object]] = [
        lambda supervisor: supervisor.submit(Command("standby", value=True)),
        *[lambda _supervisor: None] * 8,
        lambda supervisor: supervisor.submit(Command("restart")),
        *[lambda _supervisor: None] * 4,
    ]
    supervised(opened, actions=left)  # type: ignore[arg-type]
    from fakes.privacy import is_card  # noqa: PLC0415

    assert len(sinks) > 1
    assert sinks[1].images
    assert all(is_card(image) for image in sinks[1].images)


def test_a_source_that_ends_is_a_fault_that_restart_ends() -> None:
    openings, faults = Openings(frames=3), []
    actions = [*[lambda _supervisor: None] * 4, lambda supervisor: faults.append(supervisor.current.fault)]
    supervised(openings, actions=actions)
    assert str(faults[0]) == "the source has ended; choose another camera, or start again"


def test_beside_a_normal_run_an_error_is_that_of_the_run() -> None:
    supervisor = Supervisor(Config(), notify=[].append, open_pipeline=Openings(NO_CAMERA))
    with pytest.raises(SourceError, match="no camera"):
        supervisor.run(lambda pipeline: pipeline.run(), wait=lambda: None, stay=False)
    supervisor = Supervisor(Config(), notify=[].append, open_pipeline=Openings(frames=2))
    supervisor.run(lambda pipeline: pipeline.run(), wait=lambda: None, stay=False)


def test_quit_ends_it_whatever_it_does() -> None:
    for openings in (Openings(), Openings(SinkError("none")), Openings(NO_CAMERA)):
        assert supervised(openings, actions=[]).quitting
    supervisor = Supervisor(Config(), notify=[].append, open_pipeline=Openings())
    supervisor.request("quit")
    supervisor.run(lambda pipeline: pipeline.run(), wait=lambda: None)
    assert supervisor.current.pipeline is None


def test_quit_while_a_pipeline_is_opened_ends_it_before_a_frame() -> None:
    shown: list[Pipeline] = []

    def opened(**_options: object) -> Pipeline:
        supervisor.request("quit")
        return open_pipeline(clip(3), Recorder(live=True))

    supervisor = Supervisor(Config(), notify=[].append, open_pipeline=opened)
    supervisor.run(shown.append, wait=lambda: None)
    assert shown == []


def test_while_the_devices_are_needed_no_pipeline_is_opened() -> None:
    supervisor = Supervisor(Config(), notify=[].append, open_pipeline=(openings := Openings()))
    with supervisor.devices_free() as free:
        assert free
        runner = threading.Thread(target=lambda: supervisor.run(lambda pipeline: pipeline.run(), wait=lambda: None))
        runner.start()
        assert openings.configs == []
        supervisor.request("quit")
    runner.join(30)
    assert not runner.is_alive()
    wait_until(lambda: supervisor.current.pipeline is None)


def test_a_background_of_the_page_is_first_and_replaces_the_last_one() -> None:
    supervisor = Supervisor(Config(bg=("green", "blue")), notify=[].append, open_pipeline=Openings())
    for shown, expected in (
        ("red", ("red", "green", "blue")),
        ("teal", ("teal", "green", "blue")),
        ("blue", ("blue", "green")),
    ):
        reply = supervisor.submit(Command("restart"))
        supervisor._record(Command("bg", shown), reply)
        assert supervisor.config.bg == expected
    supervisor.forget_background("blue")
    assert supervisor.config.bg == ("green",)


def test_a_masked_password_does_not_replace_the_real_one() -> None:
    config = Config(camera="rtsp://me:secret@camera/live", bg="green")
    present = {"camera": "rtsp://me:***@camera/live", "bg": "green", "mirror": True, "unknown": 1}
    found = supervisor_module._with_present(config, present)
    assert (found.camera, found.mirror) == ("rtsp://me:secret@camera/live", True)
