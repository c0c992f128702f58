import base64
import json
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes.control import LONG_S, Client, while_running
from fakes.pipelines import clip, open_pipeline, scripted_camera
from fakes.privacy import is_card, marked, shows
from fakes.scripted import (
    Recorder,
    ScriptedCapture,
    ScriptedNetwork,
    SolidBackground,
    fails,
    wait_until,
)
from fakes.threads import started_since

from realtime_matte.control import server as server_module
from realtime_matte.control.client import instances
from realtime_matte.control.listeners import SocketListener
from realtime_matte.control.run import PipelineRun
from realtime_matte.control.server import MAX_CONNECTIONS, MAX_LINE, ControlServer, serve
from realtime_matte.control.sockets import open_folder
from realtime_matte.errors import ModelError, SinkError
from realtime_matte.frame import Pixels
from realtime_matte.interfaces import Network
from realtime_matte.pipeline.commands import Command
from realtime_matte.pipeline.pipeline import Pipeline

MANY = 100_000
"""More frames than a test takes."""


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    background = SolidBackground(), SolidBackground((1, 2, 3))
    with open_pipeline(clip(MANY), Recorder(live=True), background=background) as opened:
        opened.step()
        yield opened


@pytest.fixture
def server(pipeline: Pipeline, tmp_path: Path) -> Iterator[ControlServer]:
    with closing(ControlServer(PipelineRun(pipeline), SocketListener(tmp_path / "7.sock"))) as opened:
        yield opened


def asked(pipeline: Pipeline, server: ControlServer, *lines: bytes) -> list[object]:
    """The answers to the lines of one client; None where the server closed the connection."""

    def client() -> list[object]:
        with closing(Client(server.path)) as connection:
            answers: list[object] = []
            for line in lines:
                connection.send(line)
                answers.append(connection.receive())
            return answers

    return while_running(pipeline, client)


def ask(pipeline: Pipeline, server: ControlServer, key: str, value: object = None) -> dict[str, object]:
    answer = asked(pipeline, server, json.dumps({"key": key, "value": value}).encode())[0]
    assert isinstance(answer, dict)
    return answer


def test_the_status_is_answered(pipeline: Pipeline, server: ControlServer) -> None:
    status = ask(pipeline, server, "status")["status"]
    assert isinstance(status, dict)
    assert (status["pid"], status["state"], status["model"]) == (os.getpid(), "running", "scripted")


def test_a_change_is_answered_with_the_status_after_it(pipeline: Pipeline, server: ControlServer) -> None:
    answers = asked(
        pipeline,
        server,
        b'{"key": "mirror", "value": "on"}',
        b'{"key": "standby", "value": "on"}',
        b'{"key": "standby", "value": "off"}',
        b'{"key": "next_background"}',
    )
    statuses = [answer["status"] for answer in answers]  # type: ignore[index]
    assert [status["options"]["mirror"] for status in statuses] == [True] * 4
    assert [status["state"] for status in statuses] == ["running", "standby", "running", "running"]
    assert pipeline._parts.backgrounds._position == 1


def test_a_refused_change_is_an_error_with_a_hint(pipeline: Pipeline, server: ControlServer) -> None:
    assert ask(pipeline, server, "seconds", 5) == {
        "error": {
            "message": "seconds cannot change while running",
            "hint": "stop rtmatte and start it again with --seconds",
        }
    }
    error = ask(pipeline, server, "bg", "beech")["error"]
    assert isinstance(error, dict)
    assert error["message"].startswith("no background called 'beech'")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"", "a request is not JSON"),
        (b"status", "a request is not JSON"),
        (b"\xff\xfe", "a request is not JSON"),
        (b"[" * 10_000, "a request is not JSON"),
        (b"[1]", "a request has no key"),
        (b'{"key": 1}', "a request has no key"),
        (b'{"key": "rm -rf"}', "no option 'rm -rf' can change while running"),
        (b'{"key": "threads", "value": ' + b"9" * 5000 + b"}", "a request is not JSON"),
        (b'{"key": "threads", "value": NaN}', "threads: nan is not a whole number from 1 to 256"),
        (b'{"key": "bg", "value": "a\\u0000b"}', "is not a text without control characters"),
    ],
)
def test_a_malformed_request_is_an_error_and_the_connection_stays(
    pipeline: Pipeline, server: ControlServer, line: bytes, message: str
) -> None:
    refused, answer = asked(pipeline, server, line, b'{"key": "status"}')
    assert message in refused["error"]["message"]  # type: ignore[index]
    assert "status" in answer  # type: ignore[operator]


def test_a_request_that_is_too_long_ends_the_connection(pipeline: Pipeline, server: ControlServer) -> None:
    def client() -> tuple[object, object]:
        with closing(Client(server.path)) as connection:
            connection.send(b"x" * (MAX_LINE + 1))
            first = connection.receive()
            try:
                return first, connection.receive()
            except ConnectionResetError:
                return first, None

    refused, after = while_running(pipeline, client)
    assert refused == {"error": {"message": f"a request is longer than {MAX_LINE} bytes", "hint": ""}}
    assert after is None


