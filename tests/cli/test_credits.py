"""`veogen credits`: the balance, the key checked, and what a plan would leave."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.scripted_host import Host, Step, answer, closed_port

from veogen.cli import veogen
from veogen.errors import ExitCode, VeogenError

KEY = "sk-evo-0123456789"

SPEC = """\
veogen: 1
params: {model: veo-3.1-fast-generate-preview, duration: 4}
shots:
  - {name: opening, prompt: a boat}
  - {name: ending, prompt: a harbour}
"""


def balance(*, unlimited: bool = False, left: float = 100, simulator: str = "") -> Step:
    token = {"remaining_credits": 5.5, "unlimited_credits": unlimited, "used_credits": 1.25}
    user = {"remaining_credits": left, "used_credits": 0}
    body = {"success": True, "data": {"token": token, "user": user}}
    return answer(200, body, x_veogen_simulator=simulator)


def credits_of(step: Step, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    with Host(step) as host:
        monkeypatch.setenv("EVOLINK_BASE_URL", host.url)
        monkeypatch.setenv("EVOLINK_API_KEY", KEY)
        return CliRunner().invoke(veogen, ["credits", *arguments], standalone_mode=False)


def failure(result: Result) -> tuple[ExitCode, str]:
    assert isinstance(result.exception, VeogenError)
    return result.exception.exit_code, str(result.exception)


def test_the_balance_is_that_of_the_key_and_of_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    assert credits_of(balance(), monkeypatch).stdout == (
        "credits         left   used\n"
        "this key       5.500  1.250\n"
        "the account  100.000  0.000\n"
        "5.500 credits can be spent\n"
    )


def test_a_key_may_be_unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    assert credits_of(balance(unlimited=True), monkeypatch).stdout == (
        "credits           left   used\n"
        "this key     unlimited  1.250\n"
        "the account    100.000  0.000\n"
        "100.000 credits can be spent\n"
    )


def test_scripts_read_the_balance(monkeypatch: pytest.MonkeyPatch) -> None:
    step = balance(unlimited=True, simulator="1")

    assert json.loads(credits_of(step, monkeypatch, "--format", "json").stdout) == {
        "format": "veogen.credits/1",
        "gateway": "simulated",
        "spendable": "100.000",
        "key": {"remaining": None, "unlimited": True, "used": "1.250"},
        "user": {"remaining": "100.000", "used": "0.000"},
    }


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (100, "The plan would buy 76.032 credits and leave 23.968."),
        (50, "The plan would buy 76.032 credits: 26.032 more than there are."),
    ],
)
def test_a_plan_says_what_it_would_leave(
    left: float, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tmp_path / "a.yaml"
    spec.write_text(SPEC)

    result = credits_of(balance(unlimited=True, left=left), monkeypatch, str(spec))

    assert result.stdout.splitlines()[-1] == told


def test_scripts_read_what_a_plan_would_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tmp_path / "a.yaml"
    spec.write_text(SPEC)
    arguments = ["--select", "opening", "--format", "json", str(spec)]

    result = credits_of(balance(unlimited=True), monkeypatch, *arguments)

    assert json.loads(result.stdout)["plan"] == {"to_buy": "38.016", "left": "61.984"}


def test_a_key_that_is_no_good_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    step = answer(401, {"error": {"code": "key_expired", "message": f"{KEY} has expired"}})

    assert failure(credits_of(step, monkeypatch)) == (
        ExitCode.STOPPED,
        "the gateway refuses the key in EVOLINK_API_KEY: *** has expired (key_expired)",
    )


def test_a_gateway_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    monkeypatch.setenv("EVOLINK_BASE_URL", url)
    monkeypatch.setenv("EVOLINK_API_KEY", KEY)

    found = failure(CliRunner().invoke(veogen, ["credits"], standalone_mode=False))

    assert found == (
        ExitCode.STOPPED,
        f"{url} does not show the balance: no connection: Connection refused (refused)",
    )


def test_without_a_key_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVOLINK_API_KEY", raising=False)

    code, text = failure(CliRunner().invoke(veogen, ["credits"], standalone_mode=False))

    assert code == ExitCode.USAGE
    assert text.startswith("EVOLINK_API_KEY is not set")
