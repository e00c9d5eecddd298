"""Where clips are made: a few threads beside the event loop, into a folder that goes away."""

import asyncio
import hashlib
import os
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import av

from veogen.simulator.clips import Clip, render
from veogen.simulator.picture import Size


class NotMadeError(Exception):
    """A clip could not be made: no room on the disk, or the encoder gave up."""


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
        self._by_shape: dict[tuple[Size, int, bool], Future[Baked]] = {}
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="simulator-clip")

    def start(self, clips: Sequence[Clip]) -> "asyncio.Future[list[Baked]]":
        """Begin to make `clips` now, in order of arrival."""
        made = asyncio.gather(*(asyncio.wrap_future(self._begun(clip)) for clip in clips))
        made.add_done_callback(_look)  # nobody may wait for it any more when it fails
        return made

    def close(self) -> None:
        """Give up what is being made."""
        self._stopped.set()
        self._pool.shutdown(cancel_futures=True)

    def _begun(self, clip: Clip) -> "Future[Baked]":
        if not self._shared:
            return self._pool.submit(self._bake, clip)
        shape = (clip.size, clip.seconds, clip.audio)
        if shape not in self._by_shape:
            self._by_shape[shape] = self._pool.submit(self._copy, *shape)
        return self._by_shape[shape]

    def _bake(self, clip: Clip) -> Baked:
        path = self._folder / f"{clip.task}-{clip.number}.mp4"
        try:
            render(clip, path, self._stopped.is_set)
            return _baked(path)
        except (OSError, av.FFmpegError) as error:
            raise NotMadeError(f"the simulator could not make a clip: {error}") from error

    def _copy(self, size: Size, seconds: int, audio: bool) -> Baked:  # noqa: FBT001 - of a shape
        path = self._folder / f"{size[0]}x{size[1]}-{seconds}-{audio}.mp4"
        path.write_bytes(_plain(size, seconds, audio=audio))
        return _baked(path)


def _baked(path: Path) -> Baked:
    data = path.read_bytes()
    return Baked(path, len(data), hashlib.sha256(data).hexdigest()[:32])


@lru_cache(maxsize=8)
def _plain(size: Size, seconds: int, *, audio: bool) -> bytes:
    """The clip that all of one shape share."""
    clip = Clip(
        task="one clip for all of this shape",
        prompt="",
        seed=1,
        size=size,
        seconds=seconds,
        audio=audio,
    )
    with TemporaryDirectory(prefix="veogen-simulator-") as folder:
        path = Path(folder) / "clip.mp4"
        render(clip, path)
        return path.read_bytes()


def _look(made: "asyncio.Future[list[Baked]]") -> None:
    if not made.cancelled():
        made.exception()
