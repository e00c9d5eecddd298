"""What every answer of the simulator has in common."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias
from uuid import uuid4

from aiohttp import web

from veogen.simulator.refusals import Refusal, RefusedError

HEADER = "X-Veogen-Simulator"
UNREADABLE = "the body is not encoded as its headers say"
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def sign(request: web.Request, response: web.StreamResponse) -> None:
    """Say that this is the simulator, on every answer; name the request as the gateway does."""
    del request
    response.headers[HEADER] = "1"
    name = uuid4().hex
    for header in ("x-request-id", "x-oneapi-request-id"):
        response.headers[header] = name


def told(value: Any, status: int = 200) -> web.Response:
    return web.Response(
        body=json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace"),
        status=status,
        content_type="application/json",
    )


def refused(refusal: Refusal) -> web.Response:
    answer = told(refusal.body(), refusal.status)
    answer.headers.update(refusal.headers)
    return answer


@web.middleware
async def explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refusals, and addresses and methods that do not exist, in the gateway's own JSON."""
    try:
        return await handler(request)
    except RefusedError as error:
        return refused(error.refusal)
    except web.RequestPayloadError:
        return refused(Refusal(400, UNREADABLE, "invalid_parameters"))
    except web.HTTPRequestEntityTooLarge:
        return refused(Refusal(413, "the body is too big"))
    except web.HTTPMethodNotAllowed as error:
        answer = refused(Refusal(405, f"{request.path} does not take {request.method}"))
        answer.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
        return answer
    except web.HTTPNotFound:
        return refused(Refusal(404, f"there is nothing at {request.path}"))
