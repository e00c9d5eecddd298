"""`veogen diff`: its sides, here and at revisions of a real repository, and what it prints."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from support.galleries import picture
from support.project import Ended, Repo, Shell

SPEC = """\
veogen: 1
extends: _base.yaml
shots:
  - name: opening
    template: opening.j2
    matrix: {city: [Tokyo, Paris]}
    params: {image_urls: ["../images/{{ city | lower }}.png"]}
"""
BASE = "params: {duration: 4}\nveogen: 1\n"
TEMPLATE = "{{ city }} in soft light.\nNo people.\n"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "repo")
    repo.write("specs/a.yaml", SPEC)
    repo.write("specs/_base.yaml", BASE)
    repo.write("templates/opening.j2", TEMPLATE)
    repo.write("images/tokyo.png", picture())
    repo.write("images/paris.png", picture(size=(1280, 721)))
    repo.commit()
    return repo


@pytest.fixture
def shell(repo: Repo, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(repo.path, capsys, {"NO_COLOR": "1"})


def diff_data(shell: Shell, *words: str) -> dict[str, Any]:
    ended = shell.veogen("diff", *words, "--format", "json")
    assert (ended.code, ended.err) == (0, "")
    data: dict[str, Any] = json.loads(ended.out)
    assert data["format"] == "veogen.diff/2"
    return data


def diffed(shell: Shell, *words: str) -> dict[str, Any]:
    """What differs in all specs together, each entry by its addresses and fields."""
    data = diff_data(shell, *words)
    entries = {
        kind: [entry for spec in data["specs"] for entry in spec[kind]]
        for kind in ("added", "removed", "renamed", "changed")
    }
    money = data["credits"]
    return {
        "added": [entry["address"] for entry in entries["added"]],
        "removed": [entry["address"] for entry in entries["removed"]],
        "renamed": [[entry["was"], entry["address"]] for entry in entries["renamed"]],
        "changed": [
            {"address": entry["address"], "fields": entry["fields"]} for entry in entries["changed"]
        ],
        "unchanged": sum(spec["unchanged"] for spec in data["specs"]),
        "credits": {name: money[name] for name in ("old", "new", "delta", "to_buy")},
    }


def test_without_a_spec_those_of_the_project_are_compared_with_the_base(shell: Shell) -> None:
    (shell.folder / "templates/opening.j2").write_text(f"{TEMPLATE} It rains.")

    data = diff_data(shell, "--base", "HEAD")

    assert data["specs"][0]["changed"] != []
    assert data == diff_data(shell, "--base", "HEAD", "specs")


def test_nothing_differs_from_itself(shell: Shell) -> None:
    assert diffed(shell, "HEAD:specs/a.yaml", "specs/a.yaml") == {
        "added": [],
        "removed": [],
        "renamed": [],
        "changed": [],
        "unchanged": 2,
        "credits": {"old": "76.032", "new": "76.032", "delta": "0.000", "to_buy": "0.000"},
    }


def test_a_template_that_changed_changes_requests_of_a_spec_that_did_not(
    repo: Repo, shell: Shell
) -> None:
    repo.write("templates/opening.j2", TEMPLATE.replace("soft", "hard"))

    assert shell.veogen("diff", "HEAD:specs/a.yaml", "specs/a.yaml") == Ended(
        0,
        "a: HEAD:specs/a.yaml → specs/a.yaml\n"
        "  ~ 2 requests  76.032 credits  prompt: soft → hard\n"
        "      because of templates/opening.j2:1\n"
        "      opening[city=Tokyo], opening[city=Paris]\n"
        "      | Tokyo in [-soft-]{+hard+} light.\n"
        "      | No people.\n"
        "\n"
        "2 changed: 76.032 credits (about $1.12) to buy.\n"
        "Credits: 76.032 → 76.032 (+0.000).\n",
        "",
    )


def test_an_image_that_changed_under_its_name_is_a_change(repo: Repo, shell: Shell) -> None:
    repo.write("images/paris.png", picture(size=(1280, 722)))

    data = diffed(shell, "--base", "main", "specs/a.yaml")

    [change] = data["changed"]
    [before, after] = change["fields"].pop("image_urls")
    assert change == {"address": "opening[city=Paris]", "fields": {}}
    assert [before[0][:7], after[0][:7], before != after] == ["sha256:", "sha256:", True]
    assert data["credits"]["to_buy"] == "38.016"


def test_a_base_that_is_gone_is_read_where_it_was(repo: Repo, shell: Shell) -> None:
    (repo.path / "specs/_base.yaml").unlink()
    repo.write("specs/a.yaml", SPEC.replace("extends: _base.yaml", "params: {duration: 8}"))

    data = diffed(shell, "--base", "main", "specs/a.yaml")

    assert [change["fields"] for change in data["changed"]] == [{"duration": [4, 8]}] * 2
    assert data["credits"] == {
        "old": "76.032",
        "new": "152.064",
        "delta": "76.032",
        "to_buy": "152.064",
    }


def test_a_new_axis_renames_what_stays_the_same(repo: Repo, shell: Shell) -> None:
    repo.write("specs/a.yaml", SPEC.replace("[Tokyo, Paris]}", "[Tokyo, Paris], look: [x]}"))

    data = diffed(shell, "--base", "main", "specs")

    assert data["renamed"] == [
        ["opening[city=Tokyo]", "opening[city=Tokyo,look=x]"],
        ["opening[city=Paris]", "opening[city=Paris,look=x]"],
    ]
    assert data["credits"]["to_buy"] == "0.000"


def test_a_base_revision_means_where_the_branches_part(repo: Repo, shell: Shell) -> None:
    repo.git("switch", "-q", "-c", "topic")
    repo.write("specs/a.yaml", SPEC.replace("Paris", "Oslo"))
    repo.write("images/oslo.png", picture())
    repo.commit()
    repo.git("switch", "-q", "main")
    repo.write("templates/opening.j2", "Another text for {{ city }}")
    repo.commit()
    repo.git("switch", "-q", "topic")

    data = diffed(shell, "--base", "main", "specs")

    assert (data["added"], data["removed"]) == (["opening[city=Oslo]"], ["opening[city=Paris]"])
    assert (data["changed"], data["unchanged"]) == ([], 1)


def test_specs_that_are_new_or_gone_count(repo: Repo, shell: Shell) -> None:
    repo.write("specs/gone.yaml", "veogen: 1\nshots: [{name: bye, prompt: bye}]\n")
    repo.commit()
    (repo.path / "specs/gone.yaml").unlink()
    repo.write("specs/new.yaml", "veogen: 1\nshots: [{name: hello, prompt: hello}]\n")
    repo.write("specs/_not.yaml", "veogen: 1\nshots: [{name: base, prompt: no}]\n")

    ended = shell.veogen("diff", "--base", "HEAD", "specs")

    base = repo.git("rev-parse", "HEAD")[:10]
    assert ended == Ended(
        0,
        "new: new, specs/new.yaml\n"
        "  + hello  38.016 credits\n"
        "\n"
        f"gone: gone, {base}:specs/gone.yaml\n"
        "  - bye  38.016 credits\n"
        "\n"
        "+1 clip, \u22121: 38.016 credits (about $0.56) to buy.\n"
        "2 requests unchanged.\n"
        "Credits: 114.048 → 114.048 (+0.000).\n",
        "",
    )
    assert diffed(shell, "--base", "HEAD", "specs/gone.yaml")["removed"] == ["bye"]
    assert diffed(shell, "--base", "HEAD", "specs/new.yaml")["added"] == ["hello"]


def test_a_spec_that_is_named_twice_counts_once(shell: Shell) -> None:
    once = diffed(shell, "--base", "HEAD", "specs")

    assert diffed(shell, "--base", "HEAD", "specs", "specs/a.yaml", "./specs/a.yaml") == once


def test_a_spec_that_moved_is_known_by_its_name(repo: Repo, shell: Shell) -> None:
    repo.write("specs/a.yaml", f"{SPEC}name: launch\n")
    repo.write("specs/other.yaml", "veogen: 1\nshots: [{name: x, prompt: x}]\n")
    repo.commit()
    repo.git("mv", "specs/a.yaml", "specs/b.yaml")

    data = diffed(shell, "--base", "HEAD", "specs")

    assert (data["added"], data["removed"], data["unchanged"]) == ([], [], 3)


def test_a_name_that_changes_is_noted_since_all_is_bought_anew(repo: Repo, shell: Shell) -> None:
    repo.write("specs/a.yaml", f"{SPEC}name: b\n")

    told = shell.veogen("diff", "--base", "HEAD", "specs").out

    assert (
        "note: the name changes from a to b: a run begins a new directory, runs/b, "
        "and buys everything in it anew, 76.032 credits\n" in told
    )


def test_a_lock_and_a_plan_file_are_sides(repo: Repo, shell: Shell) -> None:
    shell.veogen("lock", "specs")
    shell.veogen("plan", "specs", "--format", "json", "--out", "plan.json")
    repo.commit()
    repo.write("templates/opening.j2", TEMPLATE.replace("soft", "hard"))
    nothing = diffed(shell, "specs/a.lock.yaml", "plan.json")

    for side in ("specs/a.lock.yaml", "plan.json", "HEAD:specs/a.lock.yaml", "HEAD:plan.json"):
        data = diffed(shell, side, "specs/a.yaml")
        assert [one["fields"]["prompt"] for one in data["changed"]] == [
            [f"{city} in soft light.\nNo people.", f"{city} in hard light.\nNo people."]
            for city in ("Tokyo", "Paris")
        ]
    assert (nothing["changed"], nothing["unchanged"]) == ([], 2)


def test_the_profile_of_a_lock_is_compared_with_that_of_the_spec(repo: Repo, shell: Shell) -> None:
    repo.write("specs/a.yaml", f"{SPEC}profiles: {{long: {{params: {{duration: 8}}}}}}\n")
    shell.veogen("lock", "specs", "--profile", "long")

    same = diffed(shell, "specs/a.long.lock.yaml", "specs/a.yaml", "--profile", "long")
    other = diffed(shell, "specs/a.long.lock.yaml", "specs/a.yaml")

    assert (same["unchanged"], other["unchanged"]) == (2, 2)


def test_a_profile_that_is_new_in_the_branch_is_all_added(repo: Repo, shell: Shell) -> None:
    repo.write("specs/a.yaml", f"{SPEC}profiles: {{long: {{params: {{duration: 8}}}}}}\n")

    data = diffed(shell, "--base", "HEAD", "specs", "--profile", "long")

    assert data["added"] == ["opening[city=Tokyo]", "opening[city=Paris]"]


def results(status: str, *hashes: str) -> str:
    bought = status != "planned"
    lines: list[dict[str, Any]] = [
        {
            "address": f"x{index}",
            "hash": hash_,
            "shot": "x",
            "take": 1,
            "variables": {},
            "status": status,
            "task_id": f"task-{index}" if bought else None,
            "attempts": 1 if bought else 0,
            "credits": None,
            "error": None,
            "videos": [
                {
                    "path": f"videos/x{index}.mp4",
                    "sha256": "0" * 64,
                    "bytes": 1,
                    "duration": 4.0,
                    "width": 1280,
                    "height": 720,
                    "fps": 24.0,
                    "audio": True,
                    "warnings": [],
                }
            ]
            if bought
            else [],
        }
        for index, hash_ in enumerate(hashes)
    ]
    head = {"format": "veogen.results/1", "name": "a", "gateway": "evolink"}
    return json.dumps({**head, "results": lines, "former": []})


def hashes(shell: Shell) -> list[str]:
    plan = json.loads(shell.veogen("plan", "specs/a.yaml", "--format", "json").out)
    return [request["hash"] for request in plan["requests"]]


def test_what_is_to_be_bought_is_what_the_old_results_do_not_hold(repo: Repo, shell: Shell) -> None:
    old = hashes(shell)
    repo.write("templates/opening.j2", TEMPLATE.replace("soft", "hard"))
    new = hashes(shell)
    repo.write("templates/opening.j2", TEMPLATE)

    def to_buy(manifest: str) -> str:
        repo.write("templates/opening.j2", TEMPLATE)
        repo.write("runs/a/results.json", manifest)
        repo.commit()
        repo.write("templates/opening.j2", TEMPLATE.replace("soft", "hard"))
        amount: str = diffed(shell, "--base", "HEAD", "specs")["credits"]["to_buy"]
        return amount

    assert to_buy(results("completed", *old)) == "76.032"
    assert to_buy(results("completed", *old, new[0])) == "38.016"
    assert to_buy(results("planned", *old)) == "76.032"


def test_a_pull_request_cannot_hide_a_price_in_results_of_its_own(repo: Repo, shell: Shell) -> None:
    repo.write("templates/opening.j2", TEMPLATE.replace("soft", "hard"))
    repo.write("runs/a/results.json", results("completed", *hashes(shell)))

    assert diffed(shell, "--base", "HEAD", "specs")["credits"]["to_buy"] == "76.032"


def test_a_price_that_moved_is_a_difference(repo: Repo, shell: Shell) -> None:
    shell.veogen("lock", "specs")
    repo.write("veogen.yaml", "prices: prices.yaml\n")
    repo.write(
        "prices.yaml",
        "veo-3.1-fast-generate-preview: {date: 2026-12-01, source: ours, credits_per_usd: 68, "
        "rule: per_call, credits: 100}\n",
    )

    assert shell.veogen("diff", "specs/a.lock.yaml", "specs/a.yaml", "--exit-code") == Ended(
        5,
        "a: specs/a.lock.yaml → specs/a.yaml\n"
        "  ~ a price moved: 76.032 → 200.000 credits for requests that stay the same\n"
        "\n"
        "no request differs: 0.000 credits to buy.\n"
        "2 requests unchanged.\n"
        "Credits: 76.032 → 200.000 (+123.968).\n",
        "",
    )


def test_money_over_a_budget_or_limit_is_a_note_in_a_review(repo: Repo, shell: Shell) -> None:
    repo.write("specs/a.yaml", f"{SPEC}budget: {{max_credits: 70}}\n")
    repo.write("veogen.yaml", "limits: {max_credits: 75}\n")

    told = shell.veogen("diff", "--base", "HEAD", "specs")

    assert told.code == 0
    assert "note: 76.032 credits are more than the budget allows: 70\n" in told.out
    assert "note: 76.032 credits are more than the limits allow: 75\n" in told.out


@pytest.mark.parametrize(
    ("edit", "code"), [("soft", 0), ("hard", 5)], ids=["no difference", "a difference"]
)
def test_the_exit_code_tells_whether_there_is_a_difference(
    repo: Repo, shell: Shell, edit: str, code: int
) -> None:
    repo.write("templates/opening.j2", TEMPLATE.replace("soft", edit))

    assert shell.veogen("diff", "--base", "HEAD", "specs", "--exit-code").code == code
    assert shell.veogen("diff", "--base", "HEAD", "specs").code == 0


def test_a_selection_narrows_a_diff(repo: Repo, shell: Shell) -> None:
    repo.write("templates/opening.j2", TEMPLATE.replace("soft", "hard"))

    data = diffed(shell, "--base", "HEAD", "specs", "--select", "*Tokyo*")

    assert [change["address"] for change in data["changed"]] == ["opening[city=Tokyo]"]
    assert data["credits"]["new"] == "38.016"


def test_a_project_in_a_folder_of_the_repository_has_the_root_it_had(
    repo: Repo, shell: Shell
) -> None:
    for folder in ("specs", "templates", "images"):
        (repo.path / "video").mkdir(exist_ok=True)
        repo.git("mv", folder, f"video/{folder}")
    repo.commit()
    here = Shell(repo.path / "video/specs", shell.capture, {})

    assert diffed(here, "HEAD:./a.yaml", "a.yaml")["unchanged"] == 2
    assert diffed(here, "HEAD:video/specs/a.yaml", "a.yaml")["unchanged"] == 2
    assert diffed(here, "--base", "HEAD", ".")["unchanged"] == 2
    assert here.veogen("diff", "HEAD:a.yaml", "a.yaml") == Ended(
        2,
        "",
        "error: HEAD:a.yaml: there is no such file at that revision; did you mean HEAD:./a.yaml?\n",
    )


def test_a_pipe_is_no_side_as_git_is_asked_for_what_it_holds(shell: Shell) -> None:
    os.mkfifo(shell.folder / "pipe")

    assert shell.veogen("diff", "pipe", "specs/a.yaml") == Ended(
        2, "", "error: pipe: this is not a file; what git holds is written REV:PATH\n"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param(
            ("specs/a.yaml",), "a diff has two sides, OLD and NEW; or --base REV", id="one side"
        ),
        pytest.param((), "a diff has two sides, OLD and NEW; or --base REV", id="no side"),
        pytest.param(
            ("HEAD:specs/a.yaml", "specs", "specs"), "a diff has two sides", id="three sides"
        ),
        pytest.param(
            ("specs/b.yaml", "specs/a.yaml"),
            "specs/b.yaml: there is no such file, and it is not REV:PATH either",
            id="no file",
        ),
        pytest.param(
            ("none:specs/a.yaml", "specs/a.yaml"), "'none' is not a revision of", id="no revision"
        ),
        pytest.param(
            ("--base", "HEAD", "specs/b.yaml"),
            "specs/b.yaml: there is no spec, neither here nor at",
            id="no spec on either side",
        ),
    ],
)
def test_a_side_that_is_none_is_a_mistake(shell: Shell, words: tuple[str, ...], told: str) -> None:
    ended = shell.veogen("diff", *words)

    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


def test_a_path_of_a_revision_need_not_be_the_shortest(repo: Repo, shell: Shell) -> None:
    repo.commit()

    assert diffed(shell, "HEAD:specs/../specs//a.yaml", "specs/a.yaml")["unchanged"] == 2


@pytest.mark.parametrize(
    ("format_", "why"),
    [
        pytest.param("jsonl", "a plan in lines does not say of which spec it is", id="lines"),
        pytest.param("table", "a plan as a table is for people", id="a table"),
    ],
)
def test_a_plan_that_does_not_say_all_is_no_side(shell: Shell, format_: str, why: str) -> None:
    shell.veogen("plan", "specs/a.yaml", "--format", format_, "--out", "plan.json")

    assert shell.veogen("diff", "plan.json", "specs/a.yaml") == Ended(
        2, "", f"error: plan.json: {why}; write it with --format json or yaml\n"
    )


def test_a_mistake_at_a_revision_is_shown_with_it(repo: Repo, shell: Shell) -> None:
    repo.write("specs/a.yaml", SPEC.replace("template: opening.j2", "template: opeming.j2"))
    repo.commit()
    repo.write("specs/a.yaml", SPEC)

    ended = shell.veogen("diff", "HEAD:specs/a.yaml", "specs/a.yaml")

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("HEAD:specs/a.yaml:5:15: error[template-not-found]:")


def test_no_work_tree_and_no_index_is_touched(repo: Repo, shell: Shell) -> None:
    repo.write("specs/a.yaml", SPEC.replace("Paris", "Tokio"))

    def state() -> dict[str, tuple[bytes, int]]:
        files = sorted(path for path in repo.path.rglob("*") if path.is_file())
        return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}

    before = state()
    shell.veogen("diff", "--base", "main", "specs")

    assert state() == before


def test_markdown_goes_to_stdout(repo: Repo, shell: Shell) -> None:
    repo.write("templates/opening.j2", TEMPLATE.replace("soft", "<b>hard</b> @all"))

    ended = shell.veogen("diff", "--base", "main", "specs", "--format", "markdown")

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("### veogen: 2 changed: 76.032 credits (about $1.12) to buy\n")
    assert "&lt;b&gt;hard&lt;/b&gt; @all" in ended.out
    assert "<code>because of templates/opening.j2:1</code>" in ended.out


def test_a_link_to_a_folder_means_that_folder(repo: Repo, shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(repo.path / "specs")
    here = Shell(tmp_path, shell.capture, {})

    assert diffed(here, "--base", "HEAD", "link")["unchanged"] == 2


def test_what_cannot_be_read_is_a_mistake(repo: Repo, shell: Shell) -> None:
    (repo.path / "pipe").symlink_to("/dev/null")
    (repo.path / "broken.json").write_text('{"format": "veogen.plan/1"')

    assert shell.veogen("diff", "broken.json", "specs/a.yaml").code == 2
    assert shell.veogen("diff", "pipe", "specs/a.yaml").code == 2


PROFILES = f"""{SPEC}profiles:
  draft: {{params: {{quality: 720p}}}}
  final: {{params: {{quality: 1080p, duration: 8}}}}
