"""`results.json` while a run is on: read again before it is written, and before money moves."""

from hashlib import sha256

from veogen.errors import VeogenError
from veogen.executor.directory import DirectoryError, RunDirectory
from veogen.results.ledger import Ledger
from veogen.results.manifest import Manifest, ManifestError, ManifestLine, ManifestRenderer


class ResultsFile:
    """The committed results of one run directory, which a pull may change at any moment.

    `trouble` says why it cannot be read; such a file is left as it is.
    """

    def __init__(self, directory: RunDirectory, renderer: ManifestRenderer) -> None:
        self._directory = directory
        self._renderer = renderer
        self._signature: tuple[int, ...] | None = None
        self._digest: bytes | None = None
        self.trouble: VeogenError | None = None

    def changed(self) -> Manifest | None:
        """What it says, if somebody has changed it; raises `VeogenError` once if it is no results.

        Nothing that was written here, and nothing that was seen before, is a change.
        """
        signature = self._directory.results_signature()
        if signature == self._signature:
            return None
        self._signature = signature
        try:
            raw = self._directory.read_results()
            digest = None if raw is None else sha256(raw).digest()
            if raw is None or digest == self._digest:
                self.trouble = None
                return None
            manifest = self._directory.parsed(raw, self._renderer.gateway)
        except (DirectoryError, ManifestError) as error:
            is_news = str(error) != str(self.trouble)
            self.trouble = error
            if is_news:
                raise
            return None
        self.trouble, self._digest = None, digest
        return manifest

    def news(self, ledger: Ledger, digest: str | None) -> Manifest | None:
        """What it says at the beginning of a run that may be new to the ledger.

        `digest` is the SHA-256, in hex, of what the journal knew when it was written last. Raises
        `VeogenError` for what is no results, or those of the other kind of run.
        """
        self._signature = self._directory.results_signature()
        raw = self._directory.read_results()
        self._digest = None if raw is None else sha256(raw).digest()
        is_old_news = self._digest is not None and self._digest.hex() == digest
        if raw is None or is_old_news or self._renderer.renewed(raw, ledger) is None:
            return None
        manifest = self._directory.parsed(raw)
        self._directory.refuse_other_kind(manifest.gateway, self._renderer.gateway)
        return manifest

    def is_as_written(self, line: ManifestLine) -> bool:
        """Whether a line stands as it was written here: it is no news, however old it is."""
        return self._renderer.written(line.hash) == line

    def write(self, ledger: Ledger) -> bytes | None:
        """Write it whole, only if its bytes change; raises `OSError`. The SHA-256 of its bytes."""
        if self.trouble is not None:
            return None
        content = self._directory.write_results(ledger, self._renderer)
        if content is not None:
            self._digest = sha256(content).digest()
        self._signature = self._directory.results_signature()
        return self._digest
