"""What the command line says about itself, to people and to shells."""

import shlex
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from veogen import __version__
from veogen.cli import COMMANDS, GROUPS, veogen

DEAR = {"requests", "tqdm", "av", "sqlite3", "aiohttp", "pydantic", "jinja2", "yaml"}


def command(name: str) -> click.Command:
    found = veogen.get_command(click.Context(veogen), name)
    assert found
    return found


def text(name: str) -> str:
    context = click.Context(command(name), info_name=name, parent=click.Context(veogen))
    return command(name).get_help(context)


def examples(name: str) -> list[list[str]]:
    lines = text(name).partition("Examples:\n")[2].splitlines()
    return [shlex.split(line.partition(" > ")[0]) for line in lines]


def test_commands_are_grouped_in_the_order_of_the_work() -> None:
    lines = veogen.get_help(click.Context(veogen)).splitlines()

    headings = [line.removesuffix(":") for line in lines if line.endswith(":")]
    listed = [
        line.split()[0] for line in lines if line.startswith("  ") and line.split()[0] in COMMANDS
    ]
    assert headings == ["Options", *GROUPS]
    assert listed == list(COMMANDS)


def test_help_imports_nothing_dear() -> None:
    program = (
        "import sys; from veogen.cli import veogen\n"
        "veogen(['--help'], standalone_mode=False)\n"
        f"print(*({DEAR!r} & set(sys.modules)), file=sys.stderr)"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert ended.stderr.split() == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples_that_fit_it(name: str) -> None:
    found = examples(name)

    assert any(words[:2] == ["veogen", name] for words in found)
    for _, called, *words in found:
        options = {option for parameter in command(called).params for option in parameter.opts}
        assert [word for word in words if word.startswith("--") and word not in options] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_does(name: str) -> None:
    silent = [
        parameter.name
        for parameter in command(name).params
        if isinstance(parameter, click.Option) and not parameter.help
    ]

    assert silent == []


def test_where_it_cannot_run_it_says_where_it_can() -> None:
    code = "import sys; sys.platform = 'win32'; from veogen.__main__ import main; main()"

    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    told = "error: veogen runs on Linux and macOS; on Windows install it in WSL\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", told)


@pytest.mark.parametrize("words", [[], *([name] for name in COMMANDS)], ids=" ".join)
def test_the_version_is_told_everywhere(words: list[str]) -> None:
    ended = CliRunner().invoke(veogen, [*words, "--version"])

    assert (ended.exit_code, ended.output) == (0, f"veogen {__version__}\n")
