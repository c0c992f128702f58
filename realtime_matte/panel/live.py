"""The live socket of the panel: pushes the status, and answers each request for a preview with one JPEG."""

import asyncio
import json
from contextlib import suppress
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from realtime_matte.panel.guard import Access
from realtime_matte.panel.preview import Preview, Previews, Request
from realtime_matte.panel.state import PanelState

TOKEN_S: Final = 5.0
"""How long a client may take to send its token."""

STATUS_EVERY_S: Final = 1.0
"""Interval of pushed statuses; the result of a command is pushed at once."""

UNCHANGED_S: Final = 2.0
"""A status is pushed at least so often, also if nothing changed."""

MAX_SOCKETS: Final = 64
MAX_MESSAGES: Final = 120
"""Messages of a client in a second: a page sends one for each preview."""

NO_TOKEN, TOO_MANY, TOO_FAST = 4401, 4429, 4408


class Live:
    """All live sockets. Used by one event loop."""

    def __init__(self, state: PanelState, previews: Previews, access: Access) -> None:
        self._state = state
        self._previews = previews
        self._access = access
        self._clients: set[Client] = set()
        self._pushing: asyncio.Task[None] | None = None

    async def serve(self, socket: WebSocket) -> None:
        """Serve one client until it disconnects, or is disconnected."""
        await socket.accept()
        if len(self._clients) >= MAX_SOCKETS:
            await socket.close(TOO_MANY, "too many pages are open")
            return
        client = Client(socket, self._previews)
        self._clients.add(client)
        try:
            if not await self._has_token(socket):
                await socket.close(NO_TOKEN, "the token is missing or wrong")
                return
            self._push_from_now_on()
            client.push(await self._message())
            await client.run()
        except (WebSocketDisconnect, TimeoutError, OSError, RuntimeError):
            pass  # it is gone
        finally:
            self._clients.discard(client)

    async def _has_token(self, socket: WebSocket) -> bool:
        try:
            first = _parse(await asyncio.wait_for(socket.receive(), TOKEN_S))
        except TimeoutError:
            return False
        token = first.get("token")
        return isinstance(token, str) and self._access.token_matches(token)

    def _push_from_now_on(self) -> None:
        if self._pushing is None or self._pushing.done():
            self._pushing = asyncio.create_task(self._push())

    async def _push(self) -> None:
        """Push the status to every client while there is one."""
        last, unchanged_s = "", 0.0
        while self._clients:
            await self._state.wait_for_change(STATUS_EVERY_S)
            self._previews.update_watched()
            message = await self._message()
            unchanged_s = unchanged_s + STATUS_EVERY_S if message == last else 0.0
            if message != last or unchanged_s >= UNCHANGED_S:
                last, unchanged_s = message, 0.0
                for client in self._clients:
                    client.push(message)
        await asyncio.sleep(UNCHANGED_S)
        self._previews.update_watched()

    async def _message(self) -> str:
        return json.dumps({"type": "status", **await self._state.read()})


class Client:
    """One live socket. What waits for it is one status and one preview: newer ones replace them.

    One that does not read is disconnected by its connection (``connections.BoundedSocket``).
    """

    def __init__(self, socket: WebSocket, previews: Previews) -> None:
        self._socket = socket
        self._previews = previews
        self._status: str | None = None
        self._waiting = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._request: Request | None = None  # the last one
        self._answered = True
        self._jpeg: bytes | None = None
        self._count = -1

    def push(self, status: str) -> None:
        """Send this status next, in the place of one that waits."""
        self._status = status
        self._waiting.set()

    async def run(self) -> None:
        """Read requests and write answers until the client disconnects, or ``stop`` is called."""
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._write())]
        try:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.stop()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def stop(self) -> None:
        """End ``run``, and forget a request that is not answered yet."""
        if self._request:
            self._previews.forget(self._request)
        for task in self._tasks:
            task.cancel()

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        second, messages = loop.time(), 0
        while True:
            message = _parse(await self._socket.receive())
            now = loop.time()
            second, messages = (now, 0) if now >= second + 1 else (second, messages + 1)
            if messages > MAX_MESSAGES:
                await self._socket.close(TOO_FAST, "too many messages")
                return
            if message.get("type") == "next" and self._answered:
                width = message.get("width", 640)
                width = width if isinstance(width, int) and not isinstance(width, bool) else 640
                self._answered = False
                self._request = self._previews.request(self._count, width, self._show)

    def _show(self, preview: Preview) -> None:
        """Send this preview next."""
        self._answered = True
        self._count, self._jpeg = preview.count, preview.jpeg
        self._waiting.set()

    async def _write(self) -> None:
        while True:
            await self._waiting.wait()
            self._waiting.clear()
            status, self._status = self._status, None
            jpeg, self._jpeg = self._jpeg, None
            if jpeg is not None:
                await self._socket.send_bytes(jpeg)
            if status is not None:
                await self._socket.send_text(status)


def _parse(message: Any) -> dict[str, Any]:  # noqa: ANN401 -- ASGI's messages
    """The JSON object in a message; empty if it is none. Raises WebSocketDisconnect."""
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    value = None
    with suppress(ValueError, RecursionError):
        value = json.loads(message.get("text") or "")
    return value if isinstance(value, dict) else {}
