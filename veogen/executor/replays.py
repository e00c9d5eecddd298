"""The bytes of a held request that another machine sent: those of its claim, if they are ours."""

import json
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from msgspec.structs import replace

from veogen.executor.state import RunState
from veogen.executor.submitter import intent_for
from veogen.gateway.api import ReadError
from veogen.models.parameters import Json
from veogen.planner.identity import FILE, canonical, with_images
from veogen.planner.plan import Request
from veogen.results.events import SubmitIntended
from veogen.results.ledger import RequestState

CALLBACK = "callback_url"


def intent_again(
    standing: RequestState,
    state: RunState,
    upload: Callable[[Request], Mapping[str, Json] | ReadError],
    files_url: str,
) -> SubmitIntended | str:
    """What is sent again of which this journal has no bytes, or why nothing can be.

    It has the key of its attempt, and the bytes of its claim in the store, if the plan makes them
    too; else they are made anew, with images that are uploaded now.
    """
    request, record = standing
    attempt = 1 if record.current is None else record.current.attempt
    sent = None if state.shared is None else state.shared.claimed_body(request.hash, attempt)
    if sent is not None and is_body_of(sent, request, files_url):
        intent = intent_for(request, attempt, request.body, state.clock.now())
        return replace(intent, body=sent)
    body = upload(request) if request.images else request.body
    if isinstance(body, ReadError):
        return f"an image could not be uploaded: {body.message} ({body.code})"
    return intent_for(request, attempt, body, state.clock.now())


def is_body_of(sent: str, request: Request, files_url: str) -> bool:
    """Whether a body is what the plan makes of a request, whatever its uploads are called.

    A callback address is no part of the request. What stands for a local image has to be an
    address of the files host: a claim is input from others. Files are uploaded to `files-api.…`
    and served by `files.…`, or both by one host.
    """
    try:
        body = json.loads(sent)
    except (ValueError, RecursionError):
        return False
    if not isinstance(body, dict):
        return False
    body.pop(CALLBACK, None)
    urls: dict[str, str] = {}
    for name, value in request.body.items():
        items = zip(_items(value), _items(body.get(name)), strict=False)
        urls |= {
            image: url
            for image, url in items
            if isinstance(image, str) and image.startswith(FILE) and isinstance(url, str)
        }
    files = urlsplit(files_url)
    hosts = (files.netloc, files.netloc.replace("files-api.", "files.", 1))
    places = tuple(f"{files.scheme}://{host}/" for host in hosts)
    if not all(url.startswith(places) for url in urls.values()):
        return False
    return canonical(dict(with_images(request.body, urls))) == canonical(body)


def _items(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]
