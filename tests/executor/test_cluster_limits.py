"""What a run on a cluster may use: disks, money, images of a project that no worker has."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from bench.cluster import LINE, MEGABYTE, brought_home
from support.disks import fill, small_disk
from support.galleries import picture
from support.machines import MANY, Scene, scene, wait_for_workers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

MIB = 1 << 20
COMMAND = [sys.executable, "-m", "veogen", "run", "specs/many.yaml"]


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Scene]:
    """A scheduler without workers yet."""
    (tmp_path / "store").mkdir()
    with scene(tmp_path, f"file://{tmp_path}/store", {}) as made:
        yield made


def scratch(made: Scene, name: str) -> Path:
    folder = made.cluster.folder / "scratch"
    folder.mkdir(exist_ok=True)
    return folder / name


def test_a_worker_whose_disk_is_full_gets_no_more_and_another_has_its_work(bare: Scene) -> None:
    bare.plan(12)
    with ExitStack() as stack:
        fill(stack.enter_context(small_disk(scratch(bare, "full"), 16_384)), 3000)
        stack.callback(bare.cluster.end)
        for name in ("full", "roomy"):
            bare.cluster.start_worker(name)
        wait_for_workers(bare.cluster, 2)

        code, said = bare.run(in_flight=2)

    assert code == 0, said
    assert "worker full" in said
    assert "gets no more batches" in said
    assert bare.statuses == {"completed": 12}
    assert set(bare.bought.values()) == {1}


def test_clips_may_be_larger_together_than_all_disks_of_the_workers(bare: Scene) -> None:
    bare.gateway.padding = 2 * MIB
    bare.plan(24)
    with ExitStack() as stack:
        for name in ("one", "two"):
            stack.enter_context(small_disk(scratch(bare, name), 16_384))
        stack.callback(bare.cluster.end)
        for name in ("one", "two"):
            bare.cluster.start_worker(name)
        wait_for_workers(bare.cluster, 2)

        code, said = bare.run("--keep", "store", in_flight=4)

    assert code == 0, said
    assert bare.statuses == {"completed": 24}
    assert sum(v["bytes"] for line in bare.results() for v in line["videos"]) > 3 * 16 * MIB
    assert not (bare.folder / "runs/many/videos").exists()


def test_a_budget_is_shared_in_pieces_and_spent_to_its_end(bare: Scene) -> None:
    bare.plan(12)
    spec = bare.folder / "specs/many.yaml"
    spec.write_text(f"{spec.read_text()}budget: {{max_credits: 457}}\n")
    for name in ("one", "two"):
        bare.cluster.start_worker(name)
    wait_for_workers(bare.cluster, 2)

    code, said = bare.run(in_flight=4)

    assert code == 0, said
    assert bare.statuses == {"completed": 12}
    money = [
        json.loads(path.read_text()) for path in (bare.folder.parent / "store").rglob("money/*")
    ]
    owners = Counter(str(record["process"]) for record in money)
    assert len(owners) > 1


def test_images_of_the_project_reach_workers_that_do_not_have_it(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.png").write_bytes(picture())
    text = MANY.replace("NUMBERS", "0, 1, 2, 3")
    (tmp_path / "specs/many.yaml").write_text(
        f"{text}    params: {{image_urls: [../images/a.png]}}\n"
    )
    words = ["--simulate", "--generation-time", "0.5", "--dask", "local:2"]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("EVOLINK_", "VEOGEN_"))}

    ended = subprocess.run(
        [*COMMAND, *words, "--store", f"file://{tmp_path}/store"],
        cwd=tmp_path,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    results = json.loads((tmp_path / "runs/many.simulated/results.json").read_text())["results"]
    assert Counter(line["status"] for line in results) == {"completed": 4}


@pytest.mark.parametrize("clips", [48])
def test_clips_come_home_faster_with_more_lines(clips: int) -> None:
    """Each worker's line carries so many bytes a second, shaped by the host of the clips."""
    size = 4 * MEGABYTE

    seconds = {workers: brought_home(clips, size, workers) for workers in (1, 2, 4)}

    assert seconds[1] >= clips * size / LINE
    assert seconds[2] <= 0.7 * seconds[1]
    assert seconds[4] <= 0.5 * seconds[1]
