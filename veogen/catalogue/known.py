"""The models that a command knows: those shipped, a project's own, and how it takes others."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache, cached_property

from veogen.catalogue.models import DEFAULT_MODEL, Model, shipped
from veogen.catalogue.parameters import Parameter
from veogen.catalogue.prices import Price


class Catalogue(Mapping[str, Model]):
    """Models by id. A lenient one has a model for every id: one that takes anything."""

    def __init__(
        self,
        models: Mapping[str, Model] | None = None,
        *,
        lenient: bool = False,
        prices: Mapping[str, Price] | None = None,
    ) -> None:
        self._models = dict(shipped() if models is None else models)
        self._prices = prices or {}
        self.lenient = lenient

    def at(self, prices: Mapping[str, Price]) -> "Catalogue":
        """The models at other prices, where there are some; so those that nobody knows."""
        models = {
            name: replace(model, price=prices.get(name, model.price))
            for name, model in self._models.items()
        }
        return Catalogue(models, lenient=self.lenient, prices=prices)

    def __getitem__(self, name: str) -> Model:
        known = self._models.get(name)
        if known is not None:
            return known
        if not self.lenient:
            raise KeyError(name)
        return replace(Model.unknown(name), price=self._prices.get(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)

    @cached_property
    def parameters(self) -> Mapping[str, tuple[Parameter, ...]]:
        """What the models know under each name, the default model's first.

        A level of a spec does not know which model its shots will use: there a value is wrong only
        when no model takes it; the planner asks the request's own model.
        """
        known: dict[str, tuple[Parameter, ...]] = {}
        for model in sorted(self._models.values(), key=lambda model: model.id != DEFAULT_MODEL):
            for name, parameter in model.parameters.items():
                known[name] = (*known.get(name, ()), parameter)
        return known


@cache
def default_catalogue() -> Catalogue:
    """What is known where no project says more."""
    return Catalogue()
