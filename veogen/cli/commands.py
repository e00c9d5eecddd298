"""Every command with its arguments and options; what it does is loaded when it is called."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from veogen.cli.option_types import CREDITS, FOLDER, SECONDS, OutputFile
from veogen.cli.options import (
    RunOptions,
    SpecOptions,
    addresses_option,
    as_typed,
    collecting_options,
    completed_by,
    examples,
    format_option,
    listening_options,
    optional_specs_argument,
    options_of_run,
    run_argument,
    selecting_options,
    sharing_options,
    spec_options,
    specs_argument,
    submitting_options,
)
from veogen.errors import ExitCode
from veogen.simulator import DEFAULT_GENERATION_TIME


@click.command(epilog=examples("veogen init campaign", "veogen init --github"))
@click.argument("folder", metavar="[DIR]", default=Path(), type=FOLDER)
@click.option(
    "--github",
    is_flag=True,
    help="Add workflows: one shows in pull requests what they would buy, one buys.",
)
def init(folder: Path, *, github: bool) -> None:
    """Write a small working project and say what to type next.

    What is there stays as it is: a file that exists is never overwritten, and a project that has
    specs gets no example.
    """
    from veogen.cli.init import write_project

    write_project(folder, github=github)


@click.command(epilog=examples("veogen help", "veogen help matrix", "veogen help tutorial"))
@click.argument("topic", metavar="[TOPIC]", required=False, shell_complete=completed_by("topics"))
def help(topic: str | None) -> None:  # noqa: A001
    """Show the reference: a page a topic, or the list of topics.

    It begins with a tutorial of ten minutes. On a terminal the page is shown by your pager.
    """
    from veogen.cli.help import print_help

    print_help(topic)


@click.command(
    epilog=examples(
        "veogen completion bash >> ~/.bashrc",
        "veogen completion zsh > ~/.zfunc/_veogen",
        "veogen completion fish > ~/.config/fish/completions/veogen.fish",
    )
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes veogen's commands in a shell.

    It completes commands, options, topics, profiles, runs and addresses.
    """
    from veogen.cli.completion import script

    click.echo(script(shell), nl=False)


@click.command(
    epilog=examples(
        "veogen validate specs",
        "veogen validate specs/launch.yaml --format github",
    )
)
@optional_specs_argument
@spec_options
@format_option("How mistakes are written.", "text", "json", "github")
def validate(specs: tuple[Path, ...], format_: str, **given: Any) -> ExitCode:
    """Show all mistakes of specs, in every profile; nothing is sent.

    Without SPEC all specs in the project's folder specs/.
    """
    from veogen.cli.validate import validate_specs

    return validate_specs(specs, SpecOptions.taken_from(given), format_)


