"""A plan carried out by a Dask cluster: real schedulers and workers, S3, a gateway without keys."""

import hashlib
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from support.machines import CLUSTER_SILENCE, Scene, scene, wait_for_workers
from support.stores import ENVIRON

from veogen import RunPolicy, load_spec, open_store, plan, run
from veogen.executor.cluster import cluster_at

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def on_folder(tmp_path: Path) -> Iterator[Scene]:
    """Two workers that share a folder."""
    (tmp_path / "store").mkdir()
    with scene(tmp_path, f"file://{tmp_path}/store", {}, "one", "two") as made:
        yield made


@pytest.fixture
def on_s3(tmp_path: Path, s3_port: Callable[[str], int]) -> Iterator[Scene]:
    """Three workers with a bucket; a clip takes two seconds."""
    environ = {**ENVIRON, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{s3_port('moto')}"}
    store = f"s3://clips/{tmp_path.name}"
    with scene(tmp_path, store, environ, "one", "two", "three", seconds=2.0) as made:
        yield made


def clips_in(store: str) -> dict[str, str]:
    """Each clip of a folder as a store: its name, and the SHA-256 of its bytes."""
    folder = Path(store.removeprefix("file://")) / "clips"
    return {p.stem: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*.mp4")}


def test_a_plan_is_bought_once_by_all_workers_and_every_clip_is_home(on_folder: Scene) -> None:
    on_folder.plan(12)

    code, said = on_folder.run()

    assert code == 0, said
    assert on_folder.statuses == {"completed": 12}
    assert set(on_folder.bought.values()) == {1}
    assert len(on_folder.bought) == 12
    stored = clips_in(on_folder.store)
    assert all(name == digest for name, digest in stored.items())
    for line in on_folder.results():
        [video] = line["videos"]
        assert video["sha256"] in stored
        assert (on_folder.folder / "runs/many" / video["path"]).is_file()
    assert "12 of 12 completed" in said
    assert not list((on_folder.cluster.folder / "scratch").rglob("veogen-*"))


def test_both_workers_work_and_none_more_than_its_share(on_folder: Scene) -> None:
    on_folder.plan(40)

    on_folder.run("--keep", "store", in_flight=8)

    logs = list(Path(on_folder.store.removeprefix("file://")).glob("runs/many/log/*"))
    claims = [json.loads(p.read_text()) for p in
              Path(on_folder.store.removeprefix("file://")).glob("runs/many/claims/**/*") if p.is_file()]  # fmt: skip
    owners = Counter(claim["owner"] for claim in claims)
    assert len(claims) == 40
    assert len(owners) > 2  # every batch is a process of its own
    assert len(logs) == len(owners) + 1  # and the coordinator, which buys nothing


def test_a_second_run_buys_nothing(on_folder: Scene) -> None:
    on_folder.plan(6)
    on_folder.run()

    code, _ = on_folder.run()

    assert code == 0
    assert len(on_folder.gateway.submits) == 6


def test_a_selection_narrows_what_is_bought(on_folder: Scene) -> None:
    on_folder.plan(6)

    code, said = on_folder.run("--select", "s[i=1]", "--select", "s[i=4]")

    assert code == 0, said
    assert on_folder.statuses == {"completed": 2, "planned": 4}
    assert on_folder.bought == {"number 1": 1, "number 4": 1}


def test_a_ceiling_holds_over_all_workers(on_folder: Scene) -> None:
    on_folder.plan(12)

    code, said = on_folder.run("--max-credits", "200")

    assert code == 3, said
    assert "--max-credits 200" in said
    assert len(on_folder.gateway.submits) == 5  # 38.016 credits each


def test_a_worker_without_a_key_is_said_by_name(on_folder: Scene) -> None:
    on_folder.plan(3)
    keyless = {k: v for k, v in on_folder.environ.items() if k != "EVOLINK_API_KEY"}
    on_folder.cluster.start_worker("keyless", keyless)
    wait_for_workers(on_folder.cluster, 3)

    code, said = on_folder.run()

    assert code == 2
    assert "worker keyless" in said
    assert "EVOLINK_API_KEY is not set there" in said
    assert on_folder.gateway.submits == []


def test_another_version_on_a_worker_is_refused_with_both(on_folder: Scene, tmp_path: Path) -> None:
    on_folder.plan(3)
    other = tmp_path / "other"
    (other / "veogen").mkdir(parents=True)
    (other / "veogen/__init__.py").write_text('__version__ = "99.1"\n')
    environ = {**on_folder.environ, "PYTHONPATH": str(other)}
    on_folder.cluster.start_worker("old", environ)
    wait_for_workers(on_folder.cluster, 3)

    code, said = on_folder.run()

    assert code == 2
    assert "worker old" in said
    assert "99.1" in said
    assert "0.1.0" in said
    assert on_folder.gateway.submits == []


def test_no_store_no_cluster(on_folder: Scene) -> None:
    on_folder.plan(3)

    code, said = on_folder.run(with_store=False)

    assert (code, said) == (
        2,
        "error: --dask needs a store: --store, VEOGEN_STORE, or store: in veogen.yaml\n",
    )


def test_no_scheduler_is_a_mistake_of_the_user(on_folder: Scene) -> None:
    on_folder.plan(3)
    on_folder.cluster.signal("scheduler", signal.SIGKILL)

    code, said = on_folder.run()

    assert code == 2
    assert f"--dask {on_folder.cluster.address}: no scheduler answers there" in said


def test_one_ctrl_c_ends_the_workers_and_the_next_run_goes_on(on_folder: Scene) -> None:
    on_folder.plan(40)
    process = on_folder.start(in_flight=4)
    on_folder.wait_for_posts(6)

    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    posts = len(on_folder.gateway.submits)

    assert process.returncode == 130, said
    assert posts < 40
    assert on_folder.statuses.keys() <= {"completed", "undelivered", "submitted", "planned"}
    code, said = on_folder.run()
    assert code == 0, said
    assert set(on_folder.bought.values()) == {1}
    assert on_folder.statuses == {"completed": 40}


def test_workers_of_a_dead_coordinator_buy_no_more_and_bring_home_what_they_have(
    on_folder: Scene,
) -> None:
    on_folder.gateway.generation_time = 2.0
    on_folder.plan(200)
    process = on_folder.start(in_flight=4)
    on_folder.wait_for_posts(6)
    process.kill()
    process.communicate()
    silence = 2 * CLUSTER_SILENCE / 5

    time.sleep(silence + 2.0)
    posts = len(on_folder.gateway.submits)
    time.sleep(silence)

    assert len(on_folder.gateway.submits) == posts < 200
    code, said = on_folder.run("--select", "s[i=0]")
    assert code == 0, said
    assert on_folder.statuses.keys() <= {"completed", "planned"}
    assert on_folder.statuses["completed"] >= posts


def test_without_its_scheduler_the_coordinator_ends_with_3(on_folder: Scene) -> None:
    on_folder.gateway.generation_time = 2.0
    on_folder.plan(40)
    process = on_folder.start(in_flight=4)
    on_folder.wait_for_posts(6)

    on_folder.cluster.signal("scheduler", signal.SIGKILL)
    said, _ = process.communicate(timeout=120)

    assert process.returncode == 3, said
    assert "the scheduler of the cluster is lost" in said
    assert all(worker.wait(timeout=60) is not None for worker in on_folder.cluster.workers.values())
    on_folder.cluster.start_scheduler()
    for name in list(on_folder.cluster.workers):
        on_folder.cluster.start_worker(name)
    code, said = on_folder.run()
    assert code == 0, said
    assert set(on_folder.bought.values()) == {1}


CHAOS = ["kill", "kill", "freeze", "kill", "scheduler", "kill", "freeze", "coordinator", "kill"]


@pytest.mark.timeout(900)
def test_whoever_dies_nothing_is_bought_twice_and_every_clip_is_in_the_store(
    on_s3: Scene,
) -> None:
    """Workers, the scheduler and the coordinator are killed or frozen as 300 requests go on."""
    on_s3.plan(300)
    process = on_s3.start("--keep", "store", in_flight=12)
    for number, event in enumerate([*CHAOS, "freeze"]):
        on_s3.wait_for_posts(min(20 + 25 * number, 300))
        worker = list(on_s3.cluster.workers)[number % 3]
        disturb(on_s3, event, worker, process)
        if event in ("scheduler", "coordinator"):
            process.communicate(timeout=180)
            process = on_s3.start("--keep", "store", in_flight=12)

    said, _ = process.communicate(timeout=400)

    assert process.returncode in (0, 4), said
    assert set(on_s3.bought.values()) == {1}
    held = on_s3.statuses["indeterminate"]  # its worker died between the claim and the answer
    assert 300 - held <= len(on_s3.bought) <= 300
    assert on_s3.statuses["completed"] == 300 - held
    assert held <= 6
    assert stored_on_s3(on_s3) >= {
        video["sha256"]
        for line in on_s3.results()
        if line["status"] == "completed"
        for video in line["videos"]
    }


def disturb(scene_: Scene, event: str, worker: str, process: "subprocess.Popen[str]") -> None:
    """One thing that goes wrong; whoever is dead is started again, as a supervisor would."""
    cluster = scene_.cluster
    if event == "kill":
        cluster.signal(worker, signal.SIGKILL)
        cluster.start_worker(worker)
    elif event == "freeze":
        cluster.signal(worker, signal.SIGSTOP)
        time.sleep(CLUSTER_SILENCE + 2.0)
        cluster.signal(worker, signal.SIGCONT)
    elif event == "scheduler":
        cluster.signal("scheduler", signal.SIGKILL)
        assert process.wait(timeout=180) == 3
        for name, each in cluster.workers.items():
            try:
                each.wait(timeout=60)
            except subprocess.TimeoutExpired:  # it had no scheduler yet to lose
                cluster.signal(name, signal.SIGKILL)
        cluster.start_scheduler()
        for name in list(cluster.workers):
            cluster.start_worker(name)
    else:
        process.kill()


def stored_on_s3(scene_: Scene) -> set[str]:
    """The clips in the bucket, by what their bytes are."""
    import obstore  # noqa: PLC0415 - dear
    from obstore.store import S3Store  # noqa: PLC0415

    store = S3Store.from_url(
        scene_.store,
        access_key_id=ENVIRON["AWS_ACCESS_KEY_ID"],
        secret_access_key=ENVIRON["AWS_SECRET_ACCESS_KEY"],
        region=ENVIRON["AWS_REGION"],
        endpoint=scene_.environ["AWS_ENDPOINT_URL"],
        client_options={"allow_http": True},
    )
    listed = [item["path"] for batch in obstore.list(store, "clips") for item in batch]
    digests = {hashlib.sha256(obstore.get(store, path).bytes()).hexdigest() for path in listed}
    assert {Path(path).stem for path in listed} == digests
    return digests


def test_a_killed_worker_costs_no_clip_and_no_second_purchase(on_folder: Scene) -> None:
    on_folder.gateway.generation_time = 2.0
    on_folder.plan(30)
    process = on_folder.start(in_flight=6)
    on_folder.wait_for_posts(8)

    on_folder.cluster.signal("one", signal.SIGKILL)
    said, _ = process.communicate(timeout=200)

    assert process.returncode in (0, 4), said
    assert set(on_folder.bought.values()) == {1}
    assert on_folder.statuses["completed"] + on_folder.statuses["indeterminate"] == 30


def test_local_workers_need_no_cluster(on_folder: Scene) -> None:
    on_folder.plan(8)
    command = [sys.executable, "-m", "veogen", "run", "specs/many.yaml", "--yes"]

    ended = subprocess.run(
        [*command, "--store", on_folder.store, "--dask", "local:2", "--poll-interval", "0.3"],
        cwd=on_folder.folder,
        env=dict(on_folder.environ),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert on_folder.statuses == {"completed": 8}
    assert set(on_folder.bought.values()) == {1}


def test_the_library_hands_a_plan_to_a_client(
    on_folder: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import Client  # noqa: PLC0415 - dear

    on_folder.plan(4)
    for name, value in on_folder.environ.items():
        monkeypatch.setenv(name, value)
    spec = load_spec(on_folder.folder / "specs/many.yaml")

    with Client(on_folder.cluster.address, set_as_default=False) as client:
        outcome = run(
            plan(spec),
            on_folder.folder / "runs/many",
            spec=spec,
            store=open_store(on_folder.store),
            client=client,
            policy=RunPolicy(poll_interval=0.3, keep_store=True),
        )

    assert (outcome.code, dict(outcome.ledger.summary().counts)["completed"]) == (0, 4)
    assert not (on_folder.folder / "runs/many/videos").exists()
    assert set(on_folder.bought.values()) == {1}


def listening() -> set[tuple[int, str, int]]:
    """The process, address and port of whatever this process and its children listen on."""
    me = psutil.Process()
    return {
        (process.pid, each.laddr.ip, each.laddr.port)
        for process in [me, *me.children(recursive=True)]
        for each in process.net_connections()
        if each.status == psutil.CONN_LISTEN
    }


def test_local_workers_listen_on_this_machine_alone() -> None:
    before = listening()  # what other tests of this process have started
    with cluster_at("local:2", 4, simulated=True):
        new = listening() - before

    assert {address for _, address, _ in new} == {"127.0.0.1"}
