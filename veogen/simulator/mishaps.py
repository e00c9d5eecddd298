"""What it looks like when a fault happens to an answer."""

import asyncio
from typing import NoReturn

from aiohttp import hdrs, web

from veogen.simulator.answers import refused, told
from veogen.simulator.faults import Fault
from veogen.simulator.pace import retry_after
from veogen.simulator.refusals import STATUSES, Refusal

_PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
_GARBAGE = b'{"id": "task-unif\x00\xff\xfe'
_OK = 200


async def suffer(request: web.Request, fault: Fault) -> web.StreamResponse | None:
    """The answer that `fault` gives instead; None when the right one is only late."""
    match fault.do:
        case "answer":
            return _answer(fault)
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


def _answer(fault: Fault) -> web.Response:
    answer = _body(fault)
    if fault.retry_after is not None:
        answer.headers.update(retry_after(fault.retry_after, "seconds"))
    elif fault.retry_after_date is not None:
        answer.headers.update(retry_after(fault.retry_after_date, "date"))
    if fault.location is not None:
        answer.headers[hdrs.LOCATION] = fault.location
    return answer


def _body(fault: Fault) -> web.Response:
    match fault.body:
        case "html":
            meaning = STATUSES[fault.status].meaning if fault.status in STATUSES else "a page"
            text = _PAGE.format(f"{fault.status} {meaning}")
            return web.Response(status=fault.status, text=text, content_type="text/html")
        case "empty":
            return web.Response(status=fault.status)
        case "garbage":
            return web.Response(status=fault.status, body=_GARBAGE, content_type="application/json")
        case "json" if fault.at == "upload":
            body = {"success": False, "code": fault.code or fault.status, "msg": _message(fault)}
            return told({**body, **fault.details}, fault.status)
        case "json" if fault.status == _OK:
            return told(fault.details)
        case "json":
            facts = fault.details
            return refused(Refusal(fault.status, _message(fault), fault.code, facts=facts))


def _message(fault: Fault) -> str:
    status = STATUSES.get(fault.status)
    return fault.message or (status.meaning if status else "a fault that was asked for")
