"""What a store has to be able to do: named objects that are created once and listed in order."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from veogen.errors import ExitCode, VeogenError


class StoreError(VeogenError):
    """The store is refused, another one, lacking, or says no."""


class StoreAwayError(StoreError):
    """The store gave no answer for as long as it was asked."""

    exit_code = ExitCode.STOPPED


class TooLargeError(StoreError):
    """An object has more bytes than anything of its kind."""


class ObjectInfo(NamedTuple):
    """An object as a listing tells of it; `modified` are Unix seconds of the store's clock."""

    name: str
    size: int
    modified: float


class Objects(Protocol):
    """Named objects. Every call is tried again for as long as it may take, then raises.

    All raise `StoreAwayError` without an answer, and `StoreError` where the store says no.
    """

    def create(self, name: str, content: bytes) -> bytes | None:
        """Create an object only if there is none of this name.

        None if it is ours now, also when the answer was lost and it was tried again; else what is
        there. So contents tell their writers apart.
        """
        ...

    def replace(self, name: str, content: bytes) -> None:
        """Write an object, whatever is there: for signs of life alone."""
        ...

    def read(self, name: str, limit: int) -> bytes | None:
        """All of an object; None if there is none. Raises `TooLargeError` over `limit` bytes."""
        ...

    def info(self, name: str) -> ObjectInfo | None:
        """What a listing would tell of one object."""
        ...

    def list(self, folder: str, after: str = "") -> Sequence[ObjectInfo]:
        """All objects below a folder, by name; with `after` those of later names."""
        ...

    def folders(self, folder: str) -> Sequence[str]:
        """The names of the folders in a folder."""
        ...

    def send(self, name: str, path: Path) -> None:
        """Create an object from a file, a piece at a time."""
        ...

    def fetch(self, name: str, path: Path, limit: int) -> bool:
        """Write an object into a new file, a piece at a time; False if there is none.

        Raises `TooLargeError` over `limit` bytes.
        """
        ...
