"""The OpenAPI document of what is served, with the request as the catalogue describes it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from veogen import __version__
from veogen.models.model import Model, Parameter
from veogen.simulator.file_store import CODES as FILE_CODES
from veogen.simulator.refusals import STATUSES, TASK_ERRORS

Schema = dict[str, Any]

TASK_ID = "task-unified-[A-Za-z0-9-]{1,64}"
STRING: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
_FLAG: Schema = {"type": "boolean"}


def schemas(models: Mapping[str, Model]) -> Schema:
    task = {"id": text(pattern=f"^{TASK_ID}$"), "model": STRING, "type": {"const": "video"}}
    status = {"enum": ["pending", "processing", "completed", "failed", "cancelled"]}
    progress = {"type": "integer", "minimum": 0, "maximum": 100}
    amounts = {"remaining_credits": _NUMBER, "used_credits": _NUMBER}
    stored = {"file_id": STRING, "file_name": STRING, "file_size": COUNT, "upload_time": STRING}
    return {
        "Request": {"oneOf": [_request(model) for model in models.values()]},
        "Task": obj(
            {
                **task,
                "created": COUNT,
                "object": {"const": "video.generation.task"},
                "progress": progress,
                "status": status,
                "task_info": obj(
                    {"can_cancel": _FLAG, "estimated_time": COUNT, "video_duration": COUNT}
                ),
                "usage": obj(
                    {
                        "billing_rule": {"enum": ["per_call", "per_token", "per_second"]},
                        "credits_reserved": _NUMBER,
                        "user_group": STRING,
                    },
                    {"credits_used": _NUMBER},
                ),
            },
            {
                "duration": _NUMBER,
                "results": array(text(format="uri")),
                "error": obj({"code": STRING, "message": STRING, "type": STRING}),
            },
        ),
        "Tasks": obj({"data": array(ref("Task"))}),
        "TaskList": obj(
            {
                "data": array(
                    obj(
                        {
                            **task,
                            "status": status,
                            "progress": progress,
                            "created_at": COUNT,
                            "credits_used": _NUMBER,
                            "has_results": _FLAG,
                            "has_error": _FLAG,
                        }
                    )
                ),
                "total": COUNT,
                "page": COUNT,
                "page_size": COUNT,
            }
        ),
        "Credits": obj(
            {
                "success": {"const": True},
                "message": STRING,
                "data": obj(
                    {
                        "token": obj({**amounts, "unlimited_credits": _FLAG}),
                        "user": obj(amounts),
                    }
                ),
            }
        ),
        "Models": obj(
            {
                "object": {"const": "list"},
                "data": array(obj({"id": STRING, "object": {"const": "model"}})),
            }
        ),
        "Uploaded": envelope(
            obj(
                {
                    **stored,
                    "original_name": STRING,
                    "mime_type": STRING,
                    "upload_path": STRING,
                    "file_url": text(format="uri"),
                    "download_url": text(format="uri"),
                    "expires_at": STRING,
                }
            )
        ),
        "Files": envelope(obj({"total": COUNT, "files": array(obj(stored))})),
        "Quota": envelope(
            obj(
                {
                    "user_group": STRING,
                    "used_files": COUNT,
                    "max_files": COUNT,
                    "remain_files": COUNT,
                }
            )
        ),
        "Deleted": envelope(obj({})),
        "Refusal": obj({"error": _error()}),
        "FileRefusal": obj({"success": {"const": False}, "code": COUNT, "msg": STRING}),
    }


def _error() -> Schema:
    code = {"anyOf": [STRING, {"type": "integer"}]}
    needed = {"code": code, "message": STRING, "type": STRING, "param": STRING}
    return obj(needed, {"fallback_suggestion": STRING}, closed=False)


def _request(model: Model) -> Schema:
    described = {name: _parameter(parameter) for name, parameter in model.parameters.items()}
    described["model"] = {"const": model.id}
    required = {name: described[name] for name, p in model.parameters.items() if p.required}
    return obj(required, described)


def _parameter(parameter: Parameter) -> Schema:
    limits = {
        "description": parameter.description,
        "enum": list(parameter.enum) if parameter.enum else None,
        "minimum": parameter.minimum,
        "maximum": parameter.maximum,
        "maxLength": parameter.max_length,
        "maxItems": parameter.max_items,
        "default": parameter.default,
        "pattern": "\\S" if parameter.required and not parameter.enum else None,
    }
    kinds: Mapping[str, Schema] = {
        "string": STRING,
        "integer": {"type": "integer"},
        "boolean": _FLAG,
        "uris": array(text(format="uri", pattern="^https?://[a-z0-9.-]+/")),
        "callback": text(format="uri", pattern="^https://[a-z]+\\.example\\.org/"),
        "any": {},
    }
    return {**kinds[parameter.kind], **{k: v for k, v in limits.items() if v is not None}}


def envelope(data: Schema) -> Schema:
    return obj({"success": {"const": True}, "code": {"const": 200}, "msg": STRING, "data": data})


def obj(required: Schema, optional: Schema | None = None, *, closed: bool = True) -> Schema:
    described: Schema = {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
    }
    return {**described, "additionalProperties": False} if closed else described


def array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def text(**limits: Any) -> Schema:
    return {"type": "string", **limits}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def document(models: Mapping[str, Model]) -> dict[str, Any]:
    """The document for an account that may use `models`."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "veogen's simulator of the EvoLink API",
            "version": __version__,
            "description": _table(),
        },
        "security": [{"key": []}],
        "paths": {**_generation(), **_tasks(), **_account(), **_files()},
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas(models),
        },
    }