@click.command(
    epilog=examples(
        "veogen plan specs/launch.yaml",
        "veogen plan specs --format json --out plan.json",
        "veogen plan specs/launch.yaml --profile draft --set params.duration=4",
        "veogen plan specs/launch.yaml --simulate",
        "veogen plan specs/launch.yaml --select 'opening*' --format yaml",
    )
)
@optional_specs_argument
@spec_options
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json", "jsonl", "yaml"]),
    help="How the plan is written (default: by the suffix of --out, else table).",
)
@click.option(
    "--out",
    type=OutputFile(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write to a file (.json, .jsonl, .yaml, else a table) instead of stdout, which - is.",
)
@click.option(
    "--dir",
    "directory",
    type=FOLDER,
    help="What is bought in this run directory (default: runs/NAME below the project root).",
)
@click.option("--simulate", is_flag=True, help="What is bought in the simulated run.")
def plan(
    specs: tuple[Path, ...],
    format_: str | None,
    out: Path | None,
    directory: Path | None,
    *,
    simulate: bool,
    **given: Any,
) -> None:
    """Print the requests of specs, their price and what a run would buy; sends nothing.

    Without SPEC all specs in the project's folder specs/. What is bought already is read from
    results.json in the run directory. --format yaml shows each request in full, as it is sent;
    with --select the ones that you mean.
    """
    from veogen.cli.plan import write_plans

    run = RunOptions(directory=directory, simulate=simulate)
    write_plans(specs, SpecOptions.taken_from(given), format_, out, run)


@click.command(epilog=examples("veogen lock specs/launch.yaml", "veogen lock --check specs"))
@specs_argument
@spec_options
@click.option(
    "--check",
    "only_check",
    is_flag=True,
    help="Write nothing; exit 5 and say what differs if a lock is missing or stale.",
)
def lock(specs: tuple[Path, ...], *, only_check: bool, **given: Any) -> None:
    """Write down what is approved: SPEC.lock.yaml beside each spec; sends nothing.

    Review and commit the lock; 'veogen run --locked' then buys what was approved or nothing.
    With a profile it is SPEC.PROFILE.lock.yaml. --check plans with the profile and --set that the
    lock was made with; a price that moved is a note.
    """
    from veogen.cli.lock import check_locks, write_locks

    act = check_locks if only_check else write_locks
    act(specs, SpecOptions.taken_from(given))


@click.command(
    epilog=examples(
        "veogen diff specs/launch.lock.yaml specs/launch.yaml",
        "veogen diff HEAD:specs/launch.yaml specs/launch.yaml",
        "veogen diff --base main specs",
    )
)
@click.argument("sides", metavar="OLD NEW | [SPEC]...", nargs=-1)
@spec_options
@click.option(
    "--base",
    metavar="REV",
    help="Compare SPEC... with what they were where REV and HEAD part.",
)
@format_option(
    "How the difference is written; markdown is for a pull request.", "text", "markdown", "json"
)
@click.option("--exit-code", "by_code", is_flag=True, help="Exit 5 if there is a difference.")
@click.option(
    "--all-profiles",
    is_flag=True,
    help="Every profile (default: those that have a lock or whose own block changed).",
)
def diff(
    sides: tuple[str, ...],
    base: str | None,
    format_: str,
    *,
    by_code: bool,
    all_profiles: bool,
    **given: Any,
) -> ExitCode:
    """Show what would be bought, dropped, renamed and changed, and the money; sends nothing.

    A side is a spec, a lock, a plan file or REV:PATH: templates, rows, images and bases are then
    those of that revision. A folder means its specs; with --base alone those of the project's
    folder specs/ are meant.
    """
    from veogen.cli.diff import print_diff

    options = SpecOptions.taken_from(given)
    differs = print_diff(sides, options, base, format_, all_profiles=all_profiles)
    return ExitCode.STALE if by_code and differs else ExitCode.DONE


@click.command(
    epilog=examples(
        "veogen run specs/quickstart.yaml --simulate",
        "veogen run specs/launch.yaml --max-credits 500",
    )
)
@specs_argument
@spec_options
@click.option(
    "--dir",
    "directory",
    type=FOLDER,
    help="The run directory (default: runs/NAME below the project root).",
)
@click.option("--simulate", is_flag=True, help="No key, no network, no money.")
@click.option(
    "--faults",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --simulate: a file that says what goes wrong.",
)
@click.option(
    "--generation-time",
    type=SECONDS,
    metavar="S",
    help="With --simulate: the median of the seconds that a task takes.",
)
@click.option("--yes", is_flag=True, help="Do not ask; needed where there is no terminal.")
@click.option("--locked", is_flag=True, help="Refuse if the lock is missing or stale.")
@click.option(
    "--max-credits",
    type=CREDITS,
    metavar="N",
    help="Spend no more than this now: it stops before what would pass it, where a spec's budget "
    "refuses the whole plan.",
)
@click.option(
    "--only",
    type=click.Choice(["new", "changed", "failed"]),
    multiple=True,
    help="Buy only these. May be repeated.",
)
@click.option("--retry-failed", is_flag=True, help="Buy again whatever failed.")
@sharing_options
@listening_options
@submitting_options
def run(specs: tuple[Path, ...], **given: Any) -> ExitCode:
    """Buy, download and verify what is missing; go on where an earlier run stopped."""
    from veogen.cli.run import run_specs

    options = SpecOptions.taken_from(given)
    return run_specs(specs, options, RunOptions(**given))


@click.command(epilog=examples("veogen collect", "veogen collect runs/launch"))
@click.argument("runs", metavar="[RUN]...", nargs=-1, shell_complete=completed_by("runs"))
@options_of_run
@collecting_options
def collect(
    runs: tuple[str, ...], profile: str | None, *, simulate: bool, **given: Any
) -> ExitCode:
    """Poll and download what was bought; submit nothing.

    RUN is a run directory, or a SPEC; left out, all real runs below runs/.
    """
    from veogen.cli.collect import collect_runs

    options = RunOptions(task_retries=0, simulate=simulate, **given)
    return collect_runs(runs, profile, options)


@click.command(epilog=examples("veogen status", "veogen status specs/launch.yaml --exit-code"))
@run_argument
@format_option("How it is written.", "table", "json")
@click.option(
    "--exit-code",
    "by_code",
    is_flag=True,
    help="Exit as a run would: 0 all completed, 1 not all, 4 some are indeterminate.",
)
def status(run: str | None, format_: str, *, by_code: bool, **which: Any) -> ExitCode:
    """Show where every request of a run stands; sends nothing.

    RUN is a run directory or a SPEC, of which it also says what it would still buy; left out, the
    only run, or a line for each of several. Works while a run goes on, and in a fresh clone, where
    results.json is all there is.
    """
    from veogen.cli.status import print_overview, print_status
    from veogen.cli.store_names import find_shared_run, several_runs

    if run is None and (several := several_runs(**which)):
        code = print_overview(several, format_)
    else:
        target = find_shared_run(run, **which)
        spec = Path(run) if run is not None and Path(run).is_file() else None
        code = print_status(target, format_, spec)
    return code if by_code else ExitCode.DONE


@click.command(
    epilog=examples(
        "veogen resolve runs/launch --adopt 'opening[city=Tokyo]=task-unified-1757169743-7cvnl5zw'",
        "veogen resolve runs/launch --replay '*'",
    )
)
@click.argument("run", metavar="RUN", shell_complete=completed_by("runs"))
@options_of_run
@addresses_option(
    "--adopt", "This task of the gateway is the request's. May be repeated.", "ADDRESS=TASK_ID"
)
@addresses_option("--replay", "Send it once more, with the same key and bytes. May be repeated.")
@addresses_option("--abandon", "Wait no longer; the money stays counted. May be repeated.")
@addresses_option("--rebuy", "Buy it anew, under a new key. May be repeated.")
@click.option(
    "--close",
    metavar="MACHINE",
    help="A machine of the store is gone for good: its claims can be decided at once.",
)
def resolve(
    run: str,
    profile: str | None,
    close: str | None,
    store: str | None,
    *,
    simulate: bool,
    **typed: tuple[str, ...],
) -> ExitCode:
    """Decide about requests of which veogen cannot know whether they were bought.

    '*' as an ADDRESS means all that fit, but for what can still be collected. What left the plan
    while another request has its address is named by its hash. 'veogen status RUN' says which
    there are.
    """
    from veogen.cli.resolve import decisions_of, resolve_run

    decisions = decisions_of(**typed)
    return resolve_run(run, profile, decisions, close=close, simulate=simulate, store=store)


@click.command(
    epilog=examples(
        "veogen store s3://clips/campaign",
        "veogen store --check file:///mnt/shared/campaign",
    )
)
@click.argument("url", metavar="[URL]", required=False)
@click.option("--check", is_flag=True, help="Try whether it keeps its promises; writes to checks/.")
@format_option("How it is written.", "table", "json")
def store(url: str | None, format_: str, *, check: bool) -> ExitCode:
    """Show what a store holds: runs, machines, clips, sizes.

    URL is s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or file:///folder; left
    out, that of veogen.yaml, else VEOGEN_STORE.
    """
    from veogen.cli.stores import show_store

    return show_store(url, format_, checks=check)


@click.command(
    epilog=examples(
        "veogen gallery --open",
        "veogen gallery runs/launch --compare runs/launch.draft",
        "veogen picks --import ~/Downloads/launch.picks.anna.yaml",
    )
)
@run_argument
@click.option("--open", "opens", is_flag=True, help="Open it in the browser.")
@click.option(
    "--compare",
    metavar="OTHER_RUN",
    shell_complete=completed_by("runs"),
    help="Show the clips of another run beside those of the same address.",
)
@click.option(
    "--out",
    type=FOLDER,
    metavar="DIR",
    help="Write page and clips into one folder, which can be sent.",
)
@click.option(
    "--proxies", is_flag=True, help="With --out: small proxies instead of the clips themselves."
)
def gallery(
    run: str | None,
    compare: str | None,
    out: Path | None,
    *,
    proxies: bool,
    opens: bool,
    **which: Any,
) -> ExitCode:
    """Write gallery.html into a run directory: look at clips, filter, compare and pick.

    RUN is a run directory or a SPEC; left out, the only run, else the only real one. The page
    needs no network and no server. What is picked, rejected and noted there is saved as a picks
    file; 'veogen picks --import' puts it in its place.
    """
    from veogen.cli.gallery import write_gallery
    from veogen.cli.store_names import find_shared_run

    target = find_shared_run(run, **which)
    other = None if compare is None else find_shared_run(compare, None, simulate=False, store=None)
    return write_gallery(target, other, out, proxies=proxies, opens=opens)


@click.command(
    epilog=examples(
        "veogen picks",
        "veogen picks runs/launch --import ~/Downloads/launch.picks.anna.yaml",
        "veogen picks specs/launch.yaml --check",
    )
)
@run_argument
@click.option(
    "--check",
    is_flag=True,
    help="Exit 5 while a shot has no picked clip, a clip is contested or a pick is stale.",
)
@click.option(
    "--import",
    "imports",
    multiple=True,
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Put a file that a gallery saved in its place, beside the spec. May be repeated.",
)
@format_option("How they are written.", "table", "json")
def picks(
    run: str | None, imports: tuple[Path, ...], format_: str, *, check: bool, **which: Any
) -> ExitCode:
    """Show what people decided about clips, and what nobody has looked at.

    What a person decided is SPEC.picks.NAME.yaml beside the spec, to be committed. A clip is
    picked if somebody picked it and nobody rejected it, contested if both; a pick is stale if its
    clip is no more in the plan. Of one person's two files the imported one counts, line by line.
    """
    from veogen.cli.picks import run_of_files, show_picks
    from veogen.cli.store_names import find_shared_run

    run = run_of_files(imports) if run is None else run
    target = find_shared_run(run, **which)
    return show_picks(target, imports, format_, check=check)


@click.command(
    epilog=examples(
        "veogen export runs/launch cut --picked --as otio --as xmp",
        "veogen export specs/launch.yaml cut --deselect 'detail*' --frames last",
    )
)
@click.argument("run", type=click.Path(), shell_complete=completed_by("runs"))
@click.argument("folder", metavar="DIR", type=FOLDER)
@options_of_run
@selecting_options
@click.option("--picked", is_flag=True, help="Exactly the picked clips, former ones included.")
@click.option(
    "--as",
    "formats",
    multiple=True,
    type=click.Choice(["otio", "xml", "edl", "xmp", "m3u"]),
    help="Write what other tools open: timelines, ratings, a playlist. May be repeated.",
)
@click.option(
    "--frames",
    multiple=True,
    type=click.Choice(["first", "last"]),
    help="Write the clips' ends as PNG. May be repeated.",
)
def export(
    run: str,
    folder: Path,
    select: Sequence[str],
    deselect: Sequence[str],
    formats: Sequence[str],
    frames: Sequence[str],
    *,
    picked: bool,
    **which: Any,
) -> ExitCode:
    """Copy the clips of RUN to DIR under plain names, with a list of them in clips.csv.

    RUN is a run directory or a SPEC. A name has the hash where two clips, or another file in DIR,
    have that name. A clip that is there already stays; of other files in DIR only clips.csv and
    the timelines are written anew. In the list a text that a spreadsheet would take for a formula
    stands behind an apostrophe. Exits with 1 when a chosen clip is not here or not whole.
    """
    from veogen.cli.export import export_clips
    from veogen.cli.store_names import find_shared_run

    target = find_shared_run(run, **which)
    return export_clips(
        target, folder, select, deselect, picked=picked, formats=formats, frames=frames
    )


class _GuidedCommand(click.Command):
    """Its help ends with the guide to faults files, which is loaded when it is asked for."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from veogen.simulator.scenario import GUIDE

        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(as_typed(GUIDE))
        super().format_epilog(ctx, formatter)


@click.command(
    cls=_GuidedCommand,
    epilog=examples(
        "veogen simulate --generation-time 2",
        "veogen simulate --port 8080 --faults faults.yaml",
    ),
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default="any free one",
    help="Port of the API; results come from another.",
)
@click.option(
    "--generation-time",
    type=SECONDS,
    default=DEFAULT_GENERATION_TIME,
    show_default=True,
    metavar="S",
    help="Median of the seconds that a task takes.",
)
@click.option(
    "--faults",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="What goes wrong, and the limits of the account.",
)
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Decides times, chances and clips: the same for the same requests.",
)
def simulate(host: str, port: int, generation_time: float, faults: Path | None, seed: int) -> None:
    """Serve the simulator until interrupted: no key, no network, no money.

    Prints the environment that makes veogen, or any client, use it. Any key is good.
    """
    from veogen.cli.simulate import serve

    serve(faults, host=host, port=port, generation_time=generation_time, seed=seed)


@click.command(epilog=examples("veogen schema > veogen.schema.json"))
def schema() -> None:
    """Print the JSON Schema of spec files."""
    from veogen.spec.grammar import schema_text

    click.echo(schema_text(), nl=False)


@click.command(
    epilog=examples(
        "veogen models",
        "veogen models veo-3.1-fast-generate-preview",
        "veogen models --import openapi.json --pricing prices.json",
    )
)
@click.argument("model_id", metavar="[ID]", required=False)
@format_option("How the models are written.", "table", "json")
@click.option(
    "--import",
    "openapi",
    metavar="OPENAPI",
    type=click.Path(path_type=Path),
    help="Write models/ID.yaml for each model that this OpenAPI document (JSON) describes.",
)
@click.option(
    "--pricing",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The gateway's price rules (JSON) for --import.",
)
def models(model_id: str | None, format_: str, openapi: Path | None, pricing: Path | None) -> None:
    """Show the models, or all about one: parameters, limits, rules and prices."""
    if openapi is not None:
        from veogen.cli.import_models import run_import

        run_import(openapi, pricing, model_id)
        return
    if pricing is not None:
        raise click.UsageError("--pricing is for --import")
    from veogen.cli.models import print_models

    print_models(model_id, format_)


@click.command(epilog=examples("veogen credits --format json"))
@click.argument(
    "specs", metavar="[SPEC...]", nargs=-1, type=click.Path(exists=True, path_type=Path)
)
@spec_options
@format_option("How the balance is written.", "table", "json")
def credits(specs: tuple[Path, ...], format_: str, **given: Any) -> None:  # noqa: A001
    """Show the account's balance; checks the key, and costs nothing.

    With specs, also what buying their plans would leave.
    """
    from veogen.cli.credits import print_balance

    print_balance(specs, SpecOptions.taken_from(given), format_)
