"""What failed for a passing reason: a plan, a status and the run after them count it alike."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.project import Shell

from veogen.errors import ExitCode

SPEC = """
veogen: 1
name: trip
params: {duration: 4, quality: 720p}
shots:
  - {name: boat, prompt: "A boat at {{ hour }}", matrix: {hour: [dawn, dusk]}}
"""
RUN = (
    "run", "trip.yaml", "--simulate", "--generation-time", "0.1", "--poll-interval", "0.1",
    "--faults", "faults.yaml",
)  # fmt: skip


@pytest.fixture
def shell(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Shell:
    (tmp_path / "trip.yaml").write_text(SPEC)
    return Shell(tmp_path, capfd, {})


def failing(shell: Shell, code: str | None) -> None:
    """From now on tasks of dusk fail with a code, or no task does."""
    fault = f"faults: [{{at: task, do: fail, code: {code}, prompt: dusk}}]\n" if code else ""
    (shell.folder / "faults.yaml").write_text(f"gateway: {{clips: shared}}\n{fault}")


PRICE, NOTHING = "38.016", "0.000"


def would_buy(shell: Shell) -> tuple[str, str]:
    """The credits of what a plan and a status say that a run would buy."""
    plan = json.loads(shell.veogen("plan", "trip.yaml", "--simulate", "--format", "json").out)
    status = shell.veogen("status", "trip.yaml", "--simulate", "--format", "json").out
    return plan["totals"]["to_buy"], json.loads(status)["to_buy"]["credits"]


def attempts(shell: Shell) -> list[int]:
    path = shell.folder / "runs/trip.simulated/results.json"
    lines: list[dict[str, Any]] = json.loads(path.read_text())["results"]
    return [line["attempts"] for line in lines]


@pytest.mark.parametrize(
    ("code", "retries", "bought"),
    [
        pytest.param("service_error", 0, 1, id="passing, and retries are left"),
        pytest.param("service_error", 1, 1, id="passing, and one is left"),
        pytest.param("service_error", 2, 0, id="passing, but tried as often as it is by itself"),
        pytest.param("content_policy_violation", 0, 0, id="it waits for an edit"),
    ],
)
def test_what_is_said_to_be_bought_is_what_a_run_buys(
    shell: Shell, code: str, retries: int, bought: int
) -> None:
    failing(shell, code)
    assert shell.veogen(*RUN, "--task-retries", str(retries)).code == ExitCode.INCOMPLETE
    before = attempts(shell)
    failing(shell, None)

    said = would_buy(shell)
    ended = shell.veogen(*RUN)

    assert said == (PRICE if bought else NOTHING,) * 2
    assert sum(attempts(shell)) - sum(before) == bought
    assert ended.code == (ExitCode.DONE if bought else ExitCode.INCOMPLETE)
    assert would_buy(shell) == (NOTHING, NOTHING)


def test_on_another_machine_nobody_buys_it_by_itself(shell: Shell) -> None:
    """Results alone are no ground to buy: the task was not read there."""
    failing(shell, "service_error")
    shell.veogen(*RUN, "--task-retries", "0")
    failing(shell, None)
    for path in (shell.folder / "runs/trip.simulated").glob("journal.db*"):
        path.unlink()

    assert would_buy(shell) == (NOTHING, NOTHING)
    assert shell.veogen(*RUN).code == ExitCode.INCOMPLETE
    assert attempts(shell) == [1, 1]
    assert would_buy(shell) == (NOTHING, NOTHING)


def test_a_plan_beside_a_journal_that_cannot_be_read_is_that_of_the_results(shell: Shell) -> None:
    failing(shell, "service_error")
    shell.veogen(*RUN, "--task-retries", "0")
    (shell.folder / "runs/trip.simulated/journal.db").write_bytes(b"not a journal")

    planned = shell.veogen("plan", "trip.yaml", "--simulate", "--format", "json")

    assert planned.code == ExitCode.DONE
    assert json.loads(planned.out)["totals"]["to_buy"] == NOTHING