def _table() -> str:
    """All statuses and codes, for people."""
    statuses = [
        (str(row.number), row.type, row.meaning, ", ".join(row.codes)) for row in STATUSES.values()
    ]
    files = [(str(code), meaning) for meaning, code in FILE_CODES.items()]
    return "\n\n".join(
        [
            "Every refusal is one of these:",
            _rows(("status", "type", "means", "codes"), statuses),
            "A task that failed has one of these codes, or one that a faults file made up:",
            _rows(("code", "means"), TASK_ERRORS.items()),
            "The file API refuses in an envelope of its own, with an HTTP status or one of these:",
            _rows(("code", "about"), files),
        ]
    )


def _rows(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _generation() -> Schema:
    answer = _answer("Task")
    answer["headers"] = {"Idempotency-Replayed": {"schema": {"const": "true"}}}
    key = {"name": "Idempotency-Key", "in": "header", "required": False}
    return {
        "/v1/videos/generations": {
            "post": {
                "operationId": "submit",
                "parameters": [{**key, "schema": text(pattern="^[A-Za-z0-9._-]{16,96}$")}],
                "requestBody": _json(ref("Request")),
                "responses": {"200": answer, **_refusals(400, 401, 402, 404, 409, 413, 429)},
            }
        }
    }


def _tasks() -> Schema:
    ids = {"type": "array", "items": STRING, "minItems": 1, "maxItems": 50}
    return {
        "/v1/tasks": {
            "get": {
                "operationId": "listTasks",
                "parameters": [
                    _query("status", {"enum": ["processing", "completed", "failed", "cancelled"]}),
                    _query("type", STRING),
                    _query("model", STRING),
                    *_paging("page_size", 50),
                ],
                "responses": {"200": _answer("TaskList"), **_refusals(400, 401)},
            }
        },
        "/v1/tasks/{task_id}": {
            "get": {
                "operationId": "readTask",
                "parameters": [_in_path("task_id", text(pattern=f"^{TASK_ID}$"))],
                "responses": {"200": _answer("Task"), **_refusals(400, 401, 404, 429)},
            }
        },
        "/v1/tasks/batch": {
            "post": {
                "operationId": "readTasks",
                "requestBody": _json(obj({"task_ids": ids}, closed=False)),
                "responses": {"200": _answer("Tasks"), **_refusals(400, 401, 413, 429)},
            }
        },
    }


def _account() -> Schema:
    return {
        f"/v1/{name}": {
            "get": {
                "operationId": f"read{schema}",
                "responses": {"200": _answer(schema), **_refusals(401)},
            }
        }
        for name, schema in (("credits", "Credits"), ("models", "Models"))
    }


def _files() -> Schema:
    names = {"upload_path": STRING, "file_name": STRING}
    form = {"file": text(contentMediaType="application/octet-stream")}
    return {
        "/api/v1/files/upload/base64": _upload(
            "uploadBase64", _json(obj({"base64_data": STRING}, names, closed=False))
        ),
        "/api/v1/files/upload/url": _upload(
            "uploadUrl", _json(obj({"file_url": STRING}, names, closed=False))
        ),
        "/api/v1/files/upload/stream": _upload(
            "uploadStream",
            {
                "required": True,
                "content": {
                    "multipart/form-data": {
                        "schema": obj(
                            form, {"uploadPath": STRING, "fileName": STRING}, closed=False
                        )
                    }
                },
            },
        ),
        "/api/v1/files/list": {
            "get": {
                "operationId": "listFiles",
                "parameters": _paging("pageSize", 100),
                "responses": {"200": _answer("Files"), **_file_refusals(400, 401)},
            }
        },
        "/api/v1/files/quota": {
            "get": {
                "operationId": "readQuota",
                "responses": {"200": _answer("Quota"), **_file_refusals(401)},
            }
        },
        "/api/v1/files/{file_id}": {
            "delete": {
                "operationId": "deleteFile",
                "parameters": [_in_path("file_id", text(minLength=1))],
                "responses": {"200": _answer("Deleted"), **_file_refusals(401, 404, 405)},
            }
        },
    }


def _upload(name: str, body: Schema) -> Schema:
    responses = {"200": _answer("Uploaded"), **_file_refusals(400, 401, 413)}
    return {"post": {"operationId": name, "requestBody": body, "responses": responses}}


def _refusals(*statuses: int) -> Schema:
    return {str(n): _answer("Refusal", STATUSES[n].meaning) for n in statuses}


def _file_refusals(*statuses: int) -> Schema:
    return {str(n): _answer("FileRefusal", STATUSES[n].meaning) for n in statuses}


def _answer(schema: str, description: str = "Done.") -> Schema:
    return {"description": description, "content": {"application/json": {"schema": ref(schema)}}}


def _json(schema: Schema) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _query(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _in_path(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _paging(size: str, most: int) -> Iterable[Schema]:
    limits = ((("page"), 10**6), (size, most))
    return [_query(name, {"type": "integer", "minimum": 1, "maximum": top}) for name, top in limits]
