"""Connections of the panel's server: bounded in number, and in the time that a client may take to send or to read."""

import asyncio
import socket
from typing import ClassVar, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

MAX_CONNECTIONS: Final = 160
"""Twice the live sockets there may be, and more: a browser opens six connections for each page."""

REQUEST_S: Final = 10.0
"""How long a connection may be open without a complete request."""

ANSWER_S: Final = 30.0
"""How long a client may leave an answer unread: a snapshot of 4 MB at 1 Mbit/s."""

SEND_S: Final = 5.0
"""How long a client of a live socket may read too little for the next message to be sent."""

LINGER_S: Final = 2.0
"""How long a live socket that is closed may take to send the rest."""

HANDSHAKE_S: Final = 5.0
"""How long a client may take for the handshake of TLS."""

PAUSE_S: Final = 1.0
"""How long none is accepted after the system refused one, such as for want of file descriptors."""


class _Reading(asyncio.Protocol):
    """A protocol whose client may read too little for ``unread_s``; then the connection is aborted.

    ``transport.close`` would send the rest first, to a client that does not read.
    """

    unread_s: ClassVar[float]
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    _unread: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """Too much is unread; what is next waits."""
        super().pause_writing()
        self._unread = self.loop.call_later(self.unread_s, self._drop)

    def resume_writing(self) -> None:
        """The client has read."""
        super().resume_writing()
        _cancel(self._unread)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        _cancel(self._unread)
        super().connection_lost(exc)

    def _drop(self) -> None:
        self.transport.abort()


class BoundedConnection(_Reading, H11Protocol):
    """One connection. Aborted if a request does not arrive in REQUEST_S, or an answer is not read in ANSWER_S."""

    unread_s = ANSWER_S
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Wait for its request."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(REQUEST_S, self._give_up)

    def handle_events(self) -> None:
        """Handle what arrived; a complete request ends the deadline, an incomplete one does not."""
        before = self.scope
        super().handle_events()
        if self.scope is not before and self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def on_response_complete(self) -> None:
        """Wait for the next request of the connection: uvicorn's own timer ends with its first byte."""
        super().on_response_complete()
        if self._deadline is None:
            self._deadline = self.loop.call_later(REQUEST_S, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        _cancel(self._deadline)
        super().connection_lost(exc)

    def _give_up(self) -> None:
        self._deadline = None
        if self.cycle is None or self.cycle.response_complete:
            self._drop()


class BoundedSocket(_Reading, WebSocketsSansIOProtocol):
    """One live socket. Aborted if its client does not read for SEND_S, or LINGER_S after its end."""

    unread_s = SEND_S
    _lingering: asyncio.TimerHandle | None = None

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """The live socket has ended, and is closed."""
        super().on_task_complete(task)
        if not self.disconnected:
            self._lingering = self.loop.call_later(LINGER_S, self._drop)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        _cancel(self._lingering)
        super().connection_lost(exc)


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer:
        timer.cancel()


class BoundedServer(uvicorn.Server):
    """Accepts the connections itself, and counts each from then on: a handshake of TLS may never be completed."""

    def __init__(self, config: uvicorn.Config, listener: socket.socket) -> None:
        super().__init__(config)
        self._listener = listener
        self._handshakes: dict[BoundedConnection, asyncio.Task[None]] = {}  # some are in ``connections`` already

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 -- as uvicorn's
        """Begin to accept."""
        await super().startup(sockets=[])
        self._listener.settimeout(0)
        self._accepting = asyncio.create_task(self._accept())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more, and close what is open."""
        for task in [self._accepting, *self._handshakes.values()]:
            task.cancel()
        await super().shutdown(sockets)

    async def _accept(self) -> None:
        """Accept connections until it is cancelled; one above the limit is closed at once."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._listener)
            except ConnectionError:  # the client has gone
                continue
            except OSError:
                await asyncio.sleep(PAUSE_S)
                continue
            if len(self._handshakes.keys() | self.server_state.connections) >= MAX_CONNECTIONS:
                connection.close()
                continue
            protocol = BoundedConnection(
                config=self.config, server_state=self.server_state, app_state=self.lifespan.state
            )
            self._handshakes[protocol] = asyncio.create_task(self._connect(connection, protocol))

    async def _connect(self, connection: socket.socket, protocol: BoundedConnection) -> None:
        """Hand the connection over to its protocol, after the handshake of TLS if there is one."""
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: protocol,
                connection,
                ssl=self.config.ssl,
                ssl_handshake_timeout=HANDSHAKE_S if self.config.ssl else None,
            )
        except OSError:  # no TLS, too slow, or gone
            connection.close()
        finally:
            del self._handshakes[protocol]
