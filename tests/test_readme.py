"""What the README says is true: its commands exist and its specs plan."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from veogen.cli import COMMANDS, veogen

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()

SHELL = [
    line.split("  #")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
]
INLINE = re.findall(r"`(?:\.venv/bin/)?(veogen [a-z][^`]*)`", README)
VEOGEN = [*INLINE, *(line for line in SHELL if line.startswith("veogen "))]


@pytest.mark.parametrize("line", sorted(set(VEOGEN)))
def test_a_command_of_the_readme_exists_with_its_options(line: str) -> None:
    words = shlex.split(line.replace("…", ""))[1:]
    command = veogen.get_command(None, words[0])  # type: ignore[arg-type]

    assert command is not None
    known = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_every_command_that_is_listed_can_be_asked_for_help() -> None:
    for name in COMMANDS:
        result = CliRunner().invoke(veogen, [name, "--help"])
        assert (name, result.exit_code) == (name, 0)


def test_the_files_that_the_readme_names_are_there() -> None:
    named = set(re.findall(r"\b(specs/[\w.-]+\.yaml)", README))

    assert named == {"specs/quickstart.yaml"}
    assert (ROOT / "specs/quickstart.yaml").is_file()


def test_the_check_calls_the_readmes_test_command() -> None:
    check = (ROOT / ".ci/run").read_text()

    assert sum(".venv/bin/pytest" in line for line in SHELL) == 1
    assert "README.md" in check
