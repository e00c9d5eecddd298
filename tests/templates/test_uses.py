"""What a template uses is told from its pieces as from its syntax."""

from dataclasses import replace

import pytest

from veogen.document.nodes import Location
from veogen.templates.inline import inline_template
from veogen.templates.names import UsedNames, used_names
from veogen.templates.template import Template


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        ("", UsedNames()),
        ("A street.", UsedNames()),
        ("{{ city }} and {{ look.id | upper }}", UsedNames(frozenset({"city", "look"}))),
        ("{{ vars.mood }}", UsedNames(frozenset({"vars"}), frozenset({"mood"}))),
        (
            "{{ vars['mood'].name }}, {{ vars.hero | title }}",
            UsedNames(frozenset({"vars"}), frozenset({"mood", "hero"})),
        ),
        ("{{ vars }}", UsedNames(frozenset({"vars"}), everything=True)),
        (
            "{{ vars.mood }} of {{ vars | string }}",
            UsedNames(frozenset({"vars"}), frozenset({"mood"}), everything=True),
        ),
    ],
)
def test_pieces_use_what_their_syntax_uses(text: str, uses: UsedNames) -> None:
    prepared = Template(text, Location("a.yaml", 1, 1), inline=inline_template(text))

    assert prepared.inline is not None
    assert used_names([prepared], nothing) == uses
    assert used_names([replace(prepared, inline=None)], nothing) == uses


def nothing(name: str) -> str | None:
    raise AssertionError(f"{name} is asked for")
