"""`veogen collect`: which runs are brought home."""

from pathlib import Path

import pytest
from support.gateways import quick_simulator
from support.project import Shell


def test_a_simulated_run_is_brought_home_without_the_gateway_of_the_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Practice asks nobody, though the key of the account is in the environment."""
    (tmp_path / "boat.yaml").write_text("veogen: 1\nshots: [{name: a, prompt: A boat}]\n")
    environ = {"EVOLINK_API_KEY": "sk-any", "EVOLINK_BASE_URL": "http://127.0.0.1:9"}
    shell = Shell(tmp_path, capsys, environ)
    quick = ("--simulate", "--generation-time", "0.05", "--progress", "none")
    assert shell.veogen("run", "boat.yaml", *quick).code == 0
    [clip] = tmp_path.rglob("*.mp4")
    clip.unlink()

    ended = shell.veogen("collect", "boat.yaml", "--simulate")

    assert (ended.code, clip.is_file()) == (0, True)


def test_without_a_run_all_that_was_really_bought_is_brought_home(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "specs").mkdir()
    for name in ("boat", "lamp", "tree"):
        (tmp_path / f"specs/{name}.yaml").write_text(
            f"veogen: 1\nshots: [{{name: a, prompt: A {name}}}]\n"
        )
    with quick_simulator(tmp_path) as served:
        shell = Shell(tmp_path, capsys, served.environ)
        bought = shell.veogen("run", "specs/boat.yaml", "specs/lamp.yaml", "--yes")
        (tmp_path / "runs/tree.simulated").mkdir()
        (tmp_path / "runs/tree.simulated/results.json").write_text(
            (tmp_path / "runs/boat/results.json").read_text()
        )
        for clip in tmp_path.glob("runs/*/videos/**/*.mp4"):
            clip.unlink()

        ended = shell.veogen("collect")

    assert (bought.code, ended.code) == (0, 0)
    assert [line for line in ended.err.splitlines() if "results.json" in line] == [
        f"1 request: 1 completed; 1 video. 38.016 credits reserved or charged so far. "
        f"runs/{name}/results.json"
        for name in ("boat", "lamp")
    ]
    clips = [path.relative_to(tmp_path).parts[1] for path in tmp_path.rglob("*.mp4")]
    assert sorted(clips) == ["boat", "lamp"]


def test_a_run_that_is_named_twice_is_brought_home_once(shell: Shell) -> None:
    (shell.folder / "boat.yaml").write_text("veogen: 1\nshots: [{name: a, prompt: A boat}]\n")
    quick = ("--simulate", "--progress", "none")
    assert shell.veogen("run", "boat.yaml", "--generation-time", "0", *quick).code == 0

    ended = shell.veogen(
        "collect", "runs/boat.simulated", "boat.yaml", "./runs/boat.simulated/", *quick
    )

    assert ended.code == 0, ended.err
    assert ended.err.count("1 request: 1 completed") == 1
