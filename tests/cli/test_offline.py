"""What reviews money never talks to anybody, and starts fast: no socket, no heavy library."""

import json
import subprocess
import sys

import pytest
from support.galleries import picture
from support.project import Repo

SPEC = """\
veogen: 1
shots:
  - name: opening
    prompt: "{% for word in ['a', 'boat'] %}{{ word }} {% endfor %}{{ city }}"
    matrix: {city: [Tokyo, Paris]}
    params: {image_urls: ["../a.png", "https://example.com/b.png"]}
"""
HEAVY = {"requests", "tqdm", "av", "sqlite3", "aiohttp", "pydantic"}

WATCHED = """
import json, sys
seen = []
sys.addaudithook(lambda event, _: seen.append(event) if event.startswith("socket.") else None)
from veogen.cli import main
try:
    main()
except SystemExit as error:
    code = error.code
heavy = sorted(HEAVY & set(sys.modules))
print(json.dumps({"code": code, "sockets": seen, "heavy": heavy}), file=sys.stderr)
""".replace("HEAVY", repr(HEAVY))


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("repo"))
    repo.write("specs/a.yaml", SPEC)
    repo.write("a.png", picture())
    repo.commit()
    repo.write("specs/a.yaml", SPEC.replace("Paris", "Oslo"))
    return repo


def watched(repo: Repo, *words: str) -> dict[str, object]:
    """How a command ended in a process whose sockets are counted."""
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *words],
        cwd=repo.path,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, object] = json.loads(done.stderr.splitlines()[-1])
    return found


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("validate", "specs"), id="validate"),
        pytest.param(("plan", "specs"), id="plan"),
        pytest.param(("lock", "specs"), id="lock"),
        pytest.param(("lock", "--check", "specs"), id="lock --check"),
        pytest.param(("diff", "HEAD:specs/a.yaml", "specs/a.yaml"), id="diff"),
        pytest.param(("diff", "--base", "main", "specs", "--format", "markdown"), id="diff --base"),
    ],
)
def test_no_socket_is_opened_and_no_heavy_library_loaded(
    repo: Repo, words: tuple[str, ...]
) -> None:
    assert watched(repo, *words) == {"code": 0, "sockets": [], "heavy": []}


def test_the_watch_sees_sockets(repo: Repo) -> None:
    opened = WATCHED.replace("    main()", "    __import__('socket').socket().close(); main()")

    done = subprocess.run(
        [sys.executable, "-c", opened, "plan", "specs"],
        cwd=repo.path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(done.stderr.splitlines()[-1])["sockets"] == ["socket.__new__"]
