"""The pages of the reference: their examples, run as a reader would, and their generated lists."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from jinja2 import DictLoader

from support.project import Shell
from veogen.cli import COMMANDS, veogen
from veogen.cli.help import PAGES
from veogen.document.schema import Field, ObjectType
from veogen.models.custom import MODEL
from veogen.models.model import shipped
from veogen.spec.grammar import (
    BUDGET,
    MATRIX_WORDS,
    OVERRIDE,
    POLICY,
    PROFILE,
    SAMPLE,
    SHOT,
    SPEC,
)
from veogen.spec.params import parameters
from veogen.templates.environment import OutputLimiter, SpecEnvironment

REFERENCE = Path(str(PAGES))
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
GENERATED = re.compile(r"(<!-- (\w+): ([^>]*?) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
BIN = Path(sys.executable).parent


@dataclass(frozen=True, slots=True)
class Block:
    """An example: its language, what stands beside it, and its text."""

    language: str
    label: str
    text: str


def blocks(text: str) -> list[Block]:
    """The examples of a page, in order."""
    return [Block(match[1], match[2].strip(), match[3]) for match in FENCE.finditer(text)]


def generated(text: str) -> str:
    """A page as it is when its lists of keys, options and filters are made anew."""
    return GENERATED.sub(
        lambda match: f"{match[1]}\n{_LISTS[match[2]](match[3])}\n{match[5]}", text
    )


_KEYS: Mapping[str, Mapping[str, Field]] = {
    "spec": SPEC.keys,
    "shot": SHOT.keys,
    "override": OVERRIDE.keys,
    "matrix": MATRIX_WORDS,
    "sample": SAMPLE.keys,
    "budget": BUDGET.keys,
    "profile": PROFILE.keys,
    "policy": POLICY.keys,
}


def _keys_of(name: str) -> str:
    return "".join(_key(key, field) for key, field in _KEYS[name].items())


def _key(name: str, field: Field) -> str:
    required = " Required." if field.required else ""
    inner = field.shape.keys if isinstance(field.shape, ObjectType) and name == "limits" else {}
    below = "".join(f"  {_key(key, each)}" for key, each in inner.items())
    return f"- `{name}`: {field.about}{required}\n{below}"


def _keys_of_models(title: str) -> str:
    """The keys of a model's file, or of a mapping in it, as its schema has them."""
    definitions: dict[str, Any] = {}
    definitions["Model"] = MODEL.whole_schema(definitions)
    properties = definitions[title]["properties"]
    required = definitions[title].get("required", ())
    return "".join(
        f"- `{name}`: {schema['description']}{' Required.' if name in required else ''}\n"
        for name, schema in properties.items()
    )


def _models(_: str) -> str:
    return "".join(f"- `{id_}`: {model.title}\n" for id_, model in shipped().items())


def _parameters(_: str) -> str:
    """The first sentence about each parameter, whatever the model."""
    first = {
        name: re.split("[.;] ", meanings[0].description)[0].rstrip(".")
        for name, meanings in parameters().items()
    }
    return "".join(f"- `{name}`: {sentence}.\n" for name, sentence in first.items())


def _options_of(names: str) -> str:
    """The options of commands; of several those that all have."""
    of_each = [_options(name) for name in names.split()]
    shared = [line for line in of_each[0] if all(line in lines for lines in of_each)]
    return "".join(f"{line}\n" for line in shared)


def _options(name: str) -> list[str]:
    command = veogen.get_command(click.Context(veogen), name)
    assert command is not None
    context = click.Context(command, info_name=name, help_option_names=["-h", "--help"])
    records = [p.get_help_record(context) for p in command.params if isinstance(p, click.Option)]
    return [f"- `{record[0]}`: {' '.join(record[1].split())}" for record in records if record]


def _commands(_: str) -> str:
    return "".join(f"- `veogen {name}`: {text}\n" for name, text in COMMANDS.items())


def _filters(_: str) -> str:
    filters = SpecEnvironment(DictLoader({}), OutputLimiter()).filters
    return ", ".join(f"`{name}`" for name in sorted(filters)) + "\n"


_LISTS: Mapping[str, Callable[[str], str]] = {
    "keys": _keys_of,
    "model_keys": _keys_of_models,
    "models": _models,
    "parameters": _parameters,
    "options": _options_of,
    "commands": _commands,
    "filters": _filters,
}


class Reader:
    """Somebody who does what a page says, in a folder of their own."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self._home = shell.folder

    @property
    def folder(self) -> Path:
        """Where they are."""
        return self.shell.folder

    def write(self, block: Block) -> None:
        """Put a file that a page shows in its place."""
        path = self.folder / block.label
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)

    def type(self, line: str) -> tuple[int, str]:
        """The exit code of a line of a shell, and all that it wrote."""
        if line.startswith("veogen ") and not re.search(r"[|&;<>]", line):
            words = shlex.split(line.replace("$PWD", str(self.folder)))
            ended = self.shell.veogen(*in_tests(words[1:]))
            return ended.code, ended.out + ended.err
        where = self._home / ".where"
        done = subprocess.run(
            ["bash", "-c", f'trap "pwd > {where}" EXIT; {line}'],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.shell = replace(self.shell, folder=Path(where.read_text().strip()))
        where.unlink()
        return done.returncode, done.stdout

    @property
    def environ(self) -> Mapping[str, str]:
        """That of a shell which finds veogen, and in which git knows who commits."""
        return {
            "PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self._home),
            **{f"GIT_{who}_{what}": "a@example.com" for who in WHO for what in ("NAME", "EMAIL")},
            **self.shell.environ,
        }


WHO = ("AUTHOR", "COMMITTER")


def in_tests(words: list[str]) -> list[str]:
    """A command that asks nothing, opens nothing and does not wait as long as a real clip takes."""
    words = [word for word in words if word != "--open"]
    if words[0] == "run" and "--simulate" in words:
        return [*words, "--generation-time", "0.05"]
    if words[0] in ("run", "collect"):
        ask = ["--yes"] if words[0] == "run" and "--yes" not in words else []
        return [*words, *ask, "--poll-interval", "0.1"]
    return words


def commands_of(block: Block) -> list[str]:
    """The lines of an example of a shell, without the remarks and with what continues joined."""
    lines = block.text.replace("\\\n", " ").splitlines()
    return [typed for line in lines if (typed := re.split(r"(?:^|  )# ", line)[0].strip())]
