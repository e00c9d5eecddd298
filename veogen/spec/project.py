"""A project: where it begins, its specs and their runs, and the team's policy and prices."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias, TypeVar

from veogen.document.files import Files, Folder, OutsideRootError, inside
from veogen.document.nodes import Location, Map, Seq
from veogen.document.problems import MistakesError, Problem, Problems, did_you_mean
from veogen.document.reader import MAX_BYTES, read, read_document
from veogen.document.schema import (
    AmountType,
    AnyType,
    Field,
    ListOf,
    MapOf,
    ObjectType,
    RateType,
    StringType,
    amount,
    problems_of,
    value_of,
)
from veogen.models.custom import own_models
from veogen.models.model import Catalog, Model
from veogen.models.prices import AnyPrice, parse_price
from veogen.spec.compose import Composer
from veogen.spec.grammar import POLICY as SHAPE
from veogen.spec.layers import entries_left, mapping_at
from veogen.spec.types import Limits, Policy

POLICY = "veogen.yaml"

Kind: TypeAlias = Literal["file", "folder"]

_MARKS: tuple[tuple[tuple[str, ...], Kind], ...] = (
    ((POLICY,), "file"),
    (("templates", "specs"), "folder"),
)

_Place = TypeVar("_Place", Path, PurePosixPath)


def project_root(spec: Path) -> Path:
    """The project that `spec` belongs to: the nearest folder with a policy, else with templates."""
    folders: list[Path] = []
    start = spec.absolute().parent.resolve()
    for folder in (start, *start.parents):
        folders.append(folder)
        if (folder / ".git").exists():
            break
    return nearest_root(
        folders, lambda place, kind: place.is_file() if kind == "file" else place.is_dir()
    )


def below_root(path: Path, root: Path) -> PurePosixPath:
    """A file's path in its project: folders may be links, and so may the file by itself."""
    return PurePosixPath((path.absolute().parent.resolve() / path.name).relative_to(root))


def nearest_root(folders: Sequence[_Place], is_there: Callable[[_Place, Kind], bool]) -> _Place:
    """As `project_root`, of a spec in the first of `folders`, wherever those are kept."""
    for names, kind in _MARKS:
        for folder in folders:
            if any(is_there(folder / name, kind) for name in names):
                return folder
    return folders[0]


_KEY_LINE = re.compile(rb"^(\xef\xbb\xbf)?([\"']?)veogen\2[ \t]*:", re.MULTILINE)


def specs_in(files: Files, folder: PurePosixPath) -> Iterator[PurePosixPath]:
    """The specs of a folder, sorted: neither locks, nor bases, the policy or other YAML.

    As the shell's `*.yaml` it does not mean what is hidden.
    """
    for name in files.names(folder):
        stem, dot, extension = name.rpartition(".")
        is_yaml = bool(dot) and extension in ("yaml", "yml")
        if not is_yaml or name.startswith(("_", ".")) or stem.endswith(".lock") or name == POLICY:
            continue
        if is_spec(files, folder / name):
            yield folder / name


def is_spec(files: Files, path: PurePosixPath) -> bool:
    """Whether a YAML file is a spec: it has a key `veogen`, or cannot be read."""
    try:
        raw = files.read(path, MAX_BYTES)
    except OSError:  # whoever reads it tells why
        return True
    if _KEY_LINE.search(raw):  # a broken one counts by its lines
        return True
    try:
        tree = read(raw, "")
    except MistakesError:
        return False
    return isinstance(tree, dict) and "veogen" in tree


_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_RULES = ("per_second", "per_call")


def _date(text: str) -> tuple[str, str] | None:
    if _DATE.fullmatch(text):
        return None
    return "date", f"{text!r} is not a date; write it as 2026-12-31"


def _rule(text: str) -> tuple[str, str] | None:
    return None if text in _RULES else ("rule", f"{text!r} is not a rule: per_second or per_call")


_MULTIPLIER = ObjectType(
    "a multiplier",
    "Multiplier",
    "What else a price is multiplied by.",
    {
        "when": Field(MapOf(AnyType()), "The parameters that it holds for.", required=True),
        "times": Field(AmountType(), "The factor.", required=True),
    },
)
_PRICE = ObjectType(
    "a price",
    "Price",
    "The price of a model.",
    {
        "date": Field(StringType(_date), "When it was agreed.", required=True),
        "source": Field(StringType(), "Who says so.", required=True),
        "credits_per_usd": Field(RateType(), "What a dollar is worth.", required=True),
        "rule": Field(StringType(_rule), "What one pays for.", required=True),
        "credits": Field(AmountType(), "The price of a second or a call.", required=True),
        "minimum": Field(AmountType(), "The least price of a request."),
        "multipliers": Field(ListOf(_MULTIPLIER), "The first that fits counts."),
    },
)


def team_prices(
    tree: Map, files: Files, models: Mapping[str, Model], problems: Problems
) -> Mapping[str, AnyPrice]:
    """The prices that a policy names, by model; what is wrong with them is told."""
    path_text = tree.get("prices")
    if not isinstance(path_text, str):
        return {}
    place = tree.value_place("prices")
    try:
        path = inside(PurePosixPath(), path_text)
        prices = read_document(files, path, place, name=path_text)
    except OutsideRootError as error:
        problems.error(place, "outside-root", str(error))
    except MistakesError as error:
        problems.extend(error.problems)
    else:
        if not isinstance(prices, Map):
            start = Location(files.shown(path), 1, 1)
            problems.error(start, "type", "prices are a mapping, model to price")
            return {}
        wrong = [problem for id_ in prices for problem in _mistakes(prices, id_, models)]
        problems.extend(wrong)
        if not wrong:
            return {id_: parse_price(value_of(prices, id_, Map)) for id_ in prices}
    return {}


