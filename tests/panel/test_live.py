"""The live socket and previews: what arrives, and what a client cannot do to the pipeline."""

import json
import socket as sockets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes.control import LONG_S
from fakes.panel import Panel, next_preview, next_status, served
from fakes.pipelines import clip, open_pipeline, scripted_camera
from fakes.privacy import is_card, marked
from fakes.scripted import (
    NEW_BACKGROUND,
    Recorder,
    ScriptedCapture,
    ScriptedNetwork,
    SolidBackground,
    fails,
    wait_until,
)
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from realtime_matte.frame import Pixels
from realtime_matte.panel import connections, endpoints, live, preview
from realtime_matte.panel.preview import encode, fitting_width, over_checks
from realtime_matte.pipeline.pipeline import Pipeline

MANY = 1_000_000


def decoded(jpeg: bytes) -> Pixels:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


def frames_go_on(panel: Panel) -> None:
    """Fails if the pipeline stands still."""
    before = panel.pipeline.stats.composites
    wait_until(lambda: panel.pipeline.stats.composites > before + 20)


def test_each_request_gets_one_newer_preview(panel: Panel) -> None:
    with panel.live() as socket:
        first, second = next_preview(socket), next_preview(socket)
    for jpeg in (first, second):
        image = decoded(jpeg)
        assert image.shape == (64, 96, 3), "as small as the output is"
        assert marked(image) == 0
        assert np.abs(image[:8].astype(int) - NEW_BACKGROUND).max() < 12, "JPEG's error"


def test_a_preview_without_a_newer_frame_waits(tmp_path: Path) -> None:
    with served(
        lambda **_: open_pipeline(clip(3), Recorder(live=True), background=SolidBackground()), tmp_path
    ) as panel:
        wait_until(lambda: panel.supervisor.current.fault is not None)  # the clip has ended
        with panel.live() as socket:
            socket.send('{"type": "next"}')
            assert next_status(socket)["fault"]["message"] == "the source has ended"
            assert next_status(socket)["status"] is None


def test_the_status_is_pushed_at_once_and_after_a_change(panel: Panel) -> None:
    with panel.live() as socket:
        first = next_status(socket)
        assert (first["type"], first["fault"]) == ("status", None)
        while next_status(socket)["status"]["state"] != "running":
            pass
        assert panel.command("standby", value=True)[0] == 200
        while next_status(socket)["status"]["state"] != "standby":
            pass


def test_two_pages_see_the_same_changes(panel: Panel) -> None:
    with panel.live() as one, panel.live() as other:
        panel.command("mirror", value=True)
        for socket in (one, other):
            while not next_status(socket)["status"]["options"]["mirror"]:
                pass
            assert next_preview(socket)


@pytest.mark.parametrize("message", ["", "x", "[]", '{"type": "quit"}', '{"type": "next", "width": "x"}', "[" * 3000])
def test_a_message_that_means_nothing_changes_nothing(panel: Panel, message: str) -> None:
    with panel.live() as socket:
        socket.send(message)
        socket.send(message.encode())
        assert next_preview(socket)
    frames_go_on(panel)


def test_a_width_is_one_of_a_few() -> None:
    assert [fitting_width(width) for width in (-5, 0, 320, 321, 640, 1000, 10**9)] == [
        320,
        320,
        320,
        480,
        640,
        1280,
        1280,
    ]


# privacy: a preview is a composite or the card, whatever goes wrong


@pytest.fixture
def faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Panel]:
    """A camera that is lost every few frames, and a network that fails at others."""
    script = [None if index % 7 == 3 else index for index in range(5000)]
    network = ScriptedNetwork(dict.fromkeys(range(0, 5000, 5), fails))

    def opened(**_options: object) -> Pipeline:
        camera = scripted_camera(monkeypatch, ScriptedCapture(script))
        return open_pipeline(camera, Recorder(live=True), background=SolidBackground(), network=network)

    with served(opened, tmp_path) as panel:
        yield panel


