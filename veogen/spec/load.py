"""From a spec's path to a `Spec`: read, composed, checked."""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from veogen.document.files import Files, Folder
from veogen.document.problems import MistakesError, Problem, Problems
from veogen.document.values import Map, Place
from veogen.spec.compose import Composer
from veogen.spec.contents import content_mistakes, unknown_profile
from veogen.spec.file import SettingsKeys, is_name
from veogen.spec.layers import submap
from veogen.spec.merge import merge, without_nulls
from veogen.spec.model import Spec
from veogen.spec.policy import raised_limits, read_limits, read_policy
from veogen.spec.root import project_root
from veogen.spec.settings import read_settings
from veogen.spec.shots import Levels, read_shots
from veogen.spec.structure import structural_mistakes


def load_spec(
    path: Path,
    *,
    profile: str | None = None,
    settings: Sequence[str] = (),
    files: Files | None = None,
) -> Spec:
    """The spec at `path`; with `files`, `path` is below their root.

    Raises `MistakesError` with every mistake that was found.
    """
    if files is None:
        root = project_root(path)
        files = Folder(root)
        path = (path.absolute().parent.resolve() / path.name).relative_to(root)
    problems = Problems()
    spec = _load(files, PurePosixPath(path), profile, tuple(settings), problems)
    problems.raise_errors()
    return spec


def _load(
    files: Files,
    path: PurePosixPath,
    profile: str | None,
    settings: tuple[str, ...],
    problems: Problems,
) -> Spec:
    policy = read_policy(files, problems)
    levels = _levels(Composer(files, problems), path, profile, settings, problems)
    spec = without_nulls(merge(levels.spec, _outer_keys(levels.profile)))
    budget = read_limits(submap(spec, "budget"))
    problems.extend(_mistakes_of_the_whole(spec, files.shown(path), path.stem))
    problems.extend(raised_limits(submap(spec, "budget"), budget, policy.limits))
    return Spec(
        name=str(spec.get("name", path.stem)),
        path=path,
        files=files,
        description=str(spec["description"]) if "description" in spec else None,
        profile=profile,
        settings=settings,
        shots=tuple(read_shots(levels, problems)),
        budget=budget,
        profiles=tuple(submap(spec, "profiles")),
        policy=policy,
        warnings=problems.warnings,
        sources=levels.sources,
    )


def _levels(
    composer: Composer,
    path: PurePosixPath,
    profile: str | None,
    settings: tuple[str, ...],
    problems: Problems,
) -> Levels:
    """What was written, by strength; raises what is wrong in any document by itself."""
    spec = composer.composed(path)
    for document in composer.documents:
        problems.extend(content_mistakes(document))
    set_ = read_settings(settings, problems)
    problems.extend(structural_mistakes(set_, SettingsKeys, set_.place))
    problems.extend(content_mistakes(set_))
    if spec is not None and profile is not None and profile not in submap(spec, "profiles"):
        problems.extend([unknown_profile(spec, profile)])
    problems.raise_errors()
    if spec is None:
        raise MistakesError(problems.all)
    chosen = submap(submap(spec, "profiles"), profile or "")
    return Levels(spec, chosen, set_, composer.sources)


def _outer_keys(profile: Map) -> Map:
    """What a profile says of the spec itself."""
    outer = Map(profile.place)
    for key in ("description", "budget"):
        if key in profile:
            outer.take(profile, key, profile[key])
    return outer


def _mistakes_of_the_whole(spec: Map, shown: str, stem: str) -> Iterator[Problem]:
    if spec.get("veogen") is None:
        message = "a spec begins with 'veogen: 1', the version of its language"
        yield Problem(Place(shown, 1, 1), "error", "missing-key", message)
    if "name" not in spec and not is_name(stem):
        message = f"{stem!r}, from the file's name, is not a name; write 'name'"
        yield Problem(Place(shown, 1, 1), "error", "name", message)
    if not spec.get("shots"):
        message = "a spec needs 'shots', a list with at least one"
        yield Problem(spec.value_place("shots"), "error", "missing-key", message)
