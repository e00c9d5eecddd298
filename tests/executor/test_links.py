"""Links once listed are kept, whatever a later look lists."""

from collections.abc import Sequence

import pytest

from veogen.executor.transitions import all_links

A, B, C = (f"https://media.example/task/{name}.mp4?sig=1" for name in "abc")
A2, B2 = (f"https://media.example/task/{name}.mp4?sig=2" for name in "ab")
ONE, TWO = (f"https://media.example/get?file={number}" for number in (1, 2))


@pytest.mark.parametrize(
    ("known", "listed", "kept"),
    [
        pytest.param([], [A, B], [A, B], id="as they are listed first"),
        pytest.param([A, B], [A2, B2], [A2, B2], id="signed anew"),
        pytest.param([A, B], [A2], [A2, B], id="a look that lists fewer"),
        pytest.param([A, B], [B2], [A, B2], id="another one"),
        pytest.param([A, B], [B2, A2], [A2, B2], id="in another order"),
        pytest.param([A], [B, A2], [A2, B], id="one more"),
        pytest.param([A, B], [C], [A, B, C], id="a file that was never listed"),
        pytest.param([], [A, A], [A], id="two equal links"),
        pytest.param([A, B], [], [A, B], id="none"),
        pytest.param([], [ONE, TWO], [ONE, TWO], id="files that only their queries tell apart"),
        pytest.param([ONE, TWO], [ONE], [ONE, TWO], id="fewer of those"),
        pytest.param(
            [ONE, TWO], [f"{ONE}&s=2"], [ONE, TWO, f"{ONE}&s=2"], id="fewer of those, signed anew"
        ),
        pytest.param([ONE], [TWO, ONE], [ONE, TWO], id="more of those"),
        pytest.param(
            [ONE, TWO],
            [f"{ONE}&s=2", f"{TWO}&s=2"],
            [f"{ONE}&s=2", f"{TWO}&s=2"],
            id="those signed anew",
        ),
    ],
)
def test_links_stay_at_their_places(
    known: Sequence[str], listed: Sequence[str], kept: Sequence[str]
) -> None:
    assert all_links(known, listed) == tuple(kept)
