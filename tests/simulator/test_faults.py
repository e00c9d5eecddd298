from collections import Counter

import pytest

from veogen.simulator.faults import Fault, Faults


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def met(fault: Fault, *identities: str, seed: int = 0, text: str = "a boat at dusk") -> str:
    """For each identity in turn, whether the fault happens: `x`, or not: `.`."""
    faults = Faults([fault], seed, Clock())
    return "".join("x" if faults.pick("poll", text, name) else "." for name in identities)


@pytest.mark.parametrize(
    ("fault", "pattern"),
    [
        pytest.param(Fault(at="poll", do="drop"), "xxxxxx", id="always"),
        pytest.param(Fault(at="poll", do="drop", times=2), "xx.xx.", id="twice for each"),
        pytest.param(Fault(at="poll", do="drop", total=3), "xxx...", id="three times in all"),
        pytest.param(Fault(at="poll", do="drop", skip=1), ".xx.xx", id="not the first time"),
        pytest.param(Fault(at="poll", do="drop", skip=1, times=1), ".x..x.", id="the second time"),
        pytest.param(Fault(at="poll", do="drop", rate=0), "......", id="never"),
        pytest.param(Fault(at="submit", do="drop"), "......", id="elsewhere"),
    ],
)
def test_how_often_a_fault_happens(fault: Fault, pattern: str) -> None:
    assert met(fault, "a", "a", "a", "b", "b", "b") == pattern


@pytest.mark.parametrize(
    ("words", "happens"),
    [
        pytest.param("boat", "x", id="a word"),
        pytest.param("DUSK boat", "x", id="several, in any order and case"),
        pytest.param("boat dawn", ".", id="one of them is missing"),
        pytest.param("boa", ".", id="a part of a word"),
    ],
)
def test_a_fault_looks_for_words_of_the_prompt(words: str, happens: str) -> None:
    assert met(Fault(at="poll", do="drop", prompt=words), "a") == happens


def test_a_rate_is_a_share_that_the_seed_decides() -> None:
    fault = Fault(at="poll", do="drop", rate=0.25)
    names = [str(number) for number in range(2000)]

    first, again, other = (met(fault, *names, seed=seed) for seed in (1, 1, 2))

    assert first == again
    assert first != other
    assert 400 < Counter(first)["x"] < 600


def test_a_fault_has_its_time() -> None:
    clock = Clock()
    faults = Faults([Fault(at="poll", do="drop", since=2, until=4)], 0, clock)
    seen = []
    for _ in range(6):
        seen.append(faults.pick("poll", "", "a") is not None)
        clock.now += 1

    assert seen == [False, False, True, True, False, False]


def test_the_first_of_several_faults_happens() -> None:
    faults = Faults(
        [
            Fault(at="poll", do="drop", times=1),
            Fault(at="poll", do="no-links"),
            Fault(at="poll", do="answer", status=404),
        ],
        0,
        Clock(),
    )

    picked = [
        faults.pick("poll", "", "a"),
        faults.pick("poll", "", "a"),
        faults.pick("poll", "", "a", lambda fault: fault.do != "no-links"),
    ]

    assert [fault and fault.name for fault in picked] == [
        "poll drop",
        "poll no-links",
        "poll answer 404",
    ]
    assert faults.happened == {"poll drop": 1, "poll no-links": 1, "poll answer 404": 1}
