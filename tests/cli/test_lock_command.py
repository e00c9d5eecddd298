"""`veogen lock` and `--check`: what they write, say and refuse."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support.project import Ended, Shell

SPEC = """\
veogen: 1
profiles: {draft: {params: {quality: 720p, generate_audio: false}}}
shots:
  - name: opening
    prompt: "{{ city }} at {{ hour }}"
    vars: {hour: dusk}
    matrix: {city: [Tokyo, Paris]}
"""
PRICES = """\
veo-3.1-fast-generate-preview:
  {date: 2026-12-01, source: ours, credits_per_usd: 68, rule: per_call, credits: 100}
"""


@pytest.fixture
def shell(shell: Shell) -> Shell:
    (shell.folder / "specs").mkdir()
    (shell.folder / "specs/a.yaml").write_text(SPEC)
    return shell


def edit(shell: Shell, old: str, new: str, name: str = "specs/a.yaml") -> None:
    text = (shell.folder / name).read_text()
    assert old in text
    (shell.folder / name).write_text(text.replace(old, new))


def files(shell: Shell) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (shell.folder / "specs").iterdir()}


def test_a_lock_is_written_beside_its_spec_and_then_up_to_date(shell: Shell) -> None:
    assert shell.veogen("lock", "specs") == Ended(
        0, "", "specs/a.lock.yaml: written, 2 requests, 76.032 credits\n"
    )
    first = files(shell)
    assert shell.veogen("lock", "specs/a.yaml") == Ended(
        0, "", "specs/a.lock.yaml: up to date, 2 requests, 76.032 credits\n"
    )
    assert files(shell) == first


def test_a_profile_has_a_lock_of_its_own(shell: Shell) -> None:
    shell.veogen("lock", "specs")
    shell.veogen("lock", "specs", "--profile", "draft")

    assert sorted(files(shell)) == ["a.draft.lock.yaml", "a.lock.yaml", "a.yaml"]
    assert shell.veogen("lock", "--check", "specs").err == (
        "specs/a.lock.yaml: up to date, 2 requests, 76.032 credits\n"
        "specs/a.draft.lock.yaml: up to date, 2 requests, 50.688 credits\n"
    )


def test_a_check_of_a_spec_without_a_lock_exits_5(shell: Shell) -> None:
    assert shell.veogen("lock", "--check", "specs") == Ended(
        5, "", "error: specs/a.lock.yaml: there is no lock; type: veogen lock specs/a.yaml\n"
    )
    assert shell.veogen("lock", "--check", "specs/a.yaml", "--profile", "draft").err == (
        "error: specs/a.draft.lock.yaml: there is no lock; "
        "type: veogen lock specs/a.yaml --profile draft\n"
    )


@pytest.mark.parametrize("extra", [(), ("--profile", "draft")], ids=["found", "asked for"])
def test_a_check_uses_the_profile_and_settings_of_the_lock(
    shell: Shell, extra: tuple[str, ...]
) -> None:
    shell.veogen("lock", "specs", "--profile", "draft", "--set", "vars.hour=noon")

    assert shell.veogen("lock", "--check", "specs", *extra) == Ended(
        0, "", "specs/a.draft.lock.yaml: up to date, 2 requests, 50.688 credits\n"
    )


def test_a_stale_lock_exits_5_says_what_differs_and_is_not_touched(shell: Shell) -> None:
    shell.veogen("lock", "specs")
    edit(shell, "dusk", "dawn")
    edit(shell, "[Tokyo, Paris]", "[Tokyo, Paris, Oslo]")
    before = files(shell)

    assert shell.veogen("lock", "--check", "specs") == Ended(
        5,
        "",
        "error: specs/a.lock.yaml: stale; the spec makes something else now\n"
        "  + opening[city=Oslo]  38.016 credits\n"
        "  ~ 2 requests  76.032 credits  prompt: dusk → dawn\n"
        "      see specs/a.yaml:5:13\n"
        "      opening[city=Tokyo], opening[city=Paris]\n"
        "      | Tokyo at [-dusk-]{+dawn+}\n"
        "Look at it: veogen diff specs/a.lock.yaml specs/a.yaml\n"
        "Approve it: veogen lock specs/a.yaml\n",
    )
    assert files(shell) == before


def test_the_commands_that_are_named_for_a_stale_lock_are_those_of_its_profile(
    shell: Shell,
) -> None:
    shell.veogen("lock", "specs", "--profile", "draft", "--set", "vars.hour=late night")
    edit(shell, "Paris", "Rome")

    told = shell.veogen("lock", "--check", "specs").err

    assert told.endswith(
        "Approve it: veogen lock specs/a.yaml --profile draft --set 'vars.hour=late night'\n"
    )


def test_a_lock_is_checked_where_the_command_stands(shell: Shell) -> None:
    shell.veogen("lock", "specs")
    here = Shell(shell.folder / "specs", shell.capture, {})

    assert here.veogen("lock", "--check", "a.yaml").err == (
        "a.lock.yaml: up to date, 2 requests, 76.032 credits\n"
    )


def test_only_what_is_selected_makes_a_check_fail(shell: Shell) -> None:
    shell.veogen("lock", "specs")
    edit(shell, "Paris", "Rome")

    codes = [
        shell.veogen("lock", "--check", "specs", "--select", f"*city={city}*").code
        for city in ("Tokyo", "Rome", "Paris")
    ]

    assert codes == [0, 5, 5]


def test_a_selection_narrows_no_lock(shell: Shell) -> None:
    shell.veogen("lock", "specs")
    whole = files(shell)

    shell.veogen("lock", "specs", "--select", "*Tokyo*")

    assert files(shell) == whole


def test_a_price_that_moved_is_a_note(shell: Shell) -> None:
    shell.veogen("lock", "specs")
    (shell.folder / "veogen.yaml").write_text("prices: prices.yaml")
    (shell.folder / "prices.yaml").write_text(PRICES)

    assert shell.veogen("lock", "--check", "specs") == Ended(
        0,
        "",
        "specs/a.lock.yaml: up to date, 2 requests, 200.000 credits\n"
        "note: specs/a.lock.yaml: a price moved since prices of 2026-10-10: "
        "76.032 credits → 200.000 credits for the same requests\n",
    )


def test_a_lock_that_was_edited_by_hand_is_stale(shell: Shell) -> None:
    shell.veogen("lock", "specs")
    edit(shell, "Tokyo at dusk", "Tokyo at dawn", "specs/a.lock.yaml")

    ended = shell.veogen("lock", "--check", "specs")

    assert (ended.code, ended.out) == (5, "")
    assert "the hash is not that of the request: it was edited by hand" in ended.err


def test_a_half_merged_lock_is_stale_and_made_anew(shell: Shell) -> None:
    shell.veogen("lock", "specs")
    good = files(shell)
    edit(shell, "requests:\n", "<<<<<<< HEAD\nrequests:\n", "specs/a.lock.yaml")

    assert shell.veogen("lock", "--check", "specs").code == 5
    shell.veogen("lock", "specs")

    assert files(shell) == good


def test_a_profile_that_is_gone_makes_its_lock_stale(shell: Shell) -> None:
    shell.veogen("lock", "specs", "--profile", "draft")
    edit(shell, "draft:", "final:")

    assert shell.veogen("lock", "--check", "specs") == Ended(
        5, "", "error: specs/a.draft.lock.yaml: the spec has no profile 'draft'\n"
    )


def test_mistakes_of_a_spec_are_shown_and_nothing_is_written(shell: Shell) -> None:
    edit(shell, "{{ hour }}", "{{ ours }}")

    ended = shell.veogen("lock", "specs")

    assert (ended.code, sorted(files(shell))) == (2, ["a.yaml"])
    assert "'ours' is not defined" in ended.err


def test_an_estimate_over_the_budget_is_not_locked(shell: Shell) -> None:
    edit(shell, "veogen: 1\n", "veogen: 1\nbudget: {max_credits: 76}\n")

    ended = shell.veogen("lock", "specs")

    assert (ended.code, sorted(files(shell))) == (2, ["a.yaml"])
    assert "76.032 credits are more than the budget allows: 76" in ended.err


def test_a_check_holds_locks_to_the_teams_limits_profile_by_profile(shell: Shell) -> None:
    (shell.folder / "specs/b.yaml").write_text(SPEC.replace("dusk", "noon"))
    shell.veogen("lock", "specs")
    shell.veogen("lock", "specs", "--profile", "draft")

    (shell.folder / "veogen.yaml").write_text("limits: {max_credits: 152.064}\n")
    within = shell.veogen("lock", "--check", "specs")
    (shell.folder / "veogen.yaml").write_text("limits: {max_credits: 152}\n")
    over = shell.veogen("lock", "--check", "specs")

    assert within.code == 0
    assert over.code == 2
    assert over.err.endswith(
        "veogen.yaml:1:9: error[over-budget]: 152.064 credits are more than the limits allow: 152\n"
    )


def test_a_check_tells_the_mistakes_of_all_specs(shell: Shell) -> None:
    for name in ("a", "b"):
        (shell.folder / f"specs/{name}.yaml").write_text(SPEC)
        shell.veogen("lock", f"specs/{name}.yaml")
        edit(shell, "{{ city }}", "{{ town }}", f"specs/{name}.yaml")

    ended = shell.veogen("lock", "--check", "specs")

    assert ended.code == 2
    assert [line.split(":")[0] for line in ended.err.splitlines()] == [
        "specs/a.yaml",
        "specs/b.yaml",
    ]


def test_the_commands_that_are_named_for_a_stale_lock_take_the_settings_that_were_typed(
    shell: Shell,
) -> None:
    shell.veogen("lock", "specs")

    ended = shell.veogen("lock", "--check", "specs", "--set", "vars.hour=late noon")

    assert ended.code == 5
    assert ended.err.splitlines()[-2:] == [
        "Look at it: veogen diff specs/a.lock.yaml specs/a.yaml --set 'vars.hour=late noon'",
        "Approve it: veogen lock specs/a.yaml --set 'vars.hour=late noon'",
    ]


def test_the_commands_that_are_named_for_a_lock_allow_what_was_allowed(shell: Shell) -> None:
    allowed = ("--max-requests", "2000", "--allow-unknown-model")
    missing = shell.veogen("lock", "--check", "specs", *allowed)
    shell.veogen("lock", "specs", *allowed)
    edit(shell, "dusk", "dawn")
    stale = shell.veogen("lock", "--check", "specs", *allowed)

    command = "veogen lock specs/a.yaml --max-requests 2000 --allow-unknown-model"
    assert missing.err == f"error: specs/a.lock.yaml: there is no lock; type: {command}\n"
    assert stale.err.splitlines()[-1] == f"Approve it: {command}"


def test_the_lock_of_another_spec_is_not_overwritten(shell: Shell) -> None:
    (shell.folder / "specs/a.draft.yaml").write_text(f"{SPEC}name: b\n")
    shell.veogen("lock", "specs/a.draft.yaml")
    before = files(shell)

    ended = shell.veogen("lock", "specs/a.yaml", "--profile", "draft")

    assert ended == Ended(
        2,
        "",
        "error: specs/a.draft.lock.yaml is the lock of specs/a.draft.yaml; "
        "rename one of the specs\n",
    )
    assert files(shell) == before


def test_two_specs_that_would_share_a_lock_are_refused(shell: Shell) -> None:
    (shell.folder / "specs/a.yml").write_text(f"{SPEC}name: b\n")

    ended = shell.veogen("lock", "specs")

    assert ended == Ended(
        2,
        "",
        "error: specs/a.yaml and specs/a.yml would have the same lock; rename one\n",
    )


@pytest.mark.parametrize("lure", [os.mkfifo, Path.mkdir], ids=["a pipe", "a folder"])
def test_a_lock_that_is_no_file_is_a_mistake(shell: Shell, lure: Callable[[Path], None]) -> None:
    lure(shell.folder / "specs/a.lock.yaml")

    told = "error: specs/a.lock.yaml: this is not a file\n"
    assert shell.veogen("lock", "specs") == Ended(2, "", told)
    assert shell.veogen("lock", "--check", "specs") == Ended(2, "", told)


def test_the_name_of_a_file_commands_no_terminal(shell: Shell) -> None:
    (shell.folder / "specs/a.yaml").unlink()
    (shell.folder / "specs/a\x1b[2J\n.yaml").write_text(f"{SPEC}name: a\n")

    ended = shell.veogen("lock", "specs")

    assert ended == Ended(
        0, "", "specs/a\\x1b[2J .lock.yaml: written, 2 requests, 76.032 credits\n"
    )


def test_every_lock_of_a_spec_is_checked_though_one_is_stale_or_broken(shell: Shell) -> None:
    shell.veogen("lock", "specs")
    shell.veogen("lock", "specs", "--profile", "draft")
    edit(shell, "Paris", "Rome")

    stale = shell.veogen("lock", "--check", "specs")
    (shell.folder / "specs/a.draft.lock.yaml").write_text("format: veogen.plan/1\n")
    broken = shell.veogen("lock", "--check", "specs")

    says = "stale; the spec makes something else now"
    first = [line.removeprefix("error: ") for line in stale.err.splitlines() if says in line]
    assert (stale.code, first) == (
        5,
        [f"specs/a.lock.yaml: {says}", f"specs/a.draft.lock.yaml: {says}"],
    )
    assert broken.code == 5
    assert f"specs/a.lock.yaml: {says}" in broken.err
    assert "this lock cannot be relied on\nspecs/a.draft.lock.yaml:1:1: error[" in broken.err


def test_a_lock_can_be_checked_by_its_own_name(shell: Shell) -> None:
    shell.veogen("lock", "specs", "--profile", "draft")
    fresh = shell.veogen("lock", "--check", "specs/a.draft.lock.yaml").code
    edit(shell, "Paris", "Rome")

    assert (fresh, shell.veogen("lock", "--check", "specs/a.draft.lock.yaml").code) == (0, 5)


@pytest.mark.parametrize("command", ["validate", "plan", "lock"])
def test_a_lock_is_no_spec_where_only_specs_are_taken(shell: Shell, command: str) -> None:
    shell.veogen("lock", "specs")

    assert shell.veogen(command, "specs/a.lock.yaml") == Ended(
        2,
        "",
        "error: specs/a.lock.yaml is a lock; name the spec specs/a.yaml, or the folder specs/\n",
    )


def test_a_lock_whose_spec_is_gone_is_stale(shell: Shell) -> None:
    shell.veogen("lock", "specs")
    (shell.folder / "specs/a.yaml").unlink()

    assert shell.veogen("lock", "--check", "specs/a.lock.yaml") == Ended(
        5, "", "error: specs/a.lock.yaml: its spec is gone: specs/a.yaml\n"
    )
