"""Routes of the panel: the page, and the interface behind it."""

from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from realtime_matte.errors import MatteError, SpecError
from realtime_matte.panel.answers import answered, read_json, refusal
from realtime_matte.panel.forms import option_groups
from realtime_matte.panel.live import Live
from realtime_matte.panel.state import PanelState
from realtime_matte.pipeline.commands import Command

STATIC: Final = Path(__file__).parent / "static"


def routes(state: PanelState, live: Live) -> list[BaseRoute]:
    """All routes."""

    async def page(_request: Request) -> Response:
        return Response((STATIC / "index.html").read_bytes(), media_type="text/html")

    async def status(_request: Request) -> Response:
        return JSONResponse(await state.read())

    async def commands(request: Request) -> Response:
        body = await read_json(request)
        key, value = body.get("key"), body.get("value")
        if not isinstance(key, str):
            raise HTTPException(400, "the body has no key")
        try:
            await state.run(Command(key, value))
        except MatteError as error:
            return refusal(error, field=key.replace("-", "_") if isinstance(error, SpecError) else "")
        return JSONResponse(await state.read(fresh=True))

    async def options(_request: Request) -> Response:
        return JSONResponse(option_groups(state.supervisor.config))

    return [
        Route("/", page),
        Mount("/static", StaticFiles(directory=STATIC)),
        Route("/api/status", answered(status)),
        Route("/api/commands", answered(commands), methods=["POST"]),
        Route("/api/options", answered(options)),
        WebSocketRoute("/api/live", live.serve),
    ]
