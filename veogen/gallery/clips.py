"""What the page knows of each request, as plain data."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from veogen.executor.snapshot import Snapshot
from veogen.planner.address import address_text
from veogen.results.advice import Names, advice, at_stake
from veogen.results.ledger import Standing
from veogen.results.videos import Video
from veogen.spec.model import PROMPTS


def clip(
    standing: Standing, snapshot: Snapshot, names: Names, now: float, folder: Path
) -> dict[str, Any]:
    """One request; `folder` is that of the page, from where its videos are found."""
    entry, record = standing.entry, standing.record
    body = entry.body
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
        "parameters": _parameters(body),
        "credits": None if record.credits is None else f"{record.credits:.3f}",
        "task": record.task_id,
        "attempts": record.attempts,
        "error": None if record.error is None or sending else _error(standing),
        "steps": [] if sending else [[s.command, s.why] for s in advice(standing, names, now)],
        "videos": [
            _video(record.videos[index], snapshot, folder) for index in sorted(record.videos)
        ],
    }


def _parameters(body: Mapping[str, Any]) -> dict[str, str]:
    """The other parameters as people write them."""
    return {name: text_of(value) for name, value in body.items() if name not in PROMPTS}


def text_of(value: Any) -> str:
    """A parameter's value as text."""
    return value if isinstance(value, str) else address_text(value)


def _error(standing: Standing) -> dict[str, str]:
    error = standing.record.error
    if error is None:
        return {}
    at = at_stake(standing.record) if standing.record.status == "indeterminate" else ""
    return {"code": error.code, "message": error.message, "cost": at}


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
