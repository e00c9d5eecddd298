"""The command line: parse, call, print; what a command does is imported when it is called."""

import atexit
import gc
import os
import sys
from importlib import import_module
from typing import NoReturn

import click
from click.shell_completion import CompletionItem

from veogen import __version__
from veogen.cli.streams import reopen_closed_streams, tolerate_full_stderr, tolerate_letters

GROUPS = {  # in the order of the work
    "Write and review": {
        "init": "Write a small working project.",
        "validate": "Show all mistakes at once.",
        "plan": "Print the plan and its price.",
        "lock": "Write down what is approved.",
        "diff": "Show what a change would buy and drop.",
    },
    "Buy and bring home": {
        "run": "Buy, download and verify what is missing.",
        "collect": "Bring home what was bought.",
        "status": "Show where every request stands.",
        "resolve": "Decide about requests by hand.",
        "store": "Show what a store holds.",
    },
    "Look and pass on": {
        "gallery": "Write a page of clips.",
        "picks": "Show what was decided about clips.",
        "export": "Copy clips under plain names.",
    },
    "Try and look up": {
        "help": "Show the reference; begins with a tutorial.",
        "simulate": "Serve the simulator.",
        "schema": "Print the JSON Schema of spec files.",
        "models": "Show models, parameters, limits and prices.",
        "credits": "Show the account's balance.",
        "completion": "Print the completion of a shell.",
    },
}
COMMANDS = {name: text for group in GROUPS.values() for name, text in group.items()}

_CYCLES = 10_000, 100, 10
"""How rarely garbage in cycles is looked for: plans and folds are millions of objects without."""


COMPLETE = "_VEOGEN_COMPLETE"
"""The variable by which a shell asks what it can complete."""

_VERSION = click.version_option(
    __version__,
    message="%(prog)s %(version)s",
    prog_name="veogen",
    help="Show the version and exit.",
)


class LazyGroup(click.Group):
    """Imports the commands when one of them is asked for, and no earlier."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module("veogen.cli.commands"), cmd_name)
        if all(option.name != "version" for option in command.params):
            _VERSION(command)  # a command tells it as veogen itself does
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with a hint for a misspelt command."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from veogen.document.problems import did_you_mean  # noqa: PLC0415

            hint = did_you_mean(args[0], COMMANDS)
            if hint is None:
                raise
            message = f"{error.message} {hint[0].upper()}{hint[1:]}"
            raise click.UsageError(message, ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        for title, commands in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(10), text) for name, text in commands.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the commands without importing them, as a shell waits for it."""
        names = [CompletionItem(n, help=t) for n, t in COMMANDS.items() if n.startswith(incomplete)]
        return names + click.Command.shell_complete(self, ctx, incomplete)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="New here? 'veogen help tutorial' takes ten minutes. "
    "'veogen COMMAND -h' tells more about a command, 'veogen help' about everything else.",
)
@_VERSION
def veogen() -> None:
    """Plan, review, buy and keep batches of AI video clips."""


def main() -> NoReturn:
    """Run the command line; every way to end has its exit code here."""
    reopen_closed_streams()
    tolerate_letters()
    tolerate_full_stderr()
    gc.set_threshold(*_CYCLES)
    atexit.register(gc.freeze)  # what is left when the process ends needs no search for cycles
    if COMPLETE in os.environ:
        from veogen.cli.completion import register  # noqa: PLC0415 - for a shell alone

        register()
    try:
        code = veogen(standalone_mode=False)
    except Exception as error:  # noqa: BLE001 - the one place that catches
        from veogen.cli.exit_codes import exit_code_for  # noqa: PLC0415 - only where something is wrong

        code = exit_code_for(error)
    sys.exit(int(code or 0))
