"""What people install: the wheel, in an environment of its own, far from this clone."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.pages import REFERENCE, blocks, commands_of

ROOT = Path(__file__).parent.parent
SCRIPTED = "set -euo pipefail\n"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environ(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """That of somebody who has installed the wheel and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    install = [str(folder / "bin/pip"), "install", "-q", "--disable-pip-version-check", str(wheel)]
    subprocess.run(install, check=True)
    names = ("AUTHOR", "COMMITTER")
    return {
        "PATH": f"{folder}/bin:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(tmp_path_factory.mktemp("home")),
        "BROWSER": "true",
        **{f"GIT_{name}_NAME": "Anna" for name in names},
        **{f"GIT_{name}_EMAIL": "anna@example.com" for name in names},
    }


def bash(script: str, folder: Path, environ: Mapping[str, str]) -> str:
    """All that a script wrote; it ends at the first command that fails."""
    done = subprocess.run(
        ["bash", "-c", SCRIPTED + script],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "veogen"]
    files = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("veogen/")}
    assert held == set(files.splitlines())


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_tutorial_can_be_followed_word_by_word(
    environ: Mapping[str, str], tmp_path: Path
) -> None:
    tutorial = blocks((REFERENCE / "tutorial.md").read_text())
    steps = [
        "\n".join(commands_of(block))
        if block.language == "sh"
        else f"cat > {block.label} <<'EOF'\n{block.text}EOF"
        for block in tutorial
        if block.language == "sh" or "." in block.label
    ]

    written = bash("\n".join(steps), tmp_path, environ)

    assert "no mistakes" in written
    assert "5 of 5 completed, 190.080 credits" in written
    assert "7 of 7 completed, 266.112 credits" in written
    copied = [path.name for path in (tmp_path / "lamp/cut").rglob("*.mp4")]
    assert sorted(copied) == ["Oslo-dusk.mp4", "closing.mp4"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_installed_veogen_helps_and_begins_a_project(
    environ: Mapping[str, str], tmp_path: Path
) -> None:
    topics = sorted(path.stem for path in REFERENCE.glob("*.md"))
    script = "\n".join(["git init -q", *(f"veogen help {topic}" for topic in topics)])

    bash(script, tmp_path, environ)
    written = bash("veogen init --github && veogen lock --check specs", tmp_path, environ)

    assert "Fill in 'Install veogen' in both workflows" in written
    workflow = (tmp_path / ".github/workflows/veogen-review.yml").read_text()
    assert "veogen==" not in workflow


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_first_command_of_the_readme_works_in_a_clone(
    environ: Mapping[str, str], tmp_path: Path
) -> None:
    [first] = [
        block.text
        for block in blocks((ROOT / "README.md").read_text())
        if block.language == "sh" and "--simulate" in block.text and "venv" in block.text
    ]
    clone = f"git clone -q {ROOT} clone && cd clone\n"
    python = {**environ, "PATH": f"{Path(sys.executable).resolve().parent}:{os.environ['PATH']}"}

    written = bash(clone + first, tmp_path, python)

    assert "8 of 8 completed" in written
    assert len(list((tmp_path / "clone/runs/quickstart.simulated").rglob("*.mp4"))) == 8
