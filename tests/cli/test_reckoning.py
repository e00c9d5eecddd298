"""What a command says of money at its end, and whether the account agrees."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from support.commands import Ended, Shell

from veogen.cli.run import Cost, Reckoning, newly_spent
from veogen.errors import ExitCode
from veogen.gateway.api import Balance, Unread
from veogen.results.events import Accepted, Intended
from veogen.results.ledger import Entry, Ledger
from veogen.results.record import Purchase
from veogen.simulator.scenario import Options, parse
from veogen.simulator.server import running

SPEC = """
veogen: 1
name: trip
params: {duration: 4}
shots: [{name: boat, prompt: "A boat at {{ hour }}", matrix: {hour: [dawn, dusk]}}]
"""


def run(tmp_path: Path, capfd: pytest.CaptureFixture[str], faults: str) -> Ended:
    (tmp_path / "trip.yaml").write_text(SPEC)
    scenario = parse(f"gateway: {{clips: shared}}\n{faults}".encode(), "faults.yaml")
    options = Options(generation_time=0.1, gateway=scenario.gateway, faults=scenario.faults)
    with running(options) as simulator:
        environ = {
            "EVOLINK_API_KEY": "sk-evo-0123456789",
            "EVOLINK_BASE_URL": simulator.base_url,
            "EVOLINK_FILES_URL": simulator.files_url,
        }
        words = ("--yes", "--poll-interval", "0.1", "--task-retries", "1", "--progress", "lines")
        return Shell(tmp_path, capfd, environ).veogen("run", "trip.yaml", *words)


SAYS = "76.032 credits reserved or charged so far"


@pytest.mark.parametrize(
    ("faults", "code", "says"),
    [
        pytest.param("faults: []", ExitCode.DONE, f"2 videos. {SAYS}. runs/", id="bought"),
        pytest.param(
            "faults: [{at: task, do: fail, code: content_filter, prompt: dusk}]",
            ExitCode.INCOMPLETE,
            f"1 video. {SAYS} (38.016 of failed tasks, which the gateway returns). runs/",
            id="failed",
        ),
        pytest.param(
            "faults: [{at: task, do: fail, code: service_error, prompt: dusk, total: 1}]",
            ExitCode.DONE,
            "2 videos. 114.048 credits reserved or charged so far"
            " (38.016 of failed tasks, which the gateway returns). runs/",
            id="bought again",
        ),
        pytest.param(
            "faults: [{at: submit, do: drop, taken: true, prompt: dusk}]",
            ExitCode.INDETERMINATE,
            "1 video. 38.016 credits reserved or charged so far;"
            " held requests may have cost 38.016 more. runs/",
            id="held, and billed",
        ),
        pytest.param(
            "faults: [{at: submit, do: drop, prompt: dusk}]",
            ExitCode.INDETERMINATE,
            "1 video. 38.016 credits reserved or charged so far;"
            " held requests may have cost 38.016 more. runs/",
            id="held, and not billed",
        ),
        pytest.param(
            "faults: [{at: credits, do: answer, status: 500}]",
            ExitCode.DONE,
            f"2 videos. {SAYS}. runs/",
            id="no balance to compare with",
        ),
    ],
)
def test_the_last_line_tells_the_credits_and_the_balance_agrees(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], faults: str, code: ExitCode, says: str
) -> None:
    ended = run(tmp_path, capfd, faults)

    assert (ended.code, says in ended.err) == (code, True), ended.err
    assert "the account's balance" not in ended.err
    certain = says.partition(". ")[2].partition(" credits")[0]
    assert f"completed, {certain} credits" in ended.err.replace("1 failed, ", "").replace(
        "1 held, ", ""
    ), "what progress said last"


def test_money_that_a_failed_task_kept_is_noticed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    faults = "faults: [{at: task, do: fail, code: content_filter, charged: true, prompt: dusk}]"

    ended = run(tmp_path, capfd, faults)

    assert ended.err.splitlines()[-1] == (
        "note: the account's balance fell by 76.032 credits while this command recorded purchases "
        "of 38.016; others who use the account may explain it, or a return that is still to come. "
        "If not, compare 'veogen status' with the gateway's own bill"
    )


def test_what_is_paid_once_more_is_told_without_what_turns_a_terminal_around(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "trip.yaml").write_text(SPEC.replace("[dawn, dusk]", '["dusk\\u202e"]'))
    scenario = parse(b"faults: [{at: task, do: fail, code: content_filter}]", "faults.yaml")
    with running(Options(generation_time=0.1, faults=scenario.faults)) as simulator:
        environ = {"EVOLINK_API_KEY": "sk-evo-0123456789", "EVOLINK_BASE_URL": simulator.base_url}
        shell = Shell(tmp_path, capfd, environ)
        shell.veogen("run", "trip.yaml", "--yes", "--poll-interval", "0.1")

        ended = shell.veogen("resolve", "runs/trip", "--rebuy", "*")

    assert "38.016 credits paid so far; buying it anew for 38.016 credits" in ended.err
    assert "\u202e" not in ended.err


PRICE = Decimal(38)
KEPT = Purchase(attempt=1, credits=PRICE, task_id="task-1")
HELD = Purchase(attempt=1, credits=PRICE)
FAILED = Purchase(attempt=1, credits=PRICE, task_id="task-1", failed=True)
DEAR = Purchase(attempt=1, credits=PRICE + 2, task_id="task-1")
UNKNOWN = Purchase(attempt=1, credits=None, task_id="task-1")


@pytest.mark.parametrize(
    ("then", "now", "found"),
    [
        pytest.param(None, KEPT, Cost(PRICE, PRICE), id="bought"),
        pytest.param(None, HELD, Cost(Decimal(0), PRICE), id="in doubt"),
        pytest.param(HELD, KEPT, Cost(Decimal(0), PRICE), id="found to be bought"),
        pytest.param(HELD, None, Cost(-PRICE, Decimal(0)), id="found not to be taken"),
        pytest.param(KEPT, FAILED, Cost(-PRICE, -PRICE), id="returned"),
        pytest.param(None, FAILED, Cost(), id="bought and returned"),
        pytest.param(KEPT, DEAR, Cost(Decimal(2), Decimal(2)), id="charged more than reserved"),
        pytest.param(KEPT, KEPT, None, id="nothing happened"),
        pytest.param(HELD, HELD, None, id="still held"),
        pytest.param(None, UNKNOWN, None, id="a price that nobody knows"),
    ],
)
def test_what_a_run_spent(then: Purchase | None, now: Purchase | None, found: Cost | None) -> None:
    def purchases(purchase: Purchase | None) -> Mapping[tuple[str, int], Purchase]:
        other = {("0/b", 1): KEPT}
        return other if purchase is None else {("0/a", 1): purchase, **other}

    assert newly_spent(purchases(then), purchases(now)) == found


@pytest.mark.parametrize(
    ("balances", "says"),
    [
        pytest.param(["1000", "962"], None, id="as recorded"),
        pytest.param(["1000", "961.995"], None, id="rounded"),
        pytest.param(["1000", "950"], "fell by 50.000 credits", id="less than that"),
        pytest.param(["1000", "1462"], "rose by 462.000 credits", id="topped up"),
        pytest.param([None, "950"], None, id="unknown before"),
        pytest.param(["1000", None], None, id="unknown after"),
    ],
)
def test_a_balance_that_disagrees_is_told(balances: list[str | None], says: str | None) -> None:
    answers = iter(balances)

    def balance() -> Balance | Unread:
        left = next(answers)
        if left is None:
            return Unread(code="500", message="sorry")
        zero = Decimal(0)
        return Balance(
            key_remaining=None, key_used=zero, user_remaining=Decimal(left), user_used=zero
        )

    ledger = Ledger("trip")
    entry = Entry(
        address="boat",
        hash="a",
        shot="boat",
        take=1,
        variables={},
        output="boat",
        body={},
        credits=PRICE,
    )
    ledger.adopt([entry])
    reckoning = Reckoning(balance, [ledger])
    ledger.apply(Intended("a", 1, "key", "{}", PRICE, 0.0))
    ledger.apply(Accepted("a", 1, "task-1", PRICE, 0.0))

    told = reckoning.close()

    assert (told is None) == (says is None)
    assert says is None or says in (told or "")
