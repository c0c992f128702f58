"""Answers of the panel's interface: errors as JSON, and what a request may contain."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse as StarletteJSON
from starlette.responses import Response

from realtime_matte.errors import BadFile, MatteError, MissingFile, SpecError, masked

MAX_BODY: Final = 64 * 1024
"""Bytes of a JSON body; the longest is a list of options."""

BODY_S: Final = 15.0
"""How long the next part of a body may take."""

_log = logging.getLogger("realtime_matte")


class JSONResponse(StarletteJSON):
    """An answer in JSON. A byte of a file's name that is not UTF-8, which Python reads as a surrogate, is escaped."""

    def render(self, content: object) -> bytes:
        """The JSON."""
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8", "backslashreplace")


def error_body(message: str, hint: str = "", *, field: str = "") -> dict[str, object]:
    """The body of an error."""
    named = {"field": field} if field else {}
    return {"error": {"message": masked(message), "hint": masked(hint), **named}}


def refusal(error: MatteError, *, field: str = "") -> Response:
    """The answer for an error that the user can act on."""
    status = 400 if isinstance(error, SpecError | BadFile) else 404 if isinstance(error, MissingFile) else 409
    return JSONResponse(error_body(error.message, error.hint, field=field or getattr(error, "field", "")), status)


def answered(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """The handler, with every error as an answer in JSON."""

    async def handle(request: Request) -> Response:
        try:
            return await handler(request)
        except MatteError as error:
            return refusal(error)
        except HTTPException as error:
            return JSONResponse(error_body(error.detail), error.status_code, headers=error.headers)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:  # noqa: BLE001 - a bug: logged, and the server goes on
            _log.exception("the panel failed")
            return JSONResponse(error_body(f"the panel failed: {type(error).__name__}"), 500)

    return handle


async def read_json(request: Request) -> dict[str, Any]:
    """The JSON object in the body.

    Raises:
        HTTPException: It is no JSON object, is too long, or takes too long.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, "the body must be JSON, with the header Content-Type: application/json")
    body = b"".join([part async for part in read_parts(request, limit=MAX_BODY)])
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "the body is not JSON") from error
    if not isinstance(value, dict):
        raise HTTPException(400, "the body is not a JSON object")
    return value


async def read_parts(request: Request, *, limit: int) -> AsyncIterator[bytes]:
    """The parts of a body of at most ``limit`` bytes.

    Raises:
        HTTPException: It is longer, or the next part takes more than BODY_S.
    """
    stated = request.headers.get("content-length", "0")
    if not stated.isdecimal() or int(stated) > limit:
        raise HTTPException(413, f"the body is longer than {limit} bytes")
    parts, length = aiter(request.stream()), 0
    while True:
        try:
            part = await asyncio.wait_for(anext(parts, None), BODY_S)
        except TimeoutError as error:
            raise HTTPException(408, f"nothing of the body arrived for {BODY_S:g} s") from error
        if part is None:
            return
        length += len(part)
        if length > limit:
            raise HTTPException(413, f"the body is longer than {limit} bytes")
        yield part
