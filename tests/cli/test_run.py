"""`veogen run` and `veogen collect` as a shell calls them."""

import errno
import fcntl
import hashlib
import json
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import pytest
from support.project import Shell

from veogen.errors import ExitCode

SPEC = """
veogen: 1
name: trip
params: {duration: 4, quality: 720p}
shots:
  - {name: boat, prompt: "A boat at {{ hour }}", matrix: {hour: [dawn, dusk]}}
"""
OWN_CLIPS = ("--simulate", "--generation-time", "0.1", "--poll-interval", "0.1")
QUICK = (*OWN_CLIPS, "--faults", "shared.yaml")  # one clip for all: to make one takes longest


@pytest.fixture
def shell(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Shell:
    (tmp_path / "trip.yaml").write_text(SPEC)
    (tmp_path / "shared.yaml").write_text("gateway: {clips: shared}\n")
    return Shell(tmp_path, capfd, {})


def results(shell: Shell, run: str = "trip.simulated") -> dict[str, Any]:
    data: dict[str, Any] = json.loads((shell.folder / "runs" / run / "results.json").read_text())
    return data


def statuses(shell: Shell) -> list[str]:
    return [line["status"] for line in results(shell)["results"]]


def test_a_simulated_run_ends_with_a_manifest_and_real_clips(shell: Shell) -> None:
    ended = shell.veogen("run", "trip.yaml", *OWN_CLIPS)

    assert (ended.code, ended.out) == (ExitCode.DONE, "")
    manifest = results(shell)
    line = manifest["results"][0]
    body = {
        "duration": 4,
        "model": "veo-3.1-fast-generate-preview",
        "prompt": "A boat at dawn",
        "quality": "720p",
    }
    canonical = json.dumps({"request": body, "take": 1}, sort_keys=True, separators=(",", ":"))
    hash_ = hashlib.sha256(canonical.encode()).hexdigest()
    clip = shell.folder / "runs/trip.simulated" / line["videos"][0]["path"]
    assert manifest == {
        "format": "veogen.results/1",
        "name": "trip",
        "gateway": "simulated",
        "results": manifest["results"],
        "former": [],
    }
    assert line == {
        "address": "boat[hour=dawn]",
        "hash": hash_,
        "shot": "boat",
        "take": 1,
        "variables": {"hour": "dawn"},
        "status": "completed",
        "task_id": line["task_id"],
        "attempts": 1,
        "credits": "38.016",
        "error": None,
        "videos": [
            {
                "path": f"videos/boat/dawn-{hash_[:10]}.mp4",
                "sha256": hashlib.sha256(clip.read_bytes()).hexdigest(),
                "bytes": clip.stat().st_size,
                "duration": 4.0,
                "width": 1280,
                "height": 720,
                "fps": 24.0,
                "audio": True,
                "warnings": [],
            }
        ],
    }
    with av.open(str(clip)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 96


def test_a_simulated_run_is_the_same_wherever_it_runs(shell: Shell) -> None:
    ends = [
        shell.veogen("run", "trip.yaml", *OWN_CLIPS, "--dir", name).code for name in ("one", "two")
    ]

    one, two = ((shell.folder / name / "results.json").read_bytes() for name in ("one", "two"))
    assert ends == [ExitCode.DONE, ExitCode.DONE]
    assert one == two


def test_a_simulated_directory_is_nobodys(shell: Shell) -> None:
    shell.veogen("run", "trip.yaml", *QUICK)

    ignore = (shell.folder / "runs/trip.simulated/.gitignore").read_text()
    assert [line for line in ignore.splitlines() if not line.startswith("#")] == ["*"]
    assert sorted(p.name for p in (shell.folder / "runs/trip.simulated").iterdir()) == [
        ".gitignore",
        ".lock",
        "journal.db",
        "results.json",
        "videos",
    ]


def test_a_second_run_has_nothing_to_do_and_changes_no_byte(shell: Shell) -> None:
    shell.veogen("run", "trip.yaml", *QUICK)
    path = shell.folder / "runs/trip.simulated/results.json"
    before = (path.read_bytes(), path.stat().st_mtime_ns)

    again = shell.veogen("run", "trip.yaml", *QUICK)

    assert again.code == ExitCode.DONE
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_a_simulated_run_goes_on_with_the_tasks_of_the_one_before(shell: Shell) -> None:
    first = shell.veogen(
        "run", "trip.yaml", "--simulate", "--generation-time", "60", "--task-timeout", "0.5"
    )
    tasks = [line["task_id"] for line in results(shell)["results"]]
    assert (first.code, statuses(shell)) == (ExitCode.INCOMPLETE, ["submitted"] * 2)

    second = shell.veogen("run", "trip.yaml", *QUICK)

    assert (second.code, statuses(shell)) == (ExitCode.DONE, ["completed"] * 2)
    assert [line["task_id"] for line in results(shell)["results"]] == tasks


def test_a_selection_buys_only_what_is_selected(shell: Shell) -> None:
    ended = shell.veogen("run", "trip.yaml", *QUICK, "--select", "*dusk*")

    assert (ended.code, statuses(shell)) == (ExitCode.DONE, ["planned", "completed"])


def test_the_ceiling_stops_before_it_is_passed(shell: Shell) -> None:
    ended = shell.veogen("run", "trip.yaml", *QUICK, "--max-credits", "50")

    assert (ended.code, statuses(shell)) == (ExitCode.STOPPED, ["completed", "planned"])
    assert "--max-credits 50 would be passed by boat[hour=dusk] (38.016 credits)" in ended.err


def test_several_specs_share_one_ceiling_and_end_with_the_worst_code(shell: Shell) -> None:
    (shell.folder / "other.yaml").write_text(SPEC.replace("name: trip", "name: other"))

    ended = shell.veogen("run", "trip.yaml", "other.yaml", *QUICK, "--max-credits", "120")

    assert ended.code == ExitCode.STOPPED
    assert statuses(shell) == ["completed", "completed"]
    other = [line["status"] for line in results(shell, "other.simulated")["results"]]
    assert other == ["completed", "planned"]


def test_deleted_clips_are_fetched_again_and_never_bought_again(shell: Shell) -> None:
    shell.veogen("run", "trip.yaml", *QUICK)
    before = results(shell)
    for clip in (shell.folder / "runs/trip.simulated/videos").rglob("*.mp4"):
        clip.unlink()

    again = shell.veogen("run", "trip.yaml", *QUICK)

    assert again.code == ExitCode.DONE
    tasks = [line["task_id"] for line in before["results"]]
    assert [line["task_id"] for line in results(shell)["results"]] == tasks


def test_a_renamed_request_keeps_its_clip_under_the_new_name(shell: Shell) -> None:
    shell.veogen("run", "trip.yaml", *QUICK)
    (shell.folder / "trip.yaml").write_text(SPEC.replace("name: boat", "name: ship"))

    again = shell.veogen("run", "trip.yaml", *QUICK)

    assert again.code == ExitCode.DONE
    line = results(shell)["results"][0]
    assert (line["address"], line["attempts"]) == ("ship[hour=dawn]", 1)
    assert line["videos"][0]["path"].startswith("videos/ship/dawn-")
    assert (shell.folder / "runs/trip.simulated" / line["videos"][0]["path"]).is_file()
    assert results(shell)["former"] == []


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        pytest.param(["trip.yaml"], "there is no terminal to ask on: say --yes", id="no terminal"),
        pytest.param(["trip.yaml", "--yes"], "EVOLINK_API_KEY is not set", id="no key"),
        pytest.param(["gone.yaml", *QUICK], "'gone.yaml' does not exist", id="no spec"),
        pytest.param(
            ["trip.yaml", "trip.yaml", *QUICK, "--dir", "d"], "--dir takes one spec", id="one dir"
        ),
        pytest.param(
            ["trip.yaml", "--yes", "--generation-time", "1"],
            "--generation-time needs --simulate",
            id="not simulated",
        ),
        pytest.param(
            ["trip.yaml", *QUICK, "--max-credits", "much"],
            "'much' is not a number of credits",
            id="not a number",
        ),
        pytest.param(
            ["trip.yaml", *QUICK, "--select", "ship*"], "'ship*' matches no address", id="no match"
        ),
        pytest.param(
            ["trip.yaml", *QUICK, "--set", "params.duration=5"], "duration is one of", id="a value"
        ),
    ],
)
def test_a_mistake_is_a_line_and_exit_code_2_and_nothing_is_written(
    shell: Shell, words: Sequence[str], complaint: str
) -> None:
    ended = shell.veogen("run", *words)

    assert (ended.code, ended.out) == (ExitCode.USAGE, "")
    assert complaint in ended.err
    assert "Traceback" not in ended.err
    assert not (shell.folder / "runs").exists()


