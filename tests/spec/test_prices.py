"""`prices: FILE` in veogen.yaml: the team's own prices, and what can be wrong with them."""

from decimal import Decimal
from pathlib import Path

import pytest

from veogen.document.problems import MistakesError
from veogen.models.model import shipped
from veogen.models.prices import Multiplier, Price
from veogen.planner.plan import total_credits
from veogen.planner.planner import plan
from veogen.spec.load import load_spec

FAST = "veo-3.1-fast-generate-preview"
PRICES = f"""\
{FAST}:
  date: 2026-12-01
  source: our contract
  credits_per_usd: "72"
  rule: per_second
  credits: 5.9
  minimum: 20
  multipliers:
    - {{when: {{quality: 4k, generate_audio: true}}, times: "3.5"}}
    - {{when: {{generate_audio: true}}, times: 1.25}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "veogen.yaml").write_text("prices: prices.yaml\n")
    (tmp_path / "a.yaml").write_text("veogen: 1\nshots: [{name: a, prompt: x}]\n")
    return tmp_path


def mistakes(project: Path, prices: str) -> list[str]:
    (project / "prices.yaml").write_text(prices)
    with pytest.raises(MistakesError) as caught:
        load_spec(Path("a.yaml"))
    return [str(problem) for problem in caught.value.problems]


def test_the_prices_of_the_file_replace_those_of_the_catalogue(project: Path) -> None:
    (project / "prices.yaml").write_text(PRICES)

    models = load_spec(Path("a.yaml")).policy.models

    assert models[FAST].price == Price(
        date="2026-12-01",
        source="our contract",
        credits_per_usd=Decimal(72),
        per_second=True,
        credits=Decimal("5.9"),
        minimum=Decimal(20),
        multipliers=(
            Multiplier({"quality": "4k", "generate_audio": True}, Decimal("3.5")),
            Multiplier({"generate_audio": True}, Decimal("1.25")),
        ),
    )
    others = {name for name in models if models[name] == shipped()[name]}
    assert others == set(shipped()) - {FAST}


def test_a_plan_is_estimated_with_them(project: Path) -> None:
    (project / "prices.yaml").write_text(PRICES)

    found = plan(load_spec(Path("a.yaml")))

    assert total_credits(found.requests) == Decimal("29.500")  # 5.9 x 4 s x 1.25


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param(
            FAST,
            "veo-3.1-fast-generate-previev",
            "1:1: error[unknown-model]: 'veo-3.1-fast-generate-previev' is not a known model; "
            f"did you mean '{FAST}'?",
            id="an unknown model",
        ),
        pytest.param(
            "  credits: 5.9\n",
            "",
            "2:3: error[missing-key]: a price needs 'credits'",
            id="no price",
        ),
        pytest.param(
            "5.9",
            "cheap",
            "6:12: error[type]: 'credits' is a number of credits, not 'cheap'",
            id="no number",
        ),
        pytest.param(
            "5.9",
            "-5.9",
            "6:12: error[type]: 'credits' is a number of credits, not -5.9",
            id="a negative one",
        ),
        pytest.param(
            '"72"',
            "0",
            "4:20: error[rate]: a dollar is worth more than no credits",
            id="dollars for nothing",
        ),
        pytest.param(
            "per_second",
            "per_hour",
            "5:9: error[rule]: 'per_hour' is not a rule: per_second or per_call",
            id="an unknown rule",
        ),
        pytest.param(
            "2026-12-01",
            "December",
            "2:9: error[date]: 'December' is not a date; write it as 2026-12-31",
            id="no date",
        ),
        pytest.param(
            "minimum",
            "minimun",
            "7:3: error[unknown-key]: 'minimun' is not a key of a price; did you mean 'minimum'?",
            id="an unknown key",
        ),
        pytest.param(
            "quality",
            "qualty",
            f"9:15: error[unknown-key]: 'qualty' is not a parameter of {FAST}; "
            "did you mean 'quality'?",
            id="a condition that would never hold",
        ),
        pytest.param(
            "4k",
            "8k",
            "9:24: error[value]: quality is one of '720p', '1080p', '4k', not '8k'",
            id="nor that",
        ),
    ],
)
def test_a_mistake_is_shown_at_its_place(project: Path, old: str, new: str, told: str) -> None:
    assert mistakes(project, PRICES.replace(old, new)) == [f"prices.yaml:{told}"]


def test_prices_that_cannot_be_read_are_not_said_to_be_missing(project: Path) -> None:
    (project / "prices.yaml").mkdir()

    with pytest.raises(MistakesError) as caught:
        load_spec(Path("a.yaml"))

    assert str(caught.value) == (
        "veogen.yaml:1:9: error[missing-file]: 'prices.yaml' cannot be read: this is not a file"
    )


def test_a_file_that_is_not_there_is_a_mistake_of_the_policy(project: Path) -> None:
    with pytest.raises(MistakesError) as caught:
        load_spec(Path("a.yaml"))

    assert (project / "prices.yaml").exists() is False
    assert str(caught.value) == (
        "veogen.yaml:1:9: error[missing-file]: there is no file 'prices.yaml'"
    )


def test_a_file_outside_the_project_is_not_read(project: Path) -> None:
    (project / "veogen.yaml").write_text("prices: ../prices.yaml\n")

    with pytest.raises(MistakesError) as caught:
        load_spec(Path("a.yaml"))

    assert str(caught.value) == (
        "veogen.yaml:1:9: error[outside-root]: '../prices.yaml' leaves the project"
    )


def test_a_model_that_nobody_knows_has_the_price_that_the_team_knows(project: Path) -> None:
    (project / "prices.yaml").write_text(
        "veo-9: {date: 2026-12-01, source: our contract, credits_per_usd: 50, rule: per_second, "
        "credits: 2.5}"
    )
    (project / "a.yaml").write_text(
        "veogen: 1\nbudget: {max_credits: 30}\n"
        "shots: [{name: a, prompt: x, params: {model: veo-9, duration: 5, n: 2}}]\n"
    )

    made = plan(load_spec(Path("a.yaml"), lenient=True))

    assert total_credits(made.requests) == Decimal("25.000")
