"""The host that serves finished clips: no key, ranges and entity tags, links that expire."""

import time

from aiohttp import hdrs, web

from veogen.simulator.answers import Handler, explain, sign
from veogen.simulator.api import LINKS, SERVICE
from veogen.simulator.kiln import Baked
from veogen.simulator.links import Links
from veogen.simulator.service import Service
from veogen.simulator.tasks import Task


def media_host(service: Service, links: Links) -> web.Application:
    app = web.Application(middlewares=[explain, guard])
    app.on_response_prepare.append(sign)
    app[SERVICE], app[LINKS] = service, links
    app.router.add_get("/videos/{task}/{number:[0-9]{1,3}}.mp4", serve)
    return app


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse Python's own User-Agent, as the real host does, and write down keys."""
    request.app[SERVICE].audit.asked_media(request.headers.get(hdrs.AUTHORIZATION))
    if request.headers.get(hdrs.USER_AGENT, "").startswith("Python-urllib"):
        return web.Response(status=403, text="error code: 1010")
    return await handler(request)


async def serve(request: web.Request) -> web.Response:
    task, clip = _clip(request)
    task.downloads += 1
    data = clip.path.read_bytes()
    return ranged(request, data, clip.etag, "video/mp4")


def ranged(request: web.Request, data: bytes, etag: str, kind: str) -> web.Response:
    """`data`, or the part of it that was asked for."""
    headers = {hdrs.ETAG: f'"{etag}"', hdrs.ACCEPT_RANGES: "bytes"}
    part = _part(request, len(data), headers[hdrs.ETAG])
    if part is None:
        return web.Response(body=data, content_type=kind, headers=headers)
    if not part:
        headers[hdrs.CONTENT_RANGE] = f"bytes */{len(data)}"
        return web.Response(status=416, headers=headers)
    headers[hdrs.CONTENT_RANGE] = f"bytes {part.start}-{part.stop - 1}/{len(data)}"
    body = data[part.start : part.stop]
    return web.Response(status=206, body=body, content_type=kind, headers=headers)


def _part(request: web.Request, size: int, etag: str) -> range | None:
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


def _clip(request: web.Request) -> tuple[Task, Baked]:
    """The clip of a link, checked; raises an answer."""
    service, links = request.app[SERVICE], request.app[LINKS]
    task = service.tasks.get(request.match_info["task"])
    number = int(request.match_info["number"])
    if task is None or not 1 <= number <= len(task.clips):
        raise web.HTTPNotFound
    if request.query.get("signature") != links.signature(task.id, number):
        raise web.HTTPForbidden(text="the signature does not match")
    if time.time() > links.expires(task):
        raise web.HTTPForbidden(text="the link has expired")
    return task, task.clips[number - 1]
