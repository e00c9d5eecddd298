"""The gateway's API over HTTP: its addresses, and submitting."""

import re
import time
from typing import Any

from aiohttp import web

from veogen.simulator.answers import explain, sign, told
from veogen.simulator.checks import parse
from veogen.simulator.desk import SERVICE, authorize, keyed, read_body, shown
from veogen.simulator.files import SIZE_LIMIT
from veogen.simulator.mishaps import suffer
from veogen.simulator.openapi import document
from veogen.simulator.reads import list_tasks, read_many, read_one
from veogen.simulator.refusals import RefusedError
from veogen.simulator.service import Service
from veogen.simulator.uploads import routes

_KEY = re.compile(r"[A-Za-z0-9._-]{16,96}")


def application(service: Service) -> web.Application:
    """The API; its addresses are those of the gateway, and `/__audit`."""
    app = web.Application(middlewares=[explain], client_max_size=2 * SIZE_LIMIT)
    app.on_response_prepare.append(sign)
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
    return told({"success": True, "message": "", "data": data})


async def list_models(request: web.Request) -> web.StreamResponse:
    models = request.app[SERVICE].models
    return told({"object": "list", "data": [{"id": name, "object": "model"} for name in models]})


async def read_audit(request: web.Request) -> web.StreamResponse:
    return told(request.app[SERVICE].report())


async def read_openapi(request: web.Request) -> web.StreamResponse:
    return told(document(request.app[SERVICE].models))


async def _submit(request: web.Request) -> web.StreamResponse:
    authorize(request)
    service, key = request.app[SERVICE], _key(request)
    service.pace.admit()
    body = parse(await read_body(request))
    fault = service.faults.pick("submit", str(body.get("prompt", "")), service.likeness(body))
    if fault is not None:
        if fault.taken:
            service.submit(body, key)
        if fault.do == "no-id":
            return told(_without_id(body))
        instead = await suffer(request, fault)
        if instead is not None:
            return instead
    taken = service.submit(body, key)
    answer = told(shown(request, taken.task))
    if taken.replayed:
        answer.headers["Idempotency-Replayed"] = "true"
    return answer


def _key(request: web.Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        message = "Idempotency-Key is 16 to 96 of A-Z, a-z, 0-9, '.', '_' and '-'"
        raise RefusedError(400, message, "invalid_parameters", "Idempotency-Key")
    return key


def _without_id(body: dict[str, Any]) -> dict[str, Any]:
    return {"created": int(time.time()), "model": body.get("model"), "status": "pending"}
