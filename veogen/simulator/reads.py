"""Reading tasks: one, many, the list; and what a fault makes of them."""

import re
import time
from typing import Any

from aiohttp import web

from veogen.simulator.answers import told
from veogen.simulator.checks import parse
from veogen.simulator.desk import SERVICE, authorize, number, read_body, shown
from veogen.simulator.faults import Fault
from veogen.simulator.mishaps import suffer
from veogen.simulator.refusals import RefusedError
from veogen.simulator.service import Service
from veogen.simulator.tasks import Task, summary

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
    service.pace_of_reads.admit()
    task = _find(service, request.match_info["id"])
    fault = _poll(service, task)
    instead = await suffer(request, fault) if fault else None
    return told(_distorted(shown(request, task), fault)) if instead is None else instead


async def read_many(request: web.Request) -> web.StreamResponse:
    """Up to 50 tasks; those that nobody knows are missing from the answer."""
    service = request.app[SERVICE]
    service.pace_of_reads.admit()
    ids = _ids(parse(await read_body(request)))
    service.audit.batch_polls += 1
    tasks = [service.tasks[task_id] for task_id in ids if task_id in service.tasks]
    met = [(task, _poll(service, task)) for task in tasks]
    for _, fault in met:
        if fault and fault.do not in _OF_ONE and not _hides(fault):
            instead = await suffer(request, fault)
            if instead is not None:
                return instead
    seen = [(task, fault) for task, fault in met if not _hides(fault)]
    return told({"data": [_distorted(shown(request, task), fault) for task, fault in seen]})


async def list_tasks(request: web.Request) -> web.StreamResponse:
    """The account's tasks, newest first, without links and prompts."""
    page, size = number(request, "page", 1, 10**6), number(request, "page_size", 20, BATCH_LIMIT)
    status = request.query.get("status")
    if status is not None and status not in _STATES:
        message = f"status is one of {', '.join(_STATES)}"
        raise RefusedError(
            400, message, "invalid_parameters", "status", allowed_values=list(_STATES)
        )
    found = [task for task in request.app[SERVICE].tasks.values() if _wanted(request, task)]
    found.reverse()
    now, start = time.time(), (page - 1) * size
    data = [summary(task, now) for task in found[start : start + size]]
    return told({"data": data, "total": len(found), "page": page, "page_size": size})


def _find(service: Service, task_id: str) -> Task:
    if not _TASK_ID.fullmatch(task_id):
        raise RefusedError(400, "this is not a task id", "invalid_task_id", "task_id")
    if task_id not in service.tasks:
        raise RefusedError(404, "no such task", "resource_not_found", "task_id")
    return service.tasks[task_id]


def _ids(body: dict[str, Any]) -> list[str]:
    ids = body.get("task_ids")
    if not isinstance(ids, list) or not all(isinstance(task_id, str) for task_id in ids):
        raise RefusedError(400, "task_ids is an array of ids", "invalid_parameters", "task_ids")
    if not 1 <= len(ids) <= BATCH_LIMIT:
        message = f"task_ids holds 1 to {BATCH_LIMIT} ids"
        raise RefusedError(400, message, "invalid_parameters", "task_ids", max=BATCH_LIMIT)
    return list(dict.fromkeys(ids))


def _poll(service: Service, task: Task) -> Fault | None:
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


def _wanted(request: web.Request, task: Task) -> bool:
    query = request.query
    status = query.get("status", task.state)
    return (
        task.state in _LISTED.get(status, (status,))
        and query.get("type", "video") == "video"
        and query.get("model", task.model.id) == task.model.id
    )