def test_the_socket_is_for_this_user_alone(server: ControlServer) -> None:
    assert stat.S_IMODE(server.path.stat().st_mode) == 0o600


def test_close_removes_the_socket_and_ends_the_thread(pipeline: Pipeline, tmp_path: Path) -> None:
    before = threading.enumerate()
    server = ControlServer(PipelineRun(pipeline), SocketListener(tmp_path / f"{os.getpid()}.sock"))
    assert server.path == tmp_path / f"{os.getpid()}.sock"
    with closing(Client(server.path)) as idle:
        idle.send(b"")
        assert idle.receive() is not None
        server.close()
        server.close()
        assert idle.receive() is None
    assert list(tmp_path.iterdir()) == []
    assert started_since(before) == []


def test_quit_is_answered_before_the_server_closes(pipeline: Pipeline, server: ControlServer) -> None:
    def client() -> dict[str, object]:
        with closing(Client(server.path)) as connection:
            return connection.ask("quit")

    answers: list[dict[str, object]] = []
    other = threading.Thread(target=lambda: answers.append(client()))
    other.start()
    pipeline.run()
    server.close()
    other.join(LONG_S)
    assert answers[0]["status"]["state"] == "ended"  # type: ignore[index]


def test_a_command_that_waits_at_the_end_does_not_hold_it_up(
    pipeline: Pipeline, server: ControlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "GRACE_S", 0.01)
    with closing(Client(server.path)) as connection:
        connection.send(b'{"key": "mirror", "value": true}')
        wait_until(lambda: bool(pipeline._commands._waiting))
        server.close()
        assert connection.receive() is None


def test_two_instances_do_not_collide(pipeline: Pipeline, server: ControlServer, tmp_path: Path) -> None:
    with closing(ControlServer(PipelineRun(pipeline), SocketListener(tmp_path / "8.sock"))):
        assert sorted(path.name for path in tmp_path.iterdir()) == ["7.sock", "8.sock"]
    with pytest.raises(SinkError, match=r"cannot open the control socket .*7\.sock: it is in use"):
        ControlServer(PipelineRun(pipeline), SocketListener(tmp_path / "7.sock"))
    assert server.path.exists()


def test_a_socket_of_a_killed_program_with_this_number_is_replaced(pipeline: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "7.sock").write_text("")
    (tmp_path / ".7.sock").write_text("")
    with closing(ControlServer(PipelineRun(pipeline), SocketListener(tmp_path / "7.sock"))) as server:
        assert "status" in ask(pipeline, server, "status")


def flood(deaf: Client) -> bool:
    """Send requests until the server takes no more: it cannot write. False if it takes more."""
    deaf.socket.settimeout(0)
    try:
        deaf.socket.send(b'{"key": "status"}\n' * 100)
    except (BlockingIOError, ConnectionError):
        return True
    return False


def test_a_client_that_stops_reading_holds_up_no_other(
    pipeline: Pipeline, server: ControlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "WRITE_S", LONG_S)  # it stays connected
    with closing(Client(server.path)) as deaf:
        wait_until(lambda: flood(deaf))
        before = pipeline.stats.composites
        assert "status" in ask(pipeline, server, "status")
        assert pipeline.stats.composites > before
        assert len(server._connections) >= 1


def test_a_client_that_stops_reading_is_disconnected(
    pipeline: Pipeline, server: ControlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "WRITE_S", 0.01)
    with closing(Client(server.path)) as deaf:
        wait_until(lambda: flood(deaf))
        wait_until(lambda: len(server._connections) == 0)
    assert "status" in ask(pipeline, server, "status")


def test_fifty_connections_hold_up_nothing(pipeline: Pipeline, server: ControlServer) -> None:
    def clients() -> list[dict[str, object] | None]:
        connections = [Client(server.path) for _ in range(50)]
        for connection in connections[:MAX_CONNECTIONS]:
            connection.send(b'{"key": "status"}')
        answers = [connection.receive() for connection in connections]
        for connection in connections:
            connection.close()
        return answers

    answers = while_running(pipeline, clients)
    assert sum("status" in answer for answer in answers if answer) == MAX_CONNECTIONS
    refused = {"error": {"message": "too many connections", "hint": "close some"}}
    assert answers.count(refused) == 50 - MAX_CONNECTIONS
    wait_until(lambda: len(server._connections) == 0)
    assert "status" in ask(pipeline, server, "status")


def test_a_client_that_goes_before_its_answer_changes_nothing(pipeline: Pipeline, server: ControlServer) -> None:
    connection = Client(server.path)
    connection.send(b'{"key": "mirror", "value": true}')
    wait_until(lambda: bool(pipeline._commands._waiting))
    connection.close()
    pipeline.step()
    assert pipeline.options["mirror"] is True
    assert "status" in ask(pipeline, server, "status")


