"""Routes of the panel: the page, its files, and the endpoints of the interface."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from realtime_matte.panel import schemas
from realtime_matte.panel.answers import JSONResponse, error_body
from realtime_matte.panel.background_endpoints import BackgroundEndpoints
from realtime_matte.panel.endpoints import Endpoint, Services, as_route
from realtime_matte.panel.live import Live
from realtime_matte.panel.openapi import document
from realtime_matte.panel.password import Login
from realtime_matte.panel.run_endpoints import RunEndpoints
from realtime_matte.panel.saved_endpoints import SavedEndpoints

STATIC: Final = Path(__file__).parent / "static"


def all_endpoints(services: Services, login: Login) -> list[Endpoint]:
    """Every endpoint, with the one that describes them."""
    endpoints = [
        *RunEndpoints(services).endpoints(),
        *BackgroundEndpoints(services).endpoints(),
        *SavedEndpoints(services).endpoints(),
        *login.endpoints(),
    ]

    async def describe(_request: Request) -> Response:
        return JSONResponse(document(endpoints))

    endpoints.append(Endpoint("GET", "/api/openapi.json", describe, "This document", schemas.DOCUMENT))
    return endpoints


def routes(endpoints: Sequence[Endpoint], services: Services, live: Live) -> list[BaseRoute]:
    """All routes."""

    async def page(_request: Request) -> Response:
        return FileResponse(STATIC / "index.html", headers={"cache-control": "no-cache"})

    return [
        Route("/", page),
        Mount("/static", StaticFiles(directory=STATIC)),
        *(as_route(endpoint, services.rate) for endpoint in endpoints),
        WebSocketRoute("/api/live", live.serve),
    ]


async def refused(_request: Request, error: Exception) -> Response:
    """The answer for a path or a method that there is not."""
    if not isinstance(error, HTTPException):  # registered for it
        raise error
    return JSONResponse(error_body(error.detail), error.status_code, headers=error.headers)
