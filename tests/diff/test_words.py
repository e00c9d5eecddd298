"""Texts compared word by word."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.plans import request

from veogen.diff.compare import compare
from veogen.diff.report import Cause, WordChange, grouped, replacements, word_pieces

TEXTS = st.text(st.sampled_from("ab ,.\n"), max_size=30)


@given(TEXTS, TEXTS)
def test_the_pieces_make_both_texts(old: str, new: str) -> None:
    pieces = word_pieces(old, new)

    assert "".join(piece.old for piece in pieces) == old
    assert "".join(piece.new for piece in pieces) == new


@given(TEXTS)
def test_nothing_is_replaced_in_equal_texts(text: str) -> None:
    assert replacements(word_pieces(text, text)) == ()


@pytest.mark.parametrize(
    ("old", "new", "replaced"),
    [
        pytest.param("soft light", "hard light", (("soft", "hard"),), id="a word"),
        pytest.param("at dusk, dim", "at late dawn, dim", (("dusk", "late dawn"),), id="by two"),
        pytest.param(
            "a soft grey light", "a hard white light", (("soft grey", "hard white"),), id="a phrase"
        ),
        pytest.param("a boat", "a boat in the rain", (("", "in the rain"),), id="words that came"),
        pytest.param("a small boat", "a boat", (("small", ""),), id="a word that went"),
        pytest.param(
            "soft light.\nNo cars.",
            "hard light.\nNo people.",
            (("soft", "hard"), ("cars", "people")),
            id="on two lines",
        ),
        pytest.param("暗い街", "明るい街", (("暗い街", "明るい街"),), id="without spaces"),
    ],
)
def test_replaced_words_stand_together(
    old: str, new: str, replaced: tuple[tuple[str, str], ...]
) -> None:
    assert replacements(word_pieces(old, new)) == replaced


def test_very_long_texts_are_replaced_whole() -> None:
    old, new = "a " * 4000 + "a", "b " * 4000 + "b"

    assert word_pieces(f"same {old} same", f"same {new} same") == (
        WordChange("same ", "same "),
        WordChange(old, new),
        WordChange(" same", " same"),
    )


def test_prompts_that_are_made_to_keep_a_review_busy_are_compared_in_good_time() -> None:
    """A model takes no longer prompts: of one word they have a thousand."""
    old, new = "a " * 1000, "b a " * 500
    start = time.process_time()

    pieces = word_pieces(old, new)

    assert time.process_time() - start < 1
    assert "".join(piece.new for piece in pieces) == new


def test_another_white_space_has_a_name() -> None:
    [group] = grouped(compare([request("a", "one two")], [request("a", "one\ntwo")]).changed)

    assert group.title == "prompt: white space"


def test_changes_that_are_alike_are_told_once() -> None:
    old = [request(c, f"{c} in soft light", duration=4) for c in ("Rome", "Oslo", "Paris")]
    new = [
        request("Rome", "Rome in hard light", duration=4),
        request("Oslo", "Oslo in hard light", duration=4),
        request("Paris", "Paris in hard light", duration=8),
    ]

    groups = grouped(
        compare(old, new).changed, lambda change: [Cause("because of", change.address, "")]
    )

    assert [(g.title, [c.address for c in g.changes], g.causes) for g in groups] == [
        ("prompt: soft → hard", ["Rome", "Oslo"], ("because of Rome", "because of Oslo")),
        ("duration: 4 → 8; prompt: soft → hard", ["Paris"], ("because of Paris",)),
    ]