def test_a_change_that_takes_too_long_is_an_error(
    pipeline: Pipeline, server: ControlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "COMMAND_S", 0.01)
    with closing(Client(server.path)) as connection:
        answer = connection.ask("mirror", value=True)  # no step
    assert answer == {"error": {"message": "mirror is not done after 0.01 s", "hint": "see rtmatte ctl status"}}
    pipeline.step()
    assert pipeline.options["mirror"] is False, "it was given up"


def test_a_run_that_fails_is_an_error_of_the_command(
    monkeypatch: pytest.MonkeyPatch, pipeline: Pipeline, server: ControlServer
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(pipeline._parts.backgrounds, "next", broken)
    with closing(Client(server.path)) as connection:
        connection.send(b'{"key": "next_background"}')
        wait_until(lambda: bool(pipeline._commands._waiting))
        with pytest.raises(ZeroDivisionError):
            pipeline.step()
        answer = connection.receive()
    assert answer == {"error": {"message": "the run failed: ZeroDivisionError()", "hint": ""}}


# serve


def test_a_served_run_is_found_until_its_end(pipeline: Pipeline, runtime: Path) -> None:
    with serve(PipelineRun(pipeline), enabled=True) as notices:
        assert notices == []
        assert [instance.address for instance in instances()] == [str(runtime / "rtmatte" / f"{os.getpid()}.sock")]
    assert instances() == []


def test_no_control_opens_nothing(pipeline: Pipeline, runtime: Path) -> None:
    with serve(PipelineRun(pipeline), enabled=False) as notices:
        assert notices == []
        assert list(runtime.iterdir()) == []


def test_a_run_continues_without_a_socket(pipeline: Pipeline, runtime: Path) -> None:  # noqa: ARG001
    open_folder().chmod(0o777)
    with serve(PipelineRun(pipeline), enabled=True) as notices:
        assert "rtmatte ctl does not reach this run: " in notices[0]
        assert "is not a folder of this user alone" in notices[0]
        assert pipeline.step()


# privacy: a snapshot is a composite or the card, whatever goes wrong


def snapshot(pipeline: Pipeline) -> Pixels:
    """The snapshot that the next step takes, before it sends anything."""
    reply = pipeline.submit(Command("snapshot"))
    pipeline.step()
    image = reply.result(0)
    assert isinstance(image, np.ndarray)
    assert marked(image) == 0, "the camera's background"
    return image


def judged(image: Pixels) -> int | None:
    """Which frame it shows; None for the card."""
    if is_card(image):
        return None
    return next(index for index in range(20) if shows(image, index))


def test_snapshots_from_the_start_to_the_end_are_what_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    capture = ScriptedCapture([0, 1, None, 3, 4, 5, 6, 7])
    camera = scripted_camera(monkeypatch, capture)
    network = ScriptedNetwork({4: fails})
    with open_pipeline(camera, Recorder(live=True), network=network) as pipeline:
        taken = [judged(snapshot(pipeline)) for _ in range(6)]
        assert taken == [None, 0, 1, None, 3, None], "start, two frames, a loss, a frame, a failure"
        pipeline.submit(Command("standby", "on"))
        pipeline.step()
        assert judged(snapshot(pipeline)) is None


def test_a_snapshot_after_a_refused_model_is_of_the_old_one() -> None:
    def broken() -> Network:
        raise ModelError("no such model")

    with open_pipeline(clip(5), Recorder(live=True)) as pipeline:
        pipeline.step()
        pipeline.submit(Command("model", broken))
        assert judged(snapshot(pipeline)) is not None


def test_a_snapshot_after_a_failed_background_is_the_card() -> None:
    background = SolidBackground(fails_at=1)
    with open_pipeline(clip(5), Recorder(live=True), background=background) as pipeline:
        assert [judged(snapshot(pipeline)) for _ in range(3)] == [None, 0, None]


def test_nothing_was_sent_yet_is_an_error() -> None:
    with open_pipeline(clip(5), Recorder()) as pipeline:
        reply = pipeline.submit(Command("snapshot"))
        pipeline.step()
        with pytest.raises(SinkError, match="there is no snapshot: nothing was sent yet; try again in a moment"):
            reply.result(0)


def test_a_snapshot_is_not_changed_by_later_frames() -> None:
    with open_pipeline(clip(9), Recorder(live=True)) as pipeline:
        pipeline.step()
        image = snapshot(pipeline)
        pipeline.step()
        assert judged(image) == 0


def test_a_snapshot_arrives_as_png(pipeline: Pipeline, server: ControlServer) -> None:
    pipeline.step()
    answer = ask(pipeline, server, "snapshot")
    data = base64.b64decode(str(answer["image"]))
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert image is not None
    assert judged(np.asarray(image, np.uint8)) is not None or is_card(np.asarray(image, np.uint8))
    assert marked(np.asarray(image, np.uint8)) == 0


def test_a_snapshot_without_a_background_keeps_alpha_and_no_colour_of_the_camera() -> None:
    network = ScriptedNetwork()
    with Pipeline.open(
        clip(3), "none", outputs=[Recorder(live=True, alpha=True)], model=lambda: network, notify=[].append
    ) as pipeline:
        pipeline.step()
        image = snapshot(pipeline)
        assert image.shape[2] == 4
