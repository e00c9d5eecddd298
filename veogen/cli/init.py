"""`veogen init`: a small project that works, its workflows, and how they install veogen."""

import json
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import click

from veogen import __version__
from veogen.document.files import Folder
from veogen.document.problems import MistakesError
from veogen.errors import UsageError
from veogen.lockfile import lock_path, lock_text
from veogen.planner.planner import plan
from veogen.spec.grammar import schema_text
from veogen.spec.load import load_spec
from veogen.spec.project import specs_in

_INDEXES = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")
_PIP = "python -m pip install"


@dataclass(frozen=True, slots=True)
class Installation:
    """A command of a shell; `todo` says why it fails until somebody fills it in."""

    command: str
    todo: str | None = None


def installation() -> Installation:
    """How the veogen that runs was installed."""
    origin = metadata.distribution("veogen").read_text("direct_url.json")
    return installation_of(origin, os.environ)


def installation_of(origin: str | None, environ: Mapping[str, str]) -> Installation:
    """`origin` is the `direct_url.json` of the installation (PEP 610); None: it is of an index.

    The extra of a store is with it, should the policy name one. A command names only what others
    can reach, and no credentials: a folder or a file of this machine has to be filled in, as a
    name that nobody has published could be anybody's.
    """
    if origin is None:
        index = next((environ[name] for name in _INDEXES if environ.get(name)), None)
        where = [] if index is None else ["--index-url", _public(index)]
        return Installation(f"{_PIP} {shlex.join([*where, f'veogen[store]=={__version__}'])}")
    data: dict[str, Any] = json.loads(origin)
    url = str(data["url"])
    scheme = urlsplit(url).scheme
    if scheme != "https":
        what = "a folder or file of one machine" if scheme == "file" else f"a {scheme} address"
        todo = f"this veogen comes from {what}; name a version, or git+https://…@COMMIT"
        says = shlex.quote(f"::error::Fill in how to install veogen: {todo}")
        return Installation(f"echo {says}; exit 1", todo)
    if "vcs_info" in data:
        source = f"{data['vcs_info']['vcs']}+{_public(url)}@{data['vcs_info']['commit_id']}"
    else:
        source = _public(url)
    below = f"#subdirectory={data['subdirectory']}" if "subdirectory" in data else ""
    return Installation(f"{_PIP} {shlex.quote(f'veogen[store] @ {source}{below}')}")


def _public(url: str) -> str:
    """An address without the credentials that may stand in it."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


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
    path = folder / (specs[0] if specs else "specs/launch.yaml")
    if not specs:
        with suppress(MistakesError):  # what was there before may keep it from having a plan
            spec = load_spec(path)
            text = lock_text(plan(spec), spec.policy.models)
            _write(path.with_name(lock_path(spec.path, None).name), text)
    if github:
        for workflow, text in _workflows(folder):
            _write(workflow, text)
    _print_next(path, github=github)


def _write(path: Path, text: str) -> None:
    """Write a file unless there is one; of one for git say which lines it lacks."""
    if os.path.lexists(path):
        lacking = list[str]()
        if path.name in _FOR_GIT:
            with suppress(OSError):
                there = path.read_text(encoding="utf-8", errors="replace").splitlines()
                own = (line for line in text.splitlines() if not line.startswith("#"))
                lacking = [line for line in own if line not in there]
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


def _starter(name: str) -> str:
    return (files("veogen.cli") / "starter" / name).read_text(encoding="utf-8")


def _workflows(folder: Path) -> Iterator[tuple[Path, str]]:
    """The workflows, at the top of the work tree, with the project's place in it."""
    here, top = folder.resolve(), folder
    tree = next((above for above in (here, *here.parents) if (above / ".git").exists()), here)
    if tree != here:
        top = Path(os.path.relpath(tree))
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
