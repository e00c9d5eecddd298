"""Which names a template uses, as far as can be told without rendering it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from jinja2 import TemplateSyntaxError, nodes

from veogen.templates.inline import SOURCE_LIMIT, expressions_of, parser
from veogen.templates.template import Template

Load = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class UsedNames:
    """Names, names taken from `vars`, and files taken in, in the order in which they are met.

    `everything` when it cannot be told.
    """

    names: frozenset[str] = frozenset()
    from_vars: frozenset[str] = frozenset()
    everything: bool = False
    files: tuple[str, ...] = ()

    def __or__(self, other: "UsedNames") -> "UsedNames":
        return UsedNames(
            self.names | other.names,
            self.from_vars | other.from_vars,
            self.everything or other.everything,
            tuple(dict.fromkeys((*self.files, *other.files))),
        )

    def uses(self, name: str) -> bool:
        return self.everything or name in self.names

    def uses_var(self, name: str) -> bool:
        return self.uses(name) or name in self.from_vars


EVERYTHING = UsedNames(everything=True)


def used_names(templates: Iterable[Template], load: Load) -> UsedNames:
    """What the templates and all that they take in use together."""
    uses, files = UsedNames(), dict[str, None]()
    for template in templates:
        if template.inline is not None:
            expressions = list(expressions_of(template.inline.pieces))
            of_vars = [each.entries[:1] for each in expressions if each.name == "vars"]
            uses |= UsedNames(
                frozenset(each.name for each in expressions),
                frozenset(chain.from_iterable(of_vars)),
                everything=() in of_vars,
            )
            continue
        rest: list[str | None] = []  # names of files, the next last
        text: str | None = template.text
        while True:
            own, taken_in = _in_source(text)
            uses |= own
            rest += reversed(taken_in)
            while rest and rest[-1] in files:
                rest.pop()
            if not rest:
                break
            name = rest.pop()
            text = None if name is None else load(name)
            if name is not None and text is not None:
                files[name] = None
    return uses | UsedNames(files=tuple(files))


def _in_source(text: str | None) -> tuple[UsedNames, list[str | None]]:
    """What a text uses by itself, and the files that it takes in; everything, if unreadable."""
    if text is None or len(text) > SOURCE_LIMIT:
        return EVERYTHING, []
    try:
        tree = parser().parse(text)
    except (TemplateSyntaxError, RecursionError, ValueError):
        return EVERYTHING, []
    names = [name.name for name in tree.find_all(nodes.Name) if name.ctx == "load"]
    entries = [node.attr for node in tree.find_all(nodes.Getattr) if _is_vars(node.node)]
    entries += [
        str(node.arg.value)
        for node in tree.find_all(nodes.Getitem)
        if _is_vars(node.node) and isinstance(node.arg, nodes.Const)
    ]
    # `vars` itself, put out or walked through, may use any of them.
    everything = names.count("vars") > len(entries)
    return UsedNames(frozenset(names), frozenset(entries), everything), list(_taken_in(tree))


def _is_vars(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == "vars"


def _taken_in(tree: nodes.Template) -> Iterator[str | None]:
    """The names of the files that a template takes in; None for one that is only rendered."""
    for node in tree.find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)):
        match getattr(node, "template", None):
            case nodes.Const(value=str(name)):
                yield name
            case nodes.List(items=items) | nodes.Tuple(items=items):
                values = [getattr(item, "value", None) for item in items]
                yield from (value for value in values if isinstance(value, str))
                yield None  # the first of them that there is
            case _:
                yield None
