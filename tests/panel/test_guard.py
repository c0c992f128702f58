"""Who is let in: Host, Origin and token of every request and every live socket."""

import json

import pytest
from fakes.control import LONG_S
from fakes.panel import Panel
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from realtime_matte.panel import live
from realtime_matte.panel.guard import HEADERS, Access, accepted_hosts


@pytest.fixture
def panel(shared_panel: Panel) -> Panel:
    return shared_panel


def test_the_page_is_served_without_a_token_and_its_interface_with_it(panel: Panel) -> None:
    page = panel.raw("GET", "/", X_Rtmatte_Token=None, Origin=None)
    assert page.status == 200
    assert panel.server.token.encode() not in page.content  # type: ignore[attr-defined]
    assert panel.ask("GET", "/api/status")[0] == 200


def test_every_answer_has_the_headers_that_protect_the_page(panel: Panel) -> None:
    for method, path in (
        ("GET", "/"),
        ("GET", "/api/status"),
        ("GET", "/nothing"),
        ("POST", "/"),
        ("GET", "/static/x"),
    ):
        response = panel.raw(method, path)
        assert {name: response.getheader(name) for name, _ in HEADERS} == dict(HEADERS)
        assert response.getheader("Access-Control-Allow-Origin") is None
    assert "frame-ancestors 'none'" in dict(HEADERS)["content-security-policy"]
    assert panel.raw("GET", "/api/status").getheader("Cache-Control") == "no-store"


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
def test_literal_loopback_names_are_accepted(panel: Panel, name: str) -> None:
    host = f"{name}:{panel.server.port}"
    assert panel.ask("GET", "/api/status", Host=host, Origin=f"http://{host}")[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:PORT",  # DNS rebinding: its name leads to 127.0.0.1
        "localhost.evil.example:PORT",
        "127.0.0.1.nip.io:PORT",
        "127.0.0.1",  # without the port
        "127.0.0.1:1",
        "127.0.0.2:PORT",
        "0.0.0.0:PORT",
        "2130706433:PORT",
        "[::ffff:127.0.0.1]:PORT",
        "LOCALHOST:PORT",
        "user@127.0.0.1:PORT",
        "",
        None,
    ],
)
def test_any_other_host_is_refused(panel: Panel, host: str | None) -> None:
    named = host and host.replace("PORT", str(panel.server.port))
    for path in ("/", "/api/status", "/static/main.js"):
        assert panel.raw("GET", path, Host=named, Origin=None).status in {400, 421}  # 400: HTTP/1.1 needs a Host


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://evil.example:PORT",
        "null",
        "",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "https://127.0.0.1:PORT",
        "http://localhost:PORT",  # a loopback name, but not that of Host
        "http://[::1]:PORT",
        "http://127.0.0.1:PORT/",
        "http://127.0.0.1:PORT.evil.example",
        "file://",
        "chrome-extension://abcdefghijklmnop",
    ],
)
def test_a_foreign_origin_is_refused_on_requests_and_sockets(panel: Panel, origin: str) -> None:
    named = origin.replace("PORT", str(panel.server.port))
    before = panel.pipeline.options["mirror"]
    for method, path in (("GET", "/"), ("GET", "/api/status"), ("POST", "/api/commands")):
        status, _ = panel.ask(method, path, {"key": "mirror", "value": not before}, Origin=named)
        assert status == 403
    assert panel.pipeline.options["mirror"] is before
    with pytest.raises(InvalidStatus) as refused, panel.live(origin=named):
        pass
    assert refused.value.response.status_code == 403


def test_without_an_origin_nothing_is_changed_and_no_socket_opens(panel: Panel) -> None:
    assert panel.ask("GET", "/api/status", Origin=None)[0] == 200  # browsers send none with their own GETs
    assert panel.ask("POST", "/api/commands", {"key": "standby"}, Origin=None)[0] == 403
    assert panel.ask("DELETE", "/api/presets/x", Origin=None)[0] == 403
    assert panel.ask("PUT", "/api/presets/x", Origin=None)[0] == 403
    with pytest.raises(InvalidStatus), panel.live(origin=None):
        pass


def test_two_hosts_or_two_origins_are_refused(panel: Panel) -> None:
    assert panel.raw("GET", "/api/status", host="evil.example").status in {400, 421}
    assert panel.raw("GET", "/api/status", origin="http://evil.example").status == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_a_browser_marks_as_from_elsewhere_is_refused(panel: Panel, site: str) -> None:
    changes = {"Sec_Fetch_Site": site, "Sec_Fetch_Mode": "no-cors", "Origin": None}
    assert panel.raw("GET", "/static/main.js", **changes).status == 403
    assert panel.raw("GET", "/", **changes).status == 403
    assert panel.raw("GET", "/", **changes | {"Sec_Fetch_Mode": "navigate"}).status == 200  # of the redirect file


