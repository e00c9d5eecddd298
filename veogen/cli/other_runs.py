"""What other runs of a project have bought of that which a new one is about to buy."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from veogen.cli.rundirs import typed_path
from veogen.errors import VeogenError
from veogen.executor.directory import SIMULATED, RunDirectory
from veogen.executor.run import Run
from veogen.results.manifest import Manifest
from veogen.text import counted

_NOT_BOUGHT = ("planned", "failed")


def bought_elsewhere(root: Path, session: Run) -> Iterator[str]:
    """A line for each run of the project at `root` that holds what this new, empty one would buy.

    A spec that was renamed begins a new run, and pays again for what its old one has.
    """
    own = session.directory
    is_practice = own.path.name.endswith(SIMULATED)
    if is_practice or any(state.record.bought for state in session.ledger.everything):
        return
    hashes = {request.hash for request in session.to_buy}
    for path in sorted((root / "runs").glob("*/results.json")):
        manifest = None if path.parent.name.endswith(SIMULATED) else _manifest(path.parent)
        if manifest is None or manifest.gateway != session.gateway_name:
            continue
        lines = [line for line in (*manifest.results, *manifest.former) if line.hash in hashes]
        bought = sum(line.status not in _NOT_BOUGHT for line in lines)
        if bought:
            old, new = typed_path(path.parent), typed_path(own.path)
            yield (
                f"note: {old} has bought {bought} of these {counted(len(hashes), 'request')}; a "
                f"spec that was renamed goes on there after {shlex.join(['git', 'mv', old, new])} "
                f"({new} is empty: remove it first)"
            )


def _manifest(directory: Path) -> Manifest | None:
    """The results of a run; None where they cannot be read, which its own commands tell."""
    try:
        return RunDirectory(directory).manifest()
    except VeogenError:
        return None
