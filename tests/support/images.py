"""A project with local images, and a gateway that keeps files."""

import hashlib
import json
import threading
from collections import deque
from dataclasses import dataclass, field, replace

from support.galleries import picture
from support.virtual import VirtualGateway, World, request
from veogen.document.files import Folder
from veogen.executor.run import Dependencies
from veogen.executor.uploads import LIFE, Uploader
from veogen.gateway.api import Accepted, Quota, ReadError, Submission, Upload
from veogen.models.parameters import Json
from veogen.planner.identity import request_hash
from veogen.planner.plan import Image, Request

RED, BLUE, GREEN = (picture(colour=colour) for colour in ("red", "blue", "green"))


@dataclass
class FileGateway(VirtualGateway):
    """A gateway that keeps files; `refusals` are answered to uploads first, in order.

    It sees to it that the images of a task are there from its submit to its end.
    """

    limit: int = 100
    shows_quota: bool = True
    refusals: deque[ReadError] = field(default_factory=deque)
    files: dict[str, bytes] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    uploaded: list[bytes] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    deaf_to_deletes: bool = False
    life: float | None = LIFE
    used: dict[str, list[str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def submit(self, body: bytes, key: str) -> Submission:
        answer = super().submit(body, key)
        used = json.loads(body).get("image_urls", [])
        assert {url.rpartition("/")[2] for url in used} <= self.files.keys()
        if isinstance(answer, Accepted):
            self.used[answer.task_id] = used
        return answer

    def upload(self, name: str, content: bytes, mime: str) -> Upload | ReadError:
        assert mime == "image/png"
        with self.lock:
            if self.refusals:
                return self.refusals.popleft()
            if len(self.files) >= self.limit:
                return ReadError(code="40003", message="no room", status=400)
            self.uploaded.append(content)
            self.names.append(name)
            file_id = f"file-{len(self.uploaded)}"
            self.files[file_id] = content
            end = None if self.life is None else self.clock.now() + self.life
            return Upload(file_id=file_id, url=f"https://files.example/{file_id}", expires_at=end)

    def quota(self) -> Quota | ReadError:
        if not self.shows_quota:
            return ReadError(code="not_found", message="there is no quota", status=404)
        used = len(self.files)
        return Quota(used=used, limit=self.limit, remaining=self.limit - used)

    def delete(self, file_id: str) -> ReadError | None:
        if self.deaf_to_deletes:
            return ReadError(code="http_500", message="sorry", status=500)
        now = self.clock.monotonic()
        for task_id, used in self.used.items():
            gone = f"https://files.example/{file_id}"
            assert gone not in used or now - self.born[task_id] >= self.takes
        self.deleted.append(file_id)
        self.files.pop(file_id, None)
        return None


class Project(World):
    """A world whose project has images: a red, a blue and a green one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.gateway: FileGateway = FileGateway(self.clock)
        self.root = self.path.parent / "project"
        self.root.mkdir()
        for name, content in (("red", RED), ("blue", BLUE), ("green", GREEN)):
            (self.root / f"{name}.png").write_bytes(content)

    def dependencies(self) -> Dependencies:
        read = Folder(self.root).read
        return replace(
            super().dependencies(),
            uploads=lambda journal: Uploader(
                self.gateway, read, journal.uploads(), self.clock, "tag"
            ),
        )

    @property
    def urls(self) -> list[str]:
        """The images of every body that was sent, in order."""
        return [body.partition('"image_urls":')[2].partition("]")[0] for _, body in self.sent]

    @property
    def sent(self) -> list[tuple[str, str]]:
        return self.gateway.submits


CONTENTS = {"red": RED, "blue": BLUE, "green": GREEN}


def shot(city: str, *colours: str) -> Request:
    """A request with local images of these colours."""
    images = tuple(
        Image(f"{c}.png", hashlib.sha256(CONTENTS[c]).hexdigest(), len(CONTENTS[c]))
        for c in colours
    )
    plain = request(city)
    urls: list[Json] = [f"file:{image.path}" for image in images]
    body: dict[str, Json] = {**plain.body, "image_urls": urls}
    return replace(plain, body=body, images=images, hash=request_hash(body, 1, images))
