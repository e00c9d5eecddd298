"""The reference is true: its examples work, its lists are those of the grammar and commands.

`UPDATE_REFERENCE=1 pytest tests/reference` writes the lists anew.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from click.testing import CliRunner
from support.gateways import Served, quick_simulator
from support.pages import FENCE, REFERENCE, Block, Reader, blocks, commands_of, generated
from support.project import Shell

from veogen.cli import veogen
from veogen.cli.help import summary, topics, wrapped
from veogen.errors import ExitCode

PAGES = sorted(path.stem for path in REFERENCE.glob("*.md"))
ASKED_FOR = [
    "spec",
    "matrix",
    "templates",
    "rows",
    "profiles",
    "policy",
    "store",
    "picks",
    "money",
    "ci",
    "python",
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with quick_simulator(tmp_path_factory.mktemp("account")) as served:
        yield served


@pytest.fixture
def reader(served: Served, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Reader:
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=tmp_path, check=True)
    return Reader(Shell(tmp_path, capfd, served.environ))


def text(topic: str) -> str:
    return (REFERENCE / f"{topic}.md").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("topic", PAGES)
def test_the_examples_of_a_page_work_in_their_order(topic: str, reader: Reader) -> None:
    written = ""
    for block in blocks(text(topic)):
        if "." in block.label or "/" in block.label:
            reader.write(block)
            check_spec(block, reader)
        elif block.language == "sh":
            written = run_all(block, reader)
        elif block.language == "text":
            assert said(block.text, written), written
        elif block.language == "python":
            (reader.folder / "example.py").write_text(block.text)
            code, written = reader.type(f"{sys.executable} -W error example.py")
            assert (code, "Traceback" in written) == (0, False), written
        else:
            check_fragment(block, reader)


def check_spec(block: Block, reader: Reader) -> None:
    """A whole spec has no mistakes."""
    is_base = Path(block.label).name.startswith("_")
    if block.language == "yaml" and block.text.startswith("veogen:") and not is_base:
        assert reader.type(f"veogen validate {block.label}") == (0, "1 spec: no mistakes\n")


def run_all(block: Block, reader: Reader) -> str:
    """What the commands wrote; each ends with 0, or the last with the code beside `sh`."""
    expected = int(block.label.removeprefix("exit=") or 0)
    written = ""
    lines = commands_of(block)
    for number, line in enumerate(lines, 1):
        code, told = reader.type(line)
        assert code == (expected if number == len(lines) else 0), f"{line}\n{told}"
        written += told
    return written


def said(expected: str, written: str) -> bool:
    """Whether all lines were written in this order; `…` stands for anything."""
    pattern = ".*".join(
        r"\s+".join(".*?".join(map(re.escape, part.split("…"))) for part in line.split())
        for line in expected.splitlines()
    )
    return re.search(pattern, written, re.DOTALL) is not None


def check_fragment(block: Block, reader: Reader) -> None:
    """Keys of a shot or a spec that are shown alone have no mistakes among others."""
    indented = block.text.replace("\n", "\n    ")
    whole = {
        "shot": f"veogen: 1\nshots:\n  - name: a\n    {indented}\n",
        "spec": f"veogen: 1\n{block.text}\n",
    }[block.label]
    if block.label == "shot" and not re.search(r"^(prompt|template):", block.text, re.MULTILINE):
        whole += "    prompt: A boat\n"
    if block.label == "spec" and not re.search(r"^shots:", block.text, re.MULTILINE):
        whole += "shots: [{name: a, prompt: A boat}]\n"
    path = reader.folder / "fragment.yaml"
    path.write_text(whole)
    code, told = reader.type(f"veogen validate {path.name}")
    assert code == 0, f"{whole}\n{told}"


@pytest.mark.parametrize("topic", PAGES)
def test_the_lists_of_a_page_are_those_of_the_program(topic: str) -> None:
    made = generated(text(topic))

    if os.environ.get("UPDATE_REFERENCE"):
        (REFERENCE / f"{topic}.md").write_text(made)
    assert text(topic) == made, "UPDATE_REFERENCE=1 pytest tests/reference writes it anew"


@pytest.mark.parametrize("topic", PAGES)
def test_a_page_begins_with_its_title_and_a_sentence_for_the_list(topic: str) -> None:
    assert text(topic).startswith("# ")
    assert 10 < len(summary(topic)) < 90, summary(topic)


@pytest.mark.parametrize("topic", PAGES)
def test_what_a_page_links_to_is_there(topic: str) -> None:
    linked = re.findall(r"\]\(([^)]+)\)", text(topic))
    named = re.findall(r"`veogen help ([\w-]+)`", text(topic))

    assert [link for link in linked if not link.startswith("https://")] == []
    assert sorted(set(named) - set(PAGES)) == []


def test_the_topics_of_the_language_and_of_work_are_there() -> None:
    listed = [name for names in topics().values() for name in names]

    assert sorted(listed) == PAGES
    assert sorted(set(ASKED_FOR) - set(listed)) == []


def test_help_lists_every_page_and_prints_each_as_it_is_written() -> None:
    listed = CliRunner().invoke(veogen, ["help"])

    assert listed.exit_code == 0
    for topic in PAGES:
        assert f"{topic.ljust(10)}  {summary(topic)}\n" in listed.output
        page = CliRunner().invoke(veogen, ["help", topic])
        assert (page.exit_code, page.output) == (
            0,
            re.sub(r"<!--.*?-->\n*", "", text(topic), flags=re.DOTALL),
        )


def test_a_command_that_no_page_is_called_after_tells_about_itself() -> None:
    asked = CliRunner().invoke(veogen, ["help", "collect"])

    assert asked.output == CliRunner().invoke(veogen, ["collect", "--help"]).output
    assert asked.output.startswith("Usage: veogen collect ")


def test_on_a_terminal_a_page_is_shown_by_the_pager(tmp_path: Path) -> None:
    pager = tmp_path / "pager"
    pager.write_text("#!/bin/sh\nsed -n 's/.*# Rows.*/paged/p'\n")
    pager.chmod(0o755)
    words = ["-m", "veogen", "help", "rows"]
    environ = {**os.environ, "PAGER": str(pager), "TERM": "xterm"}

    child: pexpect.spawn[str] = pexpect.spawn(
        sys.executable, words, env=environ, encoding="utf-8", timeout=30
    )

    assert child.read().split() == ["paged"]


@pytest.mark.parametrize("topic", PAGES)
def test_a_narrow_screen_breaks_no_word_of_a_page(topic: str) -> None:
    page = re.sub(r"<!--.*?-->\n*", "", text(topic), flags=re.DOTALL)
    lines = list(wrapped(page, 60))

    prose = FENCE.sub("", "\n".join(lines))
    wide = [line for line in prose.splitlines() if len(line) > 60 and " " in line.strip("-# ")]
    assert "\n".join(lines).split() == page.split()
    assert [line for line in wide if not line.startswith(("|", "#"))] == []


def test_lists_are_indented_where_they_are_wrapped() -> None:
    text = "A\nb\n\n- one two\n  three\n  - four five six\n\n```sh\na  b c d e f g h\n```\n"

    assert list(wrapped(text, 12)) == [
        "A b",
        "",
        "- one two",
        "  three",
        "  - four",
        "    five six",
        "",
        "```sh",
        "a  b c d e f g h",
        "```",
        "",
    ]


def test_a_topic_that_is_none_is_told_with_the_nearest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = Shell(tmp_path, capsys, {}).veogen("help", "matrx")

    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "error: there is no page about 'matrx'; did you mean 'matrix'?\n"


def test_every_exit_code_is_explained() -> None:
    [table] = re.findall(r"## Exit codes\n\n(.*?)\n\n", text("commands"), re.DOTALL)
    codes = [int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)]

    assert codes == sorted(ExitCode)
