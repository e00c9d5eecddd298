"""The OpenAPI document of what is served, with the request as the catalogue describes it."""

from collections.abc import Iterable, Mapping
from typing import Any

from veogen import __version__
from veogen.catalogue.models import Model
from veogen.catalogue.parameters import Parameter
from veogen.simulator.refusals import STATUSES

Schema = dict[str, Any]

_TASK_ID = "task-unified-[A-Za-z0-9-]{1,64}"
_STRING: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_FLAG: Schema = {"type": "boolean"}


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
            "schemas": _schemas(models),
        },
    }


def _table() -> str:
    """All statuses and codes, for people."""
    rows = ["| status | type | means | codes |", "| --- | --- | --- | --- |"]
    rows += [
        f"| {row.number} | {row.type} | {row.meaning} | {', '.join(row.codes)} |"
        for row in STATUSES.values()
    ]
    return "\n".join(["Every refusal is one of these:", "", *rows])


def _generation() -> Schema:
    answer = _answer("Task")
    answer["headers"] = {"Idempotency-Replayed": {"schema": {"const": "true"}}}
    key = {"name": "Idempotency-Key", "in": "header", "required": False}
    return {
        "/v1/videos/generations": {
            "post": {
                "operationId": "submit",
                "parameters": [{**key, "schema": _text(pattern="^[A-Za-z0-9._-]{16,96}$")}],
                "requestBody": _json(_ref("Request")),
                "responses": {"200": answer, **_refusals(400, 401, 402, 404, 409, 413, 429)},
            }
        }
    }


