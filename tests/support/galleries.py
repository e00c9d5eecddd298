"""Real clips and images, and galleries of them without a run."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

from veogen.executor.journal import Header, Journal
from veogen.executor.snapshot import read_snapshot
from veogen.gallery.data import PageRun
from veogen.gallery.page import gallery
from veogen.planner.identity import address, request_hash
from veogen.planner.plan import Request
from veogen.results.advice import RunCommands
from veogen.results.events import (
    Event,
    SubmitIntended,
    SubmitUnknown,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
    Video,
    VideoSaved,
)
from veogen.results.picks import Picks
from veogen.simulator.video import SimulatedClip, render

FAST = "veo-3.1-fast-generate-preview"


@lru_cache(maxsize=16)
def clip(
    size: tuple[int, int] = (1280, 720), *, seconds: int = 4, audio: bool = True, seed: int = 1
) -> bytes:
    """The bytes of a clip of the simulator: H.264, and AAC with `audio`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        render(
            SimulatedClip(
                task="task", prompt="a boat", seed=seed, size=size, seconds=seconds, audio=audio
            ),
            path,
        )
        return path.read_bytes()


@cache
def picture(kind: str = "png", size: tuple[int, int] = (1280, 720), colour: str = "red") -> bytes:
    """The bytes of an image of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind.upper())
    return file.getvalue()


PRICE = Decimal("38.016")
NOW = 1_800_000_000.0
SMALL = (320, 180)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One request of a page: `end` is `completed`, `planned`, `failed`, `indeterminate`."""

    shot: str = "opening"
    values: Mapping[str, Any]
    prompt: str
    take: int = 1
    end: str = "completed"
    error: tuple[str, str] = ("content_filter", "no")
    params: Mapping[str, Any] | None = None
    videos: int = 1

    @property
    def entry(self) -> Request:
        several = {"n": self.videos} if self.videos > 1 else {}
        body = {"model": "m", "prompt": self.prompt, **several, **(self.params or {})}
        return Request(
            address=address(self.shot, self.values, self.take),
            hash=request_hash(body, self.take),
            shot=self.shot,
            take=self.take,
            variables=dict(self.values),
            output="clip",
            body=body,
            credits=PRICE,
        )

    def events(self, videos: Sequence[Video]) -> list[Event]:
        entry = self.entry
        sent: list[Event] = [SubmitIntended(entry.hash, 1, "key", "{}", PRICE, NOW)]
        task = f"task-{entry.hash[:6]}"
        accepted = TaskCreated(entry.hash, 1, task, PRICE, NOW)
        match self.end:
            case "planned":
                return []
            case "failed":
                return [*sent, accepted, TaskFailed(entry.hash, task, *self.error)]
            case "indeterminate":
                return [*sent, SubmitUnknown(entry.hash, 1, *self.error)]
            case _:
                links = tuple(f"https://m/{number}" for number in range(len(videos)))
                made = TaskCompleted(entry.hash, task, links, PRICE, NOW)
                delivered = [VideoSaved(entry.hash, i, video) for i, video in enumerate(videos)]
                return [*sent, accepted, made, *delivered]


def make_run(
    path: Path, requests: Sequence[Shown], name: str = "trip", former: Sequence[Shown] = ()
) -> Path:
    """A run directory in which all this has happened; every clip is a file of its own.

    `former` were bought for an earlier plan.
    """
    path.mkdir(parents=True)
    content = clip(SMALL)
    with Journal.create(path / "journal.db", Header(name, "simulated")) as journal:
        journal.adopt(name, [request.entry for request in former])
        events: list[Event] = []
        for request in (*former, *requests):
            videos = [_video(request.entry, index, content) for index in range(request.videos)]
            events += request.events(videos)
            for video in videos if request.end == "completed" else []:
                place = path / video.path
                place.parent.mkdir(exist_ok=True)
                place.write_bytes(content)
        journal.append(events, NOW)
        journal.adopt(name, [request.entry for request in requests])
    return path


def make_page(run: Path, other: Path | None = None, picks: Picks | None = None) -> Path:
    """The page of a run, with what people decided about it."""
    shown = page_run(run, picks)
    text = gallery(shown, NOW, folder=run, other=None if other is None else page_run(other))
    place = run / "gallery.html"
    place.write_text(text, encoding="utf-8")
    return place


def page_run(run: Path, picks: Picks | None = None) -> PageRun:
    return PageRun(
        snapshot=read_snapshot(run, NOW),
        commands=RunCommands(f"runs/{run.name}"),
        picks=picks or Picks({}),
        picks_name="trip",
    )


def _video(entry: Request, index: int, content: bytes) -> Video:
    return Video(
        path=entry.path(index, entry.videos),
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        duration=4.0,
        width=SMALL[0],
        height=SMALL[1],
        fps=24.0,
        audio=True,
        warnings=(),
    )
