"""A clip that was just downloaded, while a store is given it."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from msgspec import structs
from support.stores import MemoryObjects, StoreTimeOfTests
from support.virtual import VIDEO, request

from veogen.executor.downloads import DownloadFailed, DownloadResult
from veogen.executor.shared_clips import ClipTransfers, StoringDownloader
from veogen.planner.plan import Request
from veogen.store.opening import Clips

CLIP = b"the bytes of a clip"
SAVED = structs.replace(VIDEO, sha256=sha256(CLIP).hexdigest(), bytes=len(CLIP))


class Arrived:
    """A download that came to its end."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / SAVED.path

    def download(self, request: Request, index: int, of: int, link: str) -> DownloadResult:
        del request, index, of, link
        self._path.parent.mkdir(parents=True)
        self._path.write_bytes(CLIP)
        return SAVED


class EditedMeanwhile(MemoryObjects):
    """While it takes a clip somebody does something to the file."""

    def __init__(self, edit: Callable[[Path], object]) -> None:
        super().__init__(StoreTimeOfTests())
        self._edit = edit

    def send(self, name: str, path: Path) -> None:
        super().send(name, path)
        self._edit(path)


@pytest.mark.parametrize(
    ("edit", "is_kept"),
    [
        pytest.param(lambda _: None, True, id="nothing"),
        pytest.param(lambda path: path.write_bytes(CLIP), True, id="written again as it was"),
        pytest.param(lambda path: path.write_bytes(CLIP[::-1]), False, id="other bytes"),
        pytest.param(lambda path: path.unlink(), False, id="deleted"),
    ],
)
def test_what_is_changed_while_the_store_takes_it_is_downloaded_again(
    tmp_path: Path, edit: Callable[[Path], object], *, is_kept: bool
) -> None:
    transfers = ClipTransfers(Clips(EditedMeanwhile(edit)), tmp_path)
    downloader = StoringDownloader(Arrived(tmp_path), transfers, tmp_path)

    result = downloader.download(request("Tokyo"), 0, 1, "https://media.example/1.mp4")

    changed = DownloadFailed("changed", f"{SAVED.path} was changed while the store was given it")
    assert result == (SAVED if is_kept else changed)
