"""What the README says is true: its commands exist and its specs plan."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.gateways import Served, quick_simulator
from support.project import Shell

from veogen.cli import COMMANDS, veogen
from veogen.planner.planner import plan
from veogen.results.picks import Decision, clip_id, picks_text
from veogen.spec.load import load_spec

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()

QUICKSTART = plan(load_spec(ROOT / "specs/quickstart.yaml"))
SAVED = "quickstart.simulated.picks.anna.yaml"

SHELL = [
    line.split("  #")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
]
INLINE = re.findall(r"`(veogen [a-z][^`]*)`", README)
PARTS = [part.strip() for line in SHELL for part in line.split("&&")]
VEOGEN = list(dict.fromkeys([*(part for part in PARTS if part.startswith("veogen ")), *INLINE]))


@pytest.mark.parametrize("line", sorted(set(VEOGEN)))
def test_a_command_of_the_readme_exists_with_its_options(line: str) -> None:
    words = shlex.split(line.replace("…", ""))[1:]
    command = veogen.get_command(None, words[0])  # type: ignore[arg-type]

    assert command is not None
    known = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with quick_simulator(tmp_path_factory.mktemp("account")) as served:
        yield served


def test_the_commands_of_the_readme_do_what_they_say(
    served: Served, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """In the order of the README, in a clone of this project, with a simulated account."""
    for folder in ("specs", "templates"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run([*GIT, *words], cwd=tmp_path, check=True)
    subprocess.run(
        [*GIT, "update-ref", "refs/remotes/origin/main", "main"], cwd=tmp_path, check=True
    )
    [clip] = [one.hash for one in QUICKSTART.requests if one.address == "closing#2"]
    (tmp_path / SAVED).write_text(picks_text([Decision("closing#2", clip_id(clip), "pick")]))
    shell = Shell(tmp_path, capfd, served.environ)

    ended = {line: shell.veogen(*_typed(line)).code for line in VEOGEN}

    assert ended == dict.fromkeys(VEOGEN, 0)
    clips = [path.name for path in (tmp_path / "DIR").rglob("*.mp4")]
    assert len(clips) == 1
    assert (tmp_path / "runs/quickstart/gallery.html").is_file()


def _typed(line: str) -> list[str]:
    """The words of a command; a question is answered, and nothing runs in the open."""
    words = [word for word in shlex.split(line.replace("…", ""))[1:] if word != "--open"]
    if "--simulate" in words and words[0] == "run":
        return [*words, "--generation-time", "0.05"]
    if words[0] == "run":
        words += [] if "specs/quickstart.yaml" in words else ["specs/quickstart.yaml"]
        words += ["--yes", "--poll-interval", "0.1"]
    if words == ["resolve"]:
        words.append("--help")
    return [{"RUN": "runs/quickstart", "FILE": SAVED}.get(word, word) for word in words]


GIT = ("git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")


def test_every_command_that_is_listed_can_be_asked_for_help() -> None:
    for name in COMMANDS:
        result = CliRunner().invoke(veogen, [name, "--help"])
        assert (name, result.exit_code) == (name, 0)


def test_the_files_that_the_readme_names_are_there() -> None:
    named = set(re.findall(r"\b(specs/[\w.-]+\.yaml)", README))

    assert named == {"specs/quickstart.yaml"}
    assert (ROOT / "specs/quickstart.yaml").is_file()


def test_what_a_run_costs_is_what_the_plan_says(
    capfd: pytest.CaptureFixture[str],
) -> None:
    told = Shell(ROOT, capfd, {}).veogen("plan", "specs/quickstart.yaml").out

    [size, price] = re.findall(r"(8 clips of 4 seconds) cost about (\$[\d.]+) \(278", README)[0]
    assert (size, f": 278.784 credits, about {price}" in told) == ("8 clips of 4 seconds", True)


def test_the_reference_is_where_it_is_linked() -> None:
    linked = re.findall(r"\]\(([^)h][^)]*)\)", README)
    topics = re.findall(r"`veogen help ([\w-]+)`", README)

    assert linked == ["veogen/reference"]
    assert [
        topic for topic in topics if not (ROOT / f"veogen/reference/{topic}.md").is_file()
    ] == []


def test_the_check_calls_the_readmes_test_command() -> None:
    check = (ROOT / ".ci/run").read_text()

    assert sum(".venv/bin/pytest" in line for line in SHELL) == 1
    assert "README.md" in check


def test_the_path_through_the_code_exists() -> None:
    path = README.partition("## Read the code")[2]
    files, package = [], ""
    for name in re.findall(r"`([\w/]+\.py)`", path):
        if not name.startswith("tests/"):
            package = name.rpartition("/")[0] or package
            files.append(ROOT / "veogen" / package / name.rpartition("/")[2])

    assert len(files) == 25
    assert [file for file in files if not file.is_file()] == []
