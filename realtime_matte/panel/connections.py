"""HTTP connections of the panel's server, bounded in number and in the time that a request may take to arrive."""

import asyncio
from typing import Any, Final, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_CONNECTIONS: Final = 160
"""Twice the live sockets there may be, and more: a browser opens six connections for each page."""

REQUEST_S: Final = 10.0
"""How long a connection may be open without a complete request."""


class BoundedConnection(H11Protocol):
    """One connection. Closed if there are too many, or if its first request does not arrive in REQUEST_S."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Refuse the connection, or wait for its request."""
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            transport.abort()
        else:
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
        if not cast("Any", self.transport).is_closing() and self._deadline is None:
            self._deadline = self.loop.call_later(REQUEST_S, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        if self._deadline:
            self._deadline.cancel()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        self._deadline = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()
