"""The workflows of `veogen init --github`: pinned, sparing with permissions, and doing their work.

Their scripts run in a real browser's JavaScript, with what the host gives them faked.
"""

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser
from support.browser import chromium
from support.project import Shell

PINNED = {
    "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
    "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0",
    "actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a # v7.0.1",
    "actions/cache/restore@55cc8345863c7cc4c66a329aec7e433d2d1c52a9 # v6.1.0",
    "actions/cache/save@55cc8345863c7cc4c66a329aec7e433d2d1c52a9 # v6.1.0",
    "actions/github-script@3a2844b7e9c422d3c10d287c895573f7108da1b3 # v9.0.0",
}
WORKFLOWS = ["veogen-buy.yml", "veogen-review.yml"]


@pytest.fixture
def folder(shell: Shell) -> Path:
    """The workflows of a project at the top of its repository."""
    assert shell.veogen("init", "--github").code == 0
    return shell.folder / ".github/workflows"


def workflow(folder: Path, name: str) -> dict[str, Any]:
    data: dict[Any, Any] = yaml.safe_load((folder / name).read_text())
    return {**data, "on": data[True]}  # YAML 1.1 reads `on` so


def steps(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in data["jobs"].values():
        yield from job["steps"]


def test_there_are_two_and_nothing_in_them_is_left_to_fill_in(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == WORKFLOWS
    for path in folder.iterdir():
        assert "__" not in path.read_text().replace("__audit", "")


def test_zizmor_finds_nothing_unsafe_even_when_it_is_pedantic(folder: Path) -> None:
    zizmor = Path(sys.executable).parent / "zizmor"

    done = subprocess.run(
        [zizmor, "--offline", "--pedantic", "--no-progress", "--format", "json", folder],
        capture_output=True,
        text=True,
        check=False,
    )

    assert json.loads(done.stdout) == []
    assert done.returncode == 0


def test_every_action_is_pinned_to_a_reviewed_commit(folder: Path) -> None:
    used = {
        line.split("uses: ")[1]
        for name in WORKFLOWS
        for line in (folder / name).read_text().splitlines()
        if "uses: " in line
    }

    assert used == PINNED


def test_permissions_are_the_least(folder: Path) -> None:
    review, buy = workflow(folder, WORKFLOWS[1]), workflow(folder, WORKFLOWS[0])

    assert (review["permissions"], buy["permissions"]) == ({}, {})
    assert {name: job["permissions"] for name, job in review["jobs"].items()} == {
        "review": {"contents": "read", "pull-requests": "write"}
    }
    assert {name: job["permissions"] for name, job in buy["jobs"].items()} == {
        "which": {"contents": "read"},
        "buy": {"contents": "write"},
    }
    for step in (*steps(review), *steps(buy)):
        if step.get("uses", "").startswith("actions/checkout"):
            assert step["with"]["persist-credentials"] is False


def test_a_pull_request_has_no_way_to_the_key(folder: Path) -> None:
    review = (folder / WORKFLOWS[1]).read_text()

    assert workflow(folder, WORKFLOWS[1])["on"] == {"pull_request": None}
    assert "secrets." not in review
    assert "veogen run" not in review


def test_money_is_spent_by_hand_or_on_main_in_a_protected_environment(folder: Path) -> None:
    buy = workflow(folder, WORKFLOWS[0])
    job = buy["jobs"]["buy"]
    [purchase] = [step for step in job["steps"] if "EVOLINK_API_KEY" in step.get("env", {})]

    assert sorted(buy["on"]) == ["push", "workflow_dispatch"]
    assert buy["on"]["push"]["branches"] == ["main"]
    assert job["environment"] == "veogen"
    assert job["concurrency"] == {
        "group": "veogen-buy-${{ matrix.spec }}",
        "cancel-in-progress": False,
    }
    assert purchase["run"].splitlines()[-1] == (
        'veogen run "${SPEC}" --locked --yes --max-credits "${MAX_CREDITS}" --progress lines'
    )


def test_what_was_bought_is_kept_however_the_purchase_ended(folder: Path) -> None:
    job = workflow(folder, WORKFLOWS[0])["jobs"]["buy"]
    names = [step.get("name", "") for step in job["steps"]]

    after = job["steps"][names.index("Buy") + 1 :]

    assert [step["if"] for step in after] == ["${{ always() }}"] * 6
    assert [step["name"] for step in after if step.get("continue-on-error")] == [
        "Say where everything stands",
        "Make the page of clips",
    ]
    assert [step["name"] for step in after] == [
        "Say where everything stands",
        "Make the page of clips",
        "Keep the journal",
        "Keep the run directory",
        "Keep the page of clips",
        "Commit the results",
    ]


def test_no_text_of_an_outsider_is_pasted_into_a_script(folder: Path) -> None:
    for name in WORKFLOWS:
        for step in steps(workflow(folder, name)):
            script = step.get("run", "") + step.get("with", {}).get("script", "")
            assert "${{" not in script


def test_commands_of_the_workflows_exist_with_their_options(folder: Path, shell: Shell) -> None:
    lines = [
        line
        for name in WORKFLOWS
        for step in steps(workflow(folder, name))
        for line in map(str.strip, step.get("run", "").replace("\\\n", " ").splitlines())
        if line.startswith("veogen ")
    ]

    assert len(lines) == 6
    for line in lines:
        told = shell.veogen(line.split()[1], "--help").out
        assert set(re.findall(r"--[a-z-]+", line)) <= set(re.findall(r"--[a-z-]+", told))


def test_what_nobody_has_published_is_not_installed_but_asked_for(folder: Path) -> None:
    """This veogen is installed from a folder."""
    for name in WORKFLOWS:
        [install] = [s for s in steps(workflow(folder, name)) if s.get("name") == "Install veogen"]

        done = subprocess.run(
            ["bash", "-e", "-c", install["run"]], capture_output=True, text=True, check=False
        )

        assert done.returncode == 1
        assert done.stdout.startswith("::error::Fill in how to install veogen: ")


@pytest.mark.slow
def test_the_summary_of_a_purchase_says_where_everything_stands(folder: Path, shell: Shell) -> None:
    job = workflow(folder, WORKFLOWS[0])["jobs"]["buy"]
    [summary] = [s for s in job["steps"] if s.get("name") == "Say where everything stands"]
    quick = ("--simulate", "--generation-time", "0.05", "--progress", "none")
    assert shell.veogen("run", "specs/launch.yaml", *quick).code == 0

    subprocess.run(
        ["bash", "-e", "-c", summary["run"]],
        cwd=shell.folder,
        env={
            "SPEC": "specs/launch.lock.yaml",
            "GITHUB_STEP_SUMMARY": str(shell.folder / "summary.md"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
        check=True,
    )

    lines = (shell.folder / "summary.md").read_text().splitlines()
    assert (lines[0], lines[1].split(":")[0], lines[-1]) == ("```text", "launch", "```")


def test_a_project_below_the_top_has_workflows_at_the_top(shell: Shell) -> None:
    shell.veogen("init", "ads/video", "--github")
    folder = shell.folder / ".github/workflows"

    review = workflow(folder, "veogen-review-ads-video.yml")
    buy = workflow(folder, "veogen-buy-ads-video.yml")

    assert review["jobs"]["review"]["defaults"] == {"run": {"working-directory": "ads/video"}}
    assert buy["on"]["push"]["paths"] == ["ads/video/specs/*.lock.yaml"]
    assert {
        step["working-directory"] for step in steps(buy) if "veogen run" in step.get("run", "")
    } == {"ads/video"}


def test_a_folder_that_a_workflow_cannot_name_is_refused(shell: Shell) -> None:
    ended = shell.veogen("init", "ads & more", "--github")

    assert ended.code == 2
    assert "'ads & more': a workflow cannot name this folder" in ended.err


def which(folder: Path, shell: Shell, spec: str) -> tuple[int, list[str]]:
    """What the first job of the purchase finds among some files: its exit code and its specs."""
    [job] = [j for n, j in workflow(folder, WORKFLOWS[0])["jobs"].items() if n == "which"]
    names = ("a.yaml", "a.lock.yaml", "a.draft.lock.yaml", "b c.yml", "b c.lock.yaml", "d.yaml")
    (shell.folder / "specs/launch.yaml").unlink()
    for name in names:
        (shell.folder / "specs" / name).write_text("x")
    temp = shell.folder / "temp"
    temp.mkdir()
    done = subprocess.run(
        ["bash", "-e", "-c", job["steps"][-1]["run"]],
        cwd=shell.folder,
        env={
            "SPEC": spec,
            "RUNNER_TEMP": str(temp),
            "GITHUB_OUTPUT": str(temp / "output"),
            "PATH": os.environ["PATH"],
        },
        check=False,
        capture_output=True,
    )
    output = temp / "output"
    text = output.read_text() if output.exists() else "specs=[]"
    return done.returncode, json.loads(text.removeprefix("specs="))


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        pytest.param("", ["specs/a.yaml", "specs/b c.yml"], id="on main all that are locked"),
        pytest.param("specs/d.yaml", ["specs/d.yaml"], id="by hand the one that is named"),
        pytest.param("./specs//../specs/a.yaml", ["specs/a.yaml"], id="under one name"),
        pytest.param("specs/a.lock.yaml", ["specs/a.yaml"], id="as its lock too"),
        pytest.param("specs/a.draft.lock.yaml", ["specs/a.draft.lock.yaml"], id="a profile's"),
        pytest.param("-x$(touch y); .yaml", None, id="no such spec"),
        pytest.param("specs", None, id="a folder, whose specs have names of their own"),
    ],
)
def test_the_specs_to_buy_are_those_that_are_locked_or_the_one_that_is_asked_for(
    folder: Path, shell: Shell, spec: str, found: list[str] | None
) -> None:
    assert which(folder, shell, spec) == ((1, []) if found is None else (0, found))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


HARNESS = """
async ([script, given]) => {
  const calls = [];
  const call = (name, answer) => async (...words) => {
    calls.push([name, ...words]);
    const value = typeof answer === 'function' ? await answer(...words) : answer;
    if (value?.error) throw Object.assign(new Error(value.error), { status: value.error });
    return value;
  };
  const summary = { text: '', addRaw(text) { this.text += text; return this; },
                    write: call('summary', null) };
  const issues = {
    listComments: 'listComments',
    createComment: call('createComment', given.answer),
    updateComment: call('updateComment', given.answer),
  };
  const answers = [...(given.commits ?? [])];
  const github = {
    rest: { issues, repos: {
      getBranch: call('getBranch', () => ({ data: { commit: { sha: given.head } } })),
      getContent: call('getContent', ({ path }) =>
        given.remote[path] ? { data: { sha: given.remote[path] } } : { error: 404 }),
    } },
    paginate: async () => given.comments,
    graphql: call('commit', () => answers.shift() ?? null),
  };
  const exec = { getExecOutput: async (git, words) => ({
    stdout: words[0] === 'ls-files' ? given.listed : given.local[words.at(-1)] ?? '',
  }) };
  const content = (name) => given.files[name];
  const buffer = (name) => ({ toString: () => btoa(content(name)) });
  const fs = { readFileSync: (name, kind) => (kind ? content(name) : buffer(name)) };
  const context = { repo: { owner: 'o', repo: 'r' }, ref: 'refs/heads/main',
                    payload: { pull_request: given.pull } };
  const made = Object.getPrototypeOf(async () => {}).constructor;
  const run = new made('github', 'context', 'core', 'exec', 'require', 'process', script);
  let failed = null;
  try {
    await run(github, context, { summary }, exec, () => fs, { env: given.env });
  } catch (error) {
    failed = error.message;
  }
  return { calls, failed, summary: summary.text };
}
"""

MARK = "<!-- veogen review of . -->"


@pytest.fixture
def posted(folder: Path, browser: Browser) -> "Script":
    return Script(browser, workflow(folder, WORKFLOWS[1]))


@pytest.fixture
def committed(folder: Path, browser: Browser) -> "Script":
    return Script(browser, workflow(folder, WORKFLOWS[0]))


class Script:
    """The script of a workflow, run with a fake host."""

    def __init__(self, browser: Browser, data: dict[str, Any]) -> None:
        self._browser = browser
        self._script = [s["with"]["script"] for s in steps(data) if "script" in s.get("with", {})]

    def __call__(self, **given: Any) -> dict[str, Any]:
        [script] = self._script
        page = self._browser.new_page()
        try:
            found: dict[str, Any] = page.evaluate(HARNESS, [script, given])
        finally:
            page.close()
        return found


def review(
    text: str = "### veogen: +1 clip", *, fork: bool = False, **given: Any
) -> dict[str, Any]:
    head = {"full_name": "other/r" if fork else "o/r"}
    return {
        "files": {"/tmp/x/veogen.md": text},
        "env": {"RUNNER_TEMP": "/tmp/x", "PROJECT": "."},
        "pull": {"number": 7, "head": {"repo": head}, "base": {"repo": {"full_name": "o/r"}}},
        "comments": [],
        **given,
    }


def test_the_first_review_is_a_comment(posted: Script) -> None:
    assert posted(**review()) == {
        "calls": [
            [
                "createComment",
                {
                    "owner": "o",
                    "repo": "r",
                    "issue_number": 7,
                    "body": f"{MARK}\n### veogen: +1 clip",
                },
            ]
        ],
        "failed": None,
        "summary": "",
    }


def test_a_later_review_replaces_it_and_no_comment_of_anybody_else(posted: Script) -> None:
    comments = [
        {"id": 1, "user": {"type": "User"}, "body": f"{MARK}\nmine"},
        {"id": 2, "user": {"type": "Bot"}, "body": "<!-- other -->"},
        {"id": 3, "user": {"type": "Bot"}, "body": f"{MARK}\nold"},
    ]

    [[name, words]] = posted(**review(comments=comments))["calls"]

    assert (name, words["comment_id"]) == ("updateComment", 3)


def test_no_difference_is_no_comment_unless_there_was_one(posted: Script) -> None:
    nothing = review("### veogen: no difference (2 requests unchanged)\n")
    there = [{"id": 3, "user": {"type": "Bot"}, "body": f"{MARK}\nold"}]

    assert posted(**nothing)["calls"] == []
    assert posted(**{**nothing, "comments": there})["calls"][0][0] == "updateComment"


def test_what_costs_money_without_a_difference_is_a_comment(posted: Script) -> None:
    note = "### veogen: no difference (2 requests unchanged)\n\n<ul>\n<li>a new name</li>\n</ul>\n"

    assert [name for name, _ in posted(**review(note))["calls"]] == ["createComment"]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(review(fork=True), id="on a fork's pull request"),
        pytest.param(review(answer={"error": 403}), id="where the token may not write"),
        pytest.param(
            review(
                pull={"number": 7, "head": {"repo": None}, "base": {"repo": {"full_name": "o/r"}}}
            ),
            id="where the fork is gone",
        ),
    ],
)
def test_where_no_comment_can_be_written_the_jobs_summary_says_it(
    posted: Script, given: dict[str, Any]
) -> None:
    found = posted(**given)

    assert (found["summary"], found["failed"]) == ("### veogen: +1 clip", None)
    assert found["calls"][-1] == ["summary"]


