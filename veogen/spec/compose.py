"""One document of a spec and the bases that it extends."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from veogen.document.files import Files, OutsideRootError, inside
from veogen.document.problems import MistakesError, Problems
from veogen.document.reader import read
from veogen.document.values import Map, Place, Seq, Value
from veogen.spec.file import Keys, SpecKeys
from veogen.spec.merge import merge
from veogen.spec.structure import structural_mistakes

_LONGEST_CHAIN = 50


class Composer:
    """Reads documents, checks each by itself, and lays it over its bases."""

    def __init__(self, files: Files, problems: Problems) -> None:
        self._files = files
        self._problems = problems
        self._documents: dict[PurePosixPath, Map | None] = {}
        self.sources: dict[str, PurePosixPath] = {}

    @property
    def documents(self) -> tuple[Map, ...]:
        """Every document that was read and could be."""
        return tuple(tree for tree in self._documents.values() if tree is not None)

    def document(
        self, path: PurePosixPath, place: Place | None = None, keys: type[Keys] = SpecKeys
    ) -> Map | None:
        """A file by itself, asked for at `place`; None when it is no document of `keys` at all."""
        if path not in self._documents:
            shown = self._files.shown(path)
            self.sources[shown] = path
            raw = self._bytes(path, place or Place(shown, 1, 1))
            self._documents[path] = None if raw is None else self._parsed(raw, shown, keys)
        return self._documents[path]

    def composed(self, path: PurePosixPath) -> Map | None:
        """A file laid over everything that it extends."""
        return self._composed((path,), None)

    def _composed(self, chain: tuple[PurePosixPath, ...], place: Place | None) -> Map | None:
        tree = self.document(chain[-1], place)
        if tree is None:
            return None
        composed: Map | None = None
        for written, writer in _bases(tree):
            base = self._base(chain, written, writer)
            if base is not None:
                composed = base if composed is None else merge(composed, base)
        return tree if composed is None else merge(composed, tree)

    def _base(self, chain: tuple[PurePosixPath, ...], written: str, place: Place) -> Map | None:
        try:
            path = inside(chain[-1].parent, written)
        except OutsideRootError as error:
            self._problems.error(place, "outside-root", str(error))
            return None
        if path in chain:
            loop = " -> ".join(map(str, (*chain[chain.index(path) :], path)))
            self._problems.error(place, "extends-loop", f"a spec cannot extend itself: {loop}")
            return None
        if len(chain) == _LONGEST_CHAIN:
            message = f"a chain of 'extends' has at most {_LONGEST_CHAIN} files"
            self._problems.error(place, "extends-depth", message)
            return None
        return self._composed((*chain, path), place)

    def _bytes(self, path: PurePosixPath, place: Place) -> bytes | None:
        try:
            return self._files.read(path)
        except OutsideRootError as error:
            self._problems.error(place, "outside-root", str(error))
        except OSError:
            self._problems.error(place, "missing-file", f"there is no file {str(path)!r}")
        return None

    def _parsed(self, raw: bytes, shown: str, keys: type[Keys]) -> Map | None:
        try:
            tree = read(raw, shown)
        except MistakesError as error:
            self._problems.extend(error.problems)
            return None
        self._problems.extend(structural_mistakes(tree, keys, Place(shown, 1, 1)))
        return tree if isinstance(tree, Map) else None


def _bases(tree: Map) -> Iterator[tuple[str, Place]]:
    written: Value = tree.get("extends")
    if isinstance(written, str):
        yield written, tree.value_place("extends")
    elif isinstance(written, Seq):
        for index, item in enumerate(written):
            if isinstance(item, str):
                yield item, written.value_place(index)
