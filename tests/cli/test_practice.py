"""What a simulated run teaches: every command that it prints can be typed, and none spends."""

import shlex

import pytest
from support.project import Ended, Shell

SPEC = 'veogen: 1\nshots: [{name: s, prompt: "A {{ c }}", matrix: {c: [boat, car]}}]\n'
LOST = "faults: [{at: submit, do: drop, taken: true, prompt: boat, times: 1}]\n"


@pytest.fixture
def held(shell: Shell) -> str:
    """A simulated run, in a directory of its own, of which one request is held: what it said."""
    (shell.folder / "specs").mkdir()
    (shell.folder / "specs/a.yaml").write_text(SPEC)
    (shell.folder / "lost.yaml").write_text(LOST)
    ended = shell.veogen(
        *("run", "specs/a.yaml", "--simulate", "--generation-time", "0", "--progress", "lines"),
        *("--faults", "lost.yaml", "--dir", "runs/practice"),
    )
    assert ended.code == 4
    return ended.err


def printed(text: str, *begin: str) -> list[list[str]]:
    """The commands in a text that begin so, as words."""
    lines = [line[line.index("veogen ") :] for line in text.splitlines() if "veogen " in line]
    commands = [shlex.split(line.split("   ")[0]) for line in lines]
    return [words for words in commands if words[: len(begin)] == list(begin)]


@pytest.mark.slow
def test_a_task_that_may_be_the_lost_one_can_be_adopted(shell: Shell, held: str) -> None:
    [resolve] = printed(held.split("type: ")[1].splitlines()[0], "veogen", "resolve")

    adopted = shell.veogen(*resolve[1:])
    collected = shell.veogen("collect", "runs/practice")

    assert adopted.code == 0, adopted.err
    assert "2 requests: 2 completed; 2 videos." in collected.err


def test_a_run_that_a_simulated_directory_names_is_simulated(shell: Shell, held: str) -> None:
    del held
    (shell.folder / "specs/a.yaml").write_text(SPEC.replace("car", "train"))

    text = shell.veogen("status", "runs/practice").out
    runs = printed(text, "veogen", "run")

    assert all("--simulate" in words for words in runs)
    assert printed(text, "veogen", "resolve")


def test_a_real_run_refuses_its_directory_before_it_asks_the_gateway(
    shell: Shell, held: str
) -> None:
    del held
    real = Shell(shell.folder, shell.capture, {"EVOLINK_API_KEY": "sk-evo-key"})

    ended = real.veogen("run", "specs/a.yaml", "--dir", "runs/practice", "--yes")

    assert ended == Ended(
        2,
        "",
        "error: runs/practice: this is the directory of a simulated run, and this is a real one; "
        "choose another with --dir\n",
    )


def test_an_address_that_is_adopted_for_no_task_is_told_what_to_write(shell: Shell) -> None:
    ended = shell.veogen("resolve", "runs/a.simulated", "--adopt", "s[c=boat]")

    assert (ended.code, ended.err) == (2, "error: --adopt 's[c=boat]': write ADDRESS=TASK_ID\n")


def test_what_a_run_would_be_refused_for_is_foreseen(shell: Shell) -> None:
    """A budget counts what was bought of a spec before it was edited."""
    path = shell.folder / "specs/a.yaml"
    path.parent.mkdir()
    path.write_text(SPEC.replace("shots", "budget: {max_credits: 100}\nshots"))
    quick = ("--simulate", "--generation-time", "0", "--progress", "none")
    assert shell.veogen("run", "specs/a.yaml", *quick).code == 0
    path.write_text(path.read_text().replace("car", "train"))

    planned = shell.veogen("plan", "specs/a.yaml", "--simulate")
    left = shell.veogen("status", "specs/a.yaml", "--simulate").out.splitlines()[-1]
    refused = shell.veogen("run", "specs/a.yaml", *quick)

    passes = "38.016 credits to buy and 76.032 already counted pass the budget of 100"
    assert (planned.code, planned.err) == (
        0,
        f"specs/a.yaml:2:9: warning[over-budget]: {passes}: a run would be refused\n",
    )
    assert left == f"specs/a.yaml would buy 1 request now (1 new) for 38.016 credits, but {passes}"
    assert (refused.code, passes in refused.err) == (2, True)
