"""The guard of the panel: Host, Origin and token of every request, and the headers of every answer.

Any page in the same browser can send requests to 127.0.0.1, and a page whose name resolves to it (DNS rebinding) can
read the answers. So a request must name the panel's own address in Host, must come from its own page by Origin, and
must have the token, which only a page opened by this user has. Cookies would be sent to every port of the same host.
"""

import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from realtime_matte.panel.answers import error_body

TOKEN_HEADER: Final = "x-rtmatte-token"  # noqa: S105 - its name

LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

HEADERS: Final = (
    ("content-security-policy", CSP),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
)
"""Sent with every answer."""

OPEN_PATHS: Final = frozenset({"/api/login"})
"""Paths of the interface that need no token: where one gets it."""

SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use the panel.

    Attributes:
        scheme: ``http`` or ``https``.
        hosts: The values of Host that are accepted, such as ``127.0.0.1:8000``.
        token: The secret of this run.
        opened: Called when the token was right.
    """

    scheme: str
    hosts: frozenset[str]
    token: str
    opened: Callable[[], None]

    def origin_matches(self, origin: str, host: str) -> bool:
        """Whether a request's Origin is the page at the address that its Host names."""
        return host in self.hosts and origin == f"{self.scheme}://{host}"

    def token_matches(self, token: str) -> bool:
        """Whether it is the token, compared in constant time."""
        matches = hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self.token.encode())
        if matches:
            self.opened()
        return matches


def accepted_hosts(names: Iterable[str], port: int, scheme: str) -> frozenset[str]:
    """The values of Host for these names at a port. A browser leaves out the scheme's default port."""
    hosts = {f"{name}:{port}" for name in names}
    return frozenset(hosts | set(names) if DEFAULT_PORTS[scheme] == port else hosts)


class Guard:
    """Passes on to ``app`` what ``access`` allows, and refuses everything else before anything of it is read."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request, or the handshake of one WebSocket."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        status, message = self._refusal(scope)
        if not status:
            await self._app(scope, receive, send if scope["type"] == "websocket" else _with_headers(send))
        elif scope["type"] == "websocket":
            await receive()  # the handshake
            await send({"type": "websocket.close", "code": 1008})
        else:
            await JSONResponse(error_body(message), status)(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> tuple[int, str]:
        """Status and reason of a refusal; 0 if the request is allowed."""
        headers, path = Headers(scope=scope), scope["path"]
        if _single(headers.getlist("host")) not in self._access.hosts:
            return 421, "this address does not belong to the panel"
        if refused := self._origin_refusal(scope, headers):
            return 403, refused
        if any(name.lower() == "token" for name, _ in _query(scope)):
            return 400, "a token must not be a part of an address"
        needs_token = scope["type"] == "http" and path.startswith("/api/") and path not in OPEN_PATHS
        if needs_token and not self._access.token_matches(_single(headers.getlist(TOKEN_HEADER))):
            return 401, "the token is missing or wrong"
        return 0, ""

    def _origin_refusal(self, scope: Scope, headers: Headers) -> str:
        """Why another page may have caused the request; empty if none can."""
        origins = headers.getlist("origin")
        if origins and not self._access.origin_matches(_single(origins), headers["host"]):
            return "another page sent this request"
        if not origins and (scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS):
            return "the header Origin is missing"
        same_site = headers.get("sec-fetch-site", "none") in {"same-origin", "none"}
        opens_page = scope["path"] == "/" and headers.get("sec-fetch-mode") == "navigate"
        return "" if same_site or opens_page else "another page sent this request"


def _single(values: Sequence[str]) -> str:
    """The value of a header that must be there once; else empty."""
    return values[0] if len(values) == 1 else ""


def _query(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _with_headers(send: Send) -> Send:
    encoded = [(name.encode(), value.encode()) for name, value in HEADERS]

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = list(message.get("headers", []))
            names = {name.lower() for name, _ in given}
            cache = [] if b"cache-control" in names else [(b"cache-control", b"no-store")]
            message = {**message, "headers": [*given, *encoded, *cache]}
        await send(message)

    return send_with_headers
