"""The question before money is spent, on a real terminal, and leaving by signals."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from support.gateways import Served, clean_environment, simulator

from veogen.errors import ExitCode

SPEC = """
veogen: 1
name: trip
params: {duration: 4}
shots: [{name: boat, prompt: "A boat at {{ hour }}", matrix: {hour: [dawn, dusk]}}]
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    account = tmp_path_factory.mktemp("account") / "faults.yaml"
    account.write_text("gateway: {clips: shared, estimated_time: 1, credits: 1000}\n")
    with simulator(account, generation_time=0.1) as served:
        yield served


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "trip.yaml").write_text(SPEC)
    return tmp_path


def ask(project: Path, served: Served, *options: str) -> "pexpect.spawn[str]":
    return pexpect.spawn(
        sys.executable,
        ["-m", "veogen", "run", "trip.yaml", "--poll-interval", "0.1", *options],
        cwd=str(project),
        env={**clean_environment(served), "TERM": "xterm", "COLUMNS": "100"},
        encoding="utf-8",
        timeout=60,
    )


def statuses(project: Path) -> list[str]:
    results = json.loads((project / "runs/trip/results.json").read_text())["results"]
    return [line["status"] for line in results]


def test_a_renamed_spec_is_told_what_its_old_run_has_bought(project: Path, served: Served) -> None:
    first = ask(project, served, "--yes", "--select", "*dusk*")
    first.expect(pexpect.EOF)
    (project / "trip.yaml").write_text(SPEC.replace("name: trip", "name: journey", 1))

    run = ask(project, served)

    run.expect_exact("note: runs/trip has bought 1 of these 2 requests")
    run.expect_exact("git mv runs/trip runs/journey")
    run.expect_exact("Buy them? [y/N]: ")
    run.sendline("n")
    run.expect(pexpect.EOF)


def test_the_question_names_requests_videos_seconds_money_and_balance(
    project: Path, served: Served
) -> None:
    run = ask(project, served)

    run.expect_exact("trip.yaml, in runs/trip: 2 requests, no budget.")
    run.expect_exact("2 requests (2 new), 2 videos, 8 seconds: 76.032 credits (about $1.12)")
    run.expect_exact("4 at a time, about 2 min.")
    run.expect(r"Balance: [0-9.]+ credits\.")
    run.expect_exact("Buy them?")
    run.sendline("y")
    run.expect(pexpect.EOF)
    run.close()

    assert run.exitstatus == ExitCode.DONE
    assert statuses(project) == ["completed", "completed"]


def test_the_money_is_that_of_the_plan_and_a_ceiling_is_said(project: Path, served: Served) -> None:
    spec = SPEC.replace("duration: 4", "duration: 8").replace(
        "[dawn, dusk]", "[1, 2, 3, 4, 5, 6, 7]"
    )
    spec += "budget: {max_credits: 1000}\n"
    (project / "trip.yaml").write_text(spec)
    plan = subprocess.run(
        [sys.executable, "-m", "veogen", "plan", "trip.yaml"],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )
    run = ask(project, served, "--max-credits", "100", "--max-in-flight", "2")

    assert "7 requests, 7 videos, 56 seconds: 532.224 credits, about $7.83\n" in plan.stdout
    run.expect_exact("trip.yaml, in runs/trip: 7 requests, 1000.000 of the budget of 1000 left.")
    run.expect_exact(
        "7 requests (7 new), 7 videos, 56 seconds: 532.224 credits (about $7.83); "
        "2 at a time, about 7 min. No more than 100 credits are spent now (--max-credits)."
    )
    run.sendline("n")
    run.expect(pexpect.EOF)
    run.close()


@pytest.mark.parametrize(
    ("model", "money"),
    [
        pytest.param("own-1", "2 requests of unknown price;", id="of both"),
        pytest.param(
            "{{ {'dawn': 'own-1', 'dusk': 'veo-3.1-fast-generate-preview'}[hour] }}",
            "38.016 credits (about $0.56) and 1 request of unknown price;",
            id="of one",
        ),
    ],
)
def test_requests_without_a_price_are_counted_beside_the_money(
    project: Path, served: Served, model: str, money: str
) -> None:
    (project / "models").mkdir()
    own = "id: own-1\nlike: veo-3.1-fast-generate-preview\n"
    (project / "models/own.yaml").write_text(own)
    run = ask(project, served, "--set", f'params.model="{model}"')

    run.expect_exact(f"2 requests (2 new), 2 videos, 8 seconds: {money}")
    run.expect_exact("Buy them?")
    run.sendline("n")
    run.expect(pexpect.EOF)
    run.close()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param("n\r", ExitCode.USAGE, id="no"),
        pytest.param("\r", ExitCode.USAGE, id="nothing: no is what is meant then"),
        pytest.param("\x04", ExitCode.USAGE, id="Ctrl-D"),
        pytest.param("\x03", ExitCode.INTERRUPTED, id="Ctrl-C"),
    ],
)
def test_a_no_sends_nothing_and_leaves_nothing_behind(
    project: Path, served: Served, answer: str, code: ExitCode
) -> None:
    before, files = served.audit()["submits"]["posts"], sorted(project.rglob("*"))
    run = ask(project, served)

    run.expect_exact("Buy them? [y/N]: ")
    run.send(answer)
    run.expect_exact("answered no; nothing was sent" if code == ExitCode.USAGE else "Interrupted")
    run.expect(pexpect.EOF)
    run.close()

    assert run.exitstatus == code
    assert served.audit()["submits"]["posts"] == before
    assert sorted(project.rglob("*")) == files


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_leaves_everything_on_record(
    project: Path, served: Served, number: signal.Signals
) -> None:
    words = [sys.executable, "-m", "veogen", "run", "trip.yaml", "--yes", "--progress", "lines"]
    with subprocess.Popen(
        [*words, "--poll-interval", "60"],
        cwd=project,
        env=clean_environment(served),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("submitted"):
                break
        process.send_signal(number)
        process.stderr.read()
        code = process.wait(timeout=30)

    assert code == ExitCode.INTERRUPTED
    assert set(statuses(project)) <= {"submitted", "planned", "completed"}
    assert "submitted" in statuses(project)
    again = subprocess.run(
        [*words, "--poll-interval", "0.1"],
        cwd=project,
        env=clean_environment(served),
        check=False,
        capture_output=True,
    )
    assert (again.returncode, statuses(project)) == (ExitCode.DONE, ["completed", "completed"])
