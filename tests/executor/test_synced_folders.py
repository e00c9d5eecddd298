"""What a power failure would take: every name that is made is synced into the folder it is in."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from support.galleries import clip
from support.scripted_host import Host, answer
from support.virtual import World, cities

from veogen.errors import ExitCode
from veogen.executor.directory import make_folders, write_whole
from veogen.executor.downloads import DownloadFailed
from veogen.executor.journal import Header, Journal
from veogen.executor.transfer import REFUSED, WholeClip, download, set_aside
from veogen.gateway.media_host import MediaClient

CLIP = clip()


class Names:
    """The names that were made and are not yet durable in their folders."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.made: list[Path] = []
        self._unsynced: dict[Path, set[Path]] = {}
        for call, at in (("mkdir", 0), ("replace", 1), ("rename", 1), ("link", 1)):
            patch.setattr(os, call, self._making(getattr(os, call), at))
        patch.setattr(os, "fsync", self._syncing(os.fsync))

    def _making(self, call: Callable[..., None], at: int) -> Callable[..., None]:
        def made(*words: str | Path, **options: int) -> None:
            call(*words, **options)
            path = Path(words[at]).absolute()
            self.made.append(path)
            self._unsynced.setdefault(path.parent, set()).add(path)

        return made

    def _syncing(self, call: Callable[[int], None]) -> Callable[[int], None]:
        def synced(descriptor: int) -> None:
            call(descriptor)
            self._unsynced.pop(Path(f"/proc/self/fd/{descriptor}").readlink(), None)

        return synced

    @property
    def unsynced(self) -> list[str]:
        """What is there and not durable, but for notes of what can be fetched again."""
        paths = sorted(path for names in self._unsynced.values() for path in names)
        return [path.name for path in paths if path.exists() and ".part" not in path.name]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Names]:
    del tmp_path  # it is made before anybody looks
    with monkeypatch.context() as patch:
        yield Names(patch)


def _journal(folder: Path) -> None:
    Journal.create(folder / "journal.db", Header("trip", "evolink")).close()


def _opened_again(folder: Path) -> None:
    _journal(folder)
    with Journal.open(folder / "journal.db"):
        assert (folder / "journal.db-mark").exists()


def _put_back(folder: Path) -> None:
    with Journal.create(folder / "journal.db", Header("trip", "evolink")):
        (folder / "journal.db").unlink()
    assert (folder / "journal.db").exists()


def _results(folder: Path) -> None:
    write_whole(folder / "results.json", b"{}")


def _run(folder: Path) -> None:
    world = World(folder / "runs" / "deep" / "trip")
    world.downloader.answers.extend([DownloadFailed("gone", "no clip", retry=False)] * 2)
    assert world.run(cities("Tokyo", "Paris")).code == ExitCode.INCOMPLETE


def _bring(folder: Path, content: bytes) -> object:
    target = folder / "videos" / "opening" / "clip.mp4"
    step = answer(200, content, content_type="video/mp4")
    with MediaClient(local=True, request_timeout=2) as media, Host(step) as host:
        return download(media, f"{host.url}/a.mp4", target, root=folder)


def _clip(folder: Path) -> None:
    assert isinstance(_bring(folder, CLIP), WholeClip)


def _clip_in_the_place_of_another(folder: Path) -> None:
    make_folders(folder / "videos" / "opening")
    (folder / "videos" / "opening" / "clip.mp4").write_bytes(b"of another")
    _clip(folder)
    assert (folder / REFUSED / "clip.mp4").exists()


def _damaged_clip(folder: Path) -> None:
    assert isinstance(_bring(folder, CLIP[:-1]), DownloadFailed)
    assert (folder / REFUSED / "clip.damaged.mp4").exists()


def _set_aside(folder: Path) -> None:
    (folder / "clip.mp4").write_bytes(b"of another")
    set_aside(folder / "clip.mp4", folder)


ACTS: Mapping[str, Callable[[Path], None]] = {
    "folders": lambda folder: make_folders(folder / "a" / "b" / "c"),
    "a new journal": _journal,
    "a journal that is opened again": _opened_again,
    "a journal that was deleted during the run": _put_back,
    "results": _results,
    "a run in a new directory": _run,
    "a clip in a new folder": _clip,
    "a clip whose name something else had": _clip_in_the_place_of_another,
    "a clip that is refused": _damaged_clip,
    "a clip that is set aside": _set_aside,
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())
def test_every_new_name_is_durable_in_its_folder(
    act: Callable[[Path], None], names: Names, tmp_path: Path
) -> None:
    act(tmp_path)

    assert names.made
    assert names.unsynced == []
