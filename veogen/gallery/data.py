"""What the page knows of each request, as plain data."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from veogen.executor.snapshot import Snapshot
from veogen.gallery.posters import Posters, poster_width
from veogen.planner.identity import address_text
from veogen.planner.plan import Request
from veogen.results.advice import RunCommands, advice, at_stake
from veogen.results.events import Video
from veogen.results.ledger import RequestState
from veogen.results.picks import Picks, video_clip_id
from veogen.spec.types import PROMPTS
from veogen.text import credits_text

PlaceOf = Callable[[Video], Path | None]

NOT_HERE = "The file is on another machine."


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRun:
    """A run as a page shows it: where it stands, what it is called and what people decided.

    `picks_name` is how the names of its picks files begin; `place` says where the page finds a
    video, None where it does not. `missing` is what is said of such a one.
    """

    snapshot: Snapshot
    commands: RunCommands
    picks: Picks = field(default_factory=lambda: Picks({}))
    picks_name: str = ""
    place: PlaceOf | None = None
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def planned(self) -> list[RequestState]:
        return list(self.snapshot.ledger.planned)

    @property
    def former(self) -> list[RequestState]:
        """Purchases that left the plan and have a clip to look at."""
        return [state for state in self.snapshot.ledger.former if state.record.videos]


def run_data(run: PageRun, now: float, folder: Path) -> dict[str, Any]:
    """A run for a page that will stand in `folder`."""
    videos = sum(len(state.record.videos) for state in (*run.planned, *run.former))
    page = _Page(run, now, folder, Posters(run.snapshot.path, poster_width(videos)))
    return {
        "name": run.snapshot.ledger.name,
        "run": run.commands.run,
        "buy": run.commands.buy,
        "simulated": run.snapshot.gateway == "simulated",
        "credits": f"{run.snapshot.ledger.summary().credits:.3f}",
        "clips": [page.request(state) for state in run.planned],
        "former": [page.request(state) for state in run.former],
        "picks": {
            "beginning": run.picks_name,
            "people": {
                person: [decision._asdict() for decision in decisions]
                for person, decisions in run.picks.people.items()
            },
        },
    }


@dataclass(frozen=True, slots=True)
class _Page:
    """Makes the data of requests; the page will stand in `folder`."""

    run: PageRun
    now: float
    folder: Path
    posters: Posters

    def request(self, state: RequestState) -> dict[str, Any]:
        entry, record, body = state.request, state.record, state.request.body
        sending = self.run.snapshot.is_being_sent(state)
        parameters = {name: text_of(value) for name, value in body.items() if name not in PROMPTS}
        error = None
        if record.error is not None and not sending:  # and what that may have cost
            cost = at_stake(record) if record.status == "indeterminate" else ""
            error = {"code": record.error.code, "message": record.error.message, "cost": cost}
        name = self.run.snapshot.ledger.name_of(state)
        steps = [] if sending else advice(state, self.run.commands, self.now, name)
        return {
            "address": entry.address,
            "hash": entry.hash,
            "shot": entry.shot,
            "take": entry.take,
            "values": {name: text_of(value) for name, value in entry.variables.items()},
            "status": "submitted" if sending else record.status,
            "prompt": body.get("prompt"),
            "negative": body.get("negative_prompt"),
            "parameters": parameters,
            "credits": None if record.credits is None else credits_text(record.credits),
            "task": record.task_id,
            "attempts": record.attempts,
            "error": error,
            "steps": [[step.command, step.why] for step in steps],
            "videos": [
                {"clip": video_clip_id(entry, index, record.videos[index])}
                | self._video(record.videos[index])
                for index in sorted(record.videos)
            ],
        }

    def _video(self, video: Video) -> dict[str, Any]:
        """A video, by a path that a browser can follow, and its picture."""
        file, here = self.run.snapshot.file(video), self.run.snapshot.is_here(video)
        place = file if self.run.place is None else self.run.place(video)
        seen = file if here or place is None else place
        relative = os.path.relpath(file if place is None else place, self.folder)
        return {
            "path": relative,
            "url": quote(relative),
            "here": here if self.run.place is None else place is not None,
            "elsewhere": self.run.missing.get(video.sha256, NOT_HERE),
            "poster": self.posters.data_url(seen, video.sha256) if seen.is_file() else None,
            "seconds": video.duration,
            "width": video.width,
            "height": video.height,
            "fps": video.fps,
            "audio": video.audio,
            "bytes": video.bytes,
            "warnings": list(video.warnings),
        }


def text_of(value: Any) -> str:
    """A parameter's value as text."""
    return value if isinstance(value, str) else address_text(value)


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
        kind = _kind(None if before is None else old[before], entry)
        yield {"old": before, "new": index, "kind": kind}
    for index, entry in enumerate(old):
        if index not in matched:
            yield {"old": index, "new": None, "kind": _kind(entry, None)}


def _kind(old: Request | None, new: Request | None) -> str:
    if old is None:
        return "new"
    if new is None:
        return "gone"
    if old.hash != new.hash:
        return "changed"
    return "same" if old.address == new.address else "renamed"
