"""`veogen init`: a small project that works, and the workflows for it."""

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path, PurePosixPath

import click

from veogen.cli.install import installation
from veogen.document.files import Folder
from veogen.document.problems import MistakesError
from veogen.errors import UsageError
from veogen.lockfile import lock_path, lock_text
from veogen.planner.planner import plan
from veogen.spec.grammar import schema_text
from veogen.spec.load import load_spec
from veogen.spec.project import specs_in

_EXAMPLE = {
    "specs/launch.yaml": "launch.yaml",
    "templates/opening.j2": "opening.j2",
}
_POLICY = {
    "veogen.yaml": "veogen.yaml",
    ".gitignore": "gitignore",
    ".gitattributes": "gitattributes",
}
_FOR_GIT = (".gitignore", ".gitattributes")
_SCHEMA = "specs/veogen.schema.json"
_WORKFLOWS = ("veogen-review.yml", "veogen-buy.yml")
_FOLDER = re.compile(r"[A-Za-z0-9._/-]+")


def write_project(folder: Path, *, github: bool) -> None:
    """Write what is not there yet, and the next commands to stderr."""
    specs = list(specs_in(Folder(folder), PurePosixPath("specs"))) if folder.is_dir() else []
    example = {} if specs else _EXAMPLE
    for name, source in {**example, **_POLICY}.items():
        _write(folder / name, _starter(source))
    _write(folder / _SCHEMA, schema_text())
    if not specs:
        _write_lock(folder / "specs/launch.yaml")
    if github:
        for path, text in _workflows(folder):
            _write(path, text)
    _print_next(folder / (specs[0] if specs else "specs/launch.yaml"), github=github)


def _write(path: Path, text: str) -> None:
    """Write a file unless there is one."""
    if os.path.lexists(path):
        lacking = _lacking(path, text) if path.name in _FOR_GIT else ()
        todo = f"; add to it: {', '.join(lacking)}" if lacking else ""
        click.echo(f"{path}: kept, it was there already{todo}", err=True)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{error.filename or path}: {error.strerror}") from None
    click.echo(f"{path}: written", err=True)


def _lacking(path: Path, text: str) -> Sequence[str]:
    """The lines of `text`, but for its remarks, that a file has not."""
    try:
        there = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    return [line for line in text.splitlines() if not line.startswith("#") and line not in there]


def _write_lock(path: Path) -> None:
    """Lock the example; what was there before may keep it from having a plan."""
    try:
        spec = load_spec(path)
        made = plan(spec)
    except MistakesError:
        return
    _write(path.with_name(lock_path(spec.path, None).name), lock_text(made, spec.policy.models))


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
    install = installation()
    for name in _WORKFLOWS:
        text = _starter(f"workflows/{name}")
        for key, value in (
            ("__PROJECT__", str(project)),
            ("__BELOW__", below),
            ("__INSTALL__", install.command),
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


def _print_next(spec: Path, *, github: bool) -> None:
    spec_path = shlex.quote(str(spec))
    _print_commands(
        "Now type:",
        (f"veogen plan {spec_path}", "what it would buy, and for how much"),
        (f"veogen run {spec_path} --simulate", "a run without key, network and money"),
        (f"veogen gallery {spec_path} --simulate --open", "look at its clips"),
        ("veogen help tutorial", "the rest in ten minutes"),
    )
    _print_commands(
        "After each edit that is meant to be bought:",
        (f"veogen lock {spec_path}", "write down what is approved, and commit it with the spec"),
    )
    if github:
        _print_commands(
            "Once, before the first purchase on GitHub ('veogen help ci' tells more):",
            (
                "gh api -X PUT 'repos/{owner}/{repo}/environments/veogen'",
                "protect it: Settings, Environments, veogen, Required reviewers",
            ),
            ("gh secret set EVOLINK_API_KEY --env veogen", "the key, for that environment alone"),
            (
                "gh variable set VEOGEN_MAX_CREDITS --body 500",
                "the most that one purchase may spend; 200 without it",
            ),
        )
        if (todo := installation().todo) is not None:
            click.echo(f"\nFill in 'Install veogen' in both workflows: {todo}", err=True)


def _print_commands(title: str, *commands: Sequence[str]) -> None:
    click.echo(f"\n{title}", err=True)
    for words, why in commands:
        click.echo(f"  {words}  # {why}", err=True)
