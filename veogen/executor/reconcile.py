"""Bring journal, plan, committed results and files together before a run.

The manifest is input from a pull request: it can prevent a purchase, never cause one.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from veogen.executor.decisions import still_downloadable
from veogen.executor.directory import RunDirectory, is_inside, move_into_place
from veogen.executor.journal import Journal
from veogen.executor.options import Clock
from veogen.planner.identity import default_output
from veogen.planner.plan import Plan, Request
from veogen.results.events import (
    Event,
    PurchaseImported,
    Video,
    VideoMissing,
    VideoMoved,
    VideoSaved,
)
from veogen.results.ledger import Ledger
from veogen.results.manifest import Manifest, ManifestLine, ManifestRenderer
from veogen.results.record import LINK_LIFE, TEMPORARY, Record
from veogen.text import safe


def imported_purchases(
    manifest: Manifest, ledger: Ledger, now: float
) -> Iterator[PurchaseImported]:
    """Every purchase in the manifest that the journal does not know."""
    for line in (*manifest.results, *manifest.former):
        record = ledger.record(line.hash)
        if _is_new_purchase(line, record, now):
            request = ledger.request(line.hash)
            yield PurchaseImported(
                hash=line.hash,
                status=line.status,
                task_id=line.task_id,
                attempts=max(line.attempts, record.attempts),
                credits=line.credits,
                error_code=line.error.code if line.error else None,
                error_message=line.error.message if line.error else None,
                videos=line.videos,
                estimate=request.credits if request else None,
                at=now,
            )


def unknown_requests(manifest: Manifest, ledger: Ledger) -> Iterator[Request]:
    """Requests of the manifest that neither the plan nor the journal knows."""
    for line in (*manifest.results, *manifest.former):
        if ledger.request(line.hash) is None:
            yield unknown_request(line)


def unknown_request(line: ManifestLine) -> Request:
    """A request of which only the manifest tells: neither its body nor its output is known here."""
    shot = safe(line.shot).lstrip(".") or "shot"
    return Request(
        address=line.address,
        hash=line.hash,
        shot=line.shot,
        take=line.take,
        variables=line.variables,
        output=default_output(shot, line.variables, line.take),
        body={},
        credits=line.credits,
    )


def _is_new_purchase(line: ManifestLine, record: Record, now: float) -> bool:
    """Whether a line tells of a purchase that the journal does not know, or has lost."""
    if record.paid_for(line.task_id):
        return line.status == "completed" and _is_out_of_reach(record, now)
    match line.status:
        case "planned":
            return False
        case "submitted" | "completed" | "undelivered":
            return record.status in ("planned", "failed", "indeterminate")
        case "indeterminate":
            return record.status == "planned" or _failed_before(line, record)
        case "failed":  # no line may make a request that waits for an edit be bought again
            passing = record.error is not None and record.error.code in TEMPORARY
            return record.status == "planned" or (passing and _failed_before(line, record))


def _failed_before(line: ManifestLine, record: Record) -> bool:
    """Whether another machine has made a later attempt than the one that failed here."""
    return record.status == "failed" and line.attempts > record.attempts


def _is_out_of_reach(record: Record, now: float) -> bool:
    """Whether its links have died, so that what another machine has is all there is."""
    if record.status == "submitted":
        return record.accepted_at is not None and now - record.accepted_at >= LINK_LIFE
    return record.status == "undelivered" and not still_downloadable(record, now)


def rename_clips(ledger: Ledger, directory: Path) -> Iterator[Event]:
    """Move the clips of renamed requests to their new names."""
    for request, record in ledger.planned:
        for index, video in record.videos.items():
            wanted = request.path(index, len(record.videos))
            if video.path != wanted and _move(directory, video, wanted):
                yield VideoMoved(record.hash, index, wanted)


def adopt_files(ledger: Ledger, directory: Path) -> Iterator[Event]:
    """Adopt the clips of other machines of which the very files are here."""
    for _, record in ledger.everything:
        if record.remote_videos and record.status == "completed":
            for index in sorted(record.remote_videos):
                video = record.videos[index]
                path = directory / video.path
                if _is_inside(path, directory) and is_clip(path, video):
                    yield VideoSaved(record.hash, index, video)


def missing_clips(ledger: Ledger, directory: Path) -> Iterator[Event]:
    """Say which clips that were delivered here are no longer on disk."""
    files = _Files(directory)
    for _, record in ledger.everything:
        if record.status == "completed":
            for index, video in record.videos.items():
                if index not in record.remote_videos and not files.has(video.path):
                    yield VideoMissing(record.hash, index)


def _move(directory: Path, video: Video, wanted: str) -> bool:
    """Whether the clip stands under its new name; one that is there is never overwritten."""
    old, new = directory / video.path, directory / wanted
    if not (_is_inside(old, directory) and _is_inside(new, directory)):
        return False
    try:
        if not os.path.lexists(new):
            if not old.is_file():
                return False
            new.parent.mkdir(parents=True, exist_ok=True)
            move_into_place(old, new)
        elif not is_clip(new, video):
            return False
        if old.exists() and old.samefile(new) and not _is_one_name(old, new):
            old.unlink()
    except OSError:  # it keeps its old name, on disk and on record
        return False
    return True


def _is_one_name(one: Path, other: Path) -> bool:
    """Whether both are one name of a file: through a linked folder, or where case is ignored."""
    alike = one.name.casefold() == other.name.casefold()
    return alike and one.parent.samefile(other.parent)


def _is_inside(path: Path, directory: Path) -> bool:
    """Whether no link on the way to a file leads out of the run directory."""
    return is_inside(path.parent, directory) and not path.is_symlink()


class _Files:
    """Which files are there: each folder is read once, what it does not have is looked for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._folders: set[str] = set()
        self._found: set[str] = set()

    def has(self, path: str) -> bool:
        if path in self._found:
            return True
        folder, _, _ = path.rpartition("/")
        if folder not in self._folders:
            self._folders.add(folder)
            with contextlib.suppress(OSError), os.scandir(self._directory / folder) as entries:
                files = [e.name for e in entries if e.is_file(follow_symlinks=False)]
                self._found.update(f"{folder}/{name}" for name in files)
        return path in self._found or (self._directory / path).exists()


