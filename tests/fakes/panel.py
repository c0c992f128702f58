"""A control panel whose pipeline runs in a thread of its own, and clients of it."""

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from fakes.control import LONG_S
from fakes.pipelines import clip, open_pipeline
from fakes.scripted import Recorder, SolidBackground, wait_until
from realtime_matte.config.config import Config
from realtime_matte.panel.folders import Folders
from realtime_matte.panel.password import Address
from realtime_matte.panel.server import PanelServer
from realtime_matte.panel.supervisor import Supervisor
from realtime_matte.pipeline.pipeline import Pipeline

PACE_S = 0.002
"""Between two frames, so that the other threads of a test have the processor too."""


class Panel:
    """A served supervisor."""

    def __init__(self, supervisor: Supervisor, server: PanelServer) -> None:
        self.supervisor = supervisor
        self.server = server
        self.host = f"127.0.0.1:{server.port}"
        self.origin = server.url.rstrip("/")

    @property
    def pipeline(self) -> Pipeline:
        pipeline = self.supervisor.current.pipeline
        assert pipeline is not None
        return pipeline

    def headers(self, **changes: str | None) -> dict[str, str]:
        """Those of the page's own requests; None leaves one out."""
        own = {"Host": self.host, "Origin": self.origin, "X-Rtmatte-Token": self.server.token}
        given = own | {name.replace("_", "-"): value for name, value in changes.items()}
        return {name: value for name, value in given.items() if value is not None}

    def raw(self, method: str, path: str, body: bytes = b"", **changes: str | None) -> http.client.HTTPResponse:
        """The answer to one request, read."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=LONG_S)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in ({"Content-Length": str(len(body))} | self.headers(**changes)).items():
            connection.putheader(name, value)
        connection.endheaders(body or None)
        response = connection.getresponse()
        response.content = response.read()  # type: ignore[attr-defined]
        connection.close()
        return response

    def ask(self, method: str, path: str, body: object = None, **changes: str | None) -> tuple[int, Any]:
        """Status and answer of a request of the page, with a body in JSON."""
        data = b"" if body is None else json.dumps(body).encode()
        response = self.raw(method, path, data, **{"Content_Type": "application/json", **changes})
        content: bytes = response.content  # type: ignore[attr-defined]
        is_json = (response.getheader("Content-Type") or "").startswith("application/json")
        return response.status, json.loads(content) if is_json else content

    def command(self, key: str, value: object = None) -> tuple[int, Any]:
        return self.ask("POST", "/api/commands", {"key": key, "value": value})

    @contextmanager
    def live(self, *, token: str | None = None, origin: str | None = "own") -> Iterator[ClientConnection]:
        """A live socket of the page, after its token."""
        with connect(
            f"ws://{self.host}/api/live",
            origin=self.origin if origin == "own" else origin,  # type: ignore[arg-type]
            compression=None,
            open_timeout=LONG_S,
        ) as socket:
            with suppress(ConnectionClosed):  # where too many are open
                socket.send(json.dumps({"token": self.server.token if token is None else token}))
            yield socket


def frames_go_on(panel: Panel) -> None:
    """Fails if the pipeline stands still."""
    before = panel.pipeline.stats.composites
    wait_until(lambda: panel.pipeline.stats.composites > before + 20)


def next_preview(socket: ClientConnection, width: int = 640) -> bytes:
    """The JPEG that answers a request; statuses in between are left out."""
    socket.send(json.dumps({"type": "next", "width": width}))
    while True:
        message = socket.recv(LONG_S)
        if isinstance(message, bytes):
            return message


def next_status(socket: ClientConnection) -> dict[str, Any]:
    """The next status that is pushed."""
    while True:
        message = socket.recv(LONG_S)
        if isinstance(message, str):
            return dict(json.loads(message))


def folders_in(path: Path) -> Folders:
    """Folders of the panel in a folder of the test."""
    return Folders(data=path / "data", cache=path / "cache", user=path / "pictures")


@contextmanager
def served(
    open_pipeline: Callable[..., Pipeline],
    folder: Path,
    *,
    config: Config | None = None,
    address: Address | None = None,
    config_file: str | None = None,
) -> Iterator[Panel]:
    """A panel of the pipelines that ``open_pipeline`` opens; they run in another thread until the end of the block."""
    supervisor = Supervisor(
        config or Config(bg="green", output="null"),
        notify=[].append,
        open_pipeline=open_pipeline,
        devices=folder,
    )
    pause = threading.Event()

    def show(pipeline: Pipeline) -> None:
        while pipeline.step():
            pause.wait(PACE_S)

    runner = threading.Thread(target=lambda: supervisor.run(show, wait=lambda: None))
    server = PanelServer(supervisor, address, folders=folders_in(folder), config_file=config_file)
    runner.start()
    try:
        panel = Panel(supervisor, server)
        while supervisor.current == type(supervisor.current)():
            pause.wait(PACE_S)
        yield panel
    finally:
        supervisor.request("quit")
        runner.join(LONG_S)
        server.close()
    assert not runner.is_alive()


MANY: Final = 1_000_000
"""More frames than a test takes."""


def scripted_pipeline(**_options: object) -> Pipeline:
    """A pipeline of scripted parts: a camera's background in the marker's colour, and a plain new one."""
    return open_pipeline(clip(MANY), Recorder(live=True), background=SolidBackground())
