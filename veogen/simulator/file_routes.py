"""The file API over HTTP: three ways to upload, the list, the quota, deleting."""

import base64
import binascii
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from veogen.simulator.file_store import CODES, SIZE_LIMIT, FileRefusedError, moment
from veogen.simulator.middleware import (
    SERVICE,
    apply_fault,
    authorize,
    client_host,
    count_parameter,
)
from veogen.simulator.refusals import UNREADABLE, Handler, RefusedError, json_response
from veogen.simulator.validation import is_loopback

_BASE = "/api/v1/files"
_PIECE = 64 * 1024
_PATIENCE = aiohttp.ClientTimeout(total=10)
_OK = 200


@dataclass(frozen=True, slots=True)
class UploadForm:
    """What a client sent, whichever way."""

    data: bytes
    name: str | None
    folder: str | None


def routes() -> list[web.RouteDef]:
    return [
        web.post(f"{_BASE}/upload/base64", _enveloped(upload_base64)),
        web.post(f"{_BASE}/upload/stream", _enveloped(upload_stream)),
        web.post(f"{_BASE}/upload/url", _enveloped(upload_url)),
        web.get(f"{_BASE}/list", _enveloped(list_files)),
        web.get(f"{_BASE}/quota", _enveloped(quota)),
        web.delete(f"{_BASE}/{{id}}", _enveloped(delete)),
    ]


async def upload_base64(request: web.Request) -> web.StreamResponse:
    sent = await _fields(request, "base64_data")
    text = sent["base64_data"]
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise FileRefusedError(CODES["type"], "base64_data is not base64") from None
    return await _keep(request, UploadForm(data, sent.get("file_name"), sent.get("upload_path")))


async def upload_stream(request: web.Request) -> web.StreamResponse:
    if not request.content_type.startswith("multipart/"):
        raise FileRefusedError(400, "the body is multipart/form-data with a part named file")
    sent: dict[str, str] = {}
    upload: bytes | None = None
    try:
        async for part in await request.multipart():
            if not isinstance(part, aiohttp.BodyPartReader):
                continue
            if part.name == "file" and upload is not None:
                raise FileRefusedError(400, "a request uploads one file")
            if part.name == "file":
                upload = await _read(part)
                sent.setdefault("file_name", part.filename or "")
            elif part.name in ("fileName", "file_name"):
                sent["file_name"] = await part.text()
            elif part.name in ("uploadPath", "upload_path"):
                sent["upload_path"] = await part.text()
    except (ValueError, LookupError, RuntimeError, HttpProcessingError):
        raise FileRefusedError(400, "the body is not multipart/form-data") from None
    if upload is None:
        raise FileRefusedError(400, "the part named file is missing")
    return await _keep(request, UploadForm(upload, sent.get("file_name"), sent.get("upload_path")))


async def upload_url(request: web.Request) -> web.StreamResponse:
    """Keep what is at a URL; the simulator uses no network, so only its own machine is asked."""
    sent = await _fields(request, "file_url")
    url, host, path = sent["file_url"], "", ""
    with suppress(ValueError):
        host, path = urlsplit(url).hostname or "", urlsplit(url).path
    if not is_loopback(host):
        message = "the file cannot be fetched: the simulator asks no host but its own"
        raise FileRefusedError(CODES["fetch"], message)
    try:
        async with (
            aiohttp.ClientSession(timeout=_PATIENCE) as session,
            session.get(url, allow_redirects=False) as response,
        ):
            if response.status != _OK:
                raise FileRefusedError(CODES["fetch"], f"the file's host says {response.status}")
            data = await response.content.read(SIZE_LIMIT + 1)
    except (aiohttp.ClientError, TimeoutError, ValueError):
        raise FileRefusedError(CODES["fetch"], "the file cannot be fetched") from None
    name = sent.get("file_name") or unquote(path).rpartition("/")[2]
    return await _keep(request, UploadForm(data, name, sent.get("upload_path")))


async def list_files(request: web.Request) -> web.StreamResponse:
    page, size = (
        count_parameter(request, "page", 1, 10**6),
        count_parameter(request, "pageSize", 20, 100),
    )
    files = request.app[SERVICE].files.files()
    listed = [
        {
            "file_id": file.id,
            "file_name": file.name,
            "file_size": len(file.data),
            "upload_time": moment(file.uploaded),
        }
        for file in files[(page - 1) * size : page * size]
    ]
    return _success({"total": len(files), "files": listed})


async def quota(request: web.Request) -> web.StreamResponse:
    store = request.app[SERVICE].files
    used = len(store.files())
    return _success(
        {
            "user_group": "default",
            "used_files": used,
            "max_files": store.limit,
            "remain_files": max(0, store.limit - used),
        }
    )


async def delete(request: web.Request) -> web.StreamResponse:
    if not request.app[SERVICE].files.remove(request.match_info["id"]):
        raise FileRefusedError(404, "no such file", 404)
    return _success({})


async def _keep(request: web.Request, upload: UploadForm) -> web.StreamResponse:
    service = request.app[SERVICE]
    name = upload.name or ""
    fault = service.faults.pick("upload", name, name)
    response = await apply_fault(request, fault) if fault else None
    if response is not None:
        return response
    file = service.files.add(upload.data, upload.name, upload.folder)
    base = service.links.base(client_host(request))
    return _success(
        {
            "file_id": file.id,
            "file_name": file.name,
            "original_name": file.original,
            "file_size": len(file.data),
            "mime_type": file.kind,
            "upload_path": file.folder,
            "file_url": base + file.address,
            "download_url": f"{base}{_BASE}/download/{file.id}",
            "upload_time": moment(file.uploaded),
            "expires_at": moment(file.expires),
        }
    )


async def _fields(request: web.Request, required: str) -> Mapping[str, str]:
    """The strings of a JSON body; raises `FileRefusedError`."""
    try:
        sent = json.loads(await request.read())
        json.dumps(sent, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise FileRefusedError(400, "the body is not JSON") from None
    if not isinstance(sent, dict) or not isinstance(sent.get(required), str):
        raise FileRefusedError(400, f"{required} is required and is a string")
    for name in ("file_name", "upload_path"):
        if not isinstance(sent.get(name, ""), str | None):
            raise FileRefusedError(400, f"{name} is a string")
    return sent


async def _read(part: aiohttp.BodyPartReader) -> bytes:
    data = bytearray()
    while piece := await part.read_chunk(_PIECE):
        data += piece
        if len(data) > SIZE_LIMIT:
            raise FileRefusedError(CODES["too large"], f"a file is at most {SIZE_LIMIT} bytes")
    return bytes(data)


def _success(data: Mapping[str, Any]) -> web.Response:
    return json_response({"success": True, "code": 200, "msg": "success", "data": data})


def _enveloped(handler: Handler) -> Handler:
    """`handler` for those who show a key; refusals in the file API's own envelope."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            authorize(request)
            return await handler(request)
        except FileRefusedError as error:
            return _failure(error.status, error.code, error.message)
        except RefusedError as error:
            return _failure(error.refusal.status, error.refusal.status, error.refusal.message)
        except web.RequestPayloadError:
            return _failure(400, 400, UNREADABLE)
        except web.HTTPRequestEntityTooLarge:
            return _failure(413, CODES["too large"], f"a file is at most {SIZE_LIMIT} bytes")

    return handle


def _failure(status: int, code: int, message: str) -> web.Response:
    return json_response({"success": False, "code": code, "msg": message}, status)
