"""A run in a store, as it is typed: a folder that all machines see, and no network."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from support.project import Shell

from veogen.errors import ExitCode
from veogen.executor.shared import this_machine
from veogen.store.signs import machine_name

SPEC = """\
veogen: 1
name: trip
shots: [{name: boat, prompt: "A boat at {{ hour }}", matrix: {hour: [dawn, dusk]}}]
"""
FAST = ("--simulate", "--generation-time", "0.05", "--progress", "none")


class Machines:
    """Folders with the project, and the store between them."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.store = shell.folder / "store"
        self.url = f"file://{self.store}"

    def machine(self, name: str, policy: str = "limits: {}\n") -> Shell:
        folder = self._shell.folder / name
        (folder / "specs").mkdir(parents=True)
        (folder / "veogen.yaml").write_text(policy)
        (folder / "specs/trip.yaml").write_text(SPEC)
        environ = {**self._shell.environ, "VEOGEN_STORE": self.url}
        return replace(self._shell, folder=folder, environ=environ)


@pytest.fixture
def machines(shell: Shell) -> Machines:
    return Machines(shell)


def clips(machine: Shell) -> list[str]:
    return sorted(path.name for path in machine.folder.rglob("*.mp4"))


def run(machine: Shell, *words: str) -> int:
    return machine.veogen("run", "specs/trip.yaml", *FAST, *words).code


def test_a_bare_machine_buys_nothing_again_and_collects_every_clip(machines: Machines) -> None:
    ada, bob = machines.machine("ada"), machines.machine("bob")
    assert run(ada) == ExitCode.DONE

    assert (run(bob), clips(bob)) == (ExitCode.DONE, [])
    collected = bob.veogen("collect", "specs/trip.yaml", "--simulate", "--progress", "none")

    assert (collected.code, clips(bob)) == (ExitCode.DONE, clips(ada))
    claims = list((machines.store / "runs/trip.simulated/claims").iterdir())
    assert len(claims) == 2


def test_whoever_only_looks_needs_nothing_but_spec_and_store(machines: Machines) -> None:
    run(machines.machine("ada"))
    bob = machines.machine("bob")

    told = bob.veogen("status", "specs/trip.yaml", "--simulate", "--format", "json")
    exported = bob.veogen("export", "specs/trip.yaml", "cut", "--simulate")

    assert json.loads(told.out)["summary"]["completed"] == 2
    assert exported.code == ExitCode.DONE
    assert len(list((bob.folder / "cut").rglob("*.mp4"))) == 2


@pytest.mark.parametrize("name", ["runs/trip.simulated", "trip.simulated"])
def test_a_machine_without_a_spec_collects_a_run_by_its_name(machines: Machines, name: str) -> None:
    ada, bob = machines.machine("ada"), machines.machine("bob")
    run(ada)
    shutil.rmtree(bob.folder / "specs")

    collected = bob.veogen("collect", name, "--progress", "none")

    assert (collected.code, len(clips(bob))) == (ExitCode.DONE, 2), collected.err
    told = json.loads(bob.veogen("status", name, "--format", "json").out)
    assert told["summary"]["completed"] == 2


def test_a_run_that_no_store_has_is_not_made(machines: Machines) -> None:
    run(machines.machine("ada"))
    bob = machines.machine("bob")

    collected = bob.veogen("collect", "runs/tripp", "--progress", "none")

    assert collected.code == ExitCode.USAGE
    assert "there is no such run directory or spec" in collected.err
    assert not (bob.folder / "runs").exists()


def test_status_names_the_machine_of_each_request(machines: Machines) -> None:
    ada = machines.machine("ada")
    run(ada)

    told = json.loads(ada.veogen("status", "--format", "json").out)
    table = ada.veogen("status").out

    host = machine_name(this_machine())
    assert [result["machine"] for result in told["results"]] == [host, host]
    assert f"bought by machine: {host} 2" in table.splitlines()


@pytest.mark.slow
def test_clips_are_kept_in_the_store_alone_until_they_are_asked_for(machines: Machines) -> None:
    ada = machines.machine("ada")

    assert (run(ada, "--keep", "store"), clips(ada)) == (ExitCode.DONE, [])
    assert (run(ada), clips(ada)) == (ExitCode.DONE, [])
    ada.veogen("collect", "specs/trip.yaml", "--simulate", "--progress", "none")

    assert len(clips(ada)) == 2


@pytest.mark.slow
def test_what_somebody_deleted_comes_back_from_the_store(machines: Machines) -> None:
    ada = machines.machine("ada")
    run(ada)
    shutil.rmtree(ada.folder / "runs/trip.simulated/videos")

    assert (run(ada), len(clips(ada))) == (ExitCode.DONE, 2)


@pytest.mark.slow
def test_a_clip_of_other_bytes_is_no_clip(machines: Machines) -> None:
    run(machines.machine("ada"))
    for path in (machines.store / "clips").iterdir():
        path.write_bytes(b"x" * path.stat().st_size)
    bob = machines.machine("bob")

    collected = bob.veogen("collect", "specs/trip.yaml", "--simulate", "--progress", "none")

    assert (collected.code, clips(bob)) == (ExitCode.INCOMPLETE, [])


@pytest.mark.parametrize("option", [("--shard", "1/2"), ("--keep", "store")], ids=" ".join)
def test_without_a_store_no_option_of_it_is_taken(
    machines: Machines, option: tuple[str, str]
) -> None:
    ada = machines.machine("ada")
    alone = replace(ada, environ={**ada.environ, "VEOGEN_STORE": ""})

    ended = alone.veogen("run", "specs/trip.yaml", *FAST, *option)

    assert (ended.code, "needs a store" in ended.err) == (ExitCode.USAGE, True)