def _tasks() -> Schema:
    ids = {"type": "array", "items": _STRING, "minItems": 1, "maxItems": 50}
    return {
        "/v1/tasks": {
            "get": {
                "operationId": "listTasks",
                "parameters": [
                    _query("status", {"enum": ["processing", "completed", "failed", "cancelled"]}),
                    _query("type", _STRING),
                    _query("model", _STRING),
                    *_paging("page_size", 50),
                ],
                "responses": {"200": _answer("TaskList"), **_refusals(400, 401)},
            }
        },
        "/v1/tasks/{task_id}": {
            "get": {
                "operationId": "readTask",
                "parameters": [_in_path("task_id", _text(pattern=f"^{_TASK_ID}$"))],
                "responses": {"200": _answer("Task"), **_refusals(400, 401, 404)},
            }
        },
        "/v1/tasks/batch": {
            "post": {
                "operationId": "readTasks",
                "requestBody": _json(_object({"task_ids": ids}, closed=False)),
                "responses": {"200": _answer("Tasks"), **_refusals(400, 401, 413)},
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
    names = {"upload_path": _STRING, "file_name": _STRING}
    form = {"file": _text(contentMediaType="application/octet-stream")}
    return {
        "/api/v1/files/upload/base64": _upload(
            "uploadBase64", _json(_object({"base64_data": _STRING}, names, closed=False))
        ),
        "/api/v1/files/upload/url": _upload(
            "uploadUrl", _json(_object({"file_url": _STRING}, names, closed=False))
        ),
        "/api/v1/files/upload/stream": _upload(
            "uploadStream",
            {
                "required": True,
                "content": {
                    "multipart/form-data": {
                        "schema": _object(
                            form, {"uploadPath": _STRING, "fileName": _STRING}, closed=False
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
                "parameters": [_in_path("file_id", _text(minLength=1))],
                "responses": {"200": _answer("Deleted"), **_file_refusals(401, 404, 405)},
            }
        },
    }


def _upload(name: str, body: Schema) -> Schema:
    responses = {"200": _answer("Uploaded"), **_file_refusals(400, 401, 413)}
    return {"post": {"operationId": name, "requestBody": body, "responses": responses}}


def _schemas(models: Mapping[str, Model]) -> Schema:
    task = {"id": _text(pattern=f"^{_TASK_ID}$"), "model": _STRING, "type": {"const": "video"}}
    status = {"enum": ["pending", "processing", "completed", "failed", "cancelled"]}
    progress = {"type": "integer", "minimum": 0, "maximum": 100}
    amounts = {"remaining_credits": _NUMBER, "used_credits": _NUMBER}
    stored = {"file_id": _STRING, "file_name": _STRING, "file_size": _COUNT, "upload_time": _STRING}
    return {
        "Request": {"oneOf": [_request(model) for model in models.values()]},
        "Task": _object(
            {
                **task,
                "created": _COUNT,
                "object": {"const": "video.generation.task"},
                "progress": progress,
                "status": status,
                "task_info": _object(
                    {"can_cancel": _FLAG, "estimated_time": _COUNT, "video_duration": _COUNT}
                ),
                "usage": _object(
                    {
                        "billing_rule": {"enum": ["per_call", "per_token", "per_second"]},
                        "credits_reserved": _NUMBER,
                        "user_group": _STRING,
                    },
                    {"credits_used": _NUMBER},
                ),
            },
            {
                "duration": _NUMBER,
                "results": _array(_text(format="uri")),
                "error": _object({"code": _STRING, "message": _STRING, "type": _STRING}),
            },
        ),
        "Tasks": _object({"data": _array(_ref("Task"))}),
        "TaskList": _object(
            {
                "data": _array(
                    _object(
                        {
                            **task,
                            "status": status,
                            "progress": progress,
                            "created_at": _COUNT,
                            "credits_used": _NUMBER,
                            "has_results": _FLAG,
                            "has_error": _FLAG,
                        }
                    )
                ),
                "total": _COUNT,
                "page": _COUNT,
                "page_size": _COUNT,
            }
        ),
        "Credits": _object(
            {
                "success": {"const": True},
                "message": _STRING,
                "data": _object(
                    {
                        "token": _object({**amounts, "unlimited_credits": _FLAG}),
                        "user": _object(amounts),
                    }
                ),
            }
        ),
        "Models": _object(
            {
                "object": {"const": "list"},
                "data": _array(_object({"id": _STRING, "object": {"const": "model"}})),
            }
        ),
        "Uploaded": _envelope(
            _object(
                {
                    **stored,
                    "original_name": _STRING,
                    "mime_type": _STRING,
                    "upload_path": _STRING,
                    "file_url": _text(format="uri"),
                    "download_url": _text(format="uri"),
                    "expires_at": _STRING,
                }
            )
        ),
        "Files": _envelope(_object({"total": _COUNT, "files": _array(_object(stored))})),
        "Quota": _envelope(
            _object(
                {
                    "user_group": _STRING,
                    "used_files": _COUNT,
                    "max_files": _COUNT,
                    "remain_files": _COUNT,
                }
            )
        ),
        "Deleted": _envelope(_object({})),
        "Refusal": _object({"error": _error()}),
        "FileRefusal": _object({"success": {"const": False}, "code": _COUNT, "msg": _STRING}),
    }


def _error() -> Schema:
    code = {"anyOf": [_STRING, {"type": "integer"}]}
    needed = {"code": code, "message": _STRING, "type": _STRING, "param": _STRING}
    return _object(needed, {"fallback_suggestion": _STRING}, closed=False)


def _request(model: Model) -> Schema:
    described = {name: _parameter(parameter) for name, parameter in model.parameters.items()}
    described["model"] = {"const": model.id}
    required = {name: described[name] for name, p in model.parameters.items() if p.required}
    return _object(required, described)


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
        "string": _STRING,
        "integer": {"type": "integer"},
        "boolean": _FLAG,
        "uris": _array(_text(format="uri", pattern="^https?://[a-z0-9.-]+/")),
        "callback": _text(format="uri", pattern="^https://[a-z]+\\.example\\.org/"),
        "any": {},
    }
    return {**kinds[parameter.kind], **{k: v for k, v in limits.items() if v is not None}}


def _refusals(*statuses: int) -> Schema:
    return {str(n): _answer("Refusal", STATUSES[n].meaning) for n in statuses}


def _file_refusals(*statuses: int) -> Schema:
    return {str(n): _answer("FileRefusal", STATUSES[n].meaning) for n in statuses}


def _answer(schema: str, description: str = "Done.") -> Schema:
    return {"description": description, "content": {"application/json": {"schema": _ref(schema)}}}


def _envelope(data: Schema) -> Schema:
    return _object(
        {"success": {"const": True}, "code": {"const": 200}, "msg": _STRING, "data": data}
    )


def _json(schema: Schema) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _object(required: Schema, optional: Schema | None = None, *, closed: bool = True) -> Schema:
    described: Schema = {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
    }
    return {**described, "additionalProperties": False} if closed else described


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _text(**limits: Any) -> Schema:
    return {"type": "string", **limits}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _query(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _in_path(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _paging(size: str, most: int) -> Iterable[Schema]:
    limits = ((("page"), 10**6), (size, most))
    return [_query(name, {"type": "integer", "minimum": 1, "maximum": top}) for name, top in limits]
