"""`veogen completion`: what a shell can complete, beyond the names of commands and options."""

import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)

from veogen.cli import COMMANDS, COMPLETE
from veogen.document.problems import Problems
from veogen.errors import VeogenError

_MOST = 1000
"""Addresses that are looked through: a shell waits for them, and nobody reads more."""


class _Bash(BashComplete):
    """Takes the line as it is typed: bash parts words at `=`, which stands in every address."""

    source_template = """\
%(complete_func)s() {
    local IFS=$'\\n' type value
    local word="${COMP_WORDS[COMP_CWORD]}"
    while IFS=',' read -r type value; do
        case "$type" in
            file) COMPREPLY+=($(compgen -f -- "$word")); compopt -o filenames ;;
            dir) COMPREPLY+=($(compgen -d -- "$word")); compopt -o filenames ;;
            plain)
                COMPREPLY+=("$value")
                [[ $value == *[[:space:]\\[\\]]* ]] && compopt -o filenames
                ;;
        esac
    done < <(env COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_WORD="$word" \\
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ.get("COMP_LINE")
        if line is None:  # somebody else's script, which parts the words as every click does
            return super().get_completion_args()
        words = split_arg_string(line)[1:]
        unfinished = words.pop() if words and not line[-1].isspace() else ""
        return words, unfinished

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """What bash puts in place of its own last word, which begins after a `=` or `:`."""
        word = os.environ.get("COMP_WORD", incomplete)
        typed = "" if word in ("=", ":") else "".join(split_arg_string(word))
        before = len(incomplete) - len(typed)
        return [
            CompletionItem(item.value[before:], item.type, item.help)
            for item in super().get_completions(args, incomplete)
        ]


class _Fish(FishComplete):
    """Keeps the commas of an address."""

    source_template = FishComplete.source_template.replace(
        'string split ","', 'string split -m 1 ","'
    )


_SHELLS = {"bash": _Bash, "zsh": ZshComplete, "fish": _Fish}


def register() -> None:
    """Let click answer the shells with these."""
    for shell in _SHELLS.values():
        add_completion_class(shell)


def script(shell: str) -> str:
    """What is to be evaluated in a shell."""
    complete = _SHELLS[shell](click.Command("veogen"), {}, "veogen", COMPLETE)
    return complete.source_template % complete.source_vars()


def items(name: str, context: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    """What `topics`, `profiles`, `runs` or `addresses` offer; nothing where a file has mistakes."""
    try:
        offered = [value for value in _offers(name, context) if value.startswith(incomplete)]
    except (VeogenError, OSError):
        offered = []
    if name == "runs" and not offered:  # it may be a spec
        return [CompletionItem(incomplete, type="file")]
    return [CompletionItem(value) for value in offered]


def _offers(name: str, context: click.Context) -> Iterable[str]:
    """All of them; the modules of what is not asked for are not loaded."""
    match name:
        case "topics":  # the pages of the reference, and the help of commands
            from veogen.cli.help import topics  # noqa: PLC0415

            return [*(page for pages in topics().values() for page in pages), *COMMANDS]
        case "profiles":  # those of the specs that are named before
            from veogen.cli.rundirs import name_and_profiles  # noqa: PLC0415
            from veogen.spec.project import project_root  # noqa: PLC0415

            named = [name_and_profiles(project_root(path), path)[1] for path in _specs(context)]
            return dict.fromkeys(profile for profiles in named for profile in profiles)
        case "runs":  # of the project that one stands in
            from veogen.cli.rundirs import runs_here, typed_path  # noqa: PLC0415

            return [typed_path(path) for path in runs_here()]
        case _:
            return _addresses(context)


def _addresses(context: click.Context) -> Iterable[str]:
    """Those of the run that is named before, or of the specs: their first takes, unrendered."""
    for path in filter(Path.is_dir, _arguments(context)):
        from veogen.executor.options import SystemClock  # noqa: PLC0415
        from veogen.executor.snapshot import read_snapshot  # noqa: PLC0415

        snapshot = read_snapshot(path, SystemClock().now())
        return [state.request.address for state in snapshot.ledger.planned]
    from veogen.planner.matrix import expand  # noqa: PLC0415
    from veogen.spec.load import load_spec  # noqa: PLC0415

    specs = (load_spec(p, profile=context.params.get("profile")) for p in _specs(context))
    expansions = (
        expand(shot, spec.files, spec.policy.models, Problems())
        for spec in specs
        for shot in spec.shots
    )
    addresses = (each.address(of) for each in expansions for of, _ in each.walk(Problems()))
    return islice(addresses, _MOST)


def _specs(context: click.Context) -> list[Path]:
    return [path for path in _arguments(context) if path.is_file()]


def _arguments(context: click.Context) -> list[Path]:
    """What is typed already: click leaves it alone where an option lacks its value yet."""
    params = context.params
    typed = (*(params.get("specs") or ()), params.get("run"), *context.args)
    return [Path(word) for word in typed if word]
