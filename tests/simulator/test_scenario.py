import re
from decimal import Decimal
from pathlib import Path

import pytest

from veogen.document.problems import MistakesError
from veogen.errors import UsageError
from veogen.simulator import scenario
from veogen.simulator.faults import Fault
from veogen.simulator.scenario import (
    ACTIONS,
    GATEWAY,
    GUIDE,
    OUTAGE,
    WHEN,
    AccountSettings,
    Outage,
    Scenario,
    load,
    parse,
)

SHIPPED = Path(scenario.__file__).with_name("faults.yaml")


def test_a_file_tells_what_goes_wrong_and_what_the_account_is_like() -> None:
    text = b"""
gateway:
  {concurrency: 2, credits: 12.5, models: [a, b], retry_after: date,
   outages: [{from: 1, seconds: 2}]}
faults:
  - {at: submit, do: drop, taken: true, prompt: Boat, times: 1, from: 2, to: 4.5}
  - {at: download, do: truncated, after: 0.25, length: false, rate: 0.5}
"""

    assert parse(text, "f.yaml") == Scenario(
        AccountSettings(
            concurrency=2,
            credits=Decimal("12.5"),
            models=("a", "b"),
            retry_after="date",
            outages=(Outage(since=1.0, seconds=2.0),),
        ),
        (
            Fault(at="submit", do="drop", taken=True, prompt="Boat", times=1, since=2.0, until=4.5),
            Fault(at="download", do="truncated", after=0.25, length=False, rate=0.5),
        ),
    )


@pytest.mark.parametrize("text", [b"", b"gateway:\nfaults:\n", b"{}"], ids=["empty", "keys", "map"])
def test_a_file_that_says_nothing_changes_nothing(text: bytes) -> None:
    assert parse(text, "f.yaml") == Scenario()


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        pytest.param(
            "[1]", ["f.yaml:1:1: error[type]: a faults file is a mapping"], id="not a mapping"
        ),
        pytest.param(
            "x: 1",
            ["f.yaml:1:1: error[unknown-key]: 'x' is not a key of a faults file"],
            id="an unknown key at the top",
        ),
        pytest.param(
            "faults:\n- {at: submitt, do: drop}",
            [
                (
                    "f.yaml:2:8: error[value]: at is one of submit, poll, task, download, upload,"
                    " batch, list, credits, models, not 'submitt'; did you mean 'submit'?"
                )
            ],
            id="an unknown place",
        ),
        pytest.param(
            "faults:\n- {at: list, do: stuck}",
            ["f.yaml:2:18: error[value]: do is one of answer, drop, hang, slow, not 'stuck'"],
            id="what cannot happen there",
        ),
        pytest.param(
            "faults:\n- {at: list, do: [drop]}",
            [
                "f.yaml:2:18: error[value]: do is one of answer, drop, hang, slow, not a list; did you mean 'drop'?"
            ],
            id="what is no word",
        ),
        pytest.param(
            "faults:\n- {do: drop}\n- {at: poll}",
            [
                "f.yaml:2:3: error[missing]: 'at' is missing",
                "f.yaml:3:3: error[missing]: 'do' is missing",
            ],
            id="a place or an action is missing",
        ),
        pytest.param(
            "faults:\n- {at: poll, do: answer, taken: true, rate: 2, times: 0}",
            [
                "f.yaml:2:3: error[missing]: 'status' is missing",
                "f.yaml:2:26: error[unknown-key]: 'taken' is not a key of poll answer",
                "f.yaml:2:45: error[value]: rate is a number from 0 to 1, not 2",
                "f.yaml:2:55: error[value]: times is a whole number above 0, not 0",
            ],
            id="all mistakes at once",
        ),
        pytest.param(
            "gateway: {credits: [1], outages: [{from: 3}, 4]}\nfaults: no",
            [
                "f.yaml:1:20: error[value]: credits is a number of credits, not a list",
                "f.yaml:1:35: error[missing]: 'seconds' is missing",
                "f.yaml:1:46: error[type]: an entry of outages is a mapping",
                "f.yaml:2:9: error[type]: faults is a list",
            ],
            id="of the account",
        ),
        pytest.param("gateway: 3", ["f.yaml:1:10: error[type]: gateway is a mapping"], id="scalar"),
    ],
)
def test_mistakes_are_shown_at_their_place(text: str, mistakes: list[str]) -> None:
    with pytest.raises(MistakesError) as caught:
        parse(text.encode(), "f.yaml")

    assert str(caught.value).splitlines() == mistakes


def test_what_is_no_yaml_is_shown_at_its_place() -> None:
    with pytest.raises(MistakesError, match=r"^f\.yaml:[12]:\d+: error\[yaml-syntax\]: "):
        parse(b"faults: [", "f.yaml")


def test_a_file_that_cannot_be_read_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.yaml cannot be read: No such file"):
        load(tmp_path / "none.yaml")


def test_the_shipped_example_is_a_faults_file() -> None:
    assert {fault.at for fault in load(SHIPPED).faults} == {"submit", "task", "poll", "download"}


def test_all_that_can_be_written_is_in_the_guide() -> None:
    written = {*WHEN, *GATEWAY, *OUTAGE, "outages"}
    for at, actions in ACTIONS.items():
        written |= {at, *actions, *(key for details in actions.values() for key in details)}

    assert {word for word in written if not re.search(rf"\b{word}\b", GUIDE)} == set()


def test_the_guide_tells_the_defaults() -> None:
    account = AccountSettings()
    told = dict(re.findall(r"^    (\w+) .*\((\S+)\)$", GUIDE, re.MULTILINE))

    names = ("concurrency", "retry_after", "credits", "max_files", "spread", "clips")
    assert {name: told[name] for name in names} == {
        name: str(getattr(account, name)) for name in names
    }
    assert float(told["links_expire"]) == account.links_expire
    assert float(told["files_expire"]) == account.files_expire


def test_the_example_in_the_guide_can_be_read() -> None:
    example = GUIDE.split("\n\n")[1]

    assert len(parse(example.encode(), "guide").faults) == 2
