"""The gateway's API over HTTP."""

import re
import time
from typing import Any

from aiohttp import web

from veogen.simulator.answers import explain, sign, told
from veogen.simulator.audit import report
from veogen.simulator.checks import parse
from veogen.simulator.links import Links
from veogen.simulator.refusals import RefusedError
from veogen.simulator.service import Service
from veogen.simulator.tasks import Task, summary, view

SERVICE = web.AppKey("service", Service)
LINKS = web.AppKey("links", Links)

_BODY_LIMIT = 1024 * 1024  # no document names one; a request is a few kilobytes
_BATCH_LIMIT = 50
_KEY = re.compile(r"[A-Za-z0-9._-]{16,96}")
_TASK_ID = re.compile(r"task-unified-[A-Za-z0-9-]{1,64}")
_LISTED = {"processing": ("pending", "processing")}


def application(service: Service, links: Links) -> web.Application:
    """The API; its addresses are those of the gateway, and `/__audit`."""
    app = web.Application(middlewares=[explain], client_max_size=_BODY_LIMIT)
    app.on_response_prepare.append(sign)
    app[SERVICE], app[LINKS] = service, links
    app.add_routes(
        [
            web.post("/v1/videos/generations", submit),
            web.post("/v1/tasks/batch", read_many),
            web.get("/v1/tasks", list_tasks),
            web.get("/v1/tasks/{id}", read_one),
            web.get("/v1/credits", read_credits),
            web.get("/v1/models", list_models),
            web.get("/__audit", read_audit),
        ]
    )
    return app


async def submit(request: web.Request) -> web.Response:
    audit = request.app[SERVICE].audit
    audit.posted(request.headers.get("Idempotency-Key"))
    try:
        return await _submit(request)
    except RefusedError as error:
        audit.refused[error.refusal.status] += 1
        raise


async def _submit(request: web.Request) -> web.Response:
    authorize(request)
    service = request.app[SERVICE]
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        message = "Idempotency-Key is 16 to 96 of A-Z, a-z, 0-9, '.', '_' and '-'"
        raise RefusedError(400, message, "invalid_parameters", "Idempotency-Key")
    taken = service.submit(parse(await request.read()), key)
    answer = told(shown(request, taken.task))
    if taken.replayed:
        answer.headers["Idempotency-Replayed"] = "true"
    return answer


async def read_one(request: web.Request) -> web.Response:
    authorize(request)
    task = find(request.app[SERVICE], request.match_info["id"])
    task.polls += 1
    return told(shown(request, task))


async def read_many(request: web.Request) -> web.Response:
    """Up to 50 tasks; those that nobody knows are missing from the answer."""
    authorize(request)
    service = request.app[SERVICE]
    ids = parse(await request.read()).get("task_ids")
    if not isinstance(ids, list) or not all(isinstance(task_id, str) for task_id in ids):
        raise RefusedError(400, "task_ids is an array of ids", "invalid_parameters", "task_ids")
    if not 1 <= len(ids) <= _BATCH_LIMIT:
        message = f"task_ids holds 1 to {_BATCH_LIMIT} ids"
        raise RefusedError(400, message, "invalid_parameters", "task_ids", max=_BATCH_LIMIT)
    service.audit.batch_polls += 1
    tasks = [service.tasks[task_id] for task_id in dict.fromkeys(ids) if task_id in service.tasks]
    for task in tasks:
        task.polls += 1
    return told({"data": [shown(request, task) for task in tasks]})


async def list_tasks(request: web.Request) -> web.Response:
    """The account's tasks, newest first, without links and prompts."""
    authorize(request)
    page, size = number(request, "page", 1, 10**6), number(request, "page_size", 20, _BATCH_LIMIT)
    found = [task for task in request.app[SERVICE].tasks.values() if _wanted(request, task)]
    found.reverse()
    now, start = time.time(), (page - 1) * size
    data = [summary(task, now) for task in found[start : start + size]]
    return told({"data": data, "total": len(found), "page": page, "page_size": size})


async def read_credits(request: web.Request) -> web.Response:
    authorize(request)
    account = request.app[SERVICE].account
    amounts = {
        "remaining_credits": float(account.remaining),
        "used_credits": float(account.charged + account.reserved),
    }
    data = {"token": {**amounts, "unlimited_credits": False}, "user": amounts}
    return told({"success": True, "message": "", "data": data})


async def list_models(request: web.Request) -> web.Response:
    authorize(request)
    models = request.app[SERVICE].models
    return told({"object": "list", "data": [{"id": name, "object": "model"} for name in models]})


async def read_audit(request: web.Request) -> web.Response:
    service = request.app[SERVICE]
    return told(report(service.audit, service.tasks.values(), service.account))


def authorize(request: web.Request) -> None:
    """Any bearer key is good, none is not."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise RefusedError(401, "an API key is required: Authorization: Bearer …")


def find(service: Service, task_id: str) -> Task:
    """The task of this id; raises `RefusedError`."""
    if not _TASK_ID.fullmatch(task_id):
        raise RefusedError(400, "this is not a task id", "invalid_task_id", "task_id")
    if task_id not in service.tasks:
        raise RefusedError(404, "no such task", "resource_not_found", "task_id")
    return service.tasks[task_id]


def shown(request: web.Request, task: Task) -> dict[str, Any]:
    app = request.app
    links = app[LINKS].of(task, request.url.host) if task.state == "completed" else []
    return view(task, time.time(), links, app[SERVICE].estimate)


def number(request: web.Request, name: str, default: int, most: int) -> int:
    """A count in the query; raises `RefusedError`."""
    text = request.query.get(name, str(default))
    value = int(text) if re.fullmatch(r"[0-9]{1,7}", text) else 0
    if not 1 <= value <= most:
        raise RefusedError(400, f"{name} is 1 to {most}", "invalid_parameters", name, max=most)
    return value


def _wanted(request: web.Request, task: Task) -> bool:
    query = request.query
    status = query.get("status", task.state)
    return (
        task.state in _LISTED.get(status, (status,))
        and query.get("type", "video") == "video"
        and query.get("model", task.model.id) == task.model.id
    )
