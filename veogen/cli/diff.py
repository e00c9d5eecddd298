"""`veogen diff`: what a change would buy, drop, rename and cost."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import click

from veogen.cli.comparison import compared
from veogen.cli.examples import examples
from veogen.cli.options import SpecOptions, spec_options
from veogen.cli.sides import Side, Sides
from veogen.document.tree import Tree
from veogen.errors import ExitCode, UsageError
from veogen.planner.diff.markdown import markdown
from veogen.planner.diff.review import Report, diff_data
from veogen.planner.diff.text import lines
from veogen.terminal import paint, plain_json


@click.command(
    "diff",
    epilog=examples(
        "veogen diff specs/launch.lock.yaml specs/launch.yaml",
        "veogen diff HEAD:specs/launch.yaml specs/launch.yaml",
        "veogen diff --base main specs",
    ),
)
@click.argument("sides", metavar="OLD NEW | SPEC...", nargs=-1, required=True)
@spec_options
@click.option(
    "--base",
    metavar="REV",
    help="Compare SPEC... with what they were where REV and HEAD part.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="How the difference is written; markdown is for a pull request.",
)
@click.option("--exit-code", "by_code", is_flag=True, help="Exit 5 if there is a difference.")
def command(
    sides: tuple[str, ...],
    options: SpecOptions,
    base: str | None,
    format_: str,
    *,
    by_code: bool,
) -> ExitCode:
    """Show what would be bought, dropped, renamed and changed, and the money; sends nothing.

    A side is a spec, a lock, a plan file or REV:PATH: templates, rows, images and bases are then
    those of that revision. A folder means its specs.
    """
    with Sides(options) as reader:
        old, new = _both(reader, sides) if base is None else _since(reader, base, sides)
        report = compared(old, new, options)
    _write(report, format_)
    return ExitCode.STALE if by_code and report else ExitCode.DONE


def _both(reader: Sides, words: Sequence[str]) -> tuple[Sequence[Side], Sequence[Side]]:
    if len(words) != 2:  # noqa: PLR2004 - old and new
        raise UsageError("a diff has two sides, OLD and NEW; or --base REV and specs")
    return reader.read(words[0]), reader.read(words[1])


def _since(
    reader: Sides, revision: str, words: Sequence[str]
) -> tuple[Sequence[Side], Sequence[Side]]:
    """What the specs were at the merge base of a revision and HEAD, and what they are."""
    old: dict[tuple[str, str], Side] = {}
    new: dict[tuple[str, str], Side] = {}
    for word in words:
        path = Path(os.path.normpath(Path(word).absolute()))
        repository = reader.repository(path)
        base = repository.merge_base(revision)
        tree = Tree(repository, base, base[:10])
        below = _below(path, repository.top)
        now, before = list(reader.here(Path(word))), list(reader.there(tree, below))
        if not now and not before:
            raise UsageError(f"{word}: there is no spec, neither here nor at {base[:10]}")
        new.update((_key(side), side) for side in now)
        old.update((_key(side), side) for side in before)
    return list(old.values()), list(new.values())


def _key(side: Side) -> tuple[str, str]:
    """What is meant twice, by a folder and by its name, counts once."""
    return side.shown, side.plan.spec


def _below(path: Path, top: Path) -> PurePosixPath:
    """A path below the top of a repository, whether it is there or not."""
    inside = path if path.is_dir() else path.parent
    real = Path(os.path.realpath(inside)) / ("" if path.is_dir() else path.name)
    return PurePosixPath(real.relative_to(os.path.realpath(top)))


def _write(report: Report, format_: str) -> None:
    match format_:
        case "json":
            text = json.dumps(diff_data(report), indent=2, ensure_ascii=False)
            click.echo(plain_json(text))
        case "markdown":
            click.echo(markdown(report))
        case _:
            for line in lines(report, paint(sys.stdout, os.environ)):
                click.echo(line, color=True)
