"""A run directory as it stands, for those who only look: nothing is written, nobody is in the way.

The journal is read where there is one, also while a run writes it, and what the committed
results know beyond it is laid over; in a fresh clone the results are all there is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from veogen.executor.directory import DirectoryError, RunDirectory
from veogen.executor.journal import Journal
from veogen.executor.reconcile import imported_purchases, unknown_request, unknown_requests
from veogen.results.events import Video
from veogen.results.ledger import Ledger, RequestState
from veogen.results.manifest import GatewayName, Manifest

if TYPE_CHECKING:
    from veogen.executor.joining import StoreChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Where everything stood when it was looked at; `running`: a run was going on.

    `machines` are those of a store that claimed requests, by hash.
    """

    path: Path
    gateway: GatewayName
    ledger: Ledger
    running: bool
    machines: Mapping[str, str] = field(default_factory=dict)
    _here: dict[tuple[str, int], bool] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Snapshot of {self.path}: {self.ledger.title}>"

    def _repr_html_(self) -> str:
        return self.ledger._repr_html_()

    @property
    def clips(self) -> tuple[Path, ...]:
        """The videos of the plan that are on this machine, in its order."""
        videos = (video for state in self.ledger.planned for video in state.record.videos.values())
        return tuple(self.file(video) for video in videos if self.is_here(video))

    def file(self, video: Video) -> Path:
        return self.path / video.path

    def is_here(self, video: Video) -> bool:
        """Whether a delivered video is on this machine; looked for once."""
        key = video.path, video.bytes
        if key not in self._here:
            file = self.file(video)
            self._here[key] = file.is_file() and file.stat().st_size == video.bytes
        return self._here[key]

    def has_files(self, standing: RequestState) -> bool:
        """Whether every video of a request has its file, be it changed since."""
        return all(self.file(video).is_file() for video in standing.record.videos.values())

    def is_whole(self, standing: RequestState) -> bool:
        """Whether every delivered video of a request is on this machine."""
        return all(map(self.is_here, standing.record.videos.values()))

    def is_being_sent(self, standing: RequestState) -> bool:
        """Whether a run is sending it at this moment: in doubt only for as long as that takes."""
        return self.running and standing.record.pending is not None


def read_snapshot(path: Path, now: float, store: "StoreChoice | None" = None) -> Snapshot:
    """Look at a run directory, and at its store; raises what is wrong with them."""
    directory = RunDirectory(path)
    running = directory.in_use
    raw = directory.read_results()  # before the journal, which then knows as much at least
    manifest: Manifest | None = None
    if directory.has_journal:
        with Journal.read(directory.journal) as journal:
            ledger, gateway = journal.ledger(), journal.header.gateway
            if raw is not None and sha256(raw).hexdigest() != journal.results_digest:
                manifest = directory.parsed(raw)  # else it says what this journal knew then
    elif raw is not None:
        manifest = directory.parsed(raw)
        ledger, gateway = Ledger(manifest.name), manifest.gateway
    else:
        raise DirectoryError(f"{path}: this is not a run directory")
    if manifest is not None:  # what the next run would take in, without writing it down
        planned = [ledger.request(line.hash) or unknown_request(line) for line in manifest.results]
        ledger.adopt(planned, former=[*ledger.requests, *unknown_requests(manifest, ledger)])
        for event in list(imported_purchases(manifest, ledger, now)):
            ledger.apply(event)
    machines: Mapping[str, str] = {}
    if store is not None:
        from veogen.executor.store_view import lay_store_over  # noqa: PLC0415 - few have one

        machines = lay_store_over(ledger, store, gateway, now)
    return Snapshot(path=path, gateway=gateway, ledger=ledger, running=running, machines=machines)
