"""Which files of a folder are specs."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from veogen.document.files import Files
from veogen.document.problems import MistakesError
from veogen.document.reader import MAX_BYTES, read

_KEY_LINE = re.compile(rb"^(\xef\xbb\xbf)?([\"']?)veogen\2[ \t]*:", re.MULTILINE)


def specs_in(files: Files, folder: PurePosixPath) -> Iterator[PurePosixPath]:
    """The specs of a folder, sorted: neither locks, nor bases, nor other YAML."""
    for name in files.names(folder):
        if _may_be_spec(name) and _is_spec(files, folder / name):
            yield folder / name


def _may_be_spec(name: str) -> bool:
    stem, dot, extension = name.rpartition(".")
    is_yaml = bool(dot) and extension in ("yaml", "yml")
    return is_yaml and not name.startswith("_") and not stem.endswith(".lock")


def _is_spec(files: Files, path: PurePosixPath) -> bool:
    try:
        return _has_key(files.read(path, MAX_BYTES))
    except OSError:  # whoever reads it tells why
        return True


def _has_key(raw: bytes) -> bool:
    """Whether `veogen` is a key of the document; a broken one counts by its lines."""
    if _KEY_LINE.search(raw):
        return True
    try:
        tree = read(raw, "")
    except MistakesError:
        return False
    return isinstance(tree, dict) and "veogen" in tree
