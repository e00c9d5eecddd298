"""The host that serves finished clips: no key, ranges and entity tags, links that expire."""

import time

from aiohttp import hdrs, web

from veogen.simulator.answers import Handler, explain, sign
from veogen.simulator.delivery import Parcel, deliver
from veogen.simulator.desk import LINKS, SERVICE
from veogen.simulator.kiln import Baked
from veogen.simulator.links import Links
from veogen.simulator.mishaps import suffer
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


async def serve(request: web.Request) -> web.StreamResponse:
    task, clip = _clip(request)
    task.downloads += 1
    fault = request.app[SERVICE].faults.pick("download", task.prompt, request.path)
    parcel = Parcel(clip.path.read_bytes(), clip.etag, "video/mp4")
    if fault is not None:
        if fault.do not in ("drop", "slow"):  # those two befall the clip on its way
            instead = await suffer(request, fault)
            if instead is not None:
                return instead
        parcel = parcel.spoiled(fault, task.downloads)
    return await deliver(request, parcel)


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
