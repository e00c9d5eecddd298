"""Bring journal, plan, committed results and files together before a run.

The manifest is input from a pull request: it can prevent a purchase, never cause one.
"""

import contextlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from msgspec import UNSET

from veogen.executor.decisions import still_downloadable
from veogen.executor.directory import (
    RunDirectory,
    has_content,
    is_inside,
    make_folders,
    move_into_place,
    partial_name,
)
from veogen.executor.journal import Journal
from veogen.executor.options import Clock
from veogen.executor.results_file import ResultsFile
from veogen.planner.identity import default_output
from veogen.planner.plan import Plan, Request
from veogen.results.advice import MOST_NAMED
from veogen.results.events import (
    Event,
    PurchaseImported,
    Video,
    VideoMissing,
    VideoMoved,
    VideoSaved,
)
from veogen.results.facts import Account, account, learn
from veogen.results.ledger import Ledger
from veogen.results.manifest import Manifest, ManifestLine
from veogen.results.record import LINK_LIFE, Record, imported_facts, links_may_live
from veogen.text import counted, safe


def imported_purchases(
    manifest: Manifest,
    ledger: Ledger,
    now: float,
    is_ours: Callable[[ManifestLine], bool] = lambda _: False,
) -> Iterator[PurchaseImported]:
    """Every line of the manifest that tells of something that the journal does not know.

    What `is_ours` was written here: it says nothing new, though it may be old.
    """
    for line in (*manifest.results, *manifest.former):
        record = ledger.record(line.hash)
        if _is_as_here(line, record) or is_ours(line):
            continue
        event = PurchaseImported(
            hash=line.hash,
            status=line.status,
            task_id=line.task_id,
            attempts=line.attempts,
            credits=line.credits,
            error_code=line.error.code if line.error else None,
            error_message=line.error.message if line.error else None,
            videos=line.videos,
            estimate=_estimate(line, ledger.request(line.hash)),
            at=now,
            others=line.others,
        )
        if is_news(event, record):
            yield event


def _estimate(line: ManifestLine, request: Request | None) -> Decimal | None:
    """What it may have cost where no amount was named: the greater of what a line and we say."""
    estimates = [] if line.estimate is UNSET else [line.estimate]
    if request is not None and request.credits is not None:
        estimates.append(request.credits)
    return max(estimates, default=None)


def _is_as_here(line: ManifestLine, record: Record) -> bool:
    """Whether a line says what is known, as nearly all of them do: a look, and no more."""
    current = record.current
    if current is None or len(record.purchases) > 1 or line.others is not UNSET:
        return line.status == "planned" and line.attempts <= record.attempts
    return (
        line.status == record.status
        and line.task_id == record.task_id
        and line.attempts == current.attempt
        and line.error == record.error
        and len(line.videos) == len(record.videos)
    )


def is_news(event: PurchaseImported, record: Record) -> bool:
    """Whether anything stands otherwise once it is known too."""
    learned = account(learn(record.facts, imported_facts(event)))
    return learned.attempts != record.attempts or _gist(learned) != _gist(account(record.facts))


def _gist(stands: Account) -> list[tuple[object, ...]]:
    """What counts of each purchase: words and paths may differ."""
    current = () if stands.current is None else (stands.current,)
    return [
        (
            purchase.attempt,
            purchase.task_id,
            purchase.status,
            purchase.error.code if purchase.error else None,
            purchase.credits,
            {video.sha256 for video in purchase.videos.values()},
        )
        for purchase in (*current, *stands.others)
    ]


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
        credits=line.credits if line.estimate is UNSET else line.estimate,
    )


def rename_clips(ledger: Ledger, directory: Path) -> Iterator[Event]:
    """Move the clips of renamed requests to their new names."""
    for request, record in ledger.planned:
        for index, video in record.videos.items():
            wanted = request.path(index, len(record.videos))
            if video.path != wanted and move_clip(directory, video, wanted):
                yield VideoMoved(record.hash, index, wanted, task_id=record.task_id or "")


def adopt_files(ledger: Ledger, directory: Path) -> Iterator[Event]:
    """Adopt the clips of other machines of which the very files are here."""
    for _, record in ledger.everything:
        if record.remote_videos and record.status == "completed":
            for index in sorted(record.remote_videos):
                video = record.videos[index]
                path = directory / video.path
                if _is_inside(path, directory) and is_clip(path, video):
                    yield _saved(record, index, video, path.stat().st_mtime_ns)


def missing_clips(ledger: Ledger, directory: Path) -> Iterator[Event]:
    """Say which clips that were delivered here are gone, cut or changed since."""
    for _, record in ledger.everything:
        task = record.facts.task(record.task_id)
        for index, mtime in task.here.items() if task else ():
            video, changed = record.videos[index], None
            path = directory / video.path
            with contextlib.suppress(OSError):
                status = path.lstat()
                if stat.S_ISREG(status.st_mode) and status.st_size == video.bytes:
                    changed = status.st_mtime_ns
            if changed is not None and (not mtime or changed == mtime):
                continue
            if changed is not None and is_clip(path, video):
                yield _saved(record, index, video, changed)
            else:
                yield VideoMissing(record.hash, index, task_id=record.task_id or "")


def _saved(record: Record, index: int, video: Video, mtime: int) -> VideoSaved:
    return VideoSaved(record.hash, index, video, task_id=record.task_id or "", mtime=mtime)


