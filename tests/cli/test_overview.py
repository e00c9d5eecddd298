"""`veogen status` of several runs, and of a spec that was edited since its run."""

import json
from typing import Any

import pytest
from support.project import Shell

SPEC = """\
veogen: 1
shots:
  - {name: opening, prompt: "{{ city }} at dusk", matrix: {city: [Tokyo, Paris]}}
"""
PRACTICE = ("--simulate", "--generation-time", "0", "--progress", "none")


@pytest.fixture
def shell(shell: Shell) -> Shell:
    (shell.folder / "specs").mkdir()
    (shell.folder / "specs/a.yaml").write_text(SPEC)
    ended = shell.veogen("run", "specs/a.yaml", *PRACTICE)
    assert ended.code == 0, ended.err
    return shell


def bought(shell: Shell, name: str, status: str) -> None:
    """A run that was paid for, as a clone has it."""
    simulated = json.loads((shell.folder / "runs/a.simulated/results.json").read_text())
    results = simulated["results"]
    if status == "planned":
        nothing: dict[str, object] = {
            "status": status,
            "task_id": None,
            "attempts": 0,
            "credits": None,
            "videos": [],
        }
        results[0].update(nothing)
    folder = shell.folder / f"runs/{name}"
    folder.mkdir()
    real = {**simulated, "name": name, "gateway": "evolink", "results": results}
    (folder / "results.json").write_text(json.dumps(real))


def test_several_runs_are_a_table_with_the_sum_of_the_real_ones(shell: Shell) -> None:
    bought(shell, "b", "planned")
    bought(shell, "c", "completed")

    ended = shell.veogen("status")

    assert ended.out.splitlines() == [
        "                              requests  planned  completed  not here  credits",
        "runs/a.simulated (simulated)         2                   2             76.032",
        "runs/b                               2        1          1         1   38.016",
        "runs/c                               2                   2         2   76.032",
        "total of the real ones               4        1          3         3  114.048",
        "",
        "One of them: veogen status RUN",
    ]
    assert (ended.code, shell.veogen("status", "--exit-code").code) == (0, 1)


def test_where_no_run_is_real_the_code_is_that_of_practice(shell: Shell) -> None:
    results = shell.folder / "runs/a.simulated/results.json"
    (shell.folder / "runs/b.simulated").mkdir()
    (shell.folder / "runs/b.simulated/results.json").write_text(results.read_text())
    done = [shell.veogen("status", "--exit-code", *words).code for words in ((), ("--simulate",))]
    bought(shell, "b", "planned")
    (shell.folder / "runs/b/results.json").rename(shell.folder / "runs/b.simulated/results.json")
    (shell.folder / "runs/b").rmdir()
    data = json.loads((shell.folder / "runs/b.simulated/results.json").read_text())
    text = json.dumps({**data, "gateway": "simulated"})
    (shell.folder / "runs/b.simulated/results.json").write_text(text)

    left = [shell.veogen("status", "--exit-code", *words).code for words in ((), ("--simulate",))]

    assert (done, left) == ([0, 0], [1, 1])


def test_several_runs_are_an_array(shell: Shell) -> None:
    bought(shell, "b", "completed")

    every: list[dict[str, Any]] = json.loads(shell.veogen("status", "--format", "json").out)
    alone = json.loads(shell.veogen("status", "runs/b", "--format", "json").out)

    assert [(each["run"], each["gateway"]) for each in every] == [
        ("runs/a.simulated", "simulated"),
        ("runs/b", "evolink"),
    ]
    assert {name: every[1][name] for name in ("summary", "results")} == alone


def test_the_only_run_is_shown_in_full(shell: Shell) -> None:
    assert shell.veogen("status").out.startswith("a: runs/a.simulated (simulated")


@pytest.mark.parametrize(
    ("edit", "told", "data"),
    [
        pytest.param(
            ("dusk", "dusk"),
            "specs/a.yaml would buy nothing now.",
            {"requests": 0, "credits": "0.000"},
            id="nothing",
        ),
        pytest.param(
            ("[Tokyo, Paris]", "[Tokyo, Paris, Oslo]"),
            "specs/a.yaml would buy 1 request now (1 new) for 38.016 credits: "
            "veogen run specs/a.yaml --simulate",
            {"requests": 1, "credits": "38.016"},
            id="a new request",
        ),
        pytest.param(
            ("dusk", "dawn"),
            "specs/a.yaml would buy 2 requests now (2 changed) for 76.032 credits: "
            "veogen run specs/a.yaml --simulate",
            {"requests": 2, "credits": "76.032"},
            id="what was edited",
        ),
        pytest.param(
            ("prompt", "promt"),
            "specs/a.yaml has mistakes: veogen validate specs/a.yaml",
            {"requests": None, "credits": None},
            id="mistakes",
        ),
    ],
)
def test_of_a_spec_it_says_what_that_would_still_buy(
    shell: Shell, edit: tuple[str, str], told: str, data: dict[str, object]
) -> None:
    (shell.folder / "specs/a.yaml").write_text(SPEC.replace(*edit))

    text = shell.veogen("status", "specs/a.yaml", "--simulate")
    as_json = json.loads(
        shell.veogen("status", "specs/a.yaml", "--simulate", "--format", "json").out
    )
    of_run = json.loads(shell.veogen("status", "runs/a.simulated", "--format", "json").out)

    assert (text.code, text.out.splitlines()[-1]) == (0, told)
    assert as_json == {**of_run, "to_buy": data}
