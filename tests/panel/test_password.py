"""The panel for other machines: refused without password and encryption, and the login."""

import asyncio
import errno
import http.client
import json
import os
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from fakes.control import LONG_S
from fakes.panel import Panel, scripted_pipeline, served
from fakes.scripted import wait_until

from realtime_matte.config.config import Config
from realtime_matte.errors import BadFile, MatteError, MissingFile, SpecError
from realtime_matte.panel import connections, password, server
from realtime_matte.panel.password import Address, panel_address

SECRET = "correct horse battery"  # noqa: S105 - of the test


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, and its key."""
    program = which("openssl")
    if program is None:
        pytest.skip("openssl is not installed, which makes the certificate")
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = [program, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(key), "-out", str(cert), "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - a known program
    return cert, key


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text(f"{SECRET}\n", "utf-8")
    path.chmod(0o600)
    return path


def lan(host: str, secret_file: Path, certificate: tuple[Path, Path]) -> Config:
    return Config(
        panel_host=host,
        panel_password_file=str(secret_file),
        panel_cert=str(certificate[0]),
        panel_key=str(certificate[1]),
    )


@pytest.mark.parametrize("host", ["192.168.1.5", "0.0.0.0", "mypc.local", "::", "8.8.8.8", "169.254.1.1"])  # noqa: S104
def test_an_address_that_others_reach_needs_all_three(
    host: str, secret_file: Path, certificate: tuple[Path, Path]
) -> None:
    complete = lan(host, secret_file, certificate)
    for left_out in ({"panel_password_file": None}, {"panel_cert": None, "panel_key": None}):
        with pytest.raises(SpecError, match="other machines would reach the control panel without --panel-"):
            panel_address(complete.replace(**left_out))
    with pytest.raises(SpecError, match="belong together"):
        panel_address(complete.replace(panel_key=None))
    with pytest.raises(SpecError, match="without --panel-password-file, --panel-cert, --panel-key"):
        panel_address(Config(panel_host=host))


def test_an_address_that_no_browser_can_open_is_refused(secret_file: Path, certificate: tuple[Path, Path]) -> None:
    with pytest.raises(SpecError, match="is no address that a browser can open"):
        panel_address(lan("0.0.0.0", secret_file, certificate))  # noqa: S104
    assert panel_address(lan("192.168.1.5", secret_file, certificate)).password == SECRET


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_loopback_needs_nothing(host: str) -> None:
    address = panel_address(Config(panel_host=host, panel_port=8000))
    assert (address.host, address.port, address.password, address.tls) == (host, 8000, None, None)


def test_a_password_that_others_can_read_or_guess_is_refused(tmp_path: Path, secret_file: Path) -> None:
    secret_file.chmod(0o640)
    with pytest.raises(BadFile, match="other users can read the password file"):
        panel_address(Config(panel_password_file=str(secret_file)))
    secret_file.chmod(0o600)
    secret_file.write_text("short\nand a second line that is long", "utf-8")
    with pytest.raises(BadFile, match="is shorter than 8 characters"):
        panel_address(Config(panel_password_file=str(secret_file)))
    with pytest.raises(MissingFile, match="cannot read the password file"):
        panel_address(Config(panel_password_file=str(tmp_path / "nothing")))


def test_a_certificate_that_cannot_be_used_is_refused(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    cert, key = map(str, certificate)
    text, nothing = str(tmp_path / "text.pem"), str(tmp_path / "nothing")
    Path(text).write_text("hello", "utf-8")
    for wrong in ((text, key), (cert, text), (cert, nothing)):
        with pytest.raises(MatteError, match=r"cannot (use the certificate|read)") as caught:
            panel_address(Config(panel_cert=wrong[0], panel_key=wrong[1]))
        assert "None" not in str(caught.value)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in folders")
def test_a_pipe_is_no_certificate(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    os.mkfifo(tmp_path / "pipe")
    for cert, key in ((str(tmp_path / "pipe"), str(certificate[1])), (str(certificate[0]), str(tmp_path / "pipe"))):
        with pytest.raises(BadFile, match="is a named pipe, not a file"):
            panel_address(Config(panel_cert=cert, panel_key=key))


@pytest.fixture
def guarded(tmp_path: Path, secret_file: Path, certificate: tuple[Path, Path]) -> Iterator[Panel]:
    address = panel_address(lan("127.0.0.1", secret_file, certificate))
    with served(scripted_pipeline, tmp_path, address=address) as panel:
        yield panel


def ask(panel: Panel, certificate: tuple[Path, Path], method: str, path: str, body: object = None) -> tuple[int, Any]:
    context = ssl.create_default_context(cafile=str(certificate[0]))
    connection = http.client.HTTPSConnection("127.0.0.1", panel.server.port, context=context, timeout=LONG_S)
    headers = panel.headers(Content_Type="application/json", X_Rtmatte_Token=None)
    token = body.pop("_token", None) if isinstance(body, dict) else None
    headers |= {"X-Rtmatte-Token": token} if token else {}
    connection.request(method, path, json.dumps(body) if body else None, headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def test_the_password_gives_the_token_over_tls(
    guarded: Panel, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(password, "WRONG_S", 0)
    assert guarded.server.url.startswith("https://127.0.0.1:")
    assert ask(guarded, certificate, "GET", "/api/login") == (200, {"password": True})
    assert ask(guarded, certificate, "GET", "/api/status")[0] == 401
    for wrong in ("", "wrong", SECRET + " ", SECRET.upper()):
        assert ask(guarded, certificate, "POST", "/api/login", {"password": wrong})[0] == 403
    status, answer = ask(guarded, certificate, "POST", "/api/login", {"password": SECRET})
    assert status == 200
    assert ask(guarded, certificate, "GET", "/api/status", {"_token": answer["token"]})[0] == 200


def test_passwords_cannot_be_tried_without_end(
    guarded: Panel, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(password, "WRONG_S", 0)
    found = [ask(guarded, certificate, "POST", "/api/login", {"password": f"guess {n}"})[0] for n in range(7)]
    assert found == [403] * password.MAX_FAILURES + [429] * 2
    assert ask(guarded, certificate, "POST", "/api/login", {"password": SECRET})[0] == 429, "nor is the right one"


def test_plain_http_is_not_answered_there(guarded: Panel) -> None:
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        guarded.ask("GET", "/api/status")


def silent(panel: Panel) -> socket.socket:
    """A connection that begins no handshake."""
    return socket.create_connection(("127.0.0.1", panel.server.port), timeout=LONG_S)


def test_connections_are_counted_before_their_handshake(
    guarded: Panel, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 3)
    opened = [silent(guarded) for _ in range(6)]
    assert [connection.recv(1) for connection in opened[3:]] == [b""] * 3
    for connection in opened:
        connection.close()

    def is_answered() -> bool:
        with suppress(ConnectionError, ssl.SSLEOFError):  # closed before, or during, the handshake
            return ask(guarded, certificate, "GET", "/api/login")[0] == 200
        return False

    wait_until(is_answered)  # those that have gone no longer count


def test_a_handshake_that_never_ends_is_closed(guarded: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HANDSHAKE_S", 0.1)
    with silent(guarded) as connection:
        assert connection.recv(1) == b""


def test_without_file_descriptors_the_panel_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(connections, "PAUSE_S", 0.01)
    refusals = [OSError(errno.EMFILE, "Too many open files")] * 3

    class ScarceLoop(asyncio.SelectorEventLoop):
        async def sock_accept(self, sock: socket.socket) -> Any:  # noqa: ANN401 - as asyncio's
            if refusals:
                raise refusals.pop()
            return await super().sock_accept(sock)

    monkeypatch.setattr(server, "new_event_loop", ScarceLoop)
    with served(scripted_pipeline, tmp_path) as panel:
        assert panel.ask("GET", "/api/status")[0] == 200
    assert not refusals
    assert capfd.readouterr().err == ""


def test_without_a_password_there_is_no_login(shared_panel: Panel) -> None:
    assert shared_panel.ask("GET", "/api/login") == (200, {"password": False})
    assert shared_panel.ask("POST", "/api/login", {"password": ""})[0] == 403


def test_the_name_of_an_address_is_as_browsers_write_it() -> None:
    assert Address("::1").name == "[::1]"
    assert Address("192.168.1.5").name == "192.168.1.5"
