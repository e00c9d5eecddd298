"""What is wrong in one document, and which parts of it can be trusted nevertheless.

A user sees all mistakes in one go. So that one does not hide the others, a misspelt key counts
as the key that was meant, and whatever else is wrong breaks only the shot or the profile that it
is in: the planner looks at the rest.
"""

from dataclasses import dataclass, field

from veogen.catalogue.known import Catalogue
from veogen.document.flaws import Flaw
from veogen.document.problems import Problems
from veogen.document.sections import Section
from veogen.document.shape import flaws_of, problem_of
from veogen.document.values import Map, Place, Seq, Step, Value, value_at
from veogen.spec.contents import content_mistakes

_MOST_MENDED = 20  # who misspells more has another problem
_HARMLESS = ("veogen", "name", "description", "budget")


@dataclass(slots=True)
class Broken:
    """What cannot be planned: some shots, some profiles, or nothing can."""

    shots: set[str] = field(default_factory=set)
    profiles: set[str] = field(default_factory=set)
    all: bool = False

    def add(self, tree: Map, path: tuple[Step, ...]) -> None:
        """Count a mistake at `path`."""
        match path:
            case ("shots", int() as index, *_):
                self._add_shot(tree.get("shots"), index)
            case ("profiles", str() as name, *_):
                self.profiles.add(name)
            case (str() as key, *_) if key in _HARMLESS:
                pass
            case _:
                self.all = True

    def _add_shot(self, shots: Value, index: int) -> None:
        shot = shots[index] if isinstance(shots, Seq) else None
        name = shot.get("name") if isinstance(shot, Map) else None
        if isinstance(name, str):
            self.shots.add(name)


def review(
    tree: Value,
    shape: Section,
    start: Place,
    problems: Problems,
    broken: Broken,
    known: Catalogue,
    passes: int = 3,
) -> Map | None:
    """Tell what is wrong in a document, and mend the keys that were meant; None if it is none."""
    flaws = flaws_of(tree, shape)
    problems.extend(problem_of(flaw, tree, start) for flaw in flaws)
    if not isinstance(tree, Map):
        broken.all = True
        return None
    for flaw in flaws:
        if flaw.breaks:
            broken.add(tree, flaw.path)
    mended = [flaw for flaw in flaws[:_MOST_MENDED] if _mend(tree, flaw)]
    problems.extend(content_mistakes(tree, known))
    if not mended or not passes:
        return tree
    return review(tree, shape, start, problems, broken, known, passes - 1)


def _mend(tree: Map, flaw: Flaw) -> bool:
    """Give a misspelt key the name that was meant, unless that is there as well."""
    if flaw.meant is None:
        return False
    *above, key = flaw.path
    parent = value_at(tree, above)
    if not isinstance(parent, Map) or key not in parent or flaw.meant in parent:
        return False
    parent.rename(str(key), flaw.meant)
    return True
