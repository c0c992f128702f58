"""Endpoints for backgrounds: list, thumbnail, choose, add, delete."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from realtime_matte.panel import schemas
from realtime_matte.panel.answers import JSONResponse, read_json, read_parts
from realtime_matte.panel.endpoints import Endpoint, Services
from realtime_matte.panel.gallery import MAX_FILE, Entry, chosen_spec, current_id, option_records
from realtime_matte.panel.thumbnails import thumbnail
from realtime_matte.pipeline.commands import Command


class BackgroundEndpoints:
    """The handlers. Used by one event loop."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._adding = asyncio.Lock()  # one file at a time

    def endpoints(self) -> list[Endpoint]:
        """The endpoints."""
        one = "/api/backgrounds/{id}"
        return [
            Endpoint("GET", "/api/backgrounds", self.index, "The gallery", schemas.BACKGROUNDS),
            Endpoint("GET", f"{one}/thumbnail", self.thumbnail, "A small image of a background", "image/jpeg"),
            Endpoint(
                "POST", "/api/background", self.choose, "Show a background", schemas.STATE, body=schemas.BACKGROUND
            ),
            Endpoint(
                "POST",
                "/api/backgrounds",
                self.add,
                "Add an image or a video to the gallery",
                schemas.ADDED,
                body="application/octet-stream",
                query={"name": "the name of the file, for its kind and its title"},
            ),
            Endpoint("DELETE", one, self.delete, "Delete a background that was added", schemas.DONE),
        ]

    async def index(self, _request: Request) -> Response:
        """The gallery, with the options of each background."""
        shown, entries = self._shown(), await self._services.work(self._entries)
        current = await self._services.work(lambda: current_id(entries, shown))
        return JSONResponse(
            [_record(entry, shown if entry.id == current else entry.spec, entry.id == current) for entry in entries]
        )

    async def thumbnail(self, request: Request) -> Response:
        """The thumbnail of one."""
        entry = await self._find(request.path_params["id"])
        cache = self._services.folders.cache
        data = await self._services.work(lambda: thumbnail(entry, self._shown(), cache))
        return Response(data, media_type="image/jpeg")

    async def choose(self, request: Request) -> Response:
        """Show one."""
        body = await read_json(request)
        options = body.get("options") or {}
        if not isinstance(body.get("id"), str) or not isinstance(options, dict):
            raise HTTPException(400, "the body needs an id, and may have options")
        entry = await self._find(body["id"])
        spec = await self._services.work(lambda: chosen_spec(entry, options))
        await self._services.state.run(Command("bg", spec))
        return JSONResponse(await self._services.state.read(fresh=True))

    async def add(self, request: Request) -> Response:
        """Add a file, the body of the request."""
        name = request.query_params.get("name", "")
        if self._adding.locked():
            raise HTTPException(429, "another file is being added")
        async with self._adding:
            path = await self._services.work(lambda: self._services.gallery.new_file(name))
            try:
                await self._receive(request, path)
                entry = await self._services.work(lambda: self._services.gallery.add(path, name))
            finally:
                path.unlink(missing_ok=True)
        return JSONResponse({"id": entry.id})

    async def delete(self, request: Request) -> Response:
        """Delete one."""
        entry = await self._find(request.path_params["id"])
        if entry.id == current_id([entry], self._shown()):
            await self._services.state.run(Command("bg", "studio"))
        self._services.state.supervisor.forget_background(entry.spec)
        await self._services.work(lambda: self._services.gallery.delete(entry))
        return JSONResponse({})

    async def _receive(self, request: Request, path: Path) -> None:
        file = await self._services.work(lambda: path.open("xb"))
        with file:
            async for part in read_parts(request, limit=MAX_FILE):
                await self._services.work(lambda part=part: file.write(part))  # type: ignore[misc]

    async def _find(self, entry_id: str) -> Entry:
        present, alpha = self._present()
        return await self._services.work(lambda: self._services.gallery.find(entry_id, present=present, alpha=alpha))

    def _entries(self) -> Sequence[Entry]:
        present, alpha = self._present()
        return self._services.gallery.entries(present=present, alpha=alpha)

    def _present(self) -> tuple[Sequence[str], bool | None]:
        """The backgrounds of the run, and whether its output frames carry alpha; None if there is no run."""
        supervisor = self._services.state.supervisor
        present = supervisor.config.bg
        return present, (self._shown() == "none") if supervisor.current.pipeline else None

    def _shown(self) -> str:
        return self._services.state.supervisor.config.bg[0]


def _record(entry: Entry, spec: str, current: bool) -> dict[str, Any]:  # noqa: FBT001 - of one list
    return {
        "id": entry.id,
        "name": entry.name,
        "kind": entry.kind,
        "own": entry.own,
        "current": current,
        "options": option_records(entry, spec),
    }
