"""The OpenAPI document of the panel's interface, made from its endpoints."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from realtime_matte import __version__
from realtime_matte.panel import schemas
from realtime_matte.panel.endpoints import Endpoint
from realtime_matte.panel.guard import OPEN_PATHS, TOKEN_HEADER

VARIABLE: Final = re.compile(r"\{(\w+)\}")

LIVE: Final = (
    'The WebSocket /api/live pushes the state, as of GET /api/status with `"type": "status"`. Its first message is '
    '`{"token": "..."}`. `{"type": "next", "width": 640}` requests one JPEG of the newest output frame.'
)


def document(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The document, OpenAPI 3.1."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {"title": "rtmatte control panel", "version": __version__, "description": LIVE},
        "paths": paths,
        "components": {
            "schemas": {"Error": schemas.ERROR},
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": TOKEN_HEADER}},
        },
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": schemas.TEXT}
        for name in VARIABLE.findall(endpoint.path)
    ]
    parameters += [
        {"name": name, "in": "query", "description": about, "schema": schemas.TEXT}
        for name, about in endpoint.query.items()
    ]
    error = {
        "description": "refused",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    operation: dict[str, Any] = {
        "summary": endpoint.summary,
        "security": [] if endpoint.path in OPEN_PATHS else [{"token": []}],
        "responses": {"200": {"description": "done", "content": _content(endpoint.answer)}, "default": error},
    }
    if parameters:
        operation["parameters"] = parameters
    if endpoint.body is not None:
        operation["requestBody"] = {"required": True, "content": _content(endpoint.body)}
    return operation


def _content(schema: Mapping[str, Any] | str) -> dict[str, Any]:
    return {schema: {}} if isinstance(schema, str) else {"application/json": {"schema": schema}}
