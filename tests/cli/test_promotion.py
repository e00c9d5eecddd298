"""A profile that promotes: what was picked of another one's clips, once each, nothing else."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from support.project import Ended, Repo, Shell

from veogen.results.picks import Decision, picks_text

SPEC = """\
veogen: 1
name: lamp
params: {model: veo-3.1-fast-generate-preview, duration: 4, generate_audio: false}
vars: {hour: dusk}
profiles:
  final:
    promotes: ''
    params: {duration: 8}
    budget: {max_requests: 2, max_credits: 160}
shots:
  - name: opening
    prompt: The lamp in {{ city }} at {{ hour }}.
    matrix: {city: [Tokyo, Paris, Oslo]}
    takes: 2
    overrides: [{when: {city: Oslo}, takes: 3}]
  - name: pair
    prompt: Two lamps.
    params: {n: 2}
"""


@pytest.fixture
def shell(shell: Shell) -> Shell:
    (shell.folder / "specs").mkdir()
    (shell.folder / "specs/lamp.yaml").write_text(SPEC)
    return shell


def edit(shell: Shell, old: str, new: str) -> None:
    place = shell.folder / "specs/lamp.yaml"
    text = place.read_text()
    assert old in text
    place.write_text(text.replace(old, new))


def drafts(shell: Shell, *words: str) -> dict[str, str]:
    """The clips of the draft, by address."""
    data = json.loads(shell.veogen("plan", "specs", *words, "--format", "json").out)
    return {request["address"]: request["hash"][:10] for request in data["requests"]}


def decide(shell: Shell, person: str, lines: Iterable[Sequence[str]], spec: str = "lamp") -> None:
    """Write a picks file: lines of address, clip and verdict."""
    decisions = [
        Decision(of, clip, "pick" if verdict == "pick" else "reject") for of, clip, verdict in lines
    ]
    place = shell.folder / f"specs/{spec}.picks.{person}.yaml"
    place.write_text(picks_text(decisions))


def final(shell: Shell, *words: str) -> list[tuple[str, list[str], Any]]:
    """What the final plans: addresses, what they come from, and the duration."""
    ended = shell.veogen("plan", "specs", "--profile", "final", "--format", "json", *words)
    assert ended.code == 0, ended.err
    return [
        (request["address"], request["from"], request["request"]["duration"])
        for request in json.loads(ended.out)["requests"]
    ]


TOKYO, PARIS, OSLO = (f"opening[city={city}]" for city in ("Tokyo", "Paris", "Oslo"))


def test_what_is_picked_is_planned_once_with_the_words_of_the_final(shell: Shell) -> None:
    clips = drafts(shell)
    decide(shell, "anna", [(f"{OSLO}#3", clips[f"{OSLO}#3"], "pick"), (OSLO, clips[OSLO], "pick")])
    decide(shell, "ben", [("pair", f"{clips['pair']}-2", "pick"), (PARIS, clips[PARIS], "reject")])

    assert final(shell) == [
        (OSLO, [clips[OSLO], clips[f"{OSLO}#3"]], 8),
        ("pair", [f"{clips['pair']}-2"], 8),
    ]


def test_the_plan_and_the_lock_name_the_clips_and_say_that_each_is_made_anew(shell: Shell) -> None:
    clip = drafts(shell)[f"{TOKYO}#2"]
    decide(shell, "anna", [(f"{TOKYO}#2", clip, "pick")])

    ended = shell.veogen("plan", "specs", "--profile", "final")
    assert ended.out.splitlines()[-2:] == [
        (
            "They promote picked clips: each is made anew from the same words; "
            "nothing of a picked clip goes into it."
        ),
        f"  {TOKYO}  from {clip}",
    ]

    ended = shell.veogen("lock", "specs", "--profile", "final")
    assert "each is made anew from the same words" in ended.err
    lock = (shell.folder / "specs/lamp.final.lock.yaml").read_text()
    assert f'    from:\n      - "{clip}"\n' in lock
    assert "# 'from' names picked clips: each is made anew from the same words" in lock
    assert shell.veogen("lock", "--check", "specs", "--profile", "final").code == 0

    decide(shell, "anna", [(TOKYO, drafts(shell)[TOKYO], "pick"), (f"{TOKYO}#2", clip, "reject")])
    assert shell.veogen("lock", "--check", "specs", "--profile", "final").code == 0

    decide(shell, "ben", [(PARIS, drafts(shell)[PARIS], "pick")])
    stale = shell.veogen("lock", "--check", "specs", "--profile", "final")
    assert stale.code == 5
    assert f"+ {PARIS}" in stale.err


def test_a_stale_pick_promotes_its_combination_with_a_warning(shell: Shell) -> None:
    clips = drafts(shell)
    decide(shell, "anna", [(TOKYO, clips[TOKYO], "pick"), (f"{PARIS}#2", "0123456789", "pick")])
    edit(shell, "The lamp in", "The old lamp in")
    now = drafts(shell)

    ended = shell.veogen("plan", "specs", "--profile", "final", "--format", "json")

    assert [r["address"] for r in json.loads(ended.out)["requests"]] == [TOKYO, PARIS]
    assert ended.err.splitlines() == [
        (
            f"specs/lamp.yaml:7:15: warning[stale-pick]: {PARIS}#2: picked clip 0123456789 left the "
            f"plan, where {now[PARIS]} stands now: what is made anew is the combination as it is today"
        ),
        (
            f"specs/lamp.yaml:7:15: warning[stale-pick]: {TOKYO}: picked clip {clips[TOKYO]} left the "
            f"plan, where {now[TOKYO]} stands now: what is made anew is the combination as it is today"
        ),
    ]


def test_what_is_gone_or_contested_is_left_out_and_said(shell: Shell) -> None:
    clips = drafts(shell)
    decide(
        shell,
        "anna",
        [
            (TOKYO, clips[TOKYO], "pick"),
            (PARIS, clips[PARIS], "pick"),
            ("opening[city=Rome]", "0123456789", "pick"),
        ],
    )
    decide(shell, "ben", [(PARIS, clips[PARIS], "reject")])

    ended = shell.veogen("plan", "specs", "--profile", "final", "--format", "json")

    assert [r["address"] for r in json.loads(ended.out)["requests"]] == [TOKYO]
    assert ended.err.splitlines() == [
        (
            f"specs/lamp.yaml:7:15: warning[contested-pick]: {PARIS}: clip {clips[PARIS]} is left out: "
            "anna picked it, ben rejected it"
        ),
        (
            "specs/lamp.yaml:7:15: warning[gone-pick]: opening[city=Rome]: picked clip 0123456789 is "
            "left out: its combination is gone"
        ),
    ]


def test_a_pick_of_a_renamed_combination_is_of_the_same_clip(shell: Shell) -> None:
    clip = drafts(shell)[TOKYO]
    decide(shell, "anna", [(TOKYO, clip, "pick")])
    edit(shell, "- name: opening", "- name: first")

    assert final(shell) == [("first[city=Tokyo]", [clip], 8)]


@pytest.mark.parametrize("command", ["plan", "lock", "run"])
def test_without_any_pick_there_is_nothing_to_promote(shell: Shell, command: str) -> None:
    yes = ["--simulate"] if command == "run" else []

    ended = shell.veogen(command, "specs", "--profile", "final", *yes)

    assert (ended.code, ended.out) == (2, "")
    assert (
        "specs/lamp.yaml:7:15: error[no-picks]: no clip of the spec without a profile" in ended.err
    )
    assert sorted(path.name for path in shell.folder.iterdir()) == [".git", "specs"]


def test_picks_of_a_practice_run_never_count_for_money(shell: Shell) -> None:
    clips = drafts(shell)
    decide(shell, "anna", [(TOKYO, clips[TOKYO], "pick")], spec="lamp.simulated")

    assert shell.veogen("plan", "specs", "--profile", "final").code == 2
    assert shell.veogen("lock", "specs", "--profile", "final").code == 2
    ended = shell.veogen(
        "run", "specs", "--profile", "final", "--simulate", "--generation-time", "0",
        "--progress", "none",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    results = json.loads((shell.folder / "runs/lamp.final.simulated/results.json").read_text())
    assert [line["address"] for line in results["results"]] == [TOKYO]


def test_a_difference_without_picks_is_an_empty_plan(shell: Shell) -> None:
    clips = drafts(shell)
    decide(shell, "anna", [(TOKYO, clips[TOKYO], "pick")])
    shell.veogen("lock", "specs", "--profile", "final")
    (shell.folder / "specs/lamp.picks.anna.yaml").unlink()

    ended = shell.veogen(
        "diff", "specs/lamp.final.lock.yaml", "specs/lamp.yaml", "--profile", "final"
    )

    assert ended.code == 0, ended.err
    assert f"- {TOKYO}" in ended.out


def test_the_promoted_profile_says_which_combinations_there_are(shell: Shell) -> None:
    edit(
        shell,
        "profiles:\n  final:\n    promotes: ''\n",
        "profiles:\n"
        "  draft:\n"
        "    params: {duration: 6}\n"
        "    shots: [{name: opening, matrix: {city: [Lima, Oslo]}}, {name: extra, prompt: More.}]\n"
        "  final:\n    promotes: draft\n",
    )
    clips = drafts(shell, "--profile", "draft")
    decide(
        shell,
        "anna",
        [
            ("opening[city=Lima]", clips["opening[city=Lima]"], "pick"),
            ("extra", clips["extra"], "pick"),
        ],
        spec="lamp.draft",
    )

    assert final(shell) == [
        ("opening[city=Lima]", [clips["opening[city=Lima]"]], 8),
        ("extra", [clips["extra"]], 8),
    ]


def test_the_words_of_a_final_change_without_making_picks_stale(shell: Shell) -> None:
    edit(
        shell,
        "    budget: {max_requests: 2, max_credits: 160}\n",
        "    shots: [{name: opening, prompt: 'The lamp in {{ city }}, in full.', takes: 2}]\n",
    )
    clips = drafts(shell)
    decide(shell, "anna", [(TOKYO, clips[TOKYO], "pick")])

    ended = shell.veogen("plan", "specs", "--profile", "final", "--format", "json")

    assert ended.err == ""
    assert [
        (request["address"], request["from"], request["request"]["prompt"])
        for request in json.loads(ended.out)["requests"]
    ] == [
        (TOKYO, [clips[TOKYO]], "The lamp in Tokyo, in full."),
        (f"{TOKYO}#2", [clips[TOKYO]], "The lamp in Tokyo, in full."),
    ]


@pytest.mark.parametrize(
    ("profile", "mistake"),
    [
        pytest.param(
            "{promotes: '', matrix: {city: [Lima]}}",
            "specs/lamp.yaml:6:25: error[promotes]: a profile that promotes has the combinations "
            "of the spec; take the matrix away",
            id="a matrix of its own",
        ),
        pytest.param(
            "{promotes: '', shots: [{name: opening, matrix: {city: [Lima]}}]}",
            "specs/lamp.yaml:6:49: error[promotes]: a profile that promotes has the combinations "
            "of the spec; take the matrix away",
            id="a matrix of a shot of its own",
        ),
        pytest.param(
            "{promotes: darft}",
            "specs/lamp.yaml:6:21: error[unknown-profile]: 'darft' is not a profile of this spec; "
            "did you mean 'draft'?",
            id="an unknown profile",
        ),
        pytest.param(
            "{promotes: final}",
            "specs/lamp.yaml:6:21: error[promotes]: a profile cannot promote itself: "
            "final -> final",
            id="itself",
        ),
        pytest.param(
            "{promotes: '', shots: [{name: extra, prompt: More.}]}",
            "specs/lamp.yaml:6:33: error[promotes]: shot 'extra' has no combination to promote; "
            "it belongs to the spec, or to the profile that is promoted",
            id="a shot of its own",
        ),
        pytest.param(
            "{promotes: ['']}",
            "specs/lamp.yaml:6:21: error[type]: 'promotes' is a string, not a list",
            id="a list",
        ),
        pytest.param(
            "{promotes: '', shots: [{name: pair, params: {duration: 5}}]}",
            "specs/lamp.yaml:6:65: error[value]: duration is one of 4, 6, 8, not 5 (pair)",
            id="a mistake in any combination",
        ),
    ],
)
def test_validate_tells_what_is_wrong_with_a_profile_that_promotes(
    shell: Shell, profile: str, mistake: str
) -> None:
    edit(
        shell,
        "  final:\n    promotes: ''\n    params: {duration: 8}\n"
        "    budget: {max_requests: 2, max_credits: 160}\n",
        f"  final: {profile}\n  draft: {{}}\n",
    )

    ended = shell.veogen("validate", "specs")

    assert ended.out.splitlines() == [mistake]


def test_validate_judges_all_combinations_and_no_budget(shell: Shell) -> None:
    assert shell.veogen("validate", "specs") == Ended(0, "", "1 spec: no mistakes\n")


def test_mistakes_in_picks_are_told_where_they_count(shell: Shell) -> None:
    (shell.folder / "specs/lamp.picks.anna.yaml").write_text("picks: []\n")

    ended = shell.veogen("plan", "specs", "--profile", "final")

    assert ended.code == 2
    assert ended.err == (
        "specs/lamp.picks.anna.yaml:1:1: error[missing-key]: a picks file needs 'format'\n"
    )
    assert shell.veogen("plan", "specs").code == 0


def test_what_was_decided_is_a_difference_in_a_review(shell: Shell) -> None:
    clips = drafts(shell)
    decide(shell, "anna", [(TOKYO, clips[TOKYO], "pick")])
    repo = Repo(shell.folder)
    repo.commit()
    decide(shell, "anna", [(TOKYO, clips[TOKYO], "pick"), (OSLO, clips[OSLO], "pick")])
    decide(shell, "ben", [(PARIS, clips[PARIS], "reject"), (OSLO, clips[OSLO], "reject")])

    ended = shell.veogen("diff", "HEAD:specs/lamp.yaml", "specs/lamp.yaml", "--exit-code")

    assert (ended.code, ended.err) == (5, "")
    assert ended.out.splitlines() == [
        "lamp: HEAD:specs/lamp.yaml → specs/lamp.yaml",
        "  ~ picks: 0 → 1 rejected, 0 → 1 contested (anna, ben)",
        "  note: picks: 1 shot without a pick, 1 contested",
        "",
        "no request differs: 0.000 credits to buy.",
        "8 requests unchanged.",
        "Credits: 228.096 → 228.096 (+0.000).",
    ]
    comment = shell.veogen("diff", "--base", "HEAD", "specs", "--format", "markdown").out
    assert "### veogen: no request differs: 0.000 credits to buy (8 requests unchanged)" in comment
    assert "<code>lamp: picks: 0 → 1 rejected, 0 → 1 contested (anna, ben)</code>" in comment
    assert "<code>lamp: picks: 1 shot without a pick, 1 contested</code>" in comment


def test_a_review_shows_what_picks_promote_at_either_side(shell: Shell) -> None:
    clips = drafts(shell)
    decide(shell, "anna", [(TOKYO, clips[TOKYO], "pick")])
    repo = Repo(shell.folder)
    repo.commit()
    decide(shell, "anna", [(OSLO, clips[OSLO], "pick")])

    ended = shell.veogen("diff", "--base", "HEAD", "specs", "--profile", "final")

    assert f"  + {OSLO}  50.688 credits" in ended.out.splitlines(), ended
    assert f"  - {TOKYO}  50.688 credits" in ended.out.splitlines()


def test_picks_that_cannot_be_read_are_said_in_a_review(shell: Shell) -> None:
    repo = Repo(shell.folder)
    repo.commit()
    (shell.folder / "specs/lamp.picks.anna.yaml").write_text("picks: []\n")

    ended = shell.veogen("diff", "--base", "HEAD", "specs")

    assert ended.code == 0
    assert "  note: specs/lamp.picks.anna.yaml:1:1: error[missing-key]" in ended.out


def test_the_limit_of_a_final_counts_what_is_picked_and_not_what_there_was(shell: Shell) -> None:
    clips = drafts(shell)
    decide(shell, "anna", [(one, clips[one], "pick") for one in (TOKYO, PARIS)])
    assert len(final(shell, "--max-requests", "2")) == 2

    pair = f"{clips['pair']}-1"
    decide(shell, "ben", [(OSLO, clips[OSLO], "pick"), ("pair", pair, "pick")])
    ended = shell.veogen("plan", "specs", "--profile", "final")

    assert ended.code == 2
    assert ended.err == (
        "specs/lamp.yaml:13:13: error[too-many-requests]: 4 requests are more than the budget's 2: "
        "opening: 3 of the picks; pair: 1 of the picks\n"
    )
