"""Files that a command writes because it was asked to."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from veogen.errors import UsageError
from veogen.executor.directory import whole


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that is there whole or not at all; raises `UsageError` where it cannot be."""
    with _write_errors(path), whole(path) as file:
        yield file


@contextlib.contextmanager
def output_file(path: Path) -> Iterator[BinaryIO]:
    """What a user names for output: a file as `whole_file`, a link's target, a device or pipe."""
    if path.exists() and not path.is_file():
        with _write_errors(path), path.open("wb") as stream:
            yield stream
    else:
        with whole_file(Path(os.path.realpath(path)) if path.is_symlink() else path) as file:
            yield file


@contextlib.contextmanager
def _write_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(f"{path}: it cannot be written: {error.strerror}") from None