"""


def money(old: str, new: str, delta: str, to_buy: str, open_before: str) -> dict[str, str]:
    return {
        "old": old,
        "new": new,
        "delta": delta,
        "to_buy": to_buy,
        "open_before": open_before,
    }


def profiles_of(data: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(spec["spec"], spec["profile"]) for spec in data["specs"]]


def test_a_profile_whose_block_changed_is_a_review_of_its_own(repo: Repo, shell: Shell) -> None:
    repo.write("specs/a.yaml", PROFILES)
    repo.commit()
    repo.write("specs/a.yaml", PROFILES.replace("duration: 8", "duration: 6"))

    data = diff_data(shell, "--base", "HEAD", "specs")
    text = shell.veogen("diff", "--base", "HEAD", "specs").out

    assert profiles_of(data) == [("specs/a.yaml", None), ("specs/a.yaml", "final")]
    plain, final = data["specs"]
    assert (plain["changed"], plain["unchanged"]) == ([], 2)
    assert [entry["fields"] for entry in final["changed"]] == [{"duration": [8, 6]}] * 2
    assert final["changed"][0]["because"] == "specs/a.yaml:10:46"
    assert final["credits"] == money("152.064", "114.048", "-38.016", "114.048", "0.000")
    assert text.startswith("a (final): ")


def test_a_profile_that_has_a_lock_is_one_too(repo: Repo, shell: Shell) -> None:
    repo.write("specs/a.yaml", PROFILES)
    shell.veogen("lock", "specs", "--profile", "draft")
    repo.commit()
    repo.write("templates/opening.j2", TEMPLATE.replace("soft", "hard"))

    data = diff_data(shell, "--base", "HEAD", "specs/a.yaml")

    assert profiles_of(data) == [("specs/a.yaml", None), ("specs/a.yaml", "draft")]
    assert [len(spec["changed"]) for spec in data["specs"]] == [2, 2]


def test_all_profiles_are_compared_when_they_are_asked_for(repo: Repo, shell: Shell) -> None:
    repo.write("specs/a.yaml", PROFILES)
    repo.commit()

    every = diff_data(shell, "--base", "HEAD", "specs", "--all-profiles")

    assert profiles_of(every) == [("specs/a.yaml", each) for each in (None, "draft", "final")]


def test_specs_without_the_profile_are_left_out_with_a_note(repo: Repo, shell: Shell) -> None:
    repo.write("specs/b.yaml", PROFILES)
    repo.commit()

    data = diff_data(shell, "--base", "HEAD", "specs", "--profile", "final")
    none = shell.veogen("diff", "--base", "HEAD", "specs", "--profile", "fnal")

    assert profiles_of(data) == [("specs/b.yaml", "final")]
    assert data["notes"] == ["specs/a.yaml has no profile 'final': left out"]
    assert (none.code, none.err.splitlines()[0]) == (
        2,
        "specs/a.yaml:1:1: error[unknown-profile]: 'fnal' is not a profile of this spec; it has none",
    )


def test_a_profile_that_the_spec_beside_a_lock_has_not_is_a_mistake(
    repo: Repo, shell: Shell
) -> None:
    repo.write("specs/b.yaml", PROFILES)
    assert shell.veogen("lock", "specs/b.yaml").code == 0

    final = diff_data(shell, "specs/b.lock.yaml", "specs/b.yaml", "--profile", "final")
    none = shell.veogen("diff", "specs/b.yaml", "specs/b.lock.yaml", "--profile", "fnal")

    assert profiles_of(final) == [("specs/b.yaml", "final")]
    assert (none.code, none.out) == (2, "")
    assert "error[unknown-profile]: 'fnal' is not a profile of this spec" in none.err


def test_a_budget_or_policy_that_changed_is_a_difference(repo: Repo, shell: Shell) -> None:
    repo.write("specs/a.yaml", f"{SPEC}budget: {{max_credits: 20000}}\n")
    repo.write(
        "veogen.yaml", "limits: {max_credits: 50000, models: [veo-3.1-fast-generate-preview]}\n"
    )
    repo.commit()
    repo.write("specs/a.yaml", f"{SPEC}budget: {{max_credits: 90000, max_requests: 10}}\n")
    repo.write("veogen.yaml", "limits: {max_credits: 90000}\nprices: prices.yaml\n")
    repo.write(
        "prices.yaml",
        "veo-3.1-fast-generate-preview: {date: 2026-12-01, source: ours, credits_per_usd: 68, "
        "rule: per_call, credits: 38.016}\n",
    )

    data = diff_data(shell, "--base", "HEAD", "specs")
    told = shell.veogen("diff", "--base", "HEAD", "specs", "--exit-code")
    comment = shell.veogen("diff", "--base", "HEAD", "specs", "--format", "markdown").out

    assert data["specs"][0]["notes"] == [
        "budget.max_credits: 20000 → 90000",
        "budget.max_requests: none → 10",
    ]
    price = "prices.yaml: veo-3.1-fast-generate-preview"
    assert data["notes"] == [
        "veogen.yaml: limits.max_credits: 50000 → 90000",
        'veogen.yaml: limits.models: ["veo-3.1-fast-generate-preview"] → none',
        "veogen.yaml: prices: none → prices.yaml",
        f"{price}.date: none → 2026-12-01",
        f"{price}.source: none → ours",
        f"{price}.credits_per_usd: none → 68",
        f"{price}.rule: none → per_call",
        f"{price}.credits: none → 38.016",
    ]
    assert told.code == 5
    assert "  ~ budget.max_credits: 20000 → 90000\n" in told.out
    assert "~ veogen.yaml: limits.max_credits: 50000 → 90000\n" in told.out
    assert "<li><code>a: budget.max_credits: 20000 → 90000</code></li>" in comment


@pytest.mark.parametrize(
    ("approved", "changes", "code"),
    [
        pytest.param("specs/a.lock.yaml", ["budget.max_credits: 20000 → 90000"], 5, id="a lock"),
        pytest.param("plan.json", [], 0, id="a plan file does not say its budget"),
    ],
)
def test_a_budget_that_changed_since_the_lock_is_a_difference(
    repo: Repo, shell: Shell, approved: str, changes: list[str], code: int
) -> None:
    repo.write("specs/a.yaml", f"{SPEC}budget: {{max_credits: 20000}}\n")
    shell.veogen("lock", "specs/a.yaml")
    shell.veogen("plan", "specs/a.yaml", "--format", "json", "--out", "plan.json")
    repo.write("specs/a.yaml", f"{SPEC}budget: {{max_credits: 90000}}\n")

    data = diff_data(shell, approved, "specs/a.yaml")
    told = shell.veogen("diff", approved, "specs/a.yaml", "--exit-code")

    assert (data["specs"][0]["notes"], told.code) == (changes, code)


def test_what_was_open_before_is_not_what_the_change_buys(repo: Repo, shell: Shell) -> None:
    plan = json.loads(shell.veogen("plan", "specs/a.yaml", "--format", "json").out)
    hashes = [entry["hash"] for entry in plan["requests"]]
    repo.write("runs/a/results.json", results("completed", hashes[0]))
    repo.commit()
    repo.write("specs/a.yaml", SPEC.replace("[Tokyo, Paris]", "[Tokyo, Paris, Oslo]"))
    repo.write("images/oslo.png", picture())

    data = diff_data(shell, "--base", "HEAD", "specs")
    text = shell.veogen("diff", "--base", "HEAD", "specs").out

    assert data["credits"] == money("76.032", "114.048", "38.016", "76.032", "38.016")
    assert (
        "+1 clip: 76.032 credits (about $1.12) to buy, 38.016 by this change and 38.016 open before.\n"
        in text
    )


def test_an_axis_that_grew_is_one_line(repo: Repo, shell: Shell) -> None:
    cities = ["Oslo", "Bern", "Faro", "Nice"]
    for city in cities:
        repo.write(f"images/{city.lower()}.png", picture())
    repo.write("specs/a.yaml", SPEC.replace("Paris]", f"Paris, {', '.join(cities)}]"))

    lines = shell.veogen("diff", "--base", "HEAD", "specs").out.splitlines()
    comment = shell.veogen("diff", "--base", "HEAD", "specs", "--format", "markdown").out

    assert lines[1:3] == [
        "  shot opening: city + Oslo, Bern, Faro, Nice: +4, 152.064 credits",
        "      opening[city=Oslo], opening[city=Bern], opening[city=Faro] and 1 more",
    ]
    assert (
        "<summary><code>a</code>: +4, 152.064 credits: "
        "<code>shot opening: city + Oslo, Bern, Faro, Nice</code></summary>"
    ) in comment


def test_an_image_is_named_with_its_old_and_its_new_bytes(repo: Repo, shell: Shell) -> None:
    repo.write("images/tokyo.png", picture(size=(1280, 722)))

    text = shell.veogen("diff", "--base", "HEAD", "specs").out

    assert re.search(
        r"image_urls: images/tokyo\.png \([0-9a-f]{10}\) \u2192 images/tokyo\.png \([0-9a-f]{10}\)\n",
        text,
    )
