"""The panel's server: Starlette and uvicorn in a thread of their own, with an event loop of its own."""

import asyncio
import secrets
import socket
import threading
from collections.abc import Callable
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from realtime_matte.errors import SinkError
from realtime_matte.panel.connections import BoundedConnection, BoundedServer, BoundedSocket
from realtime_matte.panel.endpoints import Services
from realtime_matte.panel.folders import Folders, user_folders
from realtime_matte.panel.gallery import Gallery
from realtime_matte.panel.guard import LOOPBACK, Access, Guard, accepted_hosts
from realtime_matte.panel.live import Live
from realtime_matte.panel.password import Address, Login
from realtime_matte.panel.preview import Previews
from realtime_matte.panel.routes import all_endpoints, refused, routes
from realtime_matte.panel.state import PanelState
from realtime_matte.panel.supervisor import Supervisor

MAX_HEADERS: Final = 16 * 1024
MAX_MESSAGE: Final = 4 * 1024
"""Bytes of a message of the page over its live socket: a token, or a request for a preview."""

PING_S: Final = 20.0
START_S: Final = 10.0
CLOSE_S: Final = 4.0


class PanelServer:
    """Serves the panel of ``supervisor`` until it is closed. Nothing in the pipeline waits for it.

    Attributes:
        url: Address of the page, without the token.
        token: Secret of this run.

    Raises:
        SinkError: The port cannot be used.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        address: Address | None = None,
        *,
        folders: Folders | None = None,
        config_file: str | None = None,
    ) -> None:
        address = address or Address()
        self._listener = _listen(address)
        self._tls = address.tls
        self._password = address.password
        self.port = int(self._listener.getsockname()[1])
        self.token = secrets.token_urlsafe(32)
        scheme = "https" if address.tls else "http"
        hosts = accepted_hosts([*LOOPBACK, address.name], self.port, scheme)
        self.url = f"{scheme}://{address.name}:{self.port}/"
        self._access = Access(scheme, hosts, self.token, self._opened)
        self._supervisor = supervisor
        self._folders = folders or user_folders()
        self._config_file = config_file
        self._when_opened: tuple[Callable[[], None], ...] = ()
        self._server: uvicorn.Server | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="panel", daemon=True)
        self._thread.start()
        self._ready.wait(START_S)

    def when_opened(self, call: Callable[[], None]) -> None:
        """Call it in the server's thread once a page has used the token; set before the page is opened."""
        self._when_opened = (*self._when_opened, call)

    def close(self) -> None:
        """Disconnect every client and end the thread. Idempotent."""
        if self._server:
            self._server.should_exit = True
        self._thread.join(CLOSE_S)
        self._listener.close()

    def _opened(self) -> None:
        calls, self._when_opened = self._when_opened, ()
        for call in calls:
            call()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        state = PanelState(self._supervisor)
        previews = Previews(self._supervisor)
        services = Services(state, Gallery(self._folders), self._folders, self._config_file)
        endpoints = all_endpoints(services, Login(self._password, self._access))
        live = Live(state, previews, self._access)
        app = Starlette(routes=routes(endpoints, services, live), exception_handlers={HTTPException: refused})
        self._server = BoundedServer(self._uvicorn_config(Guard(app, self._access)), self._listener)
        self._ready.set()
        try:
            await self._server.serve()
        finally:
            services.workers.shutdown(wait=False, cancel_futures=True)

    def _uvicorn_config(self, app: Guard) -> uvicorn.Config:
        tls = self._tls
        return uvicorn.Config(
            app,
            http=BoundedConnection,
            ws=BoundedSocket,
            ws_max_size=MAX_MESSAGE,
            ws_ping_interval=PING_S,
            ws_ping_timeout=PING_S,
            ws_per_message_deflate=False,  # JPEGs cannot be compressed further
            h11_max_incomplete_event_size=MAX_HEADERS,
            lifespan="off",
            log_config=None,
            log_level="critical",  # clients cause its warnings
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
            ssl_context_factory=(lambda _config, _default: tls) if tls else None,
        )


def new_event_loop() -> asyncio.AbstractEventLoop:
    """A loop of uvloop, which takes less processor time for each preview; asyncio's own where uvloop is missing."""
    try:
        import uvloop  # noqa: PLC0415 -- there is none for Windows
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _listen(address: Address) -> socket.socket:
    """A listening socket. Raises SinkError."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port or 0), family=family)
    except OSError as error:
        port = f", port {address.port}" if address.port else ""
        raise SinkError(
            f"cannot open the panel at {address.name}{port}: {error.strerror or error}",
            hint="choose another --panel-port, or leave it out" if port else "correct --panel-host",
        ) from error
