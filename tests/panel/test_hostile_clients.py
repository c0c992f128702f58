"""Clients that send garbage, too much or too slowly, or do not read: what they cannot do to the pipeline."""

import asyncio
import json
import select
import socket as sockets
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from fakes.control import LONG_S
from fakes.panel import MANY, Panel, frames_go_on, next_preview, next_status, scripted_pipeline, served
from fakes.pipelines import clip, open_pipeline
from fakes.scripted import Recorder, wait_until
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from realtime_matte.panel import connections, endpoints, live, preview, routes, server
from realtime_matte.panel.preview import encode


def wait_for_close(socket: ClientConnection) -> None:
    """Read until the server closes the connection."""
    with suppress(ConnectionClosed):
        while True:
            socket.recv(LONG_S)


def test_fifty_sockets_share_each_image_and_hold_up_nothing(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[int] = []
    monkeypatch.setattr(preview, "encode", lambda pixels: encoded.append(1) or encode(pixels))
    monkeypatch.setattr(preview, "INTERVAL_S", 0.5)  # longer than it takes to send fifty requests
    sockets_open = [panel.live() for _ in range(50)]
    opened = [context.__enter__() for context in sockets_open]
    for socket in opened:
        socket.send('{"type": "next", "width": 640}')
    for socket in opened:
        while not isinstance(socket.recv(LONG_S), bytes):
            pass
    frames_go_on(panel)
    assert len(encoded) <= 25, "each socket got an image, and they shared them"
    for context in sockets_open:
        context.__exit__(None, None, None)


def test_more_pages_than_allowed_are_refused(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MAX_SOCKETS", 2)
    with panel.live() as one, panel.live() as two:
        next_status(one), next_status(two)
        with panel.live() as third:
            with pytest.raises(ConnectionClosed):
                third.recv(LONG_S)
            assert third.close_code == live.TOO_MANY
        assert next_preview(one)
    wait_until(lambda: panel.ask("GET", "/api/status")[0] == 200)


LOOPS = pytest.mark.parametrize("loop", [asyncio.new_event_loop, server.new_event_loop], ids=["asyncio", "uvloop"])


def raw_socket(panel: Panel) -> sockets.socket:
    connection = sockets.create_connection(("127.0.0.1", panel.server.port), LONG_S)
    connection.settimeout(LONG_S)
    return connection


def live_socket(panel: Panel) -> sockets.socket:
    """A live socket before its token, of a client that reads nothing unless it is asked to."""
    connection = raw_socket(panel)
    connection.sendall(
        f"GET /api/live HTTP/1.1\r\nHost: {panel.host}\r\nOrigin: {panel.origin}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    assert connection.recv(1000).startswith(b"HTTP/1.1 101")
    return connection


def send_text(connection: sockets.socket, text: str) -> None:
    """A message of a client, masked by zeros."""
    connection.sendall(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text.encode())


@pytest.fixture
def dropped(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes waited for each live socket that was dropped."""
    waiting: list[int] = []
    drop = connections.BoundedSocket._drop

    def noted(client: connections.BoundedSocket) -> None:
        waiting.append(client.transport.get_write_buffer_size())
        drop(client)

    monkeypatch.setattr(connections.BoundedSocket, "_drop", noted)
    return waiting


@LOOPS
def test_a_client_that_stops_reading_is_dropped_and_holds_up_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dropped: list[int],
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    monkeypatch.setattr(server, "new_event_loop", loop)
    monkeypatch.setattr(connections.BoundedSocket, "unread_s", 0.2)
    monkeypatch.setattr(preview, "INTERVAL_S", 0.001)
    monkeypatch.setattr(preview, "encode", lambda _pixels: bytes(LARGE))
    with served(scripted_pipeline, tmp_path) as panel, live_socket(panel) as deaf:
        send_text(deaf, json.dumps({"token": panel.server.token}))
        with suppress(ConnectionError):  # it may be dropped before the last one
            for _ in range(40):
                send_text(deaf, '{"type": "next"}')
        frames_go_on(panel)
        wait_until(lambda: bool(dropped) and not _connections(panel))
        assert dropped[0] < 1.1 * LARGE, "one preview and one status wait, not forty"
        assert panel.ask("GET", "/api/status")[0] == 200


@LOOPS
def test_a_client_that_does_not_close_is_dropped(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dropped: list[int],
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    monkeypatch.setattr(server, "new_event_loop", loop)
    monkeypatch.setattr(connections, "LINGER_S", 0.05)
    with served(scripted_pipeline, tmp_path) as panel, live_socket(panel) as stubborn:
        send_text(stubborn, '{"token": "wrong"}')
        wait_until(lambda: bool(dropped) and not _connections(panel))


LARGE = 1 << 23
"""Bytes of a preview: more than the system keeps for a connection."""


def _connections(panel: Panel) -> list[object]:
    """Those of the server."""
    running = panel.server._server
    assert running is not None
    return list(running.server_state.connections)


def test_a_client_that_reads_no_answer_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "index.html").write_bytes(bytes(2 * LARGE))
    monkeypatch.setattr(routes, "STATIC", tmp_path)
    monkeypatch.setattr(connections.BoundedConnection, "unread_s", 0.2)
    with served(scripted_pipeline, tmp_path) as panel, raw_socket(panel) as deaf:
        deaf.sendall(f"GET / HTTP/1.1\r\nHost: {panel.host}\r\n\r\n".encode())
        frames_go_on(panel)
        wait_until(lambda: not _connections(panel))
        assert len(received(deaf)) < 2 * LARGE


def test_a_client_that_sends_too_fast_is_closed(panel: Panel) -> None:
    def flood() -> None:
        for _ in range(100_000):
            socket.send('{"type": "next"}')

    with panel.live() as socket, pytest.raises(ConnectionClosed):
        flood()
    assert socket.close_code in {live.TOO_FAST, 1006}
    frames_go_on(panel)


def test_a_message_that_is_too_long_is_closed(panel: Panel) -> None:
    with panel.live() as socket:
        socket.send("x" * 100_000)
        wait_for_close(socket)
        assert socket.close_code == 1009
    frames_go_on(panel)


def received(connection: sockets.socket) -> bytes:
    """All that is received until the server closes."""
    data = b""
    try:
        while part := connection.recv(65536):
            data += part
    except ConnectionResetError:
        pass
    return data


@pytest.mark.parametrize(
    "sent",
    [
        b"\0" * 1000,
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET  \r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",  # TLS
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    ],
)
def test_garbage_is_refused_and_holds_up_nothing(panel: Panel, sent: bytes) -> None:
    with raw_socket(panel) as connection:
        with suppress(OSError):  # the server may have refused it, and closed, before all is sent
            connection.sendall(sent)
            connection.shutdown(sockets.SHUT_WR)
        answer = received(connection)
    assert answer == b"" or answer.split(b" ")[1] in {b"400", b"404", b"421", b"403"}
    assert panel.ask("GET", "/api/status")[0] == 200
    frames_go_on(panel)


def test_garbage_on_a_live_socket_is_closed(panel: Panel) -> None:
    with live_socket(panel) as connection:
        connection.sendall(b"\xff" * 1000)
        received(connection)
    frames_go_on(panel)


def test_a_request_that_never_ends_is_closed(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "REQUEST_S", 0.1)
    with raw_socket(panel) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: ")
        assert received(slow) == b""
    with raw_socket(panel) as silent:
        assert received(silent) == b""
    frames_go_on(panel)


def test_more_connections_than_allowed_are_closed(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 3)
    monkeypatch.setattr(connections, "REQUEST_S", LONG_S)  # none is closed because it sends nothing
    opened = [raw_socket(panel) for _ in range(6)]
    wait_until(lambda: len(select.select(opened, [], [], 0)[0]) >= 3)
    closed = select.select(opened, [], [], 0)[0]
    assert [received(connection) for connection in closed] == [b""] * len(closed)
    assert len(closed) == len(_connections(panel)) == 3
    for connection in opened:
        connection.close()
    frames_go_on(panel)


def test_a_body_that_is_too_long_is_refused(panel: Panel) -> None:
    body = json.dumps({"key": "card_text", "value": "x" * 100_000}).encode()
    assert panel.raw("POST", "/api/commands", body, Content_Type="application/json").status == 413
    with raw_socket(panel) as connection:
        head = "".join(f"{name}: {value}\r\n" for name, value in panel.headers(Content_Type="application/json").items())
        connection.sendall(f"POST /api/commands HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n" + b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        assert b" 413 " in connection.recv(100)


def test_too_many_requests_are_refused_with_a_word(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "BURST", 0)
    status, answer = panel.ask("GET", "/api/presets")
    assert (status, answer["error"]["message"]) == (429, "too many requests")
    monkeypatch.undo()
    frames_go_on(panel)


def test_the_limit_of_requests_fills_again() -> None:
    now = [0.0]
    rate = endpoints.RateLimit(clock=lambda: now[0])
    assert [rate.take() for _ in range(int(endpoints.BURST) + 1)] == [True] * int(endpoints.BURST) + [False]
    now[0] += 2 / endpoints.PER_SECOND
    assert [rate.take() for _ in range(3)] == [True, True, False]
    now[0] += 1e6
    assert sum(rate.take() for _ in range(1000)) == endpoints.BURST


def test_the_server_ends_while_pages_are_open(tmp_path: Path) -> None:
    with served(lambda **_: open_pipeline(clip(MANY), Recorder(live=True)), tmp_path) as panel:
        context = panel.live()
        socket = context.__enter__()
        next_status(socket)
    wait_for_close(socket)
    context.__exit__(None, None, None)


def test_a_system_without_uvloop_has_the_loop_of_asyncio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    loop = server.new_event_loop()
    assert isinstance(loop, asyncio.BaseEventLoop)
    loop.close()
