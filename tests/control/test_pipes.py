"""Named pipes of Windows, by stand-ins: the loop serves a Unix socket, and the client's end is one.

What is shared with Unix sockets (requests, answers, limits, the end) is tested there; here, that a pipe has it too.
"""

import asyncio
import json
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import pytest
from fakes.control import while_running
from fakes.pipelines import clip, open_pipeline
from fakes.scripted import Recorder

from realtime_matte.control import client, pipes
from realtime_matte.control.client import Instance, ask, instances
from realtime_matte.control.listeners import PipeListener
from realtime_matte.control.run import PipelineRun
from realtime_matte.control.server import MAX_LINE, ControlServer
from realtime_matte.errors import MatteError
from realtime_matte.pipeline.pipeline import Pipeline


class PipeLoop(asyncio.SelectorEventLoop):
    """Serves a Unix socket where Windows' loop serves a pipe, and refuses a name that is there, as that does."""

    served: ClassVar[set[str]] = set()

    async def start_serving_pipe(
        self, protocol_factory: Callable[[], asyncio.Protocol], address: str
    ) -> list[asyncio.Server]:
        if address in self.served:
            raise PermissionError(13, "Access is denied")
        self.served.add(address)
        return [await self.create_unix_server(protocol_factory, address)]


class Pipe:
    """The client's end: messages, as ``multiprocessing.connection.PipeConnection`` has them on Windows."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.connect(address)
        except OSError:
            self._socket.close()
            raise

    def send_bytes(self, data: bytes) -> None:
        self._socket.sendall(data)

    def poll(self, timeout_s: float) -> bool:
        return bool(select.select([self._socket], [], [], timeout_s)[0])

    def recv_bytes(self) -> bytes:
        data = self._socket.recv(100)  # an answer comes in several messages
        if not data:
            raise EOFError
        return data

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    with open_pipeline(clip(100_000), Recorder(live=True)) as opened:
        opened.step()
        yield opened


@pytest.fixture
def windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which the client takes pipes."""
    monkeypatch.setattr(client.sys, "platform", "win32")
    monkeypatch.setattr(pipes, "FOLDER", f"{tmp_path}/")
    monkeypatch.setattr(pipes.getpass, "getuser", lambda: "Zoe X")
    monkeypatch.setattr(pipes, "connect", Pipe)
    monkeypatch.setattr(pipes, "names", lambda: [path.name for path in tmp_path.iterdir()])
    monkeypatch.setattr(PipeLoop, "served", set())


def served(pipeline: Pipeline, pid: int) -> ControlServer:
    return ControlServer(PipelineRun(pipeline), PipeListener(pipes.pipe_name(pid)), make_loop=PipeLoop)


def test_a_pipe_has_the_user_and_the_process_in_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipes.getpass, "getuser", lambda: "Zoe X")
    assert pipes.pipe_name(412) == r"\\.\pipe\rtmatte-Zoe_X-412"
    there = ["rtmatte-Zoe_X-412", "rtmatte-Zoe_X-7", "rtmatte-Zoe_X-old", "rtmatte-other-3", "docker_engine"]
    monkeypatch.setattr(pipes, "names", lambda: there)
    assert pipes.pipes() == {412: r"\\.\pipe\rtmatte-Zoe_X-412", 7: r"\\.\pipe\rtmatte-Zoe_X-7"}


@pytest.mark.usefixtures("windows")
def test_a_run_is_found_and_changed_over_its_pipe(pipeline: Pipeline) -> None:
    with closing(served(pipeline, 412)):
        assert [instance.pid for instance in instances()] == [412]
        [instance] = instances()
        answer = while_running(pipeline, lambda: ask(instance, "mirror", value=True))
        assert answer["status"]["options"]["mirror"] is True
        with pytest.raises(MatteError, match="mirror: 'maybe' is not on or off"):
            while_running(pipeline, lambda: ask(instance, "mirror", "maybe"))


@pytest.mark.usefixtures("windows")
def test_two_instances_do_not_collide(pipeline: Pipeline) -> None:
    with closing(served(pipeline, 7)), closing(served(pipeline, 8)):
        assert [instance.pid for instance in instances()] == [7, 8]
        with pytest.raises(PermissionError):
            served(pipeline, 7)
        statuses = [while_running(pipeline, lambda one=one: ask(one, "status")) for one in instances()]
    assert all("status" in status for status in statuses)


@pytest.mark.usefixtures("windows")
def test_a_pipe_whose_server_has_ended_is_an_error() -> None:
    with pytest.raises(MatteError, match=r"rtmatte \(pid 9\) does not answer"):
        ask(Instance(9, pipes.pipe_name(9)), "status")


@pytest.mark.usefixtures("windows")
def test_a_server_that_does_not_answer_in_time_is_an_error(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime_matte.control.server.GRACE_S", 0.01)
    with closing(served(pipeline, 5)), pytest.raises(MatteError, match="does not answer: timed out"):
        ask(Instance(5, pipes.pipe_name(5)), "mirror", value=True, timeout_s=0.01)  # the pipeline makes no step


@pytest.mark.usefixtures("windows")
def test_a_pipe_has_the_limits_of_a_socket(pipeline: Pipeline) -> None:
    def client() -> dict[str, Any]:
        line = b"x" * (2 * MAX_LINE) + b"\n"
        return dict(json.loads(pipes.exchange(pipes.pipe_name(5), line, timeout_s=30, most=1 << 20)))

    with closing(served(pipeline, 5)):
        assert "a request is longer than" in while_running(pipeline, client)["error"]["message"]