def test_another_trouble_fails_the_job(posted: Script) -> None:
    assert posted(**review(answer={"error": 500}))["failed"] == "500"


RESULTS = "runs/a/results.json"


def purchase(**given: Any) -> dict[str, Any]:
    return {
        "env": {"FILES": "runs/*/results.json"},
        "listed": f"{RESULTS}\0",
        "files": {RESULTS: "{}"},
        "local": {f"HEAD:{RESULTS}": "b10b\n"},
        "remote": {RESULTS: "b10b"},
        "head": "c0ffee",
        **given,
    }


def commits(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [call[2]["input"] for call in found["calls"] if call[0] == "commit"]


def test_results_are_committed_to_the_branch_as_it_is(committed: Script) -> None:
    found = committed(**purchase())

    assert found["failed"] is None
    assert commits(found) == [
        {
            "branch": {"repositoryNameWithOwner": "o/r", "branchName": "main"},
            "message": {"headline": "Record what veogen bought"},
            "expectedHeadOid": "c0ffee",
            "fileChanges": {
                "additions": [
                    {"path": RESULTS, "contents": base64.b64encode(b"{}").decode()},
                ]
            },
        }
    ]


def test_results_that_did_not_change_are_not_committed(committed: Script) -> None:
    assert committed(**purchase(listed=""))["calls"] == []


def test_results_of_a_first_run_are_committed(committed: Script) -> None:
    assert len(commits(committed(**purchase(local={}, remote={})))) == 1


def test_a_branch_that_moved_meanwhile_is_tried_again(committed: Script) -> None:
    found = committed(**purchase(commits=[{"error": 422}, {"error": 422}, None]))

    assert (len(commits(found)), found["failed"]) == (3, None)


def test_a_branch_that_never_stands_still_fails_the_job(committed: Script) -> None:
    found = committed(**purchase(commits=[{"error": 422}] * 9))

    assert (len(commits(found)), found["failed"]) == (5, "422")


def test_results_of_a_colleague_are_never_overwritten(committed: Script) -> None:
    found = committed(**purchase(remote={RESULTS: "another"}))

    assert commits(found) == []
    assert found["failed"] == f"{RESULTS} changed meanwhile; merge it with the artifact's"


def test_the_hooks_for_pre_commit_call_commands_that_exist(shell: Shell) -> None:
    path = Path(__file__).parent.parent.parent / ".pre-commit-hooks.yaml"
    hooks = yaml.safe_load(path.read_text())

    assert [(hook["id"], hook["entry"], hook["args"]) for hook in hooks] == [
        ("veogen-validate", "veogen validate", ["specs"]),
        ("veogen-lock", "veogen lock --check", ["specs"]),
    ]
    shell.veogen("init")
    shell.veogen("lock", "specs")
    for hook in hooks:
        assert hook["pass_filenames"] is False
        assert shell.veogen(*hook["entry"].split()[1:], *hook["args"]).code == 0
