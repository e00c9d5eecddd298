"""A spec as the planner takes it: composed, checked, every value knowing its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from operator import itemgetter
from pathlib import PurePosixPath

from veogen.document.files import Files
from veogen.document.nodes import Location, Map, Seq, Value
from veogen.document.problems import Problem
from veogen.models.model import Catalog, Retired, default_catalog
from veogen.templates.template import Template
from veogen.text import counted

PROMPTS = ("prompt", "negative_prompt")
"""The parameters that a shot writes beside its `params`: templates, and tidied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What one level of precedence says about requests; None or empty where it is silent.

    A value None inside `params` or `vars` takes the name away from the weaker levels, as
    `veogen.spec.layers.merge` does it. The two texts are taken out of `params`, where None stays.
    """

    prompt: Template | None = None
    negative_prompt: Template | None = None
    params: Map
    vars: Map
    takes: int | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """A reviewed exception for the combinations that fit `when` (axis -> value or id)."""

    when: Map
    layer: Layer
    place: Location


@dataclass(frozen=True, slots=True)
class Sample:
    """Keep the `count` combinations with the smallest SHA-256 of `<seed>:<address>`."""

    count: int
    seed: int
    place: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """The axes of a shot, spec's first, and what is done to their product.

    `rows` is a path as written, or an inline list; a path is relative to `rows_folder`.
    `rows_after` is the number of axes that were written before it: its place in the product.
    """

    axes: Map
    exclude: Seq | None = None
    include: Seq | None = None
    zip: Seq | None = None
    rows: str | Seq | None = None
    rows_folder: PurePosixPath = field(default_factory=PurePosixPath)
    rows_place: Location | None = None
    rows_after: int = 0
    rows_key: tuple[str, ...] | None = None
    rows_key_place: Location | None = None
    sample: Sample | None = None
    place: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One shot with everything that applies to it; weakest first: base, overrides, tops.

    `base` is extends, spec and shot merged; `tops` are the profile, its shot and `--set`. `named`
    holds what the `params` of the shot itself, of the profile or `--set` wrote or took away, and
    the vars of the profile and `--set`, each with its place: an axis or column of that name is a
    mistake there. An axis or column named like one of its own `texts` is only seen by them.
    `base` has no prompt only where an axis, a column or one of `tops` may bring one.
    """

    name: str
    place: Location
    description: str | None
    base: Layer
    overrides: tuple[Override, ...]
    tops: tuple[Layer, ...]
    named: Mapping[str, Location]
    texts: frozenset[str]
    matrix: Matrix
    output: Template | None


@dataclass(frozen=True, slots=True)
class Limits:
    """Ceilings; None where there is none. `models` empty allows any. `place`: who says so."""

    max_credits: Decimal | None = None
    max_requests: int | None = None
    models: tuple[str, ...] = ()
    place: Location | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The team's limits for all specs of one command together; the models at their prices.

    `store` is the URL of the store that keeps the real runs of the project.
    """

    limits: Limits = field(default_factory=Limits)
    models: Catalog = field(default_factory=default_catalog)
    allows_retired: bool = False
    store: str | None = None

    @property
    def retired(self) -> Mapping[str, Retired]:
        """The models that are not bought after their last day."""
        if self.allows_retired:
            return {}
        return {id_: model.retired for id_, model in self.models.items() if model.retired}

    @property
    def expected_seconds(self) -> Mapping[str, int]:
        """How long a task of a model takes, about, where that is known."""
        expected = {id_: model.expected_seconds for id_, model in self.models.items()}
        return {id_: seconds for id_, seconds in expected.items() if seconds is not None}


@dataclass(frozen=True, slots=True)
class Promotion:
    """That a profile makes anew what was picked of another one's clips.

    `profile` is the other one, None for the spec without a profile; `place` is where it is said.
    `picked` are the addresses of the combinations to plan, each with the clips that were picked
    of it: nobody, until somebody has looked (`veogen.results.promotion`). None means all of them.
    """

    profile: str | None
    place: Location
    picked: Mapping[str, tuple[str, ...]] | None = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What the user wrote, whole; `path` is below the root, `settings` are `--set`s as written.

    `profiles` are all that it has, as written; `sources` holds the files it was read from, below
    the root, by the path that places carry.
    """

    name: str
    path: PurePosixPath
    files: Files
    description: str | None
    profile: str | None
    settings: tuple[str, ...]
    shots: tuple[Shot, ...]
    budget: Limits
    sources: Mapping[str, PurePosixPath] = field(default_factory=dict)
    profiles: Mapping[str, Value] = field(default_factory=dict)
    promotion: Promotion | None = None
    policy: Policy = field(default_factory=Policy)
    warnings: tuple[Problem, ...] = ()

    def __repr__(self) -> str:
        profile = f", profile {self.profile}" if self.profile else ""
        return f"<Spec {self.name}{profile}: {counted(len(self.shots), 'shot')} in {self.path}>"

    @property
    def tightest(self) -> Limits:
        """Whichever allows fewer credits, its budget or the team's limits."""
        both = (self.budget, self.policy.limits)
        amounts = [(each.max_credits, each) for each in both if each.max_credits is not None]
        return min(amounts, key=itemgetter(0))[1] if amounts else self.budget

    def with_all_combinations(self) -> "Spec":
        """The spec with everything that a profile may promote, to look for mistakes in any of it.

        How much of it will be picked nobody knows, so its budget is not judged.
        """
        if self.promotion is None:
            return self
        budget = replace(self.budget, max_credits=None, max_requests=None)
        return replace(self, promotion=replace(self.promotion, picked=None), budget=budget)

    def folder(self, place: Location) -> PurePosixPath:
        """The folder, below the root, of the file that `place` is in; relative paths start there.

        What `--set` wrote counts as written in the spec.
        """
        return self.sources.get(place.path, self.path).parent
