"""The gateway's API over HTTP: its addresses, and submitting."""

import re
import time
from typing import Any

from aiohttp import web

from veogen.simulator.faults import Fault
from veogen.simulator.file_routes import routes
from veogen.simulator.file_store import SIZE_LIMIT
from veogen.simulator.middleware import (
    SERVICE,
    apply_fault,
    authorize,
    count_parameter,
    keyed,
    read_body,
    task_view,
)
from veogen.simulator.openapi import document
from veogen.simulator.refusals import RefusedError, add_headers, error_middleware, json_response
from veogen.simulator.service import Service
from veogen.simulator.task import SimulatedTask, summary
from veogen.simulator.validation import parse

BATCH_LIMIT = 50
_TASK_ID = re.compile(r"task-unified-[A-Za-z0-9-]{1,64}")
_NOT_FOUND = 404
_OF_LINKS = frozenset({"no-links", "fewer-links"})
_OF_ONE = _OF_LINKS | {"wrong-id", "unknown-state"}
_LISTED = {"processing": ("pending", "processing")}
_STATES = ("processing", "completed", "failed", "cancelled")


async def read_one(request: web.Request) -> web.StreamResponse:
    authorize(request)
    service = request.app[SERVICE]
    service.read_limit.admit()
    task_id = request.match_info["id"]
    if not _TASK_ID.fullmatch(task_id):
        raise RefusedError(400, "this is not a task id", "invalid_task_id", "task_id")
    if task_id not in service.tasks:
        raise RefusedError(404, "no such task", "resource_not_found", "task_id")
    task = service.tasks[task_id]
    fault = _poll(service, task)
    response = await apply_fault(request, fault) if fault else None
    return (
        json_response(_distorted(task_view(request, task), fault)) if response is None else response
    )


async def read_many(request: web.Request) -> web.StreamResponse:
    """Up to 50 tasks; those that nobody knows are missing from the answer."""
    service = request.app[SERVICE]
    service.read_limit.admit()
    ids = parse(await read_body(request)).get("task_ids")
    if not isinstance(ids, list) or not all(isinstance(task_id, str) for task_id in ids):
        raise RefusedError(400, "task_ids is an array of ids", "invalid_parameters", "task_ids")
    if not 1 <= len(ids) <= BATCH_LIMIT:
        message = f"task_ids holds 1 to {BATCH_LIMIT} ids"
        raise RefusedError(400, message, "invalid_parameters", "task_ids", max=BATCH_LIMIT)
    service.audit.batch_polls += 1
    tasks = [service.tasks[task_id] for task_id in dict.fromkeys(ids) if task_id in service.tasks]
    met = [(task, _poll(service, task)) for task in tasks]
    for _, fault in met:
        if fault and fault.do not in _OF_ONE and not _hides(fault):
            response = await apply_fault(request, fault)
            if response is not None:
                return response
    seen = [(task, fault) for task, fault in met if not _hides(fault)]
    return json_response(
        {"data": [_distorted(task_view(request, task), fault) for task, fault in seen]}
    )


async def list_tasks(request: web.Request) -> web.StreamResponse:
    """The account's tasks, newest first, without links and prompts."""
    page, size = (
        count_parameter(request, "page", 1, 10**6),
        count_parameter(request, "page_size", 20, BATCH_LIMIT),
    )
    status, model = request.query.get("status"), request.query.get("model")
    if status is not None and status not in _STATES:
        message = f"status is one of {', '.join(_STATES)}"
        raise RefusedError(
            400, message, "invalid_parameters", "status", allowed_values=list(_STATES)
        )
    states = _LISTED.get(str(status), (status,))
    tasks = [
        task
        for task in reversed(request.app[SERVICE].tasks.values())
        if (status is None or task.state in states)
        and (model is None or task.model.id == model)
        and request.query.get("type", "video") == "video"
    ]
    now, start = time.time(), (page - 1) * size
    data = [summary(task, now) for task in tasks[start : start + size]]
    return json_response({"data": data, "total": len(tasks), "page": page, "page_size": size})


