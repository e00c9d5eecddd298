"""The host that serves finished clips: no key, ranges and entity tags, links that expire."""

import asyncio
import time
from dataclasses import dataclass, replace
from http import HTTPStatus

from aiohttp import ETag, hdrs, web

from veogen.simulator.faults import Fault
from veogen.simulator.middleware import SERVICE, apply_fault, hang_up
from veogen.simulator.refusals import Handler, add_headers, error_middleware
from veogen.simulator.service import Service

_STEPS = 20  # in which a slow body arrives
_INTACT = 32  # bytes of a corrupt clip that still look like an MP4


@dataclass(frozen=True, slots=True)
class Payload:
    """What is sent, and how it travels."""

    data: bytes
    etag: str
    kind: str
    length: bool = True
    seconds: float = 0.0
    lost_after: float | None = None

    def with_fault(self, fault: Fault, nth: int) -> "Payload":
        """This payload with `fault`; `nth` is how often it was sent."""
        match fault.do:
            case "truncated":
                end = int(len(self.data) * fault.after)
                return replace(self, data=self.data[:end], length=fault.length)
            case "corrupt":
                noise = bytes(byte ^ 0x5A for byte in self.data[_INTACT:])
                return replace(self, data=self.data[:_INTACT] + noise)
            case "changed":
                return replace(self, etag=f"{self.etag}-{nth}")
            case "no-length":
                return replace(self, length=False)
            case "drop":
                return replace(self, lost_after=fault.after)
            case "slow":
                return replace(self, seconds=fault.seconds or 0)
            case _:
                return self


async def send_payload(request: web.Request, payload: Payload) -> web.StreamResponse:
    """Send the payload, or the part of it that was asked for."""
    etag, size = f'"{payload.etag}"', len(payload.data)
    headers = {hdrs.ETAG: etag, hdrs.ACCEPT_RANGES: "bytes"}
    if request.if_match and not _names(request.if_match, payload.etag):
        return web.Response(status=HTTPStatus.PRECONDITION_FAILED, headers=headers)
    if request.if_none_match and _names(request.if_none_match, payload.etag):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    part = _range_of(request, size, etag)
    if part is not None and not part:
        headers[hdrs.CONTENT_RANGE] = f"bytes */{size}"
        return web.Response(status=416, headers=headers)
    data = payload.data
    if part is not None:
        headers[hdrs.CONTENT_RANGE] = f"bytes {part.start}-{part.stop - 1}/{size}"
        data = data[part.start : part.stop]
    response = web.StreamResponse(status=200 if part is None else 206, headers=headers)
    response.content_type = payload.kind
    if payload.length:
        response.content_length = len(data)
    await response.prepare(request)
    if request.method != hdrs.METH_HEAD:
        await _send(request, response, data, payload)
    await response.write_eof()
    return response


async def _send(
    request: web.Request, response: web.StreamResponse, data: bytes, payload: Payload
) -> None:
    end = len(data) if payload.lost_after is None else int(len(data) * payload.lost_after)
    pieces = range(0, end, max(1, end // _STEPS) if payload.seconds else max(1, end))
    for start in pieces:
        await asyncio.sleep(payload.seconds / len(pieces))
        await response.write(data[start : min(end, start + pieces.step)])
    if payload.lost_after is not None:
        await hang_up(request)


def _names(tags: tuple[ETag, ...], etag: str) -> bool:
    return any(tag.value in ("*", etag) for tag in tags)


def _range_of(request: web.Request, size: int, etag: str) -> range | None:
    """The bytes asked for; None for all of them, an empty range for none that exist."""
    if request.headers.get(hdrs.IF_RANGE, etag) != etag:
        return None
    try:
        asked = request.http_range
    except ValueError:  # several ranges, or no such thing: a server may ignore it
        return None
    if asked.start is None and asked.stop is None:
        return None
    return range(*slice(asked.start, asked.stop).indices(size))


def media_host(service: Service) -> web.Application:
    app = web.Application(middlewares=[error_middleware, check_client])
    app.on_response_prepare.append(add_headers)
    app[SERVICE] = service
    app.router.add_get("/videos/{task}/{number:[0-9]{1,3}}.mp4", serve)
    app.router.add_get("/files/{path:.+}", serve_file)
    app.router.add_get("/api/v1/files/download/{id}", serve_file)
    return app


@web.middleware
async def check_client(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse Python's own User-Agent, as the real host does, and write down keys."""
    sent = (*request.headers.values(), *request.query.values())
    request.app[SERVICE].audit.asked_media(request.headers.get(hdrs.AUTHORIZATION), sent)
    if request.headers.get(hdrs.USER_AGENT, "").startswith("Python-urllib"):
        return web.Response(status=403, text="error code: 1010")
    return await handler(request)


async def serve(request: web.Request) -> web.StreamResponse:
    service = request.app[SERVICE]
    task, number = service.tasks.get(request.match_info["task"]), int(request.match_info["number"])
    if task is None or not 1 <= number <= len(task.clips):
        raise web.HTTPNotFound
    if request.query.get("signature") != service.links.signature(task.id, number):
        raise web.HTTPForbidden(text="the signature does not match")
    if time.time() > service.links.expires(task):
        raise _expired()
    task.downloads += 1
    fault = service.faults.pick("download", task.prompt, f"{task.name}/{number}")
    clip = task.clips[number - 1]
    payload = Payload(clip.path.read_bytes(), clip.etag, "video/mp4")
    if fault is not None:
        if fault.do == "expired":
            raise _expired()
        if fault.do not in ("drop", "slow"):  # those two befall the clip on its way
            response = await apply_fault(request, fault)
            if response is not None:
                return response
        payload = payload.with_fault(fault, task.downloads)
    return await send_payload(request, payload)


async def serve_file(request: web.Request) -> web.StreamResponse:
    """An uploaded file, by its public address or its id."""
    files = request.app[SERVICE].files
    file_id = request.match_info.get("id")
    file = files.by_id(file_id) if file_id else files.find(request.rel_url.raw_path)
    if file is None:
        raise web.HTTPNotFound
    return await send_payload(request, Payload(file.data, file.id, file.kind))


def _expired() -> web.HTTPForbidden:
    return web.HTTPForbidden(text="the link has expired")
