"""What the default run directory of a spec holds already."""

from pathlib import Path

from veogen.document.files import Folder
from veogen.results.manifest import parse
from veogen.results.states import Holdings
from veogen.spec.model import Spec


def project_root(spec: Spec) -> Path | None:
    """The folder that the spec's project is, None when it is no folder on this disk."""
    return spec.files.root if isinstance(spec.files, Folder) else None


def run_directory(spec: Spec) -> Path | None:
    """`runs/<name>` below the project root, with a profile `runs/<name>.<profile>`."""
    root = project_root(spec)
    name = spec.name if spec.profile is None else f"{spec.name}.{spec.profile}"
    return None if root is None else root / "runs" / name


def holdings_of(spec: Spec) -> Holdings:
    """What `results.json` of the spec's run directory tells; nothing when there is none."""
    directory = run_directory(spec)
    if directory is None:
        return Holdings.none()
    path = directory / "results.json"
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return Holdings.none()
    return Holdings.of_manifest(parse(raw, str(path)))
