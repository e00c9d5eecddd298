"""Clips under plain names, for people who edit them: which files, their list, and the copying."""

import csv
import hashlib
import io
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from veogen.executor.reconcile import is_clip
from veogen.handover.media import Media
from veogen.planner.identity import canonical, combination_of
from veogen.planner.plan import Request
from veogen.planner.selection import selected
from veogen.results.events import Video
from veogen.results.ledger import Ledger, RequestState
from veogen.results.picks import Picks, video_clip_id

LIST = "clips.csv"
COLUMNS = (
    "file",
    "address",
    "shot",
    "take",
    "variables",
    "prompt",
    "hash",
    "seed",
    "duration",
    "model",
    "aspect_ratio",
    "quality",
    "credits",
    "clip",
    "state",
    "notes",
)

_FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\N{FULLWIDTH EQUALS SIGN}",
    "\N{FULLWIDTH PLUS SIGN}",
    "\N{FULLWIDTH HYPHEN-MINUS}",
    "\N{FULLWIDTH COMMERCIAL AT}",
)
_CHUNK = 1 << 20

Fetch: TypeAlias = Callable[[Video, Path], bool]
"""Brings a video that is not here to a path; False where nobody has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One clip to be copied: `name` is its path below the folder of the export."""

    request: Request
    video: Video
    media: Media

    @property
    def name(self) -> str:
        return self.media.name


def chosen_requests(
    ledger: Ledger,
    select: Sequence[str] = (),
    deselect: Sequence[str] = (),
    *,
    picked: bool = False,
) -> list[RequestState]:
    """The requests that globs choose, of picked ones also those that left the plan.

    Raises `UsageError` for a glob that matches nothing.
    """
    states = list(ledger.planned)
    if picked:  # after each of the plan what was bought of its combination before
        places: dict[str, int] = {}
        for index, state in enumerate(states):
            places.setdefault(_combination(state), index)
        last = len(states)
        states = sorted(
            (*states, *ledger.former), key=lambda state: places.get(_combination(state), last)
        )
    addresses = selected(dict.fromkeys(state.request.address for state in states), select, deselect)
    return [state for state in states if state.request.address in addresses]


def videos_of(
    states: Iterable[RequestState], picks: Picks | None = None
) -> list[tuple[RequestState, int]]:
    """The videos of requests by their indexes; with `picks` the picked ones alone."""
    return [
        (state, index)
        for state in states
        for index in sorted(state.record.videos)
        if picks is None
        or picks.state(video_clip_id(state.request, index, state.record.videos[index])) == "picked"
    ]


def _combination(state: RequestState) -> str:
    return combination_of(state.request.address, state.request.take)


def exports(
    chosen: Iterable[tuple[RequestState, int]], picks: Picks, folder: Path
) -> tuple[Export, ...]:
    """Every chosen video, named by its request and index, with its name in the folder.

    That is a plain one; one with the hash where two of them, or another file there, have that.
    """
    videos = [(state, index, state.record.videos[index]) for state, index in chosen]
    plain = [plain_name(video.path, state.request.hash) for state, _, video in videos]
    counts = Counter(name.casefold() for name in plain)
    exported = []
    for (state, index, video), name in zip(videos, plain, strict=True):
        place, hashed = folder / name, _below(video.path)
        if (
            counts[name.casefold()] > 1
            or is_clip(folder / hashed, video)  # a clip that is there keeps the name it has
            or (os.path.lexists(place) and not is_clip(place, video))
        ):
            media = _media(state, index, hashed, picks)
        else:
            media = _media(state, index, name, picks)
        exported.append(Export(request=state.request, video=video, media=media))
    return tuple(exported)


def plain_name(path: str, hash_: str) -> str:
    """Where a video goes: its path without `videos/` and without the hash."""
    return re.sub(rf"-{hash_[:10]}(?=(-\d+)?\.mp4$)", "", _below(path))


def _below(path: str) -> str:
    return str(PurePosixPath(path).relative_to("videos"))


def _media(state: RequestState, index: int, name: str, picks: Picks) -> Media:
    request, record = state
    video = record.videos[index]
    clip = video_clip_id(request, index, video)
    return Media(
        name=name,
        address=request.address,
        combination=combination_of(request.address, request.take),
        clip=clip,
        hash=request.hash,
        shot=request.shot,
        take=request.take,
        variables=request.variables,
        model=request.model,
        prompt=str(request.body.get("prompt", "")),
        credits=None if record.credits is None else f"{record.credits:.3f}",
        state=picks.state(clip),
        opinions=picks.opinions(clip),
        duration=video.duration,
        fps=video.fps,
        width=video.width,
        height=video.height,
        audio=video.audio,
    )


def list_text(exported: Iterable[Export]) -> str:
    """The list of the clips, as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for export in exported:
        # No spreadsheet may take a cell for a formula: prompts come from pull requests.
        writer.writerow(
            [
                f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
                for cell in _row(export)
            ]
        )
    return text.getvalue()


def _row(export: Export) -> Sequence[object]:
    request, media = export.request, export.media
    return (
        export.name,
        request.address,
        request.shot,
        request.take,
        canonical(dict(request.variables)).decode(),
        media.prompt,
        request.hash,
        request.body.get("seed", ""),
        media.duration,
        media.model,
        request.body.get("aspect_ratio", ""),
        request.body.get("quality", ""),
        media.credits or "",
        media.clip,
        media.state,
        "; ".join(media.notes),
    )


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of an export: the clips that are in the folder, and why others are not."""

    there: tuple[Export, ...]
    missing: tuple[tuple[Export, str], ...]


def copy(exported: Iterable[Export], run: Path, folder: Path, fetch: Fetch | None) -> Copied:
    """Copy every clip that is not in the folder yet; one that cannot be had stops no other."""
    there: list[Export] = []
    missing: list[tuple[Export, str]] = []
    for export in exported:
        why = bring(export.video, folder / export.name, run, fetch)
        if why is None:
            there.append(export)
        else:
            missing.append((export, why))
    return Copied(tuple(there), tuple(missing))


def bring(video: Video, place: Path, run: Path, fetch: Fetch | None) -> str | None:
    """Have a clip of a run at a place, whole or not at all; what is wrong if that cannot be."""
    if os.path.lexists(place):
        return None if is_clip(place, video) else "another file has its name"
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        why = _copied(run / video.path, draft, video)
        if why is not None and fetch is not None and fetch(video, draft):
            why = None
        if why is None:
            os.replace(draft, place)
        return why
    finally:
        draft.unlink(missing_ok=True)


def _copied(source: Path, draft: Path, video: Video) -> str | None:
    """Copy a clip; what arrives is what was delivered, or what is wrong is said."""
    digest = hashlib.sha256()
    try:
        with source.open("rb") as reader, draft.open("wb") as writer:
            while chunk := reader.read(_CHUNK):
                digest.update(chunk)
                writer.write(chunk)
    except FileNotFoundError:
        return "not here"
    return None if digest.hexdigest() == video.sha256 else "not whole: it is not what was delivered"
