"""From a spec's path to a `Spec`: read, composed, checked."""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from veogen.document.files import Files, Folder
from veogen.document.nodes import (
    Location,
    Map,
    Seq,
    Value,
    is_unicode,
    with_location,
    without_nulls,
)
from veogen.document.problems import MistakesError, Problem, Problems, did_you_mean, nearest
from veogen.document.reader import NotJsonError, read_json
from veogen.jsontext import compact
from veogen.spec.compose import Composer
from veogen.spec.grammar import SETTINGS, is_name
from veogen.spec.layers import entries_left, mapping_at, merge
from veogen.spec.params import parameters
from veogen.spec.project import below_root, load_policy, project_root, raised_limits, read_limits
from veogen.spec.shots import Levels, read_shots, row_keys_without_rows
from veogen.spec.types import Promotion, Spec
from veogen.spec.validate import unknown_profile, validate

_ROOMS = ("params", "vars")


def read_settings(settings: Sequence[str], problems: Problems) -> Map:
    """All settings in one map of `params` and `vars`; a later one wins."""
    merged = Map(Location("--set", 1, 1))
    for setting in settings:
        key, equals, text = setting.partition("=")
        origin = f"--set {setting}" if setting.isprintable() else f"--set {setting!r}"
        place, value_place = Location(origin, 1, 1), Location(origin, 1, len(key) + 2)
        room, *names = key.split(".")
        is_named = bool(names) and all(names)
        if not equals:
            problems.error(place, "setting", f"{setting!r} is not KEY=VALUE")
        elif room in _ROOMS and is_named:
            value = _read_value(text, value_place, problems)
            merged = merge(merged, _nested([room, *names], value, place, value_place))
        else:
            meant, hint = nearest(room, _ROOMS), None
            if not names and room in parameters():
                hint = f"did you mean 'params.{room}'?"
            elif meant is not None and is_named:
                hint = f"did you mean '{'.'.join([meant, *names])}'?"
            message = f"{key!r} cannot be set; only params.NAME and vars.NAME can"
            problems.error(place, "setting", message, hint)
    return merged


def _read_value(text: str, place: Location, problems: Problems) -> Value:
    """JSON where the text is JSON, else the text itself, letter for letter.

    A number is one only if writing it again gives the same letters: `007` and `1.10` are texts.
    """
    if not is_unicode(text):
        problems.error(place, "encoding", "this is not UTF-8 text")
        return None
    try:
        value = read_json(text)
    except NotJsonError as error:
        if not text.startswith(("[", "{")):
            return text
        hint = f"write JSON, or the text in JSON quotes: {compact(text)}"
        problems.error(place, "setting", str(error), hint)
        return None
    if not is_unicode(compact(value)):
        problems.error(place, "encoding", "half of a surrogate pair is no text")
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return text if is_number and compact(value) != text else with_location(value, place)


def _nested(names: Sequence[str], value: Value, key_place: Location, value_place: Location) -> Map:
    outer = Map(key_place)
    inner = _nested(names[1:], value, key_place, value_place) if names[1:] else value
    outer.put(names[0], inner, key_place, value_place)
    return outer


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
    policy = load_policy(files, problems, lenient=lenient)
    composer = Composer(files, problems, policy.models)
    levels = _levels(composer, below, profile, settings, problems)
    if levels is None:
        return None
    missed = Problems() if composer.lacks_file else problems
    shots = tuple(read_shots(levels, composer.broken.shots, missed, policy.models))
    problems.extend(row_keys_without_rows(shots, files.shown(below)))
    outer = Map(levels.profile.place)  # what a profile says of the spec itself
    for key in ("description", "budget"):
        if key in levels.profile:
            outer.take(levels.profile, key, levels.profile[key])
    spec = without_nulls(merge(levels.spec, outer))
    budget = read_limits(mapping_at(spec, "budget"))
    problems.extend(_mistakes_of_the_path(spec, below, files.shown(below)))
    if not spec.get("shots"):
        message = "a spec needs 'shots', a list with at least one"
        missed.error(spec.value_place("shots"), "missing-key", message)
    problems.extend(raised_limits(mapping_at(spec, "budget"), budget, policy.limits))
    if composer.broken.all or profile in composer.broken.profiles:
        return None
    promotes = levels.profile.get("promotes")
    promotion = None
    if isinstance(promotes, str):
        promotion = Promotion(promotes or None, levels.profile.value_place("promotes"))
    return Spec(
        name=str(spec.get("name", path.stem)),
        path=below,
        files=files,
        description=str(spec["description"]) if "description" in spec else None,
        profile=profile,
        settings=tuple(settings),
        shots=shots,
        budget=budget,
        profiles=mapping_at(spec, "profiles"),
        promotion=promotion,
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
    validate(set_, SETTINGS, set_.place, problems, composer.broken, composer.known)
    if composed is None:
        return None
    profiles = entries_left(mapping_at(composed, "profiles"))
    promoted = _promoted(profiles, profile, problems)
    if profile is not None and profile not in profiles:
        if not composer.lacks_file:
            problems.extend([unknown_profile(composed, profile)])
        composer.broken.all = True
    chosen = mapping_at(profiles, profile or "")
    return Levels(composed, chosen, set_, composer.sources, promoted)


def _promoted(profiles: Map, profile: str | None, problems: Problems) -> Map | None:
    """The profile whose combinations a promoting one has; None where it promotes nothing.

    It may promote others itself: the combinations are those at the end of the chain.
    """
    chain = [profile or ""]
    while isinstance(mapping_at(profiles, chain[-1]).get("promotes"), str):
        promoting = mapping_at(profiles, chain[-1])
        name, place = str(promoting["promotes"]), promoting.value_place("promotes")
        if name and name not in profiles:
            hint = did_you_mean(name, profiles) or "'' is the spec without a profile"
            message = f"{name!r} is not a profile of this spec"
            problems.error(place, "unknown-profile", message, hint)
        if name in chain:
            loop = " -> ".join([*chain[chain.index(name) :], name])
            problems.error(place, "promotes", f"a profile cannot promote itself: {loop}")
            break
        shots = promoting.get("shots")
        for level in (promoting, *(shots if isinstance(shots, Seq) else ())):
            if isinstance(level, Map) and level.get("matrix") is not None:
                whose = f"profile {name!r}" if name else "the spec"
                message = f"a profile that promotes has the combinations of {whose}"
                place, hint = level.key_place("matrix"), "take the matrix away"
                problems.error(place, "promotes", message, hint)
        chain.append(name)
        if not name:
            break
    return None if len(chain) == 1 else mapping_at(profiles, chain[-1])


def _mistakes_of_the_path(spec: Map, path: PurePosixPath, label: str) -> Iterator[Problem]:
    if "name" not in spec and not is_name(path.stem):
        message = f"{path.stem!r}, from the file's name, is not a name; write 'name'"
        yield Problem(Location(label, 1, 1), "error", "bad-name", message)
    if not is_unicode(str(path)):
        message = "the path of this file is not UTF-8, as it has to be in a plan"
        yield Problem(Location(label, 1, 1), "error", "encoding", message)
