"""Downloads of which a store keeps what came."""

from pathlib import Path

from veogen.executor.downloads import Downloader, DownloadResult
from veogen.executor.shared_clips import ClipTransfers
from veogen.planner.plan import Request
from veogen.results.events import Video


class StoringDownloader:
    """Downloads, and has the store keep what came, before anybody is told of it."""

    def __init__(self, inner: Downloader, transfers: ClipTransfers, directory: Path) -> None:
        self._inner = inner
        self._transfers = transfers
        self._directory = directory

    def download(self, request: Request, index: int, of: int, link: str) -> DownloadResult:
        """As the one inside; a clip that the store does not take stays here all the same."""
        result = self._inner.download(request, index, of, link)
        if isinstance(result, Video) and not self._transfers.put(
            self._directory / result.path, result
        ):
            self._transfers.hold_back(request.hash, index)
        return result