def test_no_image_that_is_served_shows_the_camera(faulty: Panel) -> None:
    with faulty.live() as socket:
        images = [decoded(next_preview(socket)) for _ in range(8)]
        faulty.command("standby", value=True)
        images += [decoded(next_preview(socket)) for _ in range(2)]
        assert np.abs(images[-1].astype(int).mean(axis=(0, 1)) - NEW_BACKGROUND).max() > 3, "the card"
        faulty.command("standby", value=False)
        images += [decoded(next_preview(socket)) for _ in range(4)]
    snapshot = faulty.ask("POST", "/api/snapshot")[1]
    images.append(decoded(snapshot))
    for entry in faulty.ask("GET", "/api/backgrounds")[1]:
        images.append(decoded(faulty.ask("GET", f"/api/backgrounds/{entry['id']}/thumbnail")[1]))
    assert len(images) >= 20
    for image in images:
        assert marked(image) == 0


def test_a_preview_of_the_card_is_the_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Encoded without loss, to compare it."""
    monkeypatch.setattr(preview, "encode", lambda pixels: cv2.imencode(".png", pixels)[1].tobytes())
    with served(lambda **_: open_pipeline(clip(MANY), Recorder(live=True)), tmp_path) as panel:
        panel.command("standby", value=True)
        with panel.live() as socket:
            assert is_card(decoded(next_preview(socket)))


def test_transparent_parts_are_shown_over_a_checkerboard() -> None:
    clear = np.zeros((40, 40, 4), np.uint8)
    clear[..., :3] = 255, 0, 255  # colour behind alpha 0, which no output frame has
    assert set(np.unique(over_checks(clear))) == set(preview.CHECKS)
    opaque = clear.copy()
    opaque[..., 3] = 255
    assert np.array_equal(over_checks(opaque), opaque[..., :3])
    assert decoded(encode(clear)).shape == (40, 40, 3)


def test_a_watched_preview_counts_until_nobody_asks(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[bool] = []
    monkeypatch.setattr(preview, "LOOKING_S", 0.2)
    monkeypatch.setattr(panel.supervisor, "set_watched", lambda *, watched: calls.append(watched))
    with panel.live() as socket:
        next_preview(socket)
        next_preview(socket)
        assert calls == [True]
        wait_until(lambda: calls == [True, False])  # a hidden page keeps its socket, and asks for none
        next_preview(socket)
        assert calls == [True, False, True]
    wait_until(lambda: calls == [True, False, True, False])


def test_nothing_is_encoded_while_nobody_asks(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[int] = []
    monkeypatch.setattr(preview, "encode", lambda pixels: encoded.append(1) or encode(pixels))
    with panel.live() as socket:
        next_status(socket)
        next_status(socket)
        assert encoded == []
        next_preview(socket)
    assert encoded == [1]


# hostile clients


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


def test_a_client_that_stops_reading_is_dropped_and_holds_up_nothing(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SEND_S", 0.2)
    monkeypatch.setattr(preview, "encode", lambda _pixels: bytes(1 << 22))  # more than the buffers of a connection
    with panel.live() as deaf:
        for _ in range(40):
            deaf.send('{"type": "next"}')
        # The library reads ahead in a thread until its queue is full; the rest stays with the server.
        frames_go_on(panel)
        wait_until(lambda: not _clients(panel))
    assert panel.ask("GET", "/api/status")[0] == 200


def _clients(panel: Panel) -> list[object]:
    """The connections of the server that are live sockets."""
    server = panel.server._server
    assert server is not None
    return [one for one in server.server_state.connections if "WebSocket" in type(one).__name__]


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


def raw_socket(panel: Panel) -> sockets.socket:
    connection = sockets.create_connection(("127.0.0.1", panel.server.port), LONG_S)
    connection.settimeout(LONG_S)
    return connection


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
        connection.sendall(sent)
        connection.shutdown(sockets.SHUT_WR)
        answer = received(connection)
    assert answer == b"" or answer.split(b" ")[1] in {b"400", b"404", b"421", b"403"}
    assert panel.ask("GET", "/api/status")[0] == 200
    frames_go_on(panel)


def test_garbage_on_a_live_socket_is_closed(panel: Panel) -> None:
    with raw_socket(panel) as connection:
        connection.sendall(
            f"GET /api/live HTTP/1.1\r\nHost: {panel.host}\r\nOrigin: {panel.origin}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        assert connection.recv(1000).startswith(b"HTTP/1.1 101")
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
    opened = [raw_socket(panel) for _ in range(6)]
    closed = 0
    for connection in opened[3:]:
        closed += received(connection) == b""
    assert closed == 3
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
