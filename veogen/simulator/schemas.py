"""The schemas of what the simulator takes and answers."""

from collections.abc import Mapping
from typing import Any

from veogen.catalogue.models import Model
from veogen.catalogue.parameters import Parameter

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
