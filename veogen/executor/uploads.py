"""Local images, uploaded once per distinct content, just before a request needs them."""

import hashlib
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from veogen.executor.buying import Prepared
from veogen.executor.clock import Clock
from veogen.gateway.answers import Gateway, Unread, Upload
from veogen.planner.canonical import FILE, canonical
from veogen.planner.pictures import kind_of
from veogen.planner.plan import Image
from veogen.results.entries import Entry

LIFE = 72 * 3600.0
"""Seconds that an upload lives (the gateway's documents)."""

MARGIN = 2 * 3600.0
"""An upload this near its end is not relied on: the gateway reads it when the task's turn comes."""


class Uploader:
    """Knows what is uploaded; `read` gives the bytes of a file below the project root."""

    def __init__(
        self,
        gateway: Gateway,
        read: Callable[[PurePosixPath], bytes],
        known: Mapping[str, Upload],
        clock: Clock,
    ) -> None:
        self._gateway = gateway
        self._read = read
        self._clock = clock
        self._known = dict(known)
        self._one_at_a_time: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def prepare(self, entry: Entry) -> Prepared:
        made: dict[str, Upload] = {}
        urls: dict[str, str] = {}
        for image in entry.images:
            with self._one_at_a_time[image.sha256]:
                upload = self._alive(image.sha256) or self._upload(image)
                if isinstance(upload, Unread):
                    return Prepared(entry.hash, upload, made)
                if self._known.get(image.sha256) != upload:
                    made[image.sha256] = self._known[image.sha256] = upload
            urls[FILE + image.path] = upload.url
        return Prepared(entry.hash, _body(entry, urls), made)

    def _alive(self, sha256: str) -> Upload | None:
        upload = self._known.get(sha256)
        if upload is None or upload.expires_at is None:
            return None
        return upload if upload.expires_at - MARGIN > self._clock.now() else None

    def _upload(self, image: Image) -> Upload | Unread:
        path = PurePosixPath(image.path)
        try:
            content = self._read(path)
        except OSError as error:
            return Unread(code="image-unreadable", message=f"{path}: {error.strerror}")
        if hashlib.sha256(content).hexdigest() != image.sha256:
            return Unread(code="image-changed", message=f"{path} is not the image of the plan")
        kind = kind_of(content) or "png"
        # A name of the content: at the gateway a file of the same name would be overwritten.
        answer = self._gateway.upload(f"{image.sha256[:16]}.{kind}", content, f"image/{kind}")
        if isinstance(answer, Upload) and answer.expires_at is None:
            life = self._clock.now() + LIFE
            return Upload(file_id=answer.file_id, url=answer.url, expires_at=life)
        return answer


def _body(entry: Entry, urls: Mapping[str, str]) -> bytes:
    body = dict(entry.body)
    images = body.get("image_urls")
    if isinstance(images, list):
        body["image_urls"] = [urls.get(str(url), url) for url in images]
    return canonical(body)
