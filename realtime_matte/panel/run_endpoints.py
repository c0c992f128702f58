"""Endpoints for the run: status, commands, options, devices, snapshot, doctor."""

from typing import cast

import cv2
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from realtime_matte.errors import MatteError, SpecError
from realtime_matte.frame import Pixels
from realtime_matte.panel import machine, schemas
from realtime_matte.panel.answers import JSONResponse, read_json, refusal
from realtime_matte.panel.endpoints import Endpoint, Services
from realtime_matte.panel.forms import option_groups
from realtime_matte.panel.page_values import page_command
from realtime_matte.pipeline.commands import Command


class RunEndpoints:
    """The handlers. Used by one event loop."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._state = services.state
        self._supervisor = services.state.supervisor

    def endpoints(self) -> list[Endpoint]:
        """The endpoints."""
        return [
            Endpoint("GET", "/api/status", self.status, "The state of the run, or why there is none", schemas.STATE),
            Endpoint("POST", "/api/commands", self.commands, "Change one thing", schemas.STATE, body=schemas.COMMAND),
            Endpoint("GET", "/api/options", self.options, "Every option, for forms", schemas.OPTIONS),
            Endpoint("GET", "/api/cameras", self.cameras, "The cameras and their modes", schemas.CAMERAS),
            Endpoint("GET", "/api/outputs", self.outputs, "The outputs there are", schemas.OUTPUTS),
            Endpoint("GET", "/api/models", self.models, "The networks there are", schemas.MODELS),
            Endpoint("GET", "/api/doctor", self.doctor, "What the doctor finds", schemas.FINDINGS),
            Endpoint("POST", "/api/snapshot", self.snapshot, "What was sent last, as an image", "image/png"),
        ]

    async def status(self, _request: Request) -> Response:
        """The state of the run."""
        return JSONResponse(await self._state.read())

    async def commands(self, request: Request) -> Response:
        """Run a command."""
        body = await read_json(request)
        key, value = body.get("key"), body.get("value")
        if not isinstance(key, str):
            raise HTTPException(400, "the body has no key")
        try:
            needs_devices = key in {"camera", "output"}
            devices = await self._services.work(machine.devices) if needs_devices else []
            command = page_command(key, value, self._supervisor.config, devices=devices)
            if command.key == "snapshot":
                raise SpecError("a snapshot has an address of its own", hint="use /api/snapshot")
            await self._state.run(command)
        except MatteError as error:
            return refusal(error, field=key.replace("-", "_") if isinstance(error, SpecError) else "")
        return JSONResponse(await self._state.read(fresh=True))

    async def options(self, _request: Request) -> Response:
        """Every option."""
        return JSONResponse(option_groups(self._supervisor.config))

    async def cameras(self, _request: Request) -> Response:
        """The cameras."""
        return JSONResponse(await self._services.work(lambda: machine.cameras(self._supervisor)))

    async def outputs(self, _request: Request) -> Response:
        """The outputs."""
        reader = self._supervisor.current.reader
        status = await reader.read() if reader else None
        return JSONResponse(await self._services.work(lambda: machine.outputs(self._supervisor.config, status)))

    async def models(self, _request: Request) -> Response:
        """The networks."""
        return JSONResponse(machine.models())

    async def doctor(self, _request: Request) -> Response:
        """The findings."""
        return JSONResponse(await self._services.work(lambda: machine.findings(self._supervisor)))

    async def snapshot(self, _request: Request) -> Response:
        """What was sent last."""
        image = cast("Pixels", await self._state.run(Command("snapshot")))
        return Response(await self._services.work(lambda: _png(image)), media_type="image/png")


def _png(pixels: Pixels) -> bytes:
    _, data = cv2.imencode(".png", pixels)
    return data.tobytes()