def is_clip(path: Path, video: Video) -> bool:
    """Whether a file has the very bytes of a video."""
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size != video.bytes:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == video.sha256
    except OSError:
        return False


def load_ledger(journal: Journal, plan: Plan | None) -> Ledger:
    """The journal's fold, read once, with the requests of the plan; nothing is written yet."""
    if plan is None:
        return journal.ledger()
    ledger = journal.fold()
    ledger.name = plan.name
    ledger.adopt(plan.requests, journal.former())
    return ledger


def changed_manifest(
    ledger: Ledger, directory: RunDirectory, renderer: ManifestRenderer
) -> Manifest | None:
    """The results, unless they are what would be written: those have nothing new to tell."""
    raw = directory.read_results()
    if raw is None or renderer.renewed(raw, ledger) is None:
        return None
    return directory.parsed(raw)


def sync_journal(
    ledger: Ledger,
    journal: Journal,
    directory: RunDirectory,
    plan: Plan | None,
    manifest: Manifest | None,
    clock: Clock,
) -> None:
    """Write down whatever is new to the journal, and fold it in."""
    if plan is not None:
        _adopt(plan.name, [standing.request for standing in ledger.planned], journal, ledger)
    elif manifest is not None:
        lines = manifest.results
        requests = [ledger.request(line.hash) or unknown_request(line) for line in lines]
        _adopt(manifest.name, requests, journal, ledger)
    if manifest is not None:
        news = list(imported_purchases(manifest, ledger, clock.now()))
        if unknown := list(unknown_requests(manifest, ledger)):
            journal.remember(unknown)
            ledger.adopt([standing.request for standing in ledger.planned], journal.former())
        _append(news, journal, ledger, clock)
    for step in (rename_clips, adopt_files, missing_clips):
        _append(list(step(ledger, directory.path)), journal, ledger, clock)


def _adopt(name: str, entries: Sequence[Request], journal: Journal, ledger: Ledger) -> None:
    if journal.adopt(name, entries):
        ledger.name = name
        ledger.adopt(entries, journal.former())


def _append(events: Sequence[Event], journal: Journal, ledger: Ledger, clock: Clock) -> None:
    journal.append(events, clock.now())
    for event in events:
        ledger.apply(event)
