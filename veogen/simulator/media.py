"""The host that serves finished clips: no key, ranges and entity tags, links that expire."""

import time

from aiohttp import hdrs, web

from veogen.simulator.answers import Handler, explain, sign
from veogen.simulator.delivery import Parcel, deliver
from veogen.simulator.desk import SERVICE
from veogen.simulator.mishaps import suffer
from veogen.simulator.service import Service
from veogen.simulator.tasks import Task


def media_host(service: Service) -> web.Application:
    app = web.Application(middlewares=[explain, guard])
    app.on_response_prepare.append(sign)
    app[SERVICE] = service
    app.router.add_get("/videos/{task}/{number:[0-9]{1,3}}.mp4", serve)
    app.router.add_get("/files/{path:.+}", serve_file)
    app.router.add_get("/api/v1/files/download/{id}", serve_file)
    return app


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse Python's own User-Agent, as the real host does, and write down keys."""
    sent = (*request.headers.values(), *request.query.values())
    request.app[SERVICE].audit.asked_media(request.headers.get(hdrs.AUTHORIZATION), sent)
    if request.headers.get(hdrs.USER_AGENT, "").startswith("Python-urllib"):
        return web.Response(status=403, text="error code: 1010")
    return await handler(request)


async def serve(request: web.Request) -> web.StreamResponse:
    task, number = _asked(request)
    task.downloads += 1
    fault = request.app[SERVICE].faults.pick("download", task.prompt, f"{task.name}/{number}")
    clip = task.clips[number - 1]
    parcel = Parcel(clip.path.read_bytes(), clip.etag, "video/mp4")
    if fault is not None:
        if fault.do == "expired":
            raise _expired()
        if fault.do not in ("drop", "slow"):  # those two befall the clip on its way
            instead = await suffer(request, fault)
            if instead is not None:
                return instead
        parcel = parcel.spoiled(fault, task.downloads)
    return await deliver(request, parcel)


async def serve_file(request: web.Request) -> web.StreamResponse:
    """An uploaded file, by its public address or its id."""
    files = request.app[SERVICE].files
    file_id = request.match_info.get("id")
    file = files.by_id(file_id) if file_id else files.find(request.rel_url.raw_path)
    if file is None:
        raise web.HTTPNotFound
    return await deliver(request, Parcel(file.data, file.id, file.kind))


def _asked(request: web.Request) -> tuple[Task, int]:
    """The task of a link and which of its clips, checked; raises an answer."""
    service = request.app[SERVICE]
    task = service.tasks.get(request.match_info["task"])
    number = int(request.match_info["number"])
    if task is None or not 1 <= number <= len(task.clips):
        raise web.HTTPNotFound
    if request.query.get("signature") != service.links.signature(task.id, number):
        raise web.HTTPForbidden(text="the signature does not match")
    if time.time() > service.links.expires(task):
        raise _expired()
    return task, number


def _expired() -> web.HTTPForbidden:
    return web.HTTPForbidden(text="the link has expired")
