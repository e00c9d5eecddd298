"""What the gateway reserves and charges, beside what was estimated: as people and scripts see it."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.project import Ended, Shell

from veogen.errors import ExitCode

SPEC = """
veogen: 1
name: trip
params: {model: kling-v3-text-to-video, duration: 3}
budget: {max_credits: 60}
profiles:
  draft: {params: {quality: 720p}}
shots:
  - {name: boat, prompt: "A boat at {{ hour }}", matrix: {hour: [dawn, dusk]}}
  - {name: car, prompt: A car}
"""
QUICK = ("--simulate", "--generation-time", "0.1", "--poll-interval", "0.1", "--progress", "none")
PRICE = Decimal("16.200")


@pytest.fixture
def shell(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Shell:
    (tmp_path / "trip.yaml").write_text(SPEC)
    return Shell(tmp_path, capfd, {})


def run(shell: Shell, gateway: str, *words: str) -> Ended:
    """A run of a simulator whose account is like that."""
    (shell.folder / "faults.yaml").write_text(f"gateway: {{clips: shared, {gateway}}}\n")
    return shell.veogen("run", "trip.yaml", *QUICK, "--faults", "faults.yaml", *words)


def money(shell: Shell, run_: str = "runs/trip.simulated") -> list[tuple[Any, ...]]:
    """Credits, estimate, reserved and charged of each request."""
    data = json.loads(shell.veogen("status", run_, "--format", "json").out)
    keys = ("credits", "estimate", "reserved", "charged")
    return [tuple(line[key] for key in keys) for line in data["results"]]


def committed(shell: Shell) -> list[dict[str, Any]]:
    path = shell.folder / "runs/trip.simulated/results.json"
    results: list[dict[str, Any]] = json.loads(path.read_text())["results"]
    return results


def test_a_run_whose_gateway_names_amounts_in_10_000ths_counts_credits(shell: Shell) -> None:
    ended = run(shell, "amounts: units")

    assert ended.code == ExitCode.DONE
    assert ended.err.count("its amounts are in 10,000ths of a credit") == 1
    assert "48.600 credits reserved or charged so far. " in ended.err
    assert money(shell) == [("16.200",) * 4] * 3
    assert all("estimate" not in line for line in committed(shell))


def test_a_run_that_reserves_more_says_so_and_counts_what_is_charged(shell: Shell) -> None:
    ended = run(shell, "reserves: 1.2")

    assert ended.code == ExitCode.DONE
    said = "reserved 58.320 where 48.600 were estimated, 1.20 times as much"
    assert said in ended.err
    assert money(shell) == [("16.200", "16.200", "19.440", "16.200")] * 3
    assert said in shell.veogen("status").out


@pytest.mark.parametrize("amounts", ["credits", "units"])
def test_a_ceiling_is_judged_by_what_is_reserved(amounts: str, shell: Shell) -> None:
    gateway = f"reserves: 1.75, charges: 1.75, amounts: {amounts}"

    ended = run(shell, gateway, "--max-credits", "60")

    assert ended.code == ExitCode.STOPPED
    data = json.loads(shell.veogen("status", "runs/trip.simulated", "--format", "json").out)
    assert [line["reserved"] for line in data["results"]] == ["28.350", "28.350", None]
    assert [line["status"] for line in data["results"]] == ["completed", "completed", "planned"]


def test_a_run_that_charges_less_at_the_end_keeps_the_estimate_beside_it(shell: Shell) -> None:
    ended = run(shell, "charges: 0.5")

    assert ended.code == ExitCode.DONE
    assert "charged 24.300 where 48.600 were estimated, 0.50 times as much" in ended.err
    assert money(shell) == [("8.100", "16.200", "16.200", "8.100")] * 3
    assert [(line["credits"], line["estimate"]) for line in committed(shell)] == [
        ("8.100", "16.200")
    ] * 3


def test_status_tells_the_money_by_model_and_shot(shell: Shell) -> None:
    run(shell, "charges: 0.5", "--profile", "draft")

    told = shell.veogen("status", "runs/trip.draft.simulated").out.splitlines()

    first = told.index("profile draft           estimated  reserved  charged")
    assert told[first + 1 : first + 4] == [
        "kling-v3-text-to-video     48.600    48.600   24.300",
        "  boat                     32.400    32.400   16.200",
        "  car                      16.200    16.200    8.100",
    ]


def test_json_has_model_and_profile_of_every_request(shell: Shell) -> None:
    run(shell, "charges: 0.5", "--profile", "draft")

    data = json.loads(shell.veogen("status", "runs/trip.draft.simulated", "--format", "json").out)

    assert [(line["shot"], line["model"], line["profile"]) for line in data["results"]] == [
        ("boat", "kling-v3-text-to-video", "draft"),
        ("boat", "kling-v3-text-to-video", "draft"),
        ("car", "kling-v3-text-to-video", "draft"),
    ]


def test_an_amount_out_of_all_proportion_stops_the_run(shell: Shell) -> None:
    (shell.folder / "trip.yaml").write_text(SPEC.replace("max_credits: 60", "max_requests: 9"))

    ended = run(shell, "reserves: 1000, charges: 1000, concurrency: 1", "--max-in-flight", "1")

    assert ended.code == ExitCode.STOPPED
    assert "the gateway names 16200.000 for an estimate of 16.200 credits" in ended.err
    statuses = [line["status"] for line in committed(shell)]
    assert statuses.count("planned") == 2


def test_a_run_that_is_as_it_was_estimated_says_nothing_more(shell: Shell) -> None:
    ended = run(shell, "spread: 0")

    assert "estimated" not in ended.err
    told = shell.veogen("status").out

    assert "3 videos" in told
    assert "estimated" not in told


def test_what_had_no_estimate_differs_from_none(shell: Shell) -> None:
    (shell.folder / "models").mkdir()
    (shell.folder / "veogen.yaml").write_text("veogen: 1\n")
    (shell.folder / "models/own.yaml").write_text("id: own\nlike: kling-v3-text-to-video\n")
    spec = SPEC.replace("kling-v3-text-to-video", "own").replace("budget: {max_credits: 60}\n", "")
    (shell.folder / "trip.yaml").write_text(spec)

    run(shell, "amounts: credits")

    told = shell.veogen("status").out

    assert "3 videos" in told
    assert "estimated" not in told