def move_clip(directory: Path, video: Video, wanted: str) -> bool:
    """Whether the clip stands under its new name; one that is there is never overwritten."""
    old, new = directory / video.path, directory / wanted
    if not (_is_inside(old, directory) and _is_inside(new, directory)):
        return False
    try:
        if not os.path.lexists(new):
            if not old.is_file():
                return False
            make_folders(new.parent)
            move_into_place(old, new)
        elif not is_clip(new, video):
            return False
        # both may be one name of the file: through a linked folder, or where case is ignored
        alike = old.name.casefold() == new.name.casefold()
        if old.exists() and old.samefile(new) and not (alike and old.parent.samefile(new.parent)):
            old.unlink()
    except OSError:  # it keeps its old name, on disk and on record
        return False
    return True


def _is_inside(path: Path, directory: Path) -> bool:
    """Whether no link on the way to a file leads out of the run directory."""
    return is_inside(path.parent, directory) and not path.is_symlink()


def is_clip(path: Path, video: Video) -> bool:
    """Whether a file has the very bytes of a video."""
    return has_content(path, video.bytes, video.sha256)


def missing_notes(ledger: Ledger) -> Iterator[str]:
    """Which clips cannot be had here any more, and who may have them."""
    states = [s for s in ledger.everything if s.record.status == "completed"]
    missing = [s for s in states if s.record.remote_videos]
    for request, record in missing[:MOST_NAMED]:
        task = record.facts.task(record.task_id)
        reason = task.undelivered if task else None
        why = f" ({reason.message})" if reason else ""
        clips = counted(len(record.remote_videos), "clip")
        is_ours = task is not None and task.own
        who = "no other machine is known to" if is_ours else "whoever bought it may"
        yield f"{request.address}: {clips} cannot be had here any more{why}; {who} have it"
    if len(missing) > MOST_NAMED:
        left = counted(len(missing) - MOST_NAMED, "request")
        yield f"clips of {left} more cannot be had here any more: veogen status names them"


_LONGEST_ID = 60
"""Letters of a task id, from its end, that a name of a clip takes."""


def named_beside(request: Request, task_id: str) -> Request:
    """A request with the names that the clips of a task have which was bought for it too."""
    return replace(request, output=f"{request.output}-{safe(task_id)[-_LONGEST_ID:]}")


def _partly_here(request: Request, record: Record, now: float) -> Iterator[Request]:
    """A request with each of the names under which parts of its clips may be gone on with."""
    if still_downloadable(record, now) or (record.remote_videos and links_may_live(record, now)):
        yield request
    for other in record.others:
        task = record.facts.task(other.task_id)
        if task is None or not other.is_open:
            continue
        since = task.made_at or task.accepted_at
        if since is None or now - since < LINK_LIFE:
            yield from (request, named_beside(request, task.id))
    if record.others and record.task_id is not None and record.status != "completed":
        yield named_beside(request, record.task_id)


def remove_useless_parts(ledger: Ledger, directory: Path, now: float) -> None:
    """Delete what is left of downloads that nobody goes on with, as their requests are done."""
    videos = directory / "videos"
    parts = [path for path in videos.glob("**/.*.part*") if not path.is_dir()]
    if not parts or not is_inside(videos, directory):
        return
    useful = {
        directory / Path(path).with_name(partial_name(Path(path).name))
        for request, record in ledger.everything
        for named in _partly_here(request, record, now)
        for path in named.paths
    }
    for part in parts:
        if part.with_name(f"{part.name.partition('.part')[0]}.part") not in useful:
            with contextlib.suppress(OSError):
                part.unlink()


def bring_in_step(
    journal: Journal,
    directory: RunDirectory,
    results: ResultsFile,
    plan: Plan | None,
    manifest: Manifest | None,
    clock: Clock,
) -> Ledger:
    """Fold the journal, read once, and write down whatever plan, results and files say beyond it.

    `manifest` is what the results say where there is no journal of them.
    """
    if plan is None:
        ledger = journal.ledger()
    else:
        ledger = journal.fold()
        ledger.name = plan.name
        ledger.adopt(plan.requests, journal.former())
    manifest = results.news(ledger, journal.results_digest) or manifest
    stated, requests = plan or manifest, list[Request](plan.requests if plan else ())
    if plan is None and manifest is not None:
        lines = manifest.results
        requests = [ledger.request(line.hash) or unknown_request(line) for line in lines]
    if stated is not None and journal.adopt(stated.name, requests):
        ledger.name = stated.name
        ledger.adopt(requests, journal.former())
    if manifest is not None:
        news = list(imported_purchases(manifest, ledger, clock.now()))
        if unknown := list(unknown_requests(manifest, ledger)):
            journal.remember(unknown)
            ledger.adopt([standing.request for standing in ledger.planned], journal.former())
        _append(news, journal, ledger, clock)
    for step in (rename_clips, adopt_files, missing_clips):
        _append(list(step(ledger, directory.path)), journal, ledger, clock)
    remove_useless_parts(ledger, directory.path, clock.now())
    return ledger


def _append(events: Sequence[Event], journal: Journal, ledger: Ledger, clock: Clock) -> None:
    journal.append(events, clock.now())
    for event in events:
        ledger.apply(event)
