"""Endpoints of the panel's interface: what each accepts and answers; routes and OpenAPI document are made of them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from realtime_matte.doctor.host import Host
from realtime_matte.panel.answers import JSONResponse, answered, error_body
from realtime_matte.panel.folders import Folders
from realtime_matte.panel.gallery import Gallery
from realtime_matte.panel.state import PanelState

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]
Schema: TypeAlias = Mapping[str, Any]

Result = TypeVar("Result")

PER_SECOND: Final = 100.0
BURST: Final = 200.0
"""Requests that are answered: a page that drags a slider sends some 60 in a second."""


class RateLimit:
    """A bucket of requests that fills again at a constant rate."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left = BURST
        self._at = clock()

    def take(self) -> bool:
        """Take one request. False if there is none left."""
        now = self._clock()
        self._left = min(BURST, self._left + (now - self._at) * PER_SECOND)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass(frozen=True, slots=True)
class Services:
    """What handlers work with.

    Attributes:
        state: The pipeline and its commands.
        gallery: The backgrounds.
        folders: Where their files are.
        config_file: The file of ``--config``; None for the default one.
        host: The machine; replaced in tests.
        workers: Threads for what takes time: files, devices, the doctor.
        rate: Bounds requests.
    """

    state: PanelState
    gallery: Gallery
    folders: Folders
    config_file: str | None = None
    host: Host = field(default_factory=Host)
    workers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "panel-work"))
    rate: RateLimit = field(default_factory=RateLimit)

    async def work(self, call: Callable[[], Result]) -> Result:
        """The result of a call that takes time, in one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self.workers, call)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path.

    Attributes:
        method: The HTTP method.
        path: The path, with ``{name}`` for a variable part.
        handler: Answers a request.
        summary: What it does, in one line.
        answer: The JSON schema of the answer, or its media type.
        body: The JSON schema of the request's body; None without one. A media type for raw bytes.
        query: Parameters of the query, and what they are.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    answer: Schema | str
    body: Schema | str | None = None
    query: Mapping[str, str] = field(default_factory=dict)


def as_route(endpoint: Endpoint, rate: RateLimit) -> Route:
    """The route of an endpoint."""

    async def limited(request: Request) -> Response:
        if not rate.take():
            return JSONResponse(error_body("too many requests", "try again in a moment"), 429)
        return await endpoint.handler(request)

    path = endpoint.path.replace("{name}", "{name:path}")  # so that a name with a slash is refused with the reason
    return Route(path, answered(limited), methods=[endpoint.method])
