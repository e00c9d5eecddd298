"""What the handlers of an application share: the service, the key check, the faults."""

import re
from typing import Any

from aiohttp import web

from veogen.simulator.answers import Handler
from veogen.simulator.faults import At
from veogen.simulator.mishaps import suffer
from veogen.simulator.refusals import RefusedError
from veogen.simulator.service import Service
from veogen.simulator.tasks import Task

BODY_LIMIT = 1024 * 1024  # no document names one; a request is a few kilobytes
SERVICE = web.AppKey("service", Service)


def authorize(request: web.Request) -> None:
    """Any bearer key is good, none is not."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise RefusedError(401, "an API key is required: Authorization: Bearer …")
    request.app[SERVICE].audit.asked(key.strip())


def keyed(at: At, handler: Handler) -> Handler:
    """`handler` for those who show a key, with the faults of its place."""

    async def handle(request: web.Request) -> web.StreamResponse:
        authorize(request)
        fault = request.app[SERVICE].faults.pick(at, "", at)
        instead = await suffer(request, fault) if fault else None
        return await handler(request) if instead is None else instead

    return handle


def shown(request: web.Request, task: Task) -> dict[str, Any]:
    """A task as it stands, with links to the host that the client reaches us at."""
    return request.app[SERVICE].view(task, host(request))


def host(request: web.Request) -> str | None:
    """Where the client reaches us; None where its Host header names no place."""
    try:
        name = request.url.host or ""
    except ValueError:
        return None
    return name if re.fullmatch(r"[A-Za-z0-9.:_-]+", name) else None


def number(request: web.Request, name: str, default: int, most: int) -> int:
    """A count in the query; raises `RefusedError`."""
    text = request.query.get(name, str(default))
    value = int(text) if re.fullmatch(r"[0-9]{1,7}", text) else 0
    if not 1 <= value <= most:
        raise RefusedError(400, f"{name} is 1 to {most}", "invalid_parameters", name, max=most)
    return value


async def read_body(request: web.Request) -> bytes:
    """The body of a request that is not an upload; raises `RefusedError`."""
    data = bytearray()
    async for piece in request.content.iter_any():
        data += piece
        if len(data) > BODY_LIMIT:
            raise RefusedError(413, f"the body is larger than {BODY_LIMIT} bytes")
    return bytes(data)
