"""What the page knows of each request, as plain data."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import quote

from veogen.diff.report import token_pieces
from veogen.executor.snapshot import Snapshot
from veogen.planner.identity import address_text
from veogen.planner.plan import Request
from veogen.results.advice import RunCommands, advice, at_stake
from veogen.results.events import Video
from veogen.results.ledger import RequestState
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


def pairs(old: Sequence[Request], new: Sequence[Request]) -> Iterator[dict[str, Any]]:
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
    before: int | None, after: int | None, old: Request | None, new: Request | None
) -> dict[str, Any]:
    pair: dict[str, Any] = {"old": before, "new": after, "texts": [], "fields": []}
    if old is None or new is None:
        return {**pair, "kind": "new" if old is None else "gone"}
    if old.hash != new.hash:
        kind = "changed"
    else:
        kind = "same" if old.address == new.address else "renamed"
    texts = [(name, str(old.body.get(name, "")), str(new.body.get(name, ""))) for name in PROMPTS]
    names = sorted({*old.body, *new.body} - set(PROMPTS))
    return {
        **pair,
        "kind": kind,
        "texts": [
            [name, word_changes(left, right)] for name, left, right in texts if left != right
        ],
        "fields": [
            [
                name,
                *(text_of(body[name]) if name in body else None for body in (old.body, new.body)),
            ]
            for name in names
            if old.body.get(name) != new.body.get(name)
        ],
    }
