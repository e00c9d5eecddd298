"""What the handlers of an application share: the service, the key check, the faults."""

import asyncio
import re
from typing import Any, NoReturn

from aiohttp import hdrs, web

from veogen.simulator.faults import At, Fault
from veogen.simulator.refusals import (
    STATUSES,
    Handler,
    Refusal,
    RefusedError,
    json_response,
    refusal_response,
    retry_after,
)
from veogen.simulator.service import Service
from veogen.simulator.task import SimulatedTask

_PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
_GARBAGE = b'{"id": "task-unif\x00\xff\xfe'
_OK = 200


async def apply_fault(request: web.Request, fault: Fault) -> web.StreamResponse | None:
    """The answer that `fault` gives instead; None when the right one is only late."""
    match fault.do:
        case "answer":
            return _fault_response(fault)
        case "drop":
            await hang_up(request)
        case "hang":
            await asyncio.sleep(3600 if fault.seconds is None else fault.seconds)
            await hang_up(request)
        case "slow":
            await asyncio.sleep(fault.seconds or 0)
        case _:
            pass  # what was asked for is answered, in another shape
    return None


async def hang_up(request: web.Request) -> NoReturn:
    """End the connection here and now; whatever was not sent is not sent."""
    if request.transport is not None:
        request.transport.abort()
    raise asyncio.CancelledError


def _fault_response(fault: Fault) -> web.Response:
    match fault.body:
        case "html":
            meaning = STATUSES[fault.status].meaning if fault.status in STATUSES else "a page"
            text = _PAGE.format(f"{fault.status} {meaning}")
            response = web.Response(status=fault.status, text=text, content_type="text/html")
        case "empty":
            response = web.Response(status=fault.status)
        case "garbage":
            kind = "application/json"
            response = web.Response(status=fault.status, body=_GARBAGE, content_type=kind)
        case "json" if fault.at == "upload":
            body = {"success": False, "code": fault.code or fault.status, "msg": _message(fault)}
            response = json_response({**body, **fault.details}, fault.status)
        case "json" if fault.status == _OK:
            response = json_response(fault.details)
        case _:
            refusal = Refusal(fault.status, _message(fault), fault.code, facts=fault.details)
            response = refusal_response(refusal)
    if fault.retry_after is not None:
        response.headers.update(retry_after(fault.retry_after, "seconds"))
    elif fault.retry_after_date is not None:
        response.headers.update(retry_after(fault.retry_after_date, "date"))
    if fault.location is not None:
        response.headers[hdrs.LOCATION] = fault.location
    return response


def _message(fault: Fault) -> str:
    status = STATUSES.get(fault.status)
    return fault.message or (status.meaning if status else "a fault that was asked for")


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
        response = await apply_fault(request, fault) if fault else None
        return await handler(request) if response is None else response

    return handle


def task_view(request: web.Request, task: SimulatedTask) -> dict[str, Any]:
    """A task as it stands, with links to the host that the client reaches us at."""
    return request.app[SERVICE].view(task, client_host(request))


def client_host(request: web.Request) -> str | None:
    """Where the client reaches us; None where its Host header names no place."""
    try:
        name = request.url.host or ""
    except ValueError:
        return None
    return name if re.fullmatch(r"[A-Za-z0-9.:_-]+", name) else None


def count_parameter(request: web.Request, name: str, default: int, most: int) -> int:
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