def _mistakes(tree: Map, id_: str, models: Mapping[str, Model]) -> Iterator[Problem]:
    """What is wrong with a price: a misspelt condition would never hold, it would be too low."""
    model = models.get(id_)
    if model is None:
        hint = did_you_mean(id_, models) or f"known models: {', '.join(models)}"
        message = f"{id_!r} is not a known model"
        yield Problem(tree.key_place(id_), "error", "unknown-model", message, hint)
        return
    price = tree[id_]
    yield from problems_of(price, _PRICE, tree.value_place(id_))
    multipliers = price.get("multipliers") if isinstance(price, Map) and model.known else None
    for multiplier in multipliers if isinstance(multipliers, Seq) else ():
        if not isinstance(multiplier, Map):
            continue
        when = mapping_at(multiplier, "when")
        for name, value in when.items():
            parameter = model.parameters.get(name)
            scalar = "a list" if isinstance(value, Map | Seq) else value
            if parameter is None:
                near = did_you_mean(name, model.parameters)
                message = f"{name!r} is not a parameter of {model.id}"
                yield Problem(when.key_place(name), "error", "unknown-key", message, near)
            elif (wrong := parameter.check(scalar)) is not None:
                yield Problem(when.value_place(name), "error", "value", f"{name} {wrong}")


def load_policy(files: Files, problems: Problems | None = None, *, lenient: bool = False) -> Policy:
    """The project's policy, an empty one if there is none; the models of a `lenient` one are all.

    What is wrong with it goes to `problems`; without, it is raised as `MistakesError`.
    """
    own, path = Problems(), PurePosixPath(POLICY)
    models = Catalog(own_models(files, own), lenient=lenient)
    policy = Policy(models=models)
    if POLICY in files.names(path.parent):
        of_policy = Problems()
        tree = Composer(files, of_policy).document(path, shape=SHAPE)
        own.extend(of_policy.all)
        if tree is not None and not of_policy.has_errors:
            store = tree.get("store")
            policy = Policy(
                limits=read_limits(mapping_at(tree, "limits")),
                models=models.at(team_prices(tree, files, models, own)),
                allows_retired=tree.get("retired") == "allow",
                store=store if isinstance(store, str) else None,
            )
    if problems is None:
        own.raise_errors()
    else:
        problems.extend(own.all)
    return policy


def read_limits(tree: Map) -> Limits:
    """The ceilings of a `budget` or `limits` mapping whose structure was checked."""
    models, most = tree.get("models"), tree.get("max_requests")
    return Limits(
        max_credits=amount(tree.get("max_credits")),
        max_requests=most if type(most) is int and most > 0 else None,  # 0, refused, is none
        models=tuple(map(str, models)) if isinstance(models, list) else (),
        place=tree.place,
    )


def raised_limits(tree: Map, budget: Limits, limits: Limits) -> Iterator[Problem]:
    """The ceilings of a spec that are above the team's."""
    for name in ("max_credits", "max_requests"):
        own, team = getattr(budget, name), getattr(limits, name)
        if own is not None and team is not None and own > team:
            message = f"a spec may only lower the limit in {POLICY}: {name} is at most {team}"
            yield Problem(tree.value_place(name), "error", "raised-limit", message)


@dataclass(frozen=True, slots=True)
class _RunNames:
    """The names of a spec's runs, each profile's and the simulated ones, and where it is named."""

    path: PurePosixPath
    names: frozenset[str]
    place: Location


def shared_run_problems(paths: Iterable[Path]) -> Iterator[Problem]:
    """What is wrong with specs by the names of their runs: a copy whose `name` was not changed.

    Each is compared with the others, and with those that lie beside it.
    """
    projects: dict[Path, list[Path]] = {}
    for path in paths:
        projects.setdefault(project_root(path), []).append(path)
    for root, specs in projects.items():
        files = Folder(root)
        named = list(dict.fromkeys(below_root(path, root) for path in specs))
        beside = [each for path in named for each in specs_in(files, path.parent)]
        every = [_run_names(files, path) for path in dict.fromkeys((*named, *beside))]
        readable = [each for each in every if each is not None]
        owners: dict[str, list[_RunNames]] = {}
        for each in readable:
            for name in each.names:
                owners.setdefault(name, []).append(each)
        reported = set[PurePosixPath]()
        for name in sorted(name for name, specs in owners.items() if len(specs) > 1):
            first, second = owners[name][:2]
            spec, other = (second, first) if second.path in named else (first, second)
            if spec.path in named and spec.path not in reported:
                reported.add(spec.path)
                owner = files.shown(other.path)
                message = f"{owner} would have the run directory runs/{name} too"
                hint = "give one of them another 'name'"
                yield Problem(spec.place, "error", "same-run", message, hint)


def _run_names(files: Files, path: PurePosixPath) -> _RunNames | None:
    """None for a file that cannot be read: whoever asks for it is told why."""
    try:
        tree = read_document(files, path)
    except MistakesError:
        return None
    if isinstance(tree, Map) and "extends" in tree:  # a base may name both
        tree = Composer(files, Problems()).composed(path)
    if not isinstance(tree, Map):
        return None
    name = tree.get("name")
    if not isinstance(name, str):
        name = path.stem
    profiles = entries_left(mapping_at(tree, "profiles"))
    real = [name, *(f"{name}.{profile}" for profile in profiles)]
    start = Location(files.shown(path), 1, 1)
    place = tree.value_place("name") if "name" in tree else start
    return _RunNames(path, frozenset((*real, *(f"{run}.simulated" for run in real))), place)
