"""`veogen init`: a small project that works, and the workflows for it."""

import os
import re
import shlex
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path, PurePosixPath

import click

from veogen import __version__
from veogen.document.files import Folder
from veogen.errors import UsageError
from veogen.spec.project import specs_in

_EXAMPLE = {
    "specs/launch.yaml": "launch.yaml",
    "templates/opening.j2": "opening.j2",
}
_POLICY = {"veogen.yaml": "veogen.yaml", ".gitignore": "gitignore"}
_WORKFLOWS = ("veogen-review.yml", "veogen-buy.yml")
_FOLDER = re.compile(r"[A-Za-z0-9._/-]+")


def write_project(folder: Path, *, github: bool) -> None:
    """Write what is not there yet, and the next commands to stderr."""
    specs = list(specs_in(Folder(folder), PurePosixPath("specs"))) if folder.is_dir() else []
    example = {} if specs else _EXAMPLE
    for name, source in {**example, **_POLICY}.items():
        _write(folder / name, _starter(source))
    if github:
        for path, text in _workflows(folder):
            _write(path, text)
    _print_next(folder / (specs[0] if specs else "specs/launch.yaml"))


def _write(path: Path, text: str) -> None:
    """Write a file unless there is one."""
    if os.path.lexists(path):
        click.echo(f"{path}: kept, it was there already", err=True)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{error.filename or path}: {error.strerror}") from None
    click.echo(f"{path}: written", err=True)


def _starter(name: str) -> str:
    return (files("veogen.cli") / "starter" / name).read_text(encoding="utf-8")


def _workflows(folder: Path) -> Iterator[tuple[Path, str]]:
    """The workflows, at the top of the work tree, with the project's place in it."""
    top = _work_tree(folder)
    project = PurePosixPath(folder.resolve().relative_to(top.resolve()))
    if not _FOLDER.fullmatch(str(project)):
        raise UsageError(
            f"{str(project)!r}: a workflow cannot name this folder; use letters, digits, . _ -"
        )
    below = "" if project == PurePosixPath() else f"{project}/"
    for name in _WORKFLOWS:
        text = _starter(f"workflows/{name}")
        for key, value in (
            ("__PROJECT__", str(project)),
            ("__BELOW__", below),
            ("__VERSION__", __version__),
        ):
            text = text.replace(key, value)
        stem, _, extension = name.partition(".")
        named = name if not below else f"{stem}-{str(project).replace('/', '-')}.{extension}"
        yield top / ".github/workflows" / named, text


def _work_tree(folder: Path) -> Path:
    """The top of the git work tree that a folder is in, as it is typed; else the folder."""
    here = folder.resolve()
    for above in (here, *here.parents):
        if (above / ".git").exists():
            return folder if above == here else Path(os.path.relpath(above))
    return folder


def _print_next(spec: Path) -> None:
    spec_path = shlex.quote(str(spec))
    click.echo("\nNow type:", err=True)
    for words, why in (
        (f"veogen plan {spec_path}", "what it would buy, and for how much"),
        (f"veogen run {spec_path} --simulate", "a run without key, network and money"),
        (f"veogen gallery {spec_path}", "a page of its clips"),
    ):
        click.echo(f"  {words}  # {why}", err=True)
