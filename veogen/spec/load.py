"""From a spec's path to a `Spec`: read, composed, checked."""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from veogen.document.files import Files, Folder
from veogen.document.problems import MistakesError, Problem, Problems
from veogen.document.text import is_unicode
from veogen.document.values import Map, Place, without_nulls
from veogen.spec.compose import Composer
from veogen.spec.contents import unknown_profile
from veogen.spec.file import SETTINGS
from veogen.spec.layers import submap
from veogen.spec.merge import merge
from veogen.spec.model import Spec
from veogen.spec.names import is_name
from veogen.spec.policy import raised_limits, read_limits, read_policy
from veogen.spec.review import review
from veogen.spec.root import below_root, project_root
from veogen.spec.settings import read_settings
from veogen.spec.shots import Levels, read_shots


def load_spec(
    path: Path,
    *,
    profile: str | None = None,
    settings: Sequence[str] = (),
    files: Files | None = None,
    lenient: bool = False,
) -> Spec:
    """The spec at `path`; with `files`, `path` is below their root.

    A `lenient` spec may name models that nobody knows. Raises `MistakesError` with every mistake
    that was found.
    """
    problems = Problems()
    spec = load_as_far(
        path, problems, profile=profile, settings=settings, files=files, lenient=lenient
    )
    problems.raise_errors()
    if spec is None:
        raise MistakesError(problems.all)
    return spec


def load_as_far(
    path: Path,
    problems: Problems,
    *,
    profile: str | None = None,
    settings: Sequence[str] = (),
    files: Files | None = None,
    lenient: bool = False,
) -> Spec | None:
    """As `load_spec`, less the shots that are broken; mistakes go to `problems`.

    None when there is nothing left that a planner could look at.
    """
    below = PurePosixPath(path)
    if files is None:
        root = project_root(path)
        files, below = Folder(root), below_root(path, root)
    policy = read_policy(files, problems, lenient=lenient)
    composer = Composer(files, problems, policy.models)
    levels = _levels(composer, below, profile, settings, problems)
    if levels is None:
        return None
    shots = tuple(read_shots(levels, composer.broken.shots, problems))
    spec = without_nulls(merge(levels.spec, _outer_keys(levels.profile)))
    budget = read_limits(submap(spec, "budget"))
    own = composer.document(below)
    if own is not None and own.get("veogen") is None:  # a folder would not know it as a spec
        message = "a spec begins with 'veogen: 1', the version of its language"
        problems.error(Place(files.shown(below), 1, 1), "missing-key", message)
    problems.extend(_mistakes_of_the_whole(spec, below, files.shown(below)))
    problems.extend(raised_limits(submap(spec, "budget"), budget, policy.limits))
    if composer.broken.all or profile in composer.broken.profiles:
        return None
    return Spec(
        name=str(spec.get("name", path.stem)),
        path=below,
        files=files,
        description=str(spec["description"]) if "description" in spec else None,
        profile=profile,
        settings=tuple(settings),
        shots=shots,
        budget=budget,
        profiles=tuple(submap(spec, "profiles")),
        policy=policy,
        warnings=problems.warnings,
        sources=composer.sources,
    )


def _levels(
    composer: Composer,
    path: PurePosixPath,
    profile: str | None,
    settings: Sequence[str],
    problems: Problems,
) -> Levels | None:
    """What was written, by strength; None when the spec itself cannot be read."""
    composed = composer.composed(path)
    set_ = read_settings(settings, problems)
    review(set_, SETTINGS, set_.place, problems, composer.broken, composer.known)
    if composed is None:
        return None
    if not _has_profile(composed, profile):
        problems.extend([unknown_profile(composed, profile or "")])
        composer.broken.all = True
    chosen = submap(submap(composed, "profiles"), profile or "")
    return Levels(composed, chosen, set_, composer.sources)


def _has_profile(composed: Map, profile: str | None) -> bool:
    return profile is None or profile in submap(composed, "profiles")


def _outer_keys(profile: Map) -> Map:
    """What a profile says of the spec itself."""
    outer = Map(profile.place)
    for key in ("description", "budget"):
        if key in profile:
            outer.take(profile, key, profile[key])
    return outer


def _mistakes_of_the_whole(spec: Map, path: PurePosixPath, shown: str) -> Iterator[Problem]:
    if "name" not in spec and not is_name(path.stem):
        message = f"{path.stem!r}, from the file's name, is not a name; write 'name'"
        yield Problem(Place(shown, 1, 1), "error", "bad-name", message)
    if not is_unicode(str(path)):
        message = "the path of this file is not UTF-8, as it has to be in a plan"
        yield Problem(Place(shown, 1, 1), "error", "encoding", message)
    if not spec.get("shots"):
        message = "a spec needs 'shots', a list with at least one"
        yield Problem(spec.value_place("shots"), "error", "missing-key", message)
