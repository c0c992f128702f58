"""The password with which other machines get the token, and the rules for an address that they reach."""

import asyncio
import hashlib
import hmac
import ipaddress
import os
import ssl
import stat
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from realtime_matte.config.config import Config
from realtime_matte.errors import BadFile, MissingFile, SpecError
from realtime_matte.panel import schemas
from realtime_matte.panel.answers import JSONResponse, read_json
from realtime_matte.panel.endpoints import Endpoint
from realtime_matte.panel.guard import Access
from realtime_matte.paths import check_regular, named, open_regular

MIN_PASSWORD: Final = 8
MAX_PASSWORD_FILE: Final = 4096

MAX_FAILURES: Final = 5
FAILURES_S: Final = 60.0
"""So many wrong passwords in this time, from all machines together; then none is compared."""

WRONG_S: Final = 1.0
"""How long a wrong password waits for its answer."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the panel listens, and for whom.

    Attributes:
        host: An address or a name of this machine; the default is reached from this machine only.
        port: None for a free one.
        password: None where other machines cannot reach it.
        tls: None for plain HTTP.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None

    @property
    def name(self) -> str:
        """The host as it stands in an address of a page."""
        return f"[{self.host}]" if ":" in self.host else self.host


def panel_address(config: Config) -> Address:
    """The address of the options.

    Raises:
        SpecError: Other machines would reach it without a password or without encryption.
        MissingFile, BadFile: A file of the options.
    """
    tls = _tls(config.panel_cert, config.panel_key)
    password = _read_password(config.panel_password_file) if config.panel_password_file else None
    if not _is_loopback(config.panel_host):
        missing = [
            option
            for option, value in (
                ("--panel-password-file", password),
                ("--panel-cert", config.panel_cert),
                ("--panel-key", config.panel_key),
            )
            if not value
        ]
        if missing:
            raise SpecError(
                f"--panel-host {config.panel_host}: other machines would reach the control panel"
                f" without {', '.join(missing)}",
                hint="give all three, or leave out --panel-host",
            )
        if config.panel_host in {"0.0.0.0", "::", "*"}:  # noqa: S104 - refused
            raise SpecError(
                f"--panel-host {config.panel_host} is no address that a browser can open",
                hint="name this machine as others do, such as 192.168.1.5",
            )
    return Address(config.panel_host, config.panel_port, password, tls)


class Login:
    """Gives the token for the password. Used by one event loop."""

    def __init__(self, password: str | None, access: Access, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._digest = _digest(password) if password else None
        self._access = access
        self._clock = clock
        self._failures: deque[float] = deque(maxlen=MAX_FAILURES)

    def endpoints(self) -> list[Endpoint]:
        """The endpoints, which need no token."""
        return [
            Endpoint("GET", "/api/login", self.needed, "Whether a password gives the token", schemas.LOGIN),
            Endpoint(
                "POST", "/api/login", self.login, "The token, for the password", schemas.TOKEN, body=schemas.PASSWORD
            ),
        ]

    async def needed(self, _request: Request) -> Response:
        """Whether there is a password."""
        return JSONResponse({"password": self._digest is not None})

    async def login(self, request: Request) -> Response:
        """The token for the right password."""
        password = (await read_json(request)).get("password")
        if self._digest is None or not isinstance(password, str):
            raise HTTPException(403, "open the page from rtmatte on this machine")
        if len(self._failures) == MAX_FAILURES and self._clock() < self._failures[0] + FAILURES_S:
            raise HTTPException(429, "too many wrong passwords: wait a minute")
        if not hmac.compare_digest(_digest(password), self._digest):
            self._failures.append(self._clock())
            await asyncio.sleep(WRONG_S)
            raise HTTPException(403, "the password is wrong")
        return JSONResponse({"token": self._access.token})


def _digest(password: str) -> bytes:
    """Of equal length for all passwords, so that the comparison takes equal time."""
    return hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read_password(name: str) -> str:
    """The first line of the file, which no other user may read. Raises MissingFile, BadFile."""
    path = named(name)
    try:
        with open_regular(path) as file:
            readable = os.name == "posix" and os.fstat(file.fileno()).st_mode & (stat.S_IRGRP | stat.S_IROTH)
            data = file.read(MAX_PASSWORD_FILE)
    except OSError as error:
        raise MissingFile(
            f"cannot read the password file {path}: {error.strerror}", hint="check --panel-password-file"
        ) from error
    if readable:
        raise BadFile(f"other users can read the password file {path}", hint=f"chmod 600 {path}")
    password = data.decode("utf-8", "surrogateescape").partition("\n")[0].strip()
    if len(password) < MIN_PASSWORD:
        raise BadFile(f"the password in {path} is shorter than {MIN_PASSWORD} characters", hint="choose a longer one")
    return password


def _tls(cert: str | None, key: str | None) -> ssl.SSLContext | None:
    """The encryption with a certificate; None without one. Raises SpecError, MissingFile, BadFile."""
    if not cert and not key:
        return None
    if not cert or not key:
        raise SpecError("--panel-cert and --panel-key belong together", hint="give both")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        for name in (cert, key):
            check_regular(named(name))
        context.load_cert_chain(named(cert), named(key), password="")
    except ssl.SSLError as error:
        reason = error.reason or "they are no PEM files of a certificate and its key"
        raise BadFile(f"cannot use the certificate {cert} with the key {key}: {reason}", hint="check both") from error
    except OSError as error:
        raise MissingFile(f"cannot read {cert} or {key}: {error.strerror}", hint="check --panel-cert") from error
    return context