def test_an_estimate_over_the_budget_is_refused(shell: Shell) -> None:
    (shell.folder / "trip.yaml").write_text(SPEC + "budget: {max_credits: 76}\n")

    ended = shell.veogen("run", "trip.yaml", *QUICK)

    assert ended.code == ExitCode.USAGE
    assert "76.032 credits are more than the budget allows: 76" in ended.err


def test_a_directory_in_use_is_refused_with_its_holder(shell: Shell) -> None:
    shell.veogen("run", "trip.yaml", *QUICK)
    with (shell.folder / "runs/trip.simulated/.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        ended = shell.veogen("run", "trip.yaml", *QUICK)

    assert ended.code == ExitCode.USAGE
    assert "in use by process" in ended.err


def test_without_a_key_a_simulated_run_is_collected_in_this_process(shell: Shell) -> None:
    slow = ("--simulate", "--generation-time", "30", "--task-timeout", "0.1")
    left = shell.veogen("run", "trip.yaml", *slow, "--poll-interval", "0.1")
    before = statuses(shell)

    ended = shell.veogen("collect", "--poll-interval", "0.1")

    assert (left.code, before) == (ExitCode.INCOMPLETE, ["submitted", "submitted"])
    assert (ended.code, statuses(shell)) == (ExitCode.DONE, ["completed", "completed"])


def test_without_a_key_a_simulated_run_is_decided_about_in_this_process(shell: Shell) -> None:
    lost = "faults: [{at: submit, do: drop, taken: true, prompt: dusk}]\n"
    (shell.folder / "lost.yaml").write_text("gateway: {clips: shared}\n" + lost)
    held = shell.veogen("run", "trip.yaml", *OWN_CLIPS, "--faults", "lost.yaml")
    before = statuses(shell)

    ended = shell.veogen("resolve", "runs/trip.simulated", "--replay", "boat[hour=dusk]")

    assert (held.code, before) == (ExitCode.INDETERMINATE, ["completed", "indeterminate"])
    assert (ended.code, statuses(shell)) == (ExitCode.DONE, ["completed", "submitted"])


def test_without_a_key_a_real_run_beside_a_simulated_one_is_not_collected(shell: Shell) -> None:
    shell.veogen("run", "trip.yaml", *QUICK)
    real = shell.folder / "runs/real"
    real.mkdir()
    (real / "results.json").write_text(
        json.dumps({**results(shell), "gateway": "evolink", "results": []})
    )

    ended = shell.veogen("collect", "runs/trip.simulated", "runs/real")

    assert (ended.code, ended.err) == (
        ExitCode.USAGE,
        (
            "error: EVOLINK_API_KEY is not set: it holds the key of your account, and nothing else "
            "can; 'veogen run --simulate' needs none\n"
        ),
    )


def test_a_disk_without_locks_is_not_told_as_a_run_that_goes_on(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As some network disks are."""

    def refused(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refused)

    ended = shell.veogen("run", "trip.yaml", *QUICK)

    assert ended.code == ExitCode.USAGE
    assert "lock: it cannot be locked on this disk: No locks available; choose" in ended.err


def test_the_command_that_is_named_for_what_failed_allows_what_was_allowed(shell: Shell) -> None:
    fault = "faults: [{at: task, do: fail, code: content_policy_violation}]\n"
    (shell.folder / "faults.yaml").write_text(fault)
    words = ["trip.yaml", "--set", "params.seed=7", "--max-requests", "2000"]

    told = shell.veogen("run", *words, *OWN_CLIPS, "--faults", "faults.yaml").err

    assert f"    veogen run {' '.join(words)} --simulate   after an edit" in told


def test_the_command_that_is_named_for_what_failed_buys_no_more_than_was_selected(
    shell: Shell,
) -> None:
    fault = "faults: [{at: task, do: fail, code: content_policy_violation}]\n"
    (shell.folder / "faults.yaml").write_text(fault)
    words = ["--select", "boat*", "--deselect", "*=dusk]"]

    told = shell.veogen("run", "trip.yaml", *words, *OWN_CLIPS, "--faults", "faults.yaml").err

    typed = f"veogen run trip.yaml {shlex.join(words)} --simulate"
    assert f"    {typed}   after an edit" in told


def test_a_folder_with_one_spec_may_have_a_directory_of_its_own(shell: Shell) -> None:
    (shell.folder / "one").mkdir()
    (shell.folder / "one/trip.yaml").write_text(SPEC)
    (shell.folder / "two").mkdir()
    for name in ("a", "b"):
        (shell.folder / f"two/{name}.yaml").write_text(SPEC.replace("trip", name))

    one, two = (shell.veogen("run", name, *QUICK, "--dir", "d") for name in ("one", "two"))

    assert (one.code, two.code) == (ExitCode.DONE, ExitCode.USAGE)
    assert two.err == "error: --dir takes one spec: several would share one directory\n"


def test_specs_that_would_share_a_directory_are_refused(shell: Shell) -> None:
    shell.veogen("lock", "trip.yaml")
    (shell.folder / "trip.lock.yaml").rename(shell.folder / "approved.lock.yaml")

    ended = shell.veogen("run", "trip.yaml", "approved.lock.yaml", *QUICK)

    assert ended.code == ExitCode.USAGE
    assert ended.err == (
        "error: trip.yaml and approved.lock.yaml would share runs/trip.simulated: "
        "give one of them another 'name'\n"
    )


@pytest.fixture
def projects(shell: Shell) -> Shell:
    """Two projects, the second with a model and a policy of its own."""
    for name, policy in (("a", ""), ("b", "limits: {models: [own-1], max_requests: 2}")):
        (shell.folder / name / "models").mkdir(parents=True)
        (shell.folder / name / f"{name}.yaml").write_text(SPEC.replace("trip", name))
        (shell.folder / name / "veogen.yaml").write_text(policy)
    own = "id: own-1\nlike: veo-3.1-fast-generate-preview\n"
    (shell.folder / "b/models/own.yaml").write_text(own)
    return shell


@pytest.mark.parametrize(
    "command",
    [
        ("validate",),
        ("plan",),
        ("plan", "--format", "jsonl"),
        ("lock",),
        ("run", *QUICK),
    ],
    ids=" ".join,
)
def test_each_of_two_projects_has_limits_of_its_own(
    projects: Shell, command: tuple[str, ...]
) -> None:
    ended = projects.veogen(command[0], "a/a.yaml", "b/b.yaml", *command[1:])

    told = "b/veogen.yaml:1:9: error[model-not-allowed]: the limits allow no 'veo-3.1-fast-"
    assert (ended.code, told in ended.out + ended.err) == (ExitCode.USAGE, True)
    assert not (projects.folder / "a/runs").exists()


def test_each_of_two_projects_has_models_of_its_own(projects: Shell) -> None:
    spec = projects.folder / "b/b.yaml"
    spec.write_text(spec.read_text().replace("params: {", "params: {model: own-1, "))

    ended = projects.veogen("run", "a/a.yaml", "b/b.yaml", *QUICK)

    assert ended.code == ExitCode.DONE, ended.err
    assert (projects.folder / "b/runs/b.simulated/results.json").exists()


def test_a_simulated_directory_is_no_real_one(shell: Shell) -> None:
    shell.veogen("run", "trip.yaml", *QUICK, "--dir", "d")
    path = shell.folder / "d/results.json"
    path.write_text(path.read_text().replace('"simulated"', '"evolink"'))

    ended = shell.veogen("run", "trip.yaml", *QUICK, "--dir", "d")

    assert ended.code == ExitCode.USAGE
    assert "d: this is the directory of a real run" in ended.err


def test_a_directory_that_cannot_be_written_is_a_line(shell: Shell) -> None:
    (shell.folder / "file").write_text("")

    ended = shell.veogen("run", "trip.yaml", *QUICK, "--dir", "file/below")

    assert (ended.code, "Traceback" in ended.err) == (ExitCode.USAGE, False)
    assert "file/below/results.json: it cannot be read: Not a directory" in ended.err


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"format": "veogen.results/1"}', "<<<<<<< HEAD\n", '{"format": "other/9"}'],
    ids=["empty", "half", "a list", "no results", "a merge", "another format"],
)
def test_results_that_cannot_be_read_are_an_error_never_an_empty_run(
    shell: Shell, text: str
) -> None:
    directory = shell.folder / "runs/trip.simulated"
    directory.mkdir(parents=True)
    (directory / "results.json").write_text(text)

    ended = shell.veogen("run", "trip.yaml", *QUICK)

    assert ended.code == ExitCode.USAGE
    assert "results.json" in ended.err
    assert (directory / "results.json").read_text() == text


def test_json_progress_is_one_event_a_line_on_standard_output(shell: Shell) -> None:
    ended = shell.veogen("run", "trip.yaml", *QUICK, "--progress", "json")

    kinds = [json.loads(line)["event"] for line in ended.out.splitlines()]
    assert ended.code == ExitCode.DONE
    assert {"submitted", "completed"} <= set(kinds)


def test_every_exchange_is_logged_when_asked_for_without_the_key(shell: Shell) -> None:
    ended = shell.veogen("run", "trip.yaml", *QUICK, "-v")

    assert "POST http://127.0.0.1" in ended.err
    assert "Bearer" not in ended.err


def test_fewer_videos_than_were_asked_for_is_a_warning_on_a_completed_request(
    shell: Shell,
) -> None:
    (shell.folder / "trip.yaml").write_text(SPEC.replace("quality: 720p", "n: 3"))
    (shell.folder / "faults.yaml").write_text(
        "gateway: {clips: shared}\nfaults: [{at: poll, do: fewer-links, links: 2, prompt: dusk}]\n"
    )

    ended = shell.veogen("run", "trip.yaml", *QUICK, "--faults", "faults.yaml")

    lines = results(shell)["results"]
    assert (ended.code, statuses(shell)) == (ExitCode.DONE, ["completed", "completed"])
    assert [[v["warnings"] for v in line["videos"]] for line in lines] == [
        [[], [], []],
        [["fewer-videos"], ["fewer-videos"]],
    ]
    assert [v["path"].rpartition("-")[2] for v in lines[1]["videos"]] == ["1.mp4", "2.mp4"]
    assert "fewer-videos" in ended.err


def test_what_may_be_the_task_of_a_held_request_is_told_where_the_run_is(shell: Shell) -> None:
    (shell.folder / "faults.yaml").write_text(
        "gateway: {clips: shared}\nfaults: [{at: submit, do: drop, taken: true, prompt: dusk}]\n"
    )

    ended = shell.veogen(
        "run", "trip.yaml", *QUICK, "--faults", "faults.yaml", "--progress", "json"
    )

    events = [json.loads(line) for line in ended.out.splitlines()]
    notes = [event["message"] for event in events if event["event"] == "note"]
    assert [note.partition(": ")[0] for note in notes] == ["boat[hour=dusk]"]
    assert "may be its task; if it is, type: veogen resolve" in notes[0]
    assert events[-1]["event"] == "end"
    assert "may be its task" not in ended.err
