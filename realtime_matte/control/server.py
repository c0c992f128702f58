"""The control server: answers one JSON object a line on a Unix socket or a named pipe, in a separate thread.

A request is ``{"key": "mirror", "value": true}``, with a key of ``pipeline.commands``, or ``{"key": "status"}``. The
answer is ``{"status": {...}}``, of ``snapshot`` also ``"image"`` (PNG in base64), of ``panel`` also ``"page"`` (a file
that leads to the control panel), or ``{"error": {"message": "...", "hint": "..."}}``.
"""

import asyncio
import base64
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, cast

import cv2

from realtime_matte.control.listeners import Listener, PipeListener, SocketListener, settle
from realtime_matte.control.pipes import pipe_name
from realtime_matte.control.run import PANEL, Run
from realtime_matte.control.sockets import SUFFIX, open_folder
from realtime_matte.control.status import Status, as_json
from realtime_matte.errors import MatteError, SpecError, masked
from realtime_matte.frame import Pixels
from realtime_matte.pipeline.commands import Command

MAX_LINE: Final = 16 * 1024
"""Bytes of a request: paths have at most 4096, each of which JSON may write as 6."""

MAX_CONNECTIONS: Final = 32

COMMAND_S: Final = 60.0
"""How long a change may take before its sender gets an error: some providers compile a network for a minute."""

WRITE_S: Final = 10.0
"""How long a client may take to read its answer before it is disconnected."""

START_S: Final = 10.0
"""How long the server's thread may take to listen."""

GRACE_S: Final = 0.5
"""How long the last answers may take when the run ends."""


class ControlServer:
    """Serves ``run`` to the clients of ``listener`` until it is closed. Made and closed in the pipeline's thread.

    Nothing in the pipeline waits for a client: commands go into its queue, answers are written in the server's thread.

    Raises:
        OSError: The listener cannot accept clients.
    """

    def __init__(
        self,
        run: Run,
        listener: Listener,
        *,
        make_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
    ) -> None:
        self._controlled = run
        self._connections: set[asyncio.Task[object]] = set()  # this and the next: the server's thread only
        self._answering: set[asyncio.Task[object]] = set()
        self._loop = make_loop()
        self._closing = asyncio.Event()
        self._listener = listener
        self._started: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)
        self._thread.start()
        self._started.result(START_S)

    @property
    def path(self) -> Path:
        """The socket, or the pipe."""
        return Path(self._listener.address)

    def close(self) -> None:
        """Finish requests in progress, for GRACE_S at most, and remove the socket. Idempotent."""
        with suppress(RuntimeError):  # closed before
            self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join(4 * GRACE_S)
        self._listener.remove()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        try:
            await self._listener.start(self._connect, limit=MAX_LINE)
        except OSError as error:
            self._started.set_exception(error)
            return
        self._started.set_result(None)
        await self._closing.wait()
        await self._listener.stop()
        if self._answering:
            await asyncio.wait(self._answering, timeout=GRACE_S)
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await settle()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until it disconnects."""
        task = cast("asyncio.Task[object]", asyncio.current_task())
        writer.transport.set_write_buffer_limits(high=0)  # ``drain`` waits until everything is written
        self._connections.add(task)
        try:
            if len(self._connections) > MAX_CONNECTIONS:
                await _write(writer, _refused(MatteError("too many connections", hint="close some")))
                return
            await self._serve_client(task, reader, writer)
        except (OSError, asyncio.CancelledError):  # the client is gone, too slow, or the run ends
            pass
        finally:
            self._connections.discard(task)
            self._answering.discard(task)
            writer.transport.abort()

    async def _serve_client(
        self, task: "asyncio.Task[object]", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while not self._closing.is_set():
            try:
                line = await reader.readline()
            except ValueError:
                await _write(writer, _refused(SpecError(f"a request is longer than {MAX_LINE} bytes")))
                return
            if not line:
                return
            self._answering.add(task)
            await _write(writer, await self._answer(line))
            self._answering.discard(task)

    async def _answer(self, line: bytes) -> dict[str, object]:
        try:
            key, value = _parse(line)
            if key == "status":
                return {"status": _json(await self._controlled.status())}
            if key == "quit":
                await self._controlled.status(fresh=True)  # the last one that can be built
            result = await self._run_command(Command(key, value))
            return {"status": _json(await self._controlled.status(fresh=True)), **_more(key, result)}
        except MatteError as error:
            return _refused(error)
        except Exception as error:  # noqa: BLE001 - of the pipeline, which raises it too
            return _refused(MatteError(f"the run failed: {error!r}"))

    async def _run_command(self, command: Command) -> object:
        """The result of the command, once it is done. Raises MatteError."""
        reply = asyncio.wrap_future(self._controlled.submit(command))
        try:
            return await asyncio.wait_for(reply, COMMAND_S)
        except TimeoutError as error:
            raise MatteError(
                f"{command.key} is not done after {COMMAND_S:g} s", hint="see rtmatte ctl status"
            ) from error


@contextmanager
def serve(run: Run, *, enabled: bool) -> Iterator[list[str]]:
    """Serve the run until the end of the block. Yields notices: why it cannot be served."""
    if not enabled:
        yield []
        return
    try:
        server = ControlServer(run, open_listener())
    except OSError as error:  # SinkError is one
        yield [f"rtmatte ctl does not reach this run: {error}"]
        return
    try:
        yield []
    finally:
        server.close()


def open_listener(*, pid: int | None = None) -> Listener:
    """Where this process listens: its own socket or pipe, so that two instances do not collide.

    Raises:
        SinkError: It cannot be made.
    """
    number = pid or os.getpid()
    if sys.platform == "win32":
        return PipeListener(pipe_name(number))
    return SocketListener(open_folder() / f"{number}{SUFFIX}")


def _parse(line: bytes) -> tuple[str, object]:
    """Key and value of a request. Raises SpecError."""
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise SpecError("a request is not JSON", hint='send {"key": "status"}') from error
    if not isinstance(request, dict) or not isinstance(request.get("key"), str):
        raise SpecError("a request has no key", hint='send {"key": "status"}')
    return request["key"], request.get("value")


def _refused(error: MatteError) -> dict[str, object]:
    return {"error": {"message": masked(error.message), "hint": masked(error.hint)}}


def _more(key: str, result: object) -> dict[str, object]:
    """What the answer has beside the status."""
    if result is None:
        return {}
    return {"page": result} if key == PANEL else {"image": _encode(cast("Pixels", result))}


def _encode(pixels: Pixels) -> str:
    """The image as PNG in base64."""
    _, data = cv2.imencode(".png", pixels)
    return base64.b64encode(data.tobytes()).decode()


async def _write(writer: asyncio.StreamWriter, answer: dict[str, object]) -> None:
    """Write an answer. Raises TimeoutError, which is an OSError, if the client does not read it in WRITE_S."""
    writer.write(json.dumps(answer).encode() + b"\n")
    await asyncio.wait_for(writer.drain(), WRITE_S)


def _json(status: Status) -> dict[str, object]:
    """The status for programs: the degrees of ``rotate`` are a number."""
    rotate = int(cast("str", status.options["rotate"]))
    return as_json(replace(status, options={**status.options, "rotate": rotate}))
