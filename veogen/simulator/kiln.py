"""Where clips are made: a few threads beside the event loop, into a folder that goes away."""

import asyncio
import hashlib
import os
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from veogen.simulator.clips import Clip, render


@dataclass(frozen=True, slots=True)
class Baked:
    """A clip on disk, ready to be fetched."""

    path: Path
    size: int
    etag: str


class Kiln:
    """Makes clips in threads, where the encoder works without Python's lock.

    With `shared` one clip serves all of the same size, length and sound.
    """

    def __init__(self, folder: Path, *, shared: bool = False) -> None:
        self._folder = folder
        self._shared = shared
        self._made: dict[Clip, Future[Baked]] = {}
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="simulator-clip")

    def start(self, clips: Sequence[Clip]) -> "asyncio.Future[list[Baked]]":
        """Begin to make `clips` now, in order of arrival."""
        made = asyncio.gather(*(asyncio.wrap_future(self._future(clip)) for clip in clips))
        made.add_done_callback(_look)  # nobody may wait for it any more when it fails
        return made

    def close(self) -> None:
        """Give up what is being made."""
        self._stopped.set()
        self._pool.shutdown(cancel_futures=True)

    def _future(self, clip: Clip) -> "Future[Baked]":
        if not self._shared:
            return self._pool.submit(self._bake, clip)
        plain = Clip(
            task=f"shared-{'x'.join(map(str, clip.size))}-{clip.seconds}-{clip.audio}",
            prompt="one clip for all of this shape",
            seed=1,
            size=clip.size,
            seconds=clip.seconds,
            audio=clip.audio,
        )
        if plain not in self._made:
            self._made[plain] = self._pool.submit(self._bake, plain)
        return self._made[plain]

    def _bake(self, clip: Clip) -> Baked:
        path = self._folder / f"{clip.task}-{clip.number}.mp4"
        render(clip, path, self._stopped.is_set)
        data = path.read_bytes()
        return Baked(path, len(data), hashlib.sha256(data).hexdigest()[:32])


def _look(made: "asyncio.Future[list[Baked]]") -> None:
    if not made.cancelled():
        made.exception()
