"""`veogen run --locked`, and runs of a lock: what was approved is bought, or nothing."""

import json

import pytest
from support.galleries import picture
from support.project import Ended, Shell

SPEC = """\
veogen: 1
profiles: {draft: {params: {generate_audio: false}}}
shots:
  - name: opening
    prompt: "{{ city }} at {{ hour }}"
    vars: {hour: dusk}
    matrix: {city: [Tokyo, Paris]}
    params: {image_urls: ["../a.png"]}
"""
QUICK = ("--simulate", "--generation-time", "0.05", "--progress", "none", "--faults", "shared.yaml")


@pytest.fixture
def shell(shell: Shell) -> Shell:
    (shell.folder / "specs").mkdir()
    (shell.folder / "specs/a.yaml").write_text(SPEC)
    (shell.folder / "a.png").write_bytes(picture())
    (shell.folder / "shared.yaml").write_text("gateway: {clips: shared}\n")
    return shell


def edit(shell: Shell, old: str, new: str, name: str = "specs/a.yaml") -> None:
    text = (shell.folder / name).read_text()
    assert old in text
    (shell.folder / name).write_text(text.replace(old, new))


def bought(shell: Shell, run: str = "a") -> list[tuple[str, str]]:
    results = json.loads((shell.folder / f"runs/{run}.simulated/results.json").read_text())
    return [(line["address"], line["status"]) for line in results["results"]]


BOTH = [("opening[city=Tokyo]", "completed"), ("opening[city=Paris]", "completed")]


def test_a_locked_run_without_a_lock_buys_nothing(shell: Shell) -> None:
    assert shell.veogen("run", "specs", "--locked", *QUICK) == Ended(
        5, "", "error: specs/a.lock.yaml: there is no lock; type: veogen lock specs/a.yaml\n"
    )
    assert not (shell.folder / "runs").exists()


def test_a_locked_run_buys_what_was_approved(shell: Shell) -> None:
    shell.veogen("lock", "specs")

    assert shell.veogen("run", "specs", "--locked", *QUICK).code == 0
    assert bought(shell) == BOTH


def test_a_locked_run_of_a_stale_lock_says_what_differs_and_buys_nothing(shell: Shell) -> None:
    shell.veogen("lock", "specs")
    edit(shell, "dusk", "dawn")

    ended = shell.veogen("run", "specs", "--locked", *QUICK)

    assert (ended.code, ended.out) == (5, "")
    assert "  ~ 2 requests  76.032 credits  prompt: dusk → dawn\n" in ended.err
    assert not (shell.folder / "runs").exists()


def test_a_locked_run_uses_the_settings_of_its_lock_as_a_check_does(shell: Shell) -> None:
    shell.veogen("lock", "specs", "--set", "vars.hour=noon", "--profile", "draft")

    codes = [
        shell.veogen("lock", "--check", "specs", "--profile", "draft").code,
        shell.veogen("run", "specs", "--locked", "--profile", "draft", *QUICK).code,
        shell.veogen("run", "specs", "--locked", *QUICK).code,
    ]

    assert codes == [0, 0, 5]
    assert bought(shell, "a.draft") == BOTH


def test_other_settings_than_those_of_the_lock_are_not_approved(shell: Shell) -> None:
    shell.veogen("lock", "specs")

    ended = shell.veogen("run", "specs", "--locked", "--set", "params.seed=7", *QUICK)

    assert ended.code == 5
    assert "  ~ --set: nothing → params.seed=7\n" in ended.err


def test_a_lock_is_bought_as_it_is_whatever_became_of_its_spec(shell: Shell) -> None:
    shell.veogen("lock", "specs", "--profile", "draft")
    edit(shell, "Paris", "Rome")

    ended = shell.veogen("run", "specs/a.draft.lock.yaml", *QUICK)

    assert ended.code == 0
    assert bought(shell, "a.draft") == BOTH


def test_a_lock_whose_spec_was_run_is_bought_already(shell: Shell) -> None:
    shell.veogen("lock", "specs")
    shell.veogen("run", "specs", *QUICK)
    results = (shell.folder / "runs/a.simulated/results.json").read_bytes()

    assert shell.veogen("run", "specs/a.lock.yaml", *QUICK).code == 0
    assert (shell.folder / "runs/a.simulated/results.json").read_bytes() == results


