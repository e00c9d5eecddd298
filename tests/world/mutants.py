"""A small mutation run: `python -m tests.world.mutants veogen/results/facts.py tests/results/…`.

One operator, constant, condition, assignment or word of a set in a file is changed at a time, and
the tests that are named have to fail. Two tools do so too: mutmut 3.8 leaves out properties and all
that stands outside of functions, as codes and limits do; cosmic-ray 8.7 starts an interpreter for
each mutant, which imports all anew. Here a child is forked for each, of a process that has imported
all that is not ours.
"""

import argparse
import ast
import copy
import gc
import importlib.abc
import importlib.util
import io
import itertools
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest

LONGEST = 120
"""Seconds for the tests of one mutant, unless told: who does not end has been caught too."""

_WITHOUT = ("-p", "no:cacheprovider", "-p", "no:unraisableexception")

_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Each changed text, and what was changed where."""
    tree = ast.parse(source)
    unchanged = ast.unparse(tree)
    for number, node in enumerate(ast.walk(tree)):
        for change in itertools.count():
            if _changed(copy.deepcopy(node), change) is None:
                break
            changed = copy.deepcopy(tree)
            said = _changed(next(itertools.islice(ast.walk(changed), number, None)), change)
            text = ast.unparse(changed)
            if text != unchanged:  # as `while True` is, made true
                yield f"{getattr(node, 'lineno', 0)}: {said}", text


def _changed(node: ast.AST, change: int) -> str | None:
    said = _changed_choice(node, change)
    return _changed_value(node) if said is None and change == 0 else said


def _changed_choice(node: ast.AST, change: int) -> str | None:
    """Change what is chosen by, in the n-th way that there is for a node; None without any."""
    match node:
        case ast.Compare() if change < len(node.ops):
            return _swapped(node, node.ops, change)
        case ast.If() | ast.IfExp() | ast.While() if change < 2:
            said = f"{ast.unparse(node.test)}  ->  {change == 0}"
            node.test = ast.Constant(change == 0)
            return said
        case ast.match_case(guard=ast.expr() as guard) if change < 2:
            node.guard = ast.Constant(change == 0)
            return f"case {ast.unparse(node.pattern)} if {ast.unparse(guard)}  ->  {change == 0}"
        case ast.BoolOp() if 0 < change <= len(node.values):
            before = ast.unparse(node)
            del node.values[change - 1]
            return f"{before}  ->  {ast.unparse(node)}"
        case ast.Set() | ast.Tuple() | ast.List():
            texts = [e for e in node.elts if isinstance(e, ast.Constant)]
            words = [text for text in texts if isinstance(text.value, str)]
            if change < len(words):
                word = words[change].value
                words[change].value = f"not {word!r}"
                return f"{word!r} in it  ->  another"
        case _:
            pass
    return None


def _changed_value(node: ast.AST) -> str | None:
    """Change what is computed, kept or returned."""
    before = ast.unparse(node)
    match node:
        case ast.BoolOp() | ast.BinOp() if type(node.op) in _SWAPS:
            return _swapped(node, vars(node), "op")
        case ast.UnaryOp(op=ast.Not()):
            node.operand = ast.UnaryOp(ast.Not(), node.operand)
        case ast.UnaryOp(op=ast.USub()):
            node.op = ast.UAdd()
        case ast.Name(id="min" | "max" as name):
            node.id = "max" if name == "min" else "min"
        case ast.Constant(value=bool() as value):
            node.value = not value
        case ast.Constant(value=(int() | float()) as number):
            node.value = number + 1
        case ast.Return(value=ast.expr()) if before != "return None":
            node.value = ast.Constant(None)
        case ast.Assign(targets=[ast.Attribute() | ast.Tuple(elts=[ast.Attribute(), *_])]):
            node.targets = [ast.Name("_", ast.Store())]
        case _:
            return None
    return f"{before}  ->  {ast.unparse(node)}"


def _swapped(node: ast.AST, place: Any, key: Any) -> str:
    before = ast.unparse(node)
    place[key] = _SWAPS[type(place[key])]()
    return f"{before}  ->  {ast.unparse(node)}"


class _Loader(importlib.abc.Loader):
    def __init__(self, source: str, path: str) -> None:
        self._source = source
        self._path = path

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = self._path
        exec(compile(self._source, self._path, "exec"), module.__dict__)


class _Finder(importlib.abc.MetaPathFinder):
    """Gives the mutant where the module is asked for."""

    def __init__(self, name: str, source: str, path: str) -> None:
        self._name = name
        self._loader = _Loader(source, path)

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        if name != self._name:
            return None
        return importlib.util.spec_from_loader(name, self._loader)


def preload(tests: Sequence[str]) -> None:
    """Import what the tests do, and forget what lies below this folder: each child has its own."""
    with redirect_stdout(io.StringIO()):
        pytest.main(["--collect-only", "-q", *_WITHOUT, *tests])
    for name, module in list(sys.modules.items()):
        path = Path(getattr(module, "__file__", None) or "/")
        if path.is_relative_to(Path.cwd()) and "site-packages" not in path.parts:
            del sys.modules[name]
    gc.collect()
    gc.freeze()  # a child has its own to collect, not all that is here


def survives(
    name: str, source: str, path: str, tests: Sequence[str], longest: int = LONGEST
) -> bool:
    """Whether the tests pass with the mutant in the place of the module."""
    child = os.fork()
    if child == 0:
        signal.alarm(longest)  # the plugin for each test takes its place
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        sys.meta_path.insert(0, _Finder(name, source, path))
        options = ["-x", "-q", "-m", "not slow", "-W", "ignore", f"--timeout={longest}"]
        os._exit(int(pytest.main([*options, *_WITHOUT, *tests])))
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


def main() -> None:
    """Say which mutants survive, and how many there were."""
    parser = argparse.ArgumentParser(prog="python -m tests.world.mutants")
    parser.add_argument("path")
    parser.add_argument("tests", nargs="+")
    parser.add_argument("--most", type=int, default=10_000, help="so many of them, by lot")
    parser.add_argument("--longest", type=int, default=LONGEST, help="seconds for one")
    arguments = parser.parse_args()
    path = Path(arguments.path)
    name = ".".join(path.with_suffix("").parts)
    preload(arguments.tests)
    every = list(mutants(path.read_text()))
    chosen = every
    if len(every) > arguments.most:
        chosen = sorted(Random(1).sample(every, arguments.most))
    if not survives(name, path.read_text(), str(path), arguments.tests):
        sys.exit(f"{path}: its tests fail without any mutant")
    alive = 0
    for said, source in chosen:
        if survives(name, source, str(path), arguments.tests, arguments.longest):
            alive += 1
            sys.stdout.write(f"{path}:{said}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{path}: {len(chosen)} of {len(every)} mutants, {alive} survive\n")


if __name__ == "__main__":
    main()