@pytest.mark.parametrize("token", [None, "", "wrong", "TOKEN ", "token", "é"])
def test_a_wrong_token_is_refused(panel: Panel, token: str | None) -> None:
    given = token and token.replace("TOKEN ", panel.server.token + "x").replace("token", panel.server.token.lower())
    status, answer = panel.ask("GET", "/api/status", X_Rtmatte_Token=given and given.encode().decode("latin-1"))
    assert status == 401
    assert answer == {"error": {"message": "the token is missing or wrong", "hint": ""}}


@pytest.mark.parametrize("query", ["token={}", "a=1&token={}", "TOKEN={}", "token="])
def test_a_token_in_the_address_is_refused_even_if_it_is_right(panel: Panel, query: str) -> None:
    path = f"/api/status?{query.format(panel.server.token)}"
    assert panel.ask("GET", path)[0] == 400
    assert panel.ask("GET", path, X_Rtmatte_Token=None)[0] == 400
    assert panel.raw("GET", f"/?{query.format(panel.server.token)}").status == 400


def test_a_cookie_or_a_bearer_is_no_token(panel: Panel) -> None:
    changes = {"X_Rtmatte_Token": None, "Cookie": f"token={panel.server.token}"}
    assert panel.ask("GET", "/api/status", **changes)[0] == 401
    changes = {"X_Rtmatte_Token": None, "Authorization": f"Bearer {panel.server.token}"}
    assert panel.ask("GET", "/api/status", **changes)[0] == 401


def test_a_preflight_gives_no_permission(panel: Panel) -> None:
    response = panel.raw(
        "OPTIONS",
        "/api/commands",
        Origin="http://evil.example",
        X_Rtmatte_Token=None,
        Access_Control_Request_Method="POST",
    )
    assert response.status == 403
    assert [name for name, _ in response.getheaders() if name.lower().startswith("access-control")] == []


def test_a_live_socket_with_a_wrong_token_is_closed(panel: Panel) -> None:
    for token in ("", "wrong", "\ud800", panel.server.token[:-1]):
        with panel.live(token=token) as socket:
            with pytest.raises(ConnectionClosed):
                socket.recv(LONG_S)
            assert socket.close_code == live.NO_TOKEN


def test_a_live_socket_without_a_token_is_closed_in_time(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "TOKEN_S", 0.05)
    with connect(f"ws://{panel.host}/api/live", origin=panel.origin, compression=None) as socket:  # type: ignore[arg-type]
        with pytest.raises(ConnectionClosed):
            socket.recv(LONG_S)
        assert socket.close_code == live.NO_TOKEN


def test_a_socket_has_no_other_address(panel: Panel) -> None:
    with (
        pytest.raises(InvalidStatus),
        connect(f"ws://{panel.host}/api/status", origin=panel.origin),  # type: ignore[arg-type]
    ):
        pass


def test_only_json_is_read_as_json(panel: Panel) -> None:
    body = {"key": "mirror", "value": True}
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        assert panel.ask("POST", "/api/commands", body, Content_Type=kind)[0] == 415
    assert panel.pipeline.options["mirror"] is False
    body = {"key": "mirror", "value": False}
    assert panel.ask("POST", "/api/commands", body, Content_Type="application/json; charset=utf-8")[0] == 200


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b'{"key"', b"\xff", b"[" * 10_000, json.dumps({"key": 1}).encode()])
def test_a_body_that_is_no_command_is_refused(panel: Panel, body: bytes) -> None:
    assert panel.raw("POST", "/api/commands", body, Content_Type="application/json").status == 400


def test_the_default_port_may_be_left_out() -> None:
    assert accepted_hosts(["localhost"], 443, "https") == {"localhost:443", "localhost"}
    assert accepted_hosts(["localhost"], 80, "https") == {"localhost:80"}


def test_a_right_token_is_reported() -> None:
    used: list[bool] = []
    access = Access("http", frozenset({"a:1"}), "right", lambda: used.append(True))
    assert not access.token_matches("wrong")
    assert used == []
    assert access.token_matches("right")
    assert used == [True]
    assert not access.origin_matches("http://b:1", "b:1")