def test_a_lock_can_be_held_to_its_spec_too(shell: Shell) -> None:
    shell.veogen("lock", "specs")
    fresh = shell.veogen("run", "specs/a.lock.yaml", "--locked", *QUICK).code
    edit(shell, "dusk", "dawn")

    assert (fresh, shell.veogen("run", "specs/a.lock.yaml", "--locked", *QUICK).code) == (0, 5)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param(
            ("--set", "params.seed=7"), "a lock has a profile and --set of its own", id="--set"
        ),
        pytest.param(
            ("--profile", "draft"), "a lock has a profile and --set of its own", id="--profile"
        ),
        pytest.param(
            ("--max-requests", "1"), "too-many-requests]: 2 requests are more than 1", id="size"
        ),
        pytest.param(("--select", "*Rome*"), "--select '*Rome*' matches no address", id="a glob"),
    ],
)
def test_options_that_do_not_fit_a_lock_are_refused(
    shell: Shell, words: tuple[str, ...], told: str
) -> None:
    shell.veogen("lock", "specs")

    ended = shell.veogen("run", "specs/a.lock.yaml", *words, *QUICK)

    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


def test_a_selection_narrows_what_is_bought_of_a_lock(shell: Shell) -> None:
    shell.veogen("lock", "specs")

    shell.veogen("run", "specs/a.lock.yaml", "--select", "*Paris*", *QUICK)

    assert bought(shell) == [("opening[city=Tokyo]", "planned"), BOTH[1]]


@pytest.mark.parametrize("content", [picture(size=(1280, 721)), None], ids=["other", "gone"])
def test_an_image_that_is_not_the_approved_one_stops_the_purchase(
    shell: Shell, content: bytes | None
) -> None:
    shell.veogen("lock", "specs")
    if content is None:
        (shell.folder / "a.png").unlink()
    else:
        (shell.folder / "a.png").write_bytes(content)

    ended = shell.veogen("run", "specs/a.lock.yaml", *QUICK)

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.endswith(
        "error[other-image]: 'a.png' is not the image that was approved: "
        "restore it, or lock again\n"
    )


def test_budget_and_limits_hold_for_a_lock_at_the_prices_of_today(shell: Shell) -> None:
    edit(shell, "veogen: 1\n", "veogen: 1\nbudget: {max_credits: 80}\n")
    shell.veogen("lock", "specs")
    (shell.folder / "veogen.yaml").write_text("prices: prices.yaml\nlimits: {max_credits: 90}")
    (shell.folder / "prices.yaml").write_text(
        "veo-3.1-fast-generate-preview: {date: 2026-12-01, source: ours, credits_per_usd: 68, "
        "rule: per_call, credits: 50}\n"
    )

    ended = shell.veogen("run", "specs/a.lock.yaml", *QUICK)

    assert ended.code == 2
    assert "100.000 credits are more than the budget allows: 80" in ended.err
    assert "100.000 credits are more than the limits allow: 90" in ended.err


def test_a_price_that_moved_since_the_approval_is_a_note(shell: Shell) -> None:
    shell.veogen("lock", "specs")
    (shell.folder / "veogen.yaml").write_text("prices: prices.yaml")
    (shell.folder / "prices.yaml").write_text(
        "veo-3.1-fast-generate-preview: {date: 2026-12-01, source: ours, credits_per_usd: 68, "
        "rule: per_call, credits: 50}\n"
    )

    for side in ("specs/a.lock.yaml", "specs/a.yaml"):
        ended = shell.veogen("run", side, "--locked", *QUICK)
        assert ended.code == 0
        assert ended.err.startswith(
            "note: specs/a.lock.yaml: a price moved since prices of 2026-10-10: "
            "76.032 credits → 100.000 credits for the same requests\n"
        )


def test_a_lock_that_does_not_add_up_is_not_bought(shell: Shell) -> None:
    shell.veogen("lock", "specs")
    edit(shell, "Tokyo at dusk", "Tokyo at dawn", "specs/a.lock.yaml")

    ended = shell.veogen("run", "specs/a.lock.yaml", *QUICK)

    assert (ended.code, ended.out) == (2, "")
    assert "the hash is not that of the request: it was edited by hand" in ended.err
    assert not (shell.folder / "runs").exists()


def test_a_plan_file_is_no_lock(shell: Shell) -> None:
    shell.veogen("plan", "specs", "--format", "json", "--out", "plan.json")

    ended = shell.veogen("run", "plan.json", *QUICK)

    assert ended == Ended(
        2, "", "plan.json:1:1: error[lock]: this is not a lock: 'veogen lock' writes one\n"
    )
