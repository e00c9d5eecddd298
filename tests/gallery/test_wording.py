import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veogen.gallery.data import Change, word_changes

TEXTS = st.text(alphabet=st.sampled_from("ab 東京,.\n"), max_size=30)


@pytest.mark.parametrize(
    ("old", "new", "pieces"),
    [
        pytest.param("a boat", "a boat", [("=", "a boat")], id="the same"),
        pytest.param("", "", [], id="nothing"),
        pytest.param("", "a boat", [("+", "a boat")], id="all new"),
        pytest.param("a boat", "", [("-", "a boat")], id="all gone"),
        pytest.param(
            "a red boat at dusk.",
            "a boat at dawn.",
            [
                ("=", "a "),
                ("-", "red "),
                ("=", "boat at "),
                ("-", "dusk"),
                ("+", "dawn"),
                ("=", "."),
            ],
            id="words",
        ),
        pytest.param(
            "東京の夜", "東京の朝", [("=", "東京の"), ("-", "夜"), ("+", "朝")], id="without spaces"
        ),
    ],
)
def test_a_change_is_told_in_words(old: str, new: str, pieces: list[Change]) -> None:
    assert list(word_changes(old, new)) == pieces


@given(TEXTS, TEXTS)
def test_both_texts_can_be_read_from_the_changes(old: str, new: str) -> None:
    pieces = word_changes(old, new)

    assert "".join(text for sign, text in pieces if sign != "+") == old
    assert "".join(text for sign, text in pieces if sign != "-") == new


def test_texts_that_are_made_to_keep_a_page_busy_are_compared_in_good_time() -> None:
    old, new = "a " * 1000, "b a " * 500
    start = time.process_time()

    changes = word_changes(old, new)

    assert time.process_time() - start < 1
    assert "".join(text for sign, text in changes if sign != "-") == new