def _poll(service: Service, task: SimulatedTask) -> Fault | None:
    """Count a read of `task`; what goes wrong with it."""
    task.polls += 1
    done = task.state == "completed"
    return service.faults.pick(
        "poll", task.prompt, task.name, lambda f: done or f.do not in _OF_LINKS
    )


def _hides(fault: Fault | None) -> bool:
    """Whether a task that has this fault is unknown to a read of many."""
    return fault is not None and fault.do == "answer" and fault.status == _NOT_FOUND


def _distorted(task: dict[str, Any], fault: Fault | None) -> dict[str, Any]:
    match fault.do if fault else None:
        case "wrong-id":
            return {**task, "id": "task-unified-1-somebody"}
        case "unknown-state":
            rest = {name: value for name, value in task.items() if name != "results"}
            return {**rest, "status": fault.state if fault else ""}
        case "no-links":
            return {**task, "results": []}
        case "fewer-links":
            return {**task, "results": task["results"][: fault.links if fault else 0]}
        case _:
            return task


_KEY = re.compile(r"[A-Za-z0-9._-]{16,96}")


def application(service: Service) -> web.Application:
    """The API; its addresses are those of the gateway, and `/__audit`."""
    app = web.Application(middlewares=[error_middleware], client_max_size=2 * SIZE_LIMIT)
    app.on_response_prepare.append(add_headers)
    app[SERVICE] = service
    app.add_routes(
        [
            web.post("/v1/videos/generations", submit),
            web.post("/v1/tasks/batch", keyed("batch", read_many)),
            web.get("/v1/tasks", keyed("list", list_tasks)),
            web.get("/v1/tasks/{id}", read_one),
            web.get("/v1/credits", keyed("credits", read_credits)),
            web.get("/v1/models", keyed("models", list_models)),
            web.get("/__audit", read_audit),
            web.get("/openapi.json", read_openapi),
            *routes(),
        ]
    )
    return app


async def submit(request: web.Request) -> web.StreamResponse:
    """Make a task, or say why not; either is counted."""
    audit = request.app[SERVICE].audit
    audit.posted(request.headers.get("Idempotency-Key"))
    try:
        return await _submit(request)
    except RefusedError as error:
        audit.refused[error.refusal.status] += 1
        raise


async def read_credits(request: web.Request) -> web.StreamResponse:
    account = request.app[SERVICE].account
    amounts = {
        "remaining_credits": float(account.remaining),
        "used_credits": float(account.charged + account.reserved),
    }
    data = {"token": {**amounts, "unlimited_credits": False}, "user": amounts}
    return json_response({"success": True, "message": "", "data": data})


async def list_models(request: web.Request) -> web.StreamResponse:
    models = request.app[SERVICE].models
    return json_response(
        {"object": "list", "data": [{"id": name, "object": "model"} for name in models]}
    )


async def read_audit(request: web.Request) -> web.StreamResponse:
    return json_response(request.app[SERVICE].report())


async def read_openapi(request: web.Request) -> web.StreamResponse:
    return json_response(document(request.app[SERVICE].models))


async def _submit(request: web.Request) -> web.StreamResponse:
    authorize(request)
    service, key = request.app[SERVICE], request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        message = "Idempotency-Key is 16 to 96 of A-Z, a-z, 0-9, '.', '_' and '-'"
        raise RefusedError(400, message, "invalid_parameters", "Idempotency-Key")
    service.submit_limit.admit()
    body = parse(await read_body(request))
    fault = service.faults.pick("submit", str(body.get("prompt", "")), service.request_key(body))
    if fault is not None:
        if fault.taken:
            service.submit(body, key)
        if fault.do == "no-id":
            pending = {"created": int(time.time()), "model": body.get("model")}
            return json_response({**pending, "status": "pending"})
        response = await apply_fault(request, fault)
        if response is not None:
            return response
    result = service.submit(body, key)
    response = json_response(task_view(request, result.task))
    if result.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response
