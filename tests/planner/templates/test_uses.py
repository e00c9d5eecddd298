"""What a template uses is told from its pieces as from its syntax."""

from dataclasses import replace

import pytest

from veogen.document.nodes import Place
from veogen.templates.inline import simple
from veogen.templates.names import Uses, uses_of
from veogen.templates.template import Template


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        ("", Uses()),
        ("A street.", Uses()),
        ("{{ city }} and {{ look.id | upper }}", Uses(frozenset({"city", "look"}))),
        ("{{ vars.mood }}", Uses(frozenset({"vars"}), frozenset({"mood"}))),
        (
            "{{ vars['mood'].name }}, {{ vars.hero | title }}",
            Uses(frozenset({"vars"}), frozenset({"mood", "hero"})),
        ),
        ("{{ vars }}", Uses(frozenset({"vars"}), everything=True)),
        (
            "{{ vars.mood }} of {{ vars | string }}",
            Uses(frozenset({"vars"}), frozenset({"mood"}), everything=True),
        ),
    ],
)
def test_pieces_use_what_their_syntax_uses(text: str, uses: Uses) -> None:
    prepared = Template(text, Place("a.yaml", 1, 1), inline=simple(text))

    assert prepared.inline is not None
    assert uses_of([prepared], nothing) == uses
    assert uses_of([replace(prepared, inline=None)], nothing) == uses


def nothing(name: str) -> str | None:
    raise AssertionError(f"{name} is asked for")
