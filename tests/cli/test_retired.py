"""A model after its last day: planned with a warning, bought only where the team says so."""

from pathlib import Path

import pytest
from support.project import Shell

from veogen.errors import ExitCode

MODEL = """
id: veo-old
like: veo-3.1-fast-generate-preview
retired: {date: DATE, instead: veo-3.1-generate-preview}
prices: {date: "2026-11-01", credits_per_usd: 68, rule: per_second, credits: 5}
"""
SPEC = """
veogen: 1
name: trip
params: {model: veo-old, duration: 4}
shots: [{name: boat, prompt: A boat at dawn}]
"""
QUICK = ("--simulate", "--generation-time", "0.1", "--poll-interval", "0.1", "--progress", "none")
WARNING = (
    "specs/trip.yaml:4:17: warning[retired]: veo-old is retired on DATE (UTC); use "
    "veo-3.1-generate-preview (boat)"
)


@pytest.fixture
def shell(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Shell:
    (tmp_path / "specs").mkdir()
    (tmp_path / "models").mkdir()
    (tmp_path / "specs/trip.yaml").write_text(SPEC)
    (tmp_path / "specs/other.yaml").write_text(
        SPEC.replace("dawn", "dusk").replace("trip", "other")
    )
    retire(tmp_path, "2020-01-31")
    return Shell(tmp_path, capfd, {})


def retire(root: Path, date: str) -> None:
    (root / "models/old.yaml").write_text(MODEL.replace("DATE", f'"{date}"'))


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("validate", "specs/trip.yaml"), id="validate"),
        pytest.param(("plan", "specs/trip.yaml"), id="plan"),
        pytest.param(("lock", "specs/trip.yaml"), id="lock"),
        pytest.param(("diff", "specs/other.yaml", "specs/trip.yaml"), id="diff"),
    ],
)
def test_what_buys_nothing_only_warns(words: tuple[str, ...], shell: Shell) -> None:
    ended = shell.veogen(*words)

    assert ended.code == ExitCode.DONE
    assert WARNING.replace("DATE", "2020-01-31") in ended.err + ended.out


def test_nothing_is_bought_of_it_after_its_last_day(shell: Shell) -> None:
    ended = shell.veogen("run", "specs/trip.yaml", *QUICK)

    assert ended.code == ExitCode.USAGE
    assert ended.err.splitlines()[-1] == (
        "error: boat: veo-old was retired on 2020-01-31; use veo-3.1-generate-preview, or say "
        "'retired: allow' in veogen.yaml; nothing was sent"
    )


@pytest.mark.slow
def test_no_worker_of_a_cluster_buys_it_either(shell: Shell) -> None:
    store = ("--store", f"file://{shell.folder}/store")

    ended = shell.veogen("run", "specs/trip.yaml", *QUICK, *store, "--dask", "local:1")

    assert (ended.code, ended.err.splitlines()[-1].endswith("nothing was sent")) == (
        ExitCode.USAGE,
        True,
    )
    assert not list((shell.folder / "store").rglob("claims/*"))


def test_it_is_bought_until_then(shell: Shell) -> None:
    retire(shell.folder, "2999-01-31")

    planned = shell.veogen("plan", "specs/trip.yaml")
    ended = shell.veogen("run", "specs/trip.yaml", *QUICK)

    assert ended.code == ExitCode.DONE
    assert WARNING.replace("DATE", "2999-01-31") in planned.err


def test_a_team_may_allow_it(shell: Shell) -> None:
    (shell.folder / "veogen.yaml").write_text("retired: allow\n")

    assert shell.veogen("run", "specs/trip.yaml", *QUICK).code == ExitCode.DONE


def test_what_was_bought_of_it_stays_readable_and_is_not_bought_anew(shell: Shell) -> None:
    retire(shell.folder, "2999-01-31")
    shell.veogen("run", "specs/trip.yaml", *QUICK)
    retire(shell.folder, "2020-01-31")

    again = shell.veogen("run", "specs/trip.yaml", *QUICK)
    rebuy = shell.veogen("resolve", "runs/trip.simulated", "--rebuy", "boat")

    assert again.code == ExitCode.DONE
    assert shell.veogen("status").code == ExitCode.DONE
    assert rebuy.code == ExitCode.USAGE


def test_what_is_held_of_it_is_not_sent_again(shell: Shell) -> None:
    retire(shell.folder, "2999-01-31")
    (shell.folder / "lost.yaml").write_text("faults: [{at: submit, do: drop, times: 1}]\n")
    held = shell.veogen("run", "specs/trip.yaml", *QUICK, "--faults", "lost.yaml")
    retire(shell.folder, "2020-01-31")

    again = shell.veogen("run", "specs/trip.yaml", *QUICK, "--on-indeterminate", "replay")

    assert (held.code, again.code) == (ExitCode.INDETERMINATE, ExitCode.USAGE)
    assert "veo-old was retired on 2020-01-31" in again.err


def test_another_word_in_the_policy_is_a_mistake(shell: Shell) -> None:
    (shell.folder / "veogen.yaml").write_text("retired: maybe\n")

    ended = shell.veogen("plan", "specs/trip.yaml")

    assert ended.code == ExitCode.USAGE
    assert "veogen.yaml:1:10: error[value]: 'retired' is one of 'allow', not 'maybe'" in ended.err
