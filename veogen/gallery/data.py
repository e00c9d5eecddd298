"""What the page knows of each request, as plain data."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import quote

from veogen.diff.report import token_pieces
from veogen.executor.snapshot import Snapshot
from veogen.planner.identity import address_text
from veogen.results.advice import RunCommands, advice, at_stake
from veogen.results.events import Video
from veogen.results.ledger import Entry, RequestState
from veogen.spec.types import PROMPTS


def clip(
    standing: RequestState, snapshot: Snapshot, names: RunCommands, now: float, folder: Path
) -> dict[str, Any]:
    """One request; `folder` is that of the page, from where its videos are found."""
    entry, record = standing.request, standing.record
    body, error = entry.body, record.error
    sending = snapshot.is_being_sent(standing)
    return {
        "address": entry.address,
        "hash": entry.hash,
        "shot": entry.shot,
        "take": entry.take,
        "values": {name: text_of(value) for name, value in entry.variables.items()},
        "status": "submitted" if sending else record.status,
        "prompt": body.get("prompt"),
        "negative": body.get("negative_prompt"),
        "parameters": {name: text_of(value) for name, value in body.items() if name not in PROMPTS},
        "credits": None if record.credits is None else f"{record.credits:.3f}",
        "task": record.task_id,
        "attempts": record.attempts,
        "error": None
        if error is None or sending
        else {
            "code": error.code,
            "message": error.message,
            "cost": at_stake(record) if record.status == "indeterminate" else "",
        },
        "steps": [] if sending else [[s.command, s.why] for s in advice(standing, names, now)],
        "videos": [
            _video(record.videos[index], snapshot, folder) for index in sorted(record.videos)
        ],
    }


def text_of(value: Any) -> str:
    """A parameter's value as text."""
    return value if isinstance(value, str) else address_text(value)


def _video(video: Video, snapshot: Snapshot, folder: Path) -> dict[str, Any]:
    """A video, by a path that a browser can follow."""
    relative = os.path.relpath(snapshot.file(video), folder)
    return {
        "path": relative,
        "url": quote(relative),
        "here": snapshot.is_here(video),
        "seconds": video.duration,
        "width": video.width,
        "height": video.height,
        "fps": video.fps,
        "audio": video.audio,
        "bytes": video.bytes,
        "warnings": list(video.warnings),
    }


Sign: TypeAlias = Literal["=", "-", "+"]
Change: TypeAlias = tuple[Sign, str]

_ALONE = r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"  # scripts that put no space between words
_TOKEN = re.compile(rf"\s+|(?:{_ALONE}|(?:(?!{_ALONE})\w)+|[^\w\s])\s*")


def word_changes(old: str, new: str) -> tuple[Change, ...]:
    """What is kept, taken away or added; `=` and `-` make up `old`, `=` and `+` `new`."""
    changes: list[Change] = []
    for piece in token_pieces(_TOKEN.findall(old), _TOKEN.findall(new)):
        if piece.is_kept:
            changes.append(("=", piece.old))
            continue
        if piece.old:
            changes.append(("-", piece.old))
        if piece.new:
            changes.append(("+", piece.new))
    return tuple(changes)


def pairs(old: Sequence[Entry], new: Sequence[Entry]) -> Iterator[dict[str, Any]]:
    """Every request of either run once, in the order of the new one; `old` and `new` are indices.

    Requests are the same by their address; one under another address by its hash.
    """
    by_address = {entry.address: index for index, entry in enumerate(old)}
    by_hash = {entry.hash: index for index, entry in enumerate(old)}
    addresses = {entry.address for entry in new}
    matched: set[int] = set()
    for index, entry in enumerate(new):
        before = by_address.get(entry.address)
        if before is None:  # the request of the same hash, unless it has a partner of its own
            same = by_hash.get(entry.hash)
            if same is not None and same not in matched and old[same].address not in addresses:
                before = same
        if before is not None:
            matched.add(before)
        yield _pair(before, index, None if before is None else old[before], entry)
    for index, entry in enumerate(old):
        if index not in matched:
            yield _pair(index, None, entry, None)


def _pair(
    before: int | None, after: int | None, old: Entry | None, new: Entry | None
) -> dict[str, Any]:
    return {
        "old": before,
        "new": after,
        "kind": _kind(old, new),
        "texts": [] if old is None or new is None else list(_texts(old.body, new.body)),
        "fields": [] if old is None or new is None else list(_fields(old.body, new.body)),
    }


def _kind(old: Entry | None, new: Entry | None) -> str:
    if old is None:
        return "new"
    if new is None:
        return "gone"
    if old.hash != new.hash:
        return "changed"
    return "same" if old.address == new.address else "renamed"


def _texts(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[list[Any]]:
    for name in PROMPTS:
        before, after = str(old.get(name, "")), str(new.get(name, ""))
        if before != after:
            yield [name, word_changes(before, after)]


def _fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[list[str | None]]:
    for name in sorted({*old, *new} - set(PROMPTS)):
        if old.get(name) != new.get(name):
            yield [name, *(text_of(body[name]) if name in body else None for body in (old, new))]
