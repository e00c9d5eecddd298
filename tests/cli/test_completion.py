"""`veogen completion`: what real shells make of a line when Tab is pressed."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

BIN = Path(sys.executable).parent
SPEC = """\
veogen: 1
matrix: {city: [Tokyo, Paris], look: [noir]}
profiles: {draft: {}, final: {}}
shots:
  - {name: opening, prompt: "{{ city }} {{ look }}"}
  - {name: closing, prompt: "{{ city }} {{ look }} at night", matrix: {city: ["São Paulo"]}}
"""
RESULTS = '{"format": "veogen.results/1", "name": "launch", "gateway": "evolink", "results": [], "former": []}'
SHELLS = {
    "bash": (
        ["--norc", "--noprofile"],
        'bind "set enable-bracketed-paste off"; PS1="> "; eval "$(veogen completion bash)"',
    ),
    "zsh": (
        ["-f"],
        'autoload -Uz compinit; compinit -u; PS1="> "; eval "$(veogen completion zsh)"',
    ),
    "fish": (["--no-config"], "veogen completion fish | source"),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/launch.yaml").write_text(SPEC)
    for name in ("launch", "launch.draft.simulated"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "results.json").write_text(RESULTS)
    return tmp_path


@pytest.fixture(params=SHELLS)
def terminal(request: pytest.FixtureRequest, project: Path) -> "pexpect.spawn[str]":
    """A shell in the project that knows veogen's completion."""
    words, start = SHELLS[request.param]
    environ = {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "HOME": str(project),
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
    }
    child: pexpect.spawn[str] = pexpect.spawn(
        request.param, words, cwd=str(project), env=environ, encoding="utf-8", timeout=30
    )
    child.setwinsize(50, 200)
    child.sendline(start)
    child.sendline("echo lis''tens")
    child.expect_exact("listens")
    return child


def test_tab_completes_what_is_typed(terminal: "pexpect.spawn[str]") -> None:
    plan = "veogen plan specs/launch.yaml"
    for typed, completed in (
        ("veogen sta", "veogen status "),
        ("veogen status --for", "veogen status --format "),
        ("veogen status --format j", "veogen status --format json "),
        ("veogen export runs/launch.d", "veogen export runs/launch.draft.simulated "),
        (f"{plan} --profile dr", f"{plan} --profile draft "),
        (f"{plan} --select 'cl", f"{plan} --select 'closing[city=\"São Paulo\",look=noir]' "),
    ):
        terminal.send(f"{typed}\t")
        terminal.expect_exact(completed[:-1])
        terminal.send("\x15")  # and takes the line away


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        pytest.param(["veogen", "sta"], ["plain,status"], id="a command"),
        pytest.param(
            ["veogen", "plan", "specs/launch.yaml", "--profile", ""],
            ["plain,draft", "plain,final"],
            id="profiles",
        ),
    ],
)
def test_a_script_that_parts_the_words_itself_is_answered_too(
    project: Path, words: list[str], offered: list[str]
) -> None:
    environ = {
        "_VEOGEN_COMPLETE": "bash_complete",
        "COMP_WORDS": shlex.join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    answer = subprocess.run(
        [BIN / "veogen"], cwd=project, env=environ, check=True, capture_output=True, text=True
    )

    assert answer.stdout.splitlines() == offered


def test_an_address_is_completed_though_its_signs_mean_something_to_a_shell(
    terminal: "pexpect.spawn[str]",
) -> None:
    terminal.send("echo '='; veogen plan specs/launch.yaml --select opening\\[city=T\t")
    terminal.expect(r"opening\\\[city=Tokyo\\?,look\\?=noir\\\]")
