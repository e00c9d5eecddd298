"""What the default run directory of a spec holds already."""

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from veogen.document.files import Files, Folder, read_file
from veogen.errors import UsageError
from veogen.spec.model import Spec

if TYPE_CHECKING:
    from veogen.results.states import Holdings


def project_root(spec: Spec) -> Path | None:
    """The folder that the spec's project is, None when it is no folder on this disk."""
    return spec.files.root if isinstance(spec.files, Folder) else None


def holdings_of(spec: Spec) -> "Holdings | None":
    """What `results.json` of the spec's run directory tells; None when there is none."""
    return results_of(spec.files, spec.name, spec.profile)


def results_of(files: Files, name: str, profile: str | None) -> "Holdings | None":
    """What is known of a spec's purchases where its project was read, None if nothing is."""
    path = run_folder(name, profile) / "results.json"
    try:
        # On this disk `runs` may well be a link to a larger one.
        raw = read_file(files.root / path) if isinstance(files, Folder) else files.read(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{files.shown(path)}: it cannot be read: {error.strerror}") from None
    from veogen.results.manifest import parse  # noqa: PLC0415 - a fifth of the time of a plan
    from veogen.results.states import Holdings  # noqa: PLC0415

    return Holdings.of_manifest(parse(raw, files.shown(path)))


def run_folder(name: str, profile: str | None) -> PurePosixPath:
    """`runs/<name>` below the project root, with a profile `runs/<name>.<profile>`."""
    return PurePosixPath("runs") / (name if profile is None else f"{name}.{profile}")
