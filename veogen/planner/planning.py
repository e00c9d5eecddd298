"""Planning one spec: its grids, its requests as they come, and what is to be told of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from veogen.catalogue.models import Model
from veogen.document.problems import Problems
from veogen.planner.checks import Judge
from veogen.planner.images import Images
from veogen.planner.lint import PlannedShot, doubts
from veogen.planner.maker import Maker
from veogen.planner.matrix import Grid, grid
from veogen.planner.plan import Request
from veogen.planner.shots import ShotPlanner
from veogen.planner.size import check_size, most_allowed, tell_takes
from veogen.planner.tally import Tally
from veogen.planner.templates.renderer import Renderer
from veogen.planner.twins import MOST_COMPARED, Twins
from veogen.spec.model import Shot, Spec


@dataclass(frozen=True, slots=True)
class Planable:
    """A shot whose matrix is in order."""

    shot: Shot
    grid: Grid
    planner: ShotPlanner

    @property
    def is_large(self) -> bool:
        """Whether it is not looked through for near-duplicates, so that its lines can be woven."""
        return self.grid.most > MOST_COMPARED


class Planning:
    """A context in which a spec is planned, once. `problems` is complete when it is left.

    Nothing is expanded when the plan would be too large, nor a shot with a mistaken matrix.
    """

    def __init__(
        self,
        spec: Spec,
        problems: Problems,
        *,
        models: Mapping[str, Model] | None = None,
        max_requests: int | None = None,
    ) -> None:
        self.spec, self.problems = spec, problems
        self.models = spec.policy.models if models is None else models
        self.tally = Tally()
        self._renderer = Renderer(spec.files)
        self._images = Images(spec.files)
        self._judge = Judge(self.models)
        self._limit = most_allowed(spec, max_requests)
        self._planned: list[PlannedShot] = []
        self._grids = [self._grid(shot) for shot in spec.shots]
        self.twins = Twins(sum(one.most for one in self._grids))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self._renderer.close()
        if kind is None and not self.problems.has_errors:
            bases = self.spec.sources.keys() - {self.spec.files.shown(self.spec.path)}
            self.problems.extend(doubts(self._planned, self._renderer.load, bases))

    def shots(self) -> Iterator[Planable]:
        """The shots to plan, in order; none when the plan would be too large."""
        if not check_size(self.spec, self._grids, self._limit, self.problems):
            return
        for shot, one in zip(self.spec.shots, self._grids, strict=True):
            if not one.mistaken:
                maker = Maker(self.spec, self.models, self._images, self._judge)
                planner = ShotPlanner(shot, one, maker, models=self.models, renderer=self._renderer)
                yield Planable(shot, one, planner)
                self._planned.append(PlannedShot(shot, one, planner.forms))

    def requests_of(self, planable: Planable) -> Iterator[Request]:
        """The requests of one shot, counted and watched."""
        for request in planable.planner.requests(self.problems):
            if self.tally.requests == self._limit:
                tell_takes(planable.shot, self._limit, self.problems)
                return
            self.tally.add(request)
            self.twins.meet(request, self.problems)
            yield request

    def _grid(self, shot: Shot) -> Grid:
        own = Problems()
        found = grid(shot, self.spec.files, tuple(self.models.values()), own)
        self.problems.extend(own.all)
        return found
