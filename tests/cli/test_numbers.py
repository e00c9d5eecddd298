"""Numbers on the command line are numbers: a run does not wait for ever."""

from pathlib import Path

import pytest
from support.project import Shell

from veogen.cli.options import RunOptions
from veogen.cli.runs import policy_of
from veogen.errors import ExitCode
from veogen.executor.options import RunPolicy

SPEC = "{veogen: 1, name: trip, shots: [{name: boat, prompt: A boat}]}"


@pytest.fixture
def shell(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Shell:
    (tmp_path / "trip.yaml").write_text(SPEC)
    return Shell(tmp_path, capfd, {})


@pytest.mark.parametrize("number", ["nan", "-nan", "inf", "-inf", "1e999", "1e7", "-1", "soon"])
@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["run", "trip.yaml", "--simulate", f"--{name}"], id=name)
        for name in (
            "poll-interval",
            "task-timeout",
            "request-timeout",
            "submit-rate",
            "generation-time",
        )
    ]
    + [
        pytest.param(["collect", "--task-timeout"], id="collect"),
        pytest.param(["simulate", "--generation-time"], id="simulate"),
    ],
)
def test_what_is_no_number_of_this_world_is_refused(
    shell: Shell, words: list[str], number: str
) -> None:
    ended = shell.veogen(*words[:-1], f"{words[-1]}={number}")

    assert (ended.code, ended.out) == (ExitCode.USAGE, "")
    assert f"Invalid value for '{words[-1]}'" in ended.err
    assert not (shell.folder / "runs").exists()


@pytest.mark.parametrize(
    "amount",
    ["-1", "nan", "inf", "1e999999999", "1e-999999999", "0e999999999", "soon", "1_000", " 5", "٣"],
)
def test_what_is_no_amount_of_money_is_refused(shell: Shell, amount: str) -> None:
    ended = shell.veogen("run", "trip.yaml", "--simulate", f"--max-credits={amount}")

    assert (ended.code, ended.out) == (ExitCode.USAGE, "")
    assert f"'--max-credits': {amount!r} is not a number of credits" in ended.err


def test_a_run_without_options_has_the_policy_of_the_library() -> None:
    assert policy_of(RunOptions()) == RunPolicy()
