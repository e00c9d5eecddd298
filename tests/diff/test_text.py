"""A difference as lines for a terminal, which none of its texts can command."""

from decimal import Decimal
from typing import Any

import pytest
from support.plans import PRICE, report, request

from veogen.diff.terminal import lines
from veogen.text import Colour, uncoloured

OLD = [request("same", "s"), request("gone", "g"), request("old", "r"), request("a", "soft\nlight")]
NEW = [
    request("same", "s"),
    request("come", "c", credits_=None),
    request("new", "r"),
    request("a", "hard\nlight", seed=7),
]


def test_what_differs_stands_first_and_what_it_comes_to_last() -> None:
    assert list(lines(report(OLD, NEW, notes=("look out",)), uncoloured)) == [
        "a: HEAD:specs/a.yaml → specs/a.yaml",
        "  note: look out",
        "  + come  unknown price",
        "  - gone  38.016 credits",
        "  > old → new (renamed)",
        "  ~ a  38.016 credits  prompt: soft → hard; seed: + 7",
        "      | [-soft-]{+hard+}",
        "      | light",
        "",
        "+1 clip, \u22121, 1 changed, 1 renamed: an unknown price to buy.",
        "1 request unchanged.",
        "Credits: 152.064 → unknown.",
    ]


def test_colours_take_the_place_of_signs_around_words() -> None:
    def tagged(text: str, colour: Colour) -> str:
        return f"<{colour}>{text}</>"

    found = report([request("a", "soft light")], [request("a", "hard light")])

    assert list(lines(found, tagged)) == [
        "<bold>a: HEAD:specs/a.yaml → specs/a.yaml</>",
        "<yellow>  ~ a</>  38.016 credits  prompt: soft → hard",
        "      | <red>soft</><green>hard</> light",
        "",
        "<bold>1 changed: 38.016 credits to buy.</>",
        "Credits: 38.016 → 38.016 (+0.000).",
    ]


def test_a_path_or_callback_that_changed_buys_nothing() -> None:
    found = report([request("a", output="x")], [request("a", output="y")])

    assert list(lines(found, uncoloured))[1:] == [
        "  ~ a  not bought again  output: x → y",
        "",
        "1 changed: 0.000 credits to buy.",
        "Credits: 38.016 → 38.016 (+0.000).",
    ]


@pytest.mark.parametrize(
    ("before", "after", "price"),
    [
        (PRICE, PRICE * 2, "38.016 → 76.032 credits"),
        (PRICE, None, "unknown price"),
        (None, PRICE, "unknown → 38.016 credits"),
    ],
)
def test_a_change_says_what_it_costs_where_that_is_another_price(
    before: Decimal | None, after: Decimal | None, price: str
) -> None:
    old, new = (
        request("a", text, credits_=amount) for text, amount in (("x", before), ("y", after))
    )

    [line] = [one for one in lines(report([old], [new]), uncoloured) if one.startswith("  ~")]

    assert line == f"  ~ a  {price}  prompt: x → y"


def test_what_only_goes_is_counted_without_what_comes() -> None:
    assert report([request("a", "x")], []).headline == "\u22121 clip: 0.000 credits to buy"
    assert report([request("a", "x"), request("b", "y", n=2)], []).headline == (
        "\u22123 clips: 0.000 credits to buy"
    )


@pytest.mark.parametrize("evil", ["\x1b[2J", "\x07", "\u202e", "\r", "\x9b31m"])
def test_no_text_commands_the_terminal(evil: str) -> None:
    before: dict[str, Any] = {f"x{evil}": f"1{evil}"}
    after: dict[str, Any] = {f"x{evil}": f"2{evil}"}
    old = [
        request(f"gone{evil}", "g"),
        request(f"a{evil}", f"old {evil} text"),
        request("b", "b", **before),
        request(f"r{evil}", "r"),
    ]
    new = [
        request(f"come{evil}", "c"),
        request(f"a{evil}", f"new {evil}{evil} text"),
        request("b", "b", **after),
        request(f"s{evil}", "r"),
    ]

    shown = "".join(lines(report(old, new, notes=(evil,), name=evil), uncoloured))

    assert not {character for character in shown if not character.isprintable()}