@pytest.mark.slow
def test_shards_are_parts_that_make_the_whole(machines: Machines) -> None:
    for part in ("1/3", "2/3", "3/3"):
        assert run(machines.machine(part.replace("/", "-")), "--shard", part) == ExitCode.DONE

    last = machines.machine("last")
    assert run(last) == ExitCode.DONE
    assert len(list((machines.store / "runs/trip.simulated/claims").iterdir())) == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("veogen.json", '{"format": "veogen.store/2"}', id="another layout"),
        pytest.param("runs/trip.simulated/run.json", "{}", id="no run"),
        pytest.param(
            "runs/trip.simulated/run.json",
            '{"name": "trip.simulated", "gateway": "evolink"}',
            id="a run of the other kind",
        ),
        pytest.param("runs/trip.simulated/log/x.1/00000000", "{", id="half a record"),
        pytest.param(f"runs/trip.simulated/claims/{'0' * 64}.0001", "[]", id="no claim"),
        pytest.param(f"runs/trip.simulated/claims/{'0' * 64}.0002", "1" * 5_000_000, id="huge"),
    ],
)
def test_what_cannot_be_read_prevents_a_purchase_and_is_named(
    machines: Machines, name: str, content: str
) -> None:
    path = machines.store / name
    path.parent.mkdir(parents=True)
    path.write_text(content)

    ended = machines.machine("ada").veogen("run", "specs/trip.yaml", *FAST)

    named = "veogen.store/2" if name == "veogen.json" else name
    assert (ended.code, named in ended.err) == (ExitCode.USAGE, True), ended.err
    assert not list(machines.store.rglob("*.mp4"))


def test_a_policy_keeps_real_runs_and_nothing_else_may(machines: Machines) -> None:
    ada = machines.machine("ada", f"store: {machines.url}\n")

    ended = ada.veogen("run", "specs/trip.yaml", "--yes", "--store", "file:///elsewhere")

    assert ended.code == ExitCode.USAGE
    assert ended.err.startswith(("error: EVOLINK_API_KEY", "error: veogen.yaml keeps real runs"))


def test_a_folder_that_cannot_be_written_is_said(machines: Machines, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    ended = machines.machine("ada").veogen(
        "run", "specs/trip.yaml", *FAST, "--store", f"file://{tmp_path}/file/store"
    )

    assert ended.code == ExitCode.USAGE
    assert "file/store" in ended.err


@pytest.mark.parametrize("words", [("status",), ("collect", "--progress", "none")], ids=" ".join)
def test_what_only_reads_goes_on_without_a_store_that_cannot_be_read(
    machines: Machines, words: tuple[str, ...]
) -> None:
    ada = machines.machine("ada")
    run(ada)
    (machines.store / "veogen.json").write_text("{")

    ended = ada.veogen(*words)

    code = ExitCode.DONE if words == ("status",) else ExitCode.INCOMPLETE
    assert (ended.code, "this goes on with what is here" in ended.err) == (code, True)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param(("status",), ExitCode.DONE, id="status"),
        pytest.param(("picks",), ExitCode.DONE, id="picks", marks=pytest.mark.slow),
        pytest.param(("gallery",), ExitCode.DONE, id="gallery", marks=pytest.mark.slow),
        pytest.param(("export", "runs/trip.simulated", "out"), ExitCode.DONE, id="export"),
        pytest.param(("collect", "--progress", "none"), ExitCode.INCOMPLETE, id="collect"),
    ],
)
def test_who_only_looks_goes_on_without_a_folder_that_is_not_there_and_makes_none(
    machines: Machines, words: tuple[str, ...], code: ExitCode
) -> None:
    ada = machines.machine("ada")
    run(ada)
    shutil.rmtree(machines.store)

    ended = ada.veogen(*words)

    note = f"note: {machines.url}: there is no such folder; this goes on with what is here"
    assert (ended.code, ended.err.splitlines().count(note)) == (code, 1)
    assert not machines.store.exists()


def test_a_folder_that_is_no_store_says_why(machines: Machines, tmp_path: Path) -> None:
    ada = machines.machine("ada")
    (tmp_path / "file").write_text("")

    missing, file = (ada.veogen("store", f"file://{tmp_path}/{name}") for name in ("none", "file"))

    assert (missing.code, missing.err) == (
        ExitCode.USAGE,
        f"error: file://{tmp_path}/none: there is no such folder\n",
    )
    assert (file.code, file.err) == (
        ExitCode.USAGE,
        f"error: file://{tmp_path}/file: it is no folder\n",
    )


def test_a_store_that_does_not_answer_is_out_of_reach_at_the_start(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("veogen.cli.stores._PATIENCE", 0.1)
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",  # nobody discards any more
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)

    ended = machines.machine("ada").veogen("store", "s3://bucket/prefix")

    assert (ended.code, ended.err) == (
        ExitCode.USAGE,
        "error: s3://bucket/prefix: the store does not answer (no connection)\n",
    )


def test_a_store_says_what_it_holds(machines: Machines) -> None:
    ada = machines.machine("ada")
    run(ada)

    told = ada.veogen("store", machines.url, "--format", "json")

    data = json.loads(told.out)
    assert data["url"] == machines.url
    assert data["clips"]["count"] == 2
    [held] = data["runs"]
    assert (held["name"], held["gateway"], held["claims"]) == ("trip.simulated", "simulated", 2)


def test_a_store_is_tried(machines: Machines) -> None:
    ended = machines.machine("ada").veogen("store", machines.url, "--check")

    assert (ended.code, ended.out.splitlines()) == (
        ExitCode.DONE,
        [
            "creates only if absent: yes",
            "of 16 at once one creates: yes",
            "lists and reads what was created: yes",
        ],
    )
