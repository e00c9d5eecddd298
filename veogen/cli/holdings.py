"""What the default run directory of a spec holds already."""

from pathlib import Path, PurePosixPath

from veogen.document.files import Files, Folder
from veogen.results.manifest import parse
from veogen.results.states import Holdings
from veogen.spec.model import Spec


def project_root(spec: Spec) -> Path | None:
    """The folder that the spec's project is, None when it is no folder on this disk."""
    return spec.files.root if isinstance(spec.files, Folder) else None


def run_directory(spec: Spec) -> Path | None:
    """Where the spec is run, None where its project is no folder on this disk."""
    root = project_root(spec)
    return None if root is None else root / _default(spec.name, spec.profile)


def holdings_of(spec: Spec) -> Holdings:
    """What `results.json` of the spec's run directory tells; nothing when there is none."""
    return results_of(spec.files, spec.name, spec.profile) or Holdings.none()


def results_of(files: Files, name: str, profile: str | None) -> Holdings | None:
    """What is known of a spec's purchases where its project was read, None if nothing is."""
    path = _default(name, profile) / "results.json"
    try:
        # On this disk `runs` may well be a link to a larger one.
        raw = (files.root / path).read_bytes() if isinstance(files, Folder) else files.read(path)
    except FileNotFoundError:
        return None
    return Holdings.of_manifest(parse(raw, files.shown(path)))


def _default(name: str, profile: str | None) -> PurePosixPath:
    """`runs/<name>` below the project root, with a profile `runs/<name>.<profile>`."""
    return PurePosixPath("runs") / (name if profile is None else f"{name}.{profile}")
