"""What others need to list as many combinations; a tool that is not installed is left out.

Programs are looked for on the PATH, and hydra in this Python.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from bench.matrices import PROMPT, Axes, axes, size, spec
from bench.measuring import ROUNDS, process, take_turns
from bench.planning import LOOP, OURS, bare, plan, written
from bench.tables import Table, processes

QUIET = {
    "DVC_NO_ANALYTICS": "1",
    "PROMPTFOO_DISABLE_TELEMETRY": "1",
    "PROMPTFOO_DISABLE_UPDATE": "1",
    "PROMPTFOO_CONFIG_DIR": "promptfoo",
}
"""So that none of them calls home, or writes there."""

HYDRA = """\
import hydra
@hydra.main(version_base=None, config_name=None)
def main(config):
    print({prompt!r}.format(**config))
main()
"""


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool; `prepare` writes what it reads into a folder and says its command."""

    name: str
    installed: bool
    prepare: Callable[[Path, Axes], Sequence[str]]
    most: int = 10_000


def tables(*, small: bool) -> Iterator[Table]:
    matrices = [axes(2, 2, 2)] if small else [axes(10, 10, 10), axes(10, 20, 50)]
    for matrix in matrices:
        with tempfile.TemporaryDirectory() as folder:
            yield _table(Path(folder), matrix, 1 if small else ROUNDS)


def _table(root: Path, matrix: Axes, rounds: int) -> Table:
    candidates = {LOOP: bare(root, matrix), OURS: plan(root / "ours", spec(matrix))}
    notes = []
    for peer in PEERS:
        if not peer.installed:
            notes.append(f"{peer.name}: skipped, it is not installed.")
        elif size(matrix) > peer.most:
            notes.append(f"{peer.name}: skipped, so many take it too long.")
        else:
            folder = root / peer.name
            folder.mkdir()
            command = peer.prepare(folder, matrix)
            candidates[peer.name] = partial(written, command, folder, QUIET)
    title = f"Peers: {size(matrix):,} combinations of three variables"
    return processes(title, take_turns(candidates, rounds), OURS, notes)


def _dvc(words: Sequence[str], folder: Path, matrix: Axes) -> Sequence[str]:
    process(["dvc", "init", "--no-scm", "--quiet"], cwd=folder, environment=QUIET)
    said = PROMPT.replace("{{ ", "${item.").replace(" }}", "}")
    stage = {"matrix": matrix, "cmd": f"echo '{said}'"}
    (folder / "dvc.yaml").write_text(json.dumps({"stages": {"opening": stage}}))
    return ["dvc", *words]


def _snakemake(folder: Path, matrix: Axes) -> Sequence[str]:
    said = PROMPT.replace("{{ ", "{wildcards.").replace(" }}", "}")
    path = "/".join(f"{{{name}}}" for name in matrix)
    (folder / "Snakefile").write_text(
        f"rule all:\n    input: expand({path!r}, **{dict(matrix)!r})\n"
        f"rule opening:\n    output: {path!r}\n    shell: {f'echo {said!r} > {{output:q}}'!r}\n"
    )
    return ["snakemake", "-n"]


def _promptfoo(folder: Path, matrix: Axes) -> Sequence[str]:
    tests = [{"vars": matrix}]
    config = {"prompts": [PROMPT], "providers": ["echo"], "tests": tests}
    (folder / "promptfooconfig.yaml").write_text(json.dumps(config))
    return ["promptfoo", "eval", "--no-cache", "--no-table", "--no-progress-bar", "--no-write"]


def _hydra(folder: Path, matrix: Axes) -> Sequence[str]:
    prompt = PROMPT.replace("{{ ", "{").replace(" }}", "}")
    (folder / "app.py").write_text(HYDRA.format(prompt=prompt))
    chosen = [f"+{name}={','.join(map(repr, values))}" for name, values in matrix.items()]
    return [sys.executable, "app.py", "-m", *chosen]


def _on_path(program: str) -> bool:
    return shutil.which(program) is not None


PEERS = (
    Peer("dvc stage list", _on_path("dvc"), partial(_dvc, ("stage", "list"))),
    Peer("dvc repro --dry", _on_path("dvc"), partial(_dvc, ("repro", "--dry"))),
    Peer("snakemake -n", _on_path("snakemake"), _snakemake),
    Peer("promptfoo eval, echo", _on_path("promptfoo"), _promptfoo),
    Peer("hydra -m", find_spec("hydra") is not None, _hydra, most=1_000),
)
