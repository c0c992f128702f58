"""Where a control server listens: a Unix socket, or a named pipe of Windows. The server's protocol is the same."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol, TypeAlias, cast

from realtime_matte.control import sockets
from realtime_matte.errors import SinkError

Connected: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Serves one client."""

CONNECTIONS = 32
"""Clients that may wait to be accepted."""


class Listener(Protocol):
    """Accepts clients. Made in the pipeline's thread, then used in the server's."""

    @property
    def address(self) -> str:
        """Path of the socket, or of the pipe."""

    async def start(self, connected: Connected, *, limit: int) -> None:
        """Accept clients. ``limit``: bytes of the longest line. Raises OSError."""

    async def stop(self) -> None:
        """Accept no more clients."""

    def remove(self) -> None:
        """Remove what other programs would find."""


class SocketListener:
    """A Unix socket at ``path``, for this user only. Raises SinkError."""

    def __init__(self, path: Path) -> None:
        self.address = str(path)
        self._path = path
        try:
            self._socket = sockets.listen(path, connections=CONNECTIONS)
        except OSError as error:
            raise SinkError(
                f"cannot open the control socket {path}: {error.strerror or error}", hint="set XDG_RUNTIME_DIR"
            ) from error
        self._server: asyncio.Server | None = None

    async def start(self, connected: Connected, *, limit: int) -> None:
        """Accept clients."""
        self._server = await asyncio.start_unix_server(connected, sock=self._socket, limit=limit)

    async def stop(self) -> None:
        """Accept no more clients: not at once, for asyncio fails for one that is accepted when the server closes."""
        asyncio.get_running_loop().remove_reader(self._socket)
        await settle()
        if self._server:
            self._server.close()

    def remove(self) -> None:
        """Delete the socket."""
        with suppress(OSError):
            self._path.unlink()


class PipeServer(Protocol):
    """What asyncio's ``start_serving_pipe`` returns."""

    def close(self) -> None:
        """Accept no more clients."""


class PipeLoop(Protocol):
    """The event loop of Windows, which serves named pipes."""

    def start_serving_pipe(
        self, protocol_factory: Callable[[], asyncio.Protocol], address: str
    ) -> Awaitable[list[PipeServer]]:
        """Listen at the pipe. Raises PermissionError if there is one of that name."""


class PipeListener:
    """A named pipe. It is this user's: others may open it for reading only, so that they cannot send a request.

    Not run on Windows yet: the tests use a loop that serves a Unix socket instead.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._server: PipeServer | None = None

    async def start(self, connected: Connected, *, limit: int) -> None:
        """Accept clients."""
        loop = asyncio.get_running_loop()

        def make_protocol() -> asyncio.Protocol:
            return asyncio.StreamReaderProtocol(asyncio.StreamReader(limit, loop), connected, loop)

        [self._server] = await cast("PipeLoop", loop).start_serving_pipe(make_protocol, self.address)

    async def stop(self) -> None:
        """Accept no more clients."""
        if self._server:
            self._server.close()

    def remove(self) -> None:
        """Nothing is left: a pipe ends with its server."""


async def settle() -> None:
    """Let the event loop begin to serve connections that it has just accepted, and close those that are done."""
    for _ in range(10):
        await asyncio.sleep(0)
