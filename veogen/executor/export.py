"""Clips under plain names, for people who edit them: which files, their list, and the copying."""

import csv
import hashlib
import io
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from veogen.errors import UsageError
from veogen.executor.directory import write_whole
from veogen.executor.reconcile import is_clip
from veogen.executor.snapshot import Snapshot
from veogen.planner.identity import canonical
from veogen.planner.plan import Request
from veogen.results.events import Video
from veogen.results.ledger import RequestState

LIST = "clips.csv"
COLUMNS = ("file", "address", "shot", "take", "variables", "prompt", "hash", "seed", "duration")

_HEAD = f"{','.join(COLUMNS)}\n".encode()
_FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "\N{FULLWIDTH EQUALS SIGN}",
    "\N{FULLWIDTH PLUS SIGN}",
    "\N{FULLWIDTH HYPHEN-MINUS}",
    "\N{FULLWIDTH COMMERCIAL AT}",
)
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One clip to be copied: `name` is its path below the folder of the export."""

    request: Request
    video: Video
    name: str


def exports(standings: Iterable[RequestState]) -> Iterator[Export]:
    """Every delivered video with a name of its own; of equal names the later get a number."""
    names = _Names()
    for standing in standings:
        for index in sorted(standing.record.videos):
            video = standing.record.videos[index]
            name = names.free(plain_name(video.path, standing.request.hash))
            yield Export(request=standing.request, video=video, name=name)


def plain_name(path: str, hash_: str) -> str:
    """Where a video goes: its path without `videos/` and without the hash."""
    below = str(PurePosixPath(path).relative_to("videos"))
    return re.sub(rf"-{hash_[:10]}(?=(-\d+)?\.mp4$)", "", below)


class _Names:
    """Names that are in use, whatever their case, and the last number that each has got."""

    def __init__(self) -> None:
        self._taken = {LIST}
        self._numbers: dict[str, int] = {}

    def free(self, name: str) -> str:
        """The name, with a number if it is in use; it is from now on."""
        stem, found = name.removesuffix(".mp4"), name
        while found.casefold() in self._taken:
            number = self._numbers[stem.casefold()] = self._numbers.get(stem.casefold(), 1) + 1
            found = f"{stem}-{number}.mp4"
        self._taken.add(found.casefold())
        return found


def listed(found: Iterable[Export]) -> str:
    """The list of the clips, as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(map(_row, found))
    return text.getvalue()


def _row(export: Export) -> Sequence[object]:
    request = export.request
    return (
        export.name,
        request.address,
        request.shot,
        request.take,
        canonical(dict(request.variables)).decode(),
        _inert(str(request.body.get("prompt", ""))),
        request.hash,
        request.body.get("seed", ""),
        export.video.duration,
    )


def _inert(text: str) -> str:
    """Text that no spreadsheet takes for a formula: prompts come from pull requests."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def copy(found: Sequence[Export], snapshot: Snapshot, folder: Path) -> None:
    """Copy every clip and write the list; raises `UsageError` before it would replace a file."""
    for export in found:
        place = folder / export.name
        if os.path.lexists(place) and not is_clip(place, export.video):
            raise _taken(place)
    if _is_strange(folder / LIST):
        raise _taken(folder / LIST)
    for export in found:
        _bring(snapshot.file(export.video), folder / export.name, export.video.sha256)
    write_whole(folder / LIST, listed(found).encode())


def _taken(place: Path) -> UsageError:
    return UsageError(
        f"{place}: another file is there already, and nothing is replaced; nothing was "
        "copied: export into an empty folder"
    )


def _is_strange(place: Path) -> bool:
    """Whether there is a list that no export wrote."""
    if not place.exists():
        return False
    with place.open("rb") as file:
        return file.read(len(_HEAD)) != _HEAD


def _bring(source: Path, place: Path, wanted: str) -> None:
    """Copy a clip under another name first; what arrives is what was delivered, or an error."""
    if place.exists():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f".{place.name}.{os.getpid()}.part")
    digest = hashlib.sha256()
    try:
        with source.open("rb") as reader, draft.open("wb") as writer:
            while chunk := reader.read(_CHUNK):
                digest.update(chunk)
                writer.write(chunk)
        if digest.hexdigest() != wanted:
            raise UsageError(
                f"{source}: it is not the clip that was delivered: somebody changed it"
            )
        os.replace(draft, place)
    finally:
        draft.unlink(missing_ok=True)
