"""Endpoints for what is kept: presets, the configuration file, the start at login."""

import os
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from realtime_matte.cli import install_service
from realtime_matte.config import presets
from realtime_matte.config.config import Config
from realtime_matte.config.toml_file import default_path, file_in_use, resolve
from realtime_matte.config.toml_writer import save, values_of
from realtime_matte.errors import MatteError, SpecError
from realtime_matte.panel import schemas
from realtime_matte.panel.answers import JSONResponse, read_json
from realtime_matte.panel.endpoints import Endpoint, Services
from realtime_matte.pipeline.commands import LIVE, Command


class SavedEndpoints:
    """The handlers."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._supervisor = services.state.supervisor

    def endpoints(self) -> list[Endpoint]:
        """The endpoints."""
        preset = "/api/presets/{name}"
        return [
            Endpoint("GET", "/api/presets", self.index, "The presets", schemas.PRESETS),
            Endpoint("PUT", preset, self.save, "Save the present options as a preset", schemas.PRESETS),
            Endpoint("DELETE", preset, self.delete, "Delete a preset", schemas.PRESETS),
            Endpoint("POST", f"{preset}/apply", self.apply, "Use the options of a preset", schemas.STATE),
            Endpoint("POST", "/api/save-default", self.save_default, "Save the options in the file", schemas.SAVED),
            Endpoint("GET", "/api/autostart", self.autostart, "Whether it starts at login", schemas.AUTOSTART),
            Endpoint(
                "POST", "/api/autostart", self.set_autostart, "Start at login", schemas.AUTOSTART, body=schemas.ENABLED
            ),
        ]

    async def index(self, _request: Request) -> Response:
        """The names of the presets."""
        return JSONResponse([{"name": name} for name in await self._services.work(presets.names)])

    async def save(self, request: Request) -> Response:
        """Save the present options under a name."""
        values = values_of(self._supervisor.config)
        await self._services.work(lambda: presets.save(request.path_params["name"], values))
        return await self.index(request)

    async def delete(self, request: Request) -> Response:
        """Delete one."""
        await self._services.work(lambda: presets.delete(request.path_params["name"]))
        return await self.index(request)

    async def apply(self, request: Request) -> Response:
        """Use the options of a preset, as a start with it would."""
        target = await self._services.work(lambda: self._target(request.path_params["name"]))
        present = self._supervisor.config
        changed = [name for name in presets.KEPT if getattr(target, name) != getattr(present, name)]
        if self._supervisor.current.pipeline and set(changed) <= set(LIVE):
            await self._change(changed, target)
        elif changed:
            self._supervisor.configure(target)
        return JSONResponse(await self._services.state.read(fresh=True))

    async def save_default(self, _request: Request) -> Response:
        """Write the present options into the file that a start reads."""
        values = {name: value for name, value in values_of(self._supervisor.config).items() if name in presets.KEPT}
        path = self._file()
        await self._services.work(lambda: save(path, values))
        return JSONResponse({"file": str(path)})

    async def autostart(self, _request: Request) -> Response:
        """Whether a service starts it at login."""
        return JSONResponse(await self._services.work(self._autostart))

    async def set_autostart(self, request: Request) -> Response:
        """Install the service, or remove it."""
        enabled = (await read_json(request)).get("enabled")
        if not isinstance(enabled, bool):
            raise HTTPException(400, "enabled is not true or false")
        lines = await self._services.work(lambda: self._install(enabled=enabled))
        found = await self._services.work(self._autostart)
        return JSONResponse(found | {"message": lines[-1] if lines else ""})

    def _target(self, name: str) -> Config:
        wanted = resolve({}, config=self._services.config_file, preset=presets.load(name))
        return self._supervisor.config.replace(**{name: getattr(wanted, name) for name in presets.KEPT})

    async def _change(self, names: list[str], target: Config) -> None:
        """Make changes that need no restart. The others are made too if one is refused; then its error is raised."""
        refused: MatteError | None = None
        for name in names:
            value = getattr(target, name)
            try:
                await self._services.state.run(Command(name, value[0] if name == "bg" else value))
            except MatteError as error:
                refused = error
        if refused:
            raise refused
        self._supervisor.keep(target)

    def _file(self) -> Path:
        return file_in_use(self._services.config_file) or default_path()

    def _autostart(self) -> dict[str, Any]:
        host = self._services.host
        try:
            install_service.refuse(host, root=_is_root())
            return {"enabled": install_service.unit_path(host).exists(), "supported": True, "message": ""}
        except SpecError as error:
            return {"enabled": False, "supported": False, "message": str(error)}

    def _install(self, *, enabled: bool) -> list[str]:
        host = self._services.host
        install_service.refuse(host, root=_is_root())
        if not enabled:
            return list(install_service.remove(host))
        with self._supervisor.devices_free() as free:  # else the parts are open, so that they can be opened
            if free:
                return list(install_service.install(host, self._services.config_file))
        return list(install_service.write_unit(host, self._services.config_file))


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
