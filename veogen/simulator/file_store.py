"""The files that an account has uploaded: kept for three days, counted, overwritten by name."""

import hashlib
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

SIZE_LIMIT = 100 * 1024 * 1024

CODES: Mapping[str, int] = {
    "too large": 40001,
    "type": 40002,
    "quota": 40003,
    "fetch": 40004,
    "storage": 50001,
}
"""The documented codes of the file API."""

_SIGNATURES = (
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg", "jpg"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png", "png"),
    (re.compile(rb"GIF8[79]a"), "image/gif", "gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp", "webp"),
    (re.compile(rb"....ftyp", re.DOTALL), "video/mp4", "mp4"),
    (re.compile(rb"\x1aE\xdf\xa3"), "video/webm", "webm"),
    (re.compile(rb"RIFF....WAVE", re.DOTALL), "audio/wav", "wav"),
    (re.compile(rb"ID3|\xff[\xfb\xf3\xf2]"), "audio/mpeg", "mp3"),
)


class FileRefusedError(Exception):
    """An upload that is not taken; `code` is the file API's own."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """One file."""

    id: str
    name: str
    original: str
    folder: str
    kind: str
    data: bytes
    sha256: str
    uploaded: float
    expires: float

    @property
    def address(self) -> str:
        """The path of its public address."""
        return "/files/" + quote("/".join(part for part in (self.folder, self.name) if part))


class FileStore:
    """All files of the account; what has expired is gone."""

    def __init__(self, lifetime: float, limit: int) -> None:
        self.limit = limit
        self._lifetime = lifetime
        self._files: dict[tuple[str, str], StoredFile] = {}
        self._number = 0

    def add(self, data: bytes, name: str | None, folder: str | None) -> StoredFile:
        """Keep `data`; raises `FileRefusedError`."""
        if len(data) > SIZE_LIMIT:
            raise FileRefusedError(CODES["too large"], f"a file is at most {SIZE_LIMIT} bytes")
        kinds = ((kind, ending) for sign, kind, ending in _SIGNATURES if sign.match(data))
        kind, ending = next(kinds, ("", ""))
        if not kind:
            raise FileRefusedError(CODES["type"], "a file is an image, a video or a sound")
        self._number += 1
        file_id = "file_" + hashlib.sha256(f"{self._number}/".encode() + data).hexdigest()[:16]
        file_name = (
            _safe((name or "").replace("\\", "/").rpartition("/")[2]) or f"{file_id}.{ending}"
        )
        place = "/".join(filter(None, map(_safe, (folder or "").split("/"))))
        if (place, file_name) not in self._files and len(self.files()) >= self.limit:
            raise FileRefusedError(CODES["quota"], f"the quota of {self.limit} files is used up")
        now = time.time()
        stored = StoredFile(
            id=file_id,
            name=file_name,
            original=name or file_name,
            folder=place,
            kind=kind,
            data=data,
            sha256=hashlib.sha256(data).hexdigest(),
            uploaded=now,
            expires=now + self._lifetime,
        )
        self._files[place, file_name] = stored
        return stored

    def files(self) -> list[StoredFile]:
        """The files that are still there, newest first."""
        now = time.time()
        self._files = {key: file for key, file in self._files.items() if file.expires > now}
        return sorted(self._files.values(), key=lambda file: file.uploaded, reverse=True)

    def remove(self, file_id: str) -> bool:
        """Whether there was such a file."""
        files = [file for file in self.files() if file.id == file_id]
        for file in files:
            del self._files[file.folder, file.name]
        return bool(files)

    def find(self, address: str) -> StoredFile | None:
        """The file with this public path."""
        return next((file for file in self.files() if file.address == address), None)

    def by_id(self, file_id: str) -> StoredFile | None:
        return next((file for file in self.files() if file.id == file_id), None)


def moment(seconds: float) -> str:
    """A time as the file API writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _safe(part: str) -> str:
    cleaned = re.sub(r"[^\w .+@()-]", "_", part).strip(". ")
    return cleaned[:200]
