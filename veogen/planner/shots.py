"""The requests of one shot: every combination, rendered in batches."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TypeVar

from veogen.catalogue.models import Model
from veogen.document.problems import Problems
from veogen.planner.address import take_address
from veogen.planner.drafts import Draft
from veogen.planner.forms import Form, form
from veogen.planner.layers import variant
from veogen.planner.maker import Maker
from veogen.planner.matrix import Grid
from veogen.planner.names import parameter
from veogen.planner.plan import Request
from veogen.planner.templates.renderer import Renderer
from veogen.spec.model import Shot

CHUNK = 64  # combinations rendered together: one exchange with the guard for all of them

_T = TypeVar("_T")


class ShotPlanner:
    """Plans one shot on its grid; `maker` knows what becomes of one combination."""

    def __init__(
        self,
        shot: Shot,
        grid: Grid,
        maker: Maker,
        *,
        models: Mapping[str, Model],
        renderer: Renderer,
    ) -> None:
        self._shot, self._grid, self._maker = shot, grid, maker
        self._models, self._renderer = models, renderer
        self._forms: dict[tuple[int, ...], Form] = {}

    @property
    def forms(self) -> tuple[Form, ...]:
        """The forms that were needed so far."""
        return tuple(self._forms.values())

    def requests(self, problems: Problems) -> Iterator[Request]:
        """The requests without mistakes, in order; the mistakes go to `problems`."""
        for drafts in _chunks(self._drafts(problems), CHUNK):
            orders = [(text, d.form.scope, d.scope) for d in drafts for text in d.form.texts]
            texts = iter(self._renderer.render(orders))
            for draft in drafts:
                request = self._maker.request(draft, list(islice(texts, len(draft.form.texts))))
                if request is not None:
                    yield request
        self._maker.complaints.tell(problems)

    def _drafts(self, problems: Problems) -> Iterator[Draft]:
        for combination, matching in self._grid.walk(problems):
            chosen = self.form_for(matching)
            keys = self._grid.keys(combination)
            address = self._grid.address(combination)
            values = {one.name: one.value for one in combination}
            for take in range(1, chosen.takes + 1):
                yield Draft(
                    shot=self._shot,
                    form=chosen,
                    combination=combination,
                    keys=keys,
                    take=take,
                    address=take_address(address, take),
                    scope={**values, "take": take},
                )

    def form_for(self, matching: tuple[int, ...]) -> Form:
        """The form where these overrides fit; made once for each set of them."""
        if matching not in self._forms:
            found = variant(self._shot, matching)
            models = self._models.values()
            from_axes = frozenset(
                name
                for name in self._grid.names
                if name not in found.firm and parameter(name, models) is not None
            )
            self._forms[matching] = form(self._shot, found, from_axes, self._renderer)
        return self._forms[matching]


def _chunks(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
