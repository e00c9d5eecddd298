"""One document of a spec and the bases that it extends."""

from pathlib import PurePosixPath

from veogen.document.files import Files, OutsideRootError, inside
from veogen.document.nodes import Location, Map, Seq, Value
from veogen.document.problems import MistakesError, Problems
from veogen.document.reader import read_document
from veogen.document.schema import ObjectType
from veogen.models.model import Catalog, default_catalog
from veogen.spec.grammar import SPEC
from veogen.spec.layers import merge_documents
from veogen.spec.validate import Unusable, validate

_LONGEST_CHAIN = 50
_MOST_BASES = 100


class Composer:
    """Reads documents, checks each by itself, and lays it over its bases."""

    def __init__(self, files: Files, problems: Problems, models: Catalog | None = None) -> None:
        self._files = files
        self._problems = problems
        self.known = default_catalog() if models is None else models
        self.broken = Unusable()
        self.lacks_file = False  # what is missed may be written in a file that cannot be read
        self._documents: dict[PurePosixPath, Map | None] = {}
        self._compositions: dict[PurePosixPath, Map | None] = {}
        self.sources: dict[str, PurePosixPath] = {}

    def document(
        self, path: PurePosixPath, place: Location | None = None, shape: ObjectType = SPEC
    ) -> Map | None:
        """A file by itself, asked for at `place`; None when it is no mapping at all."""
        if path not in self._documents:
            self._documents[path] = None
            start = Location(self._files.shown(path), 1, 1)
            self.sources[start.path] = path
            try:
                tree = read_document(self._files, path, place)
            except MistakesError as error:
                self._problems.extend(error.problems)
                self.broken.all = self.lacks_file = True
                return None
            if tree is None and shape is not SPEC:  # an empty policy marks the root of a project
                tree = Map(start)
            else:
                tree = validate(tree, shape, start, self._problems, self.broken, self.known)
            self._documents[path] = tree
        return self._documents[path]

    def composed(
        self,
        path: PurePosixPath,
        place: Location | None = None,
        chain: tuple[PurePosixPath, ...] = (),
    ) -> Map | None:
        """A file laid over everything that it extends; `chain` extends it, one by one.

        None when it cannot be read, or be extended at `place`.
        """
        start = Location(self._files.shown(path), 1, 1)
        if path in chain:
            loop = " -> ".join(map(str, (*chain[chain.index(path) :], path)))
            self._refuse(place or start, "extends-loop", f"a spec cannot extend itself: {loop}")
            return None
        if len(chain) == _LONGEST_CHAIN:
            message = f"a chain of 'extends' has at most {_LONGEST_CHAIN} files"
            self._refuse(place or start, "extends-depth", message)
            return None
        if path not in self._compositions:
            tree = self.document(path, place)
            if tree is not None and tree.get("veogen") is None:  # each says it for itself
                kind = "a base" if chain else "a spec"
                message = f"{kind} begins with 'veogen: 1', the version of its language"
                self._problems.error(start, "missing-key", message)
            with_bases = None if tree is None else self._with_bases((*chain, path), tree)
            self._compositions[path] = with_bases
        return self._compositions[path]

    def _with_bases(self, chain: tuple[PurePosixPath, ...], tree: Map) -> Map:
        composed: Map | None = None
        extends: Value = tree.get("extends")
        bases = [(extends, tree.value_place("extends"))] if isinstance(extends, str) else []
        if isinstance(extends, Seq):
            items = [(item, extends.value_place(index)) for index, item in enumerate(extends)]
            bases = [(item, place) for item, place in items if isinstance(item, str)]
        if len(bases) > _MOST_BASES:
            message = f"a spec extends at most {_MOST_BASES} others, not {len(bases):,}"
            self._refuse(tree.value_place("extends"), "extends", message)
        for base_text, place in bases[:_MOST_BASES]:
            try:
                path = inside(chain[-1].parent, base_text)
            except OutsideRootError as error:
                self._refuse(place, "outside-root", str(error))
                continue
            base = self.composed(path, place, chain)
            if base is not None:
                composed = base if composed is None else merge_documents(composed, base)
        return tree if composed is None else merge_documents(composed, tree)

    def _refuse(self, place: Location, code: str, message: str) -> None:
        self._problems.error(place, code, message)
        self.broken.all = self.lacks_file = True
