"""veogen as a library: the same planner and executor as the command line, without a terminal.

`load_spec` reads a spec, `plan` makes all its requests, priced and hashed, within its budget and
the team's limits, and `run` buys what a run directory does not hold yet; `collect`, `status`,
`gallery`, `export` and `diff` do what the commands of these names do. Nothing is printed: an
`Outcome` says how it ended and where every request stands, a `Listener` is told each `Event` as it
happens; `progress` makes one that shows it. `simulated` makes the settings of a simulator: no key,
no network, no money. A dead end is a `VeogenError`; of a spec a `MistakesError` with all that is
wrong in it. `veogen help python` is the guide.
"""

import os
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeAlias

from veogen.diff.compare import Difference, compare
from veogen.document.problems import MistakesError, Problems
from veogen.errors import ExitCode, UsageError, VeogenError
from veogen.executor.connect import Connection, connected
from veogen.executor.directory import RunDirectory, write_whole
from veogen.executor.journal import Journal
from veogen.executor.open_run import open_run
from veogen.executor.options import RunPolicy, SystemClock
from veogen.executor.run import Dependencies, Outcome, Selection
from veogen.executor.snapshot import Snapshot, read_snapshot
from veogen.executor.state import Listener, NullListener, RunProgress
from veogen.gateway.settings import Settings, from_environment
from veogen.planner.plan import Plan
from veogen.planner.planner import plan_specs
from veogen.progress import Mode, ProgressListener
from veogen.progress import listener as progress_listener
from veogen.results.advice import RunCommands
from veogen.results.events import Event
from veogen.results.ledger import RequestState
from veogen.results.promotion import with_picks
from veogen.spec import load
from veogen.spec.types import Spec
from veogen.text import Terminal

if TYPE_CHECKING:
    from veogen.executor.joining import StoreChoice
    from veogen.store.opening import Store

__all__ = [
    "Difference",
    "Event",
    "ExitCode",
    "Listener",
    "MistakesError",
    "NullListener",
    "Outcome",
    "Plan",
    "RequestState",
    "RunPolicy",
    "RunProgress",
    "Settings",
    "Snapshot",
    "Spec",
    "VeogenError",
    "collect",
    "diff",
    "export",
    "gallery",
    "load_spec",
    "open_store",
    "plan",
    "progress",
    "run",
    "simulated",
    "status",
]

AnyPath: TypeAlias = str | os.PathLike[str]


def load_spec(path: AnyPath, *, profile: str | None = None, settings: Sequence[str] = ()) -> Spec:
    """The spec at `path`, with a profile; `settings` are as after `--set`.

    Raises `MistakesError` with every mistake, each at its line.
    """
    return load.load_spec(Path(path), profile=profile, settings=settings)


def plan(spec: Spec, *, max_requests: int | None = None, simulated: bool = False) -> Plan:
    """The plan of a spec, within its budget and the team's limits; raises `MistakesError`.

    A profile that promotes plans what the committed picks say, with `simulated` those of the
    simulated run.
    """
    problems = Problems()
    spec = with_picks(spec, problems, simulated=simulated, max_requests=max_requests)
    [made] = plan_specs([spec], problems, max_requests=max_requests)
    problems.raise_errors()
    return made


def run(  # noqa: PLR0913 - what a command has as options
    spec_or_plan: Spec | Plan,
    directory: AnyPath,
    *,
    spec: Spec | None = None,
    settings: Settings | None = None,
    policy: RunPolicy | None = None,
    listener: Listener | None = None,
    selected: Collection[str] | None = None,
    store: "Store | None" = None,
    client: object | None = None,
) -> Outcome:
    """Buy what the directory does not hold yet, bring it home, and say where everything stands.

    Of a plan `spec` is what it was made of: local images are read from its project. `settings` are
    those of the environment, unless given; `selected` holds addresses, None means all. `listener`
    is told every event, in the calling thread. `store` (`open_store`) keeps the run, and other
    machines may carry it out too; None means that of the policy, else of `VEOGEN_STORE`. With
    `client` (`distributed.Client`) the workers of that cluster do it, each with the key of its own
    environment, and a store is needed. Raises `VeogenError` when nothing could be begun; what
    happens to one request is in the outcome.
    """
    if isinstance(spec_or_plan, Spec):
        plan_, spec = plan(spec_or_plan), spec_or_plan
    elif spec is not None:
        plan_ = spec_or_plan
    else:
        raise TypeError("a plan is run with spec=, the spec that it was made of")
    settings = settings or from_environment(os.environ)
    policy = (policy or RunPolicy()).within(
        plan_.budget.max_credits, spec.policy.limits.max_credits
    )
    policy = replace(
        policy, retired=spec.policy.retired, expected_seconds=spec.policy.expected_seconds
    )
    listener = listener or NullListener()
    wanted = _hashes(plan_, selected)
    models = {str(request.body["model"]) for request in plan_.requests}
    with (
        connected(settings, policy, models=models, say=listener.note) as connection,
        open_run(
            Path(directory),
            plan=plan_,
            dependencies=_dependencies(connection, plan_, spec, store, client),
            policy=policy,
            listener=listener,
            selection=Selection(selected=wanted),
        ) as session,
    ):
        session.check_places()
        session.check_models()
        session.check_money()
        outcome = session.run(connection.stop, max_credits=policy.max_credits)
        session.end()
        return outcome


def collect(
    directory: AnyPath,
    *,
    settings: Settings | None = None,
    policy: RunPolicy | None = None,
    listener: Listener | None = None,
    store: "Store | None" = None,
) -> Outcome:
    """Bring home what was bought in a run directory; submits nothing, needs no spec.

    `store` is where the run is kept; None means the one that its journal remembers.
    """
    settings = settings or from_environment(os.environ)
    policy = replace(policy or RunPolicy(), task_retries=0)
    listener = listener or NullListener()
    with (
        connected(settings, policy, models=(), say=listener.note) as connection,
        open_run(
            Path(directory),
            plan=None,
            dependencies=replace(
                connection.dependencies(), store=_choice_of_run(store, Path(directory))
            ),
            policy=policy,
            listener=listener,
            selection=Selection(buy=False),
        ) as session,
    ):
        outcome = session.run(connection.stop, max_credits=None)
        session.end()
        return outcome


def status(directory: AnyPath) -> Snapshot:
    """Where every request of a run directory stands, also while a run goes on; sends nothing."""
    return read_snapshot(Path(directory), SystemClock().now())


def gallery(directory: AnyPath) -> Path:
    """Write the page of a run's clips, `gallery.html` in its directory, and return its path."""
    from veogen.gallery.data import PageRun  # noqa: PLC0415 - for a page alone
    from veogen.gallery.page import gallery as page_text  # noqa: PLC0415
    from veogen.handover.run_picks import run_picks  # noqa: PLC0415

    folder, now = Path(directory), SystemClock().now()
    snapshot = read_snapshot(folder, now)
    decided = run_picks(folder, snapshot)
    page_run = PageRun(
        snapshot=snapshot,
        commands=RunCommands(str(folder)),
        picks=decided.picks,
        picks_name=decided.place.beginning,
    )
    page = RunDirectory(folder).gallery
    write_whole(page, page_text(page_run, now, folder=folder).encode(errors="replace"))
    return page


def export(
    directory: AnyPath,
    folder: AnyPath,
    *,
    select: Sequence[str] = (),
    deselect: Sequence[str] = (),
    picked: bool = False,
) -> tuple[Path, ...]:
    """Copy clips to a folder under plain names, with their list; return the copies that are there.

    Globs choose by address; `picked` takes exactly the picked clips. Raises `UsageError` for a
    glob that matches nothing, and `OSError` where the folder cannot be written.
    """
    from veogen.handover import export as copies  # noqa: PLC0415 - for copies alone
    from veogen.handover.run_picks import run_picks  # noqa: PLC0415

    source, target = Path(directory), Path(folder)
    snapshot = read_snapshot(source, SystemClock().now())
    picks = run_picks(source, snapshot).picks
    states = copies.chosen_requests(snapshot.ledger, select, deselect, picked=picked)
    videos = copies.videos_of(states, picks if picked else None)
    target.mkdir(parents=True, exist_ok=True)
    copied = copies.copy(copies.exports(videos, picks, target), source, target, None)
    write_whole(target / copies.LIST, copies.list_text(copied.there).encode())
    return tuple(target / export_.name for export_ in copied.there)


def diff(old: Plan, new: Plan) -> Difference:
    """What became of the requests of one plan in another: added, removed, renamed and changed."""
    return compare(old.requests, new.requests)


@contextmanager
def simulated(*, generation_time: float = 1.0, faults: AnyPath | None = None) -> Iterator[Settings]:
    """The settings of a simulator that serves until the block ends: no key, network or money.

    Its clips are real MP4 files. `generation_time` is the median of the seconds that a task takes;
    `faults` is a file as `veogen simulate` takes it.
    """
    from veogen.simulator.scenario import options  # noqa: PLC0415 - dear
    from veogen.simulator.server import running  # noqa: PLC0415

    file = None if faults is None else Path(faults)
    with running(options(file, generation_time=generation_time)) as simulator:
        yield Settings(key="simulated", base_url=simulator.base_url, files_url=simulator.files_url)


def progress(
    directory: AnyPath, mode: Mode = "auto", *, stream: TextIO | None = None
) -> ProgressListener:
    """A listener that shows a run as the command line does; leave it as a context when it ended.

    It writes to `stream`, standard error unless given: a bar on a terminal, else lines. `directory`
    is that of the run.
    """
    screen = stream or sys.stderr
    return progress_listener(
        mode,
        directory=Path(directory),
        names=RunCommands(str(directory)),
        clock=SystemClock(),
        terminal=Terminal(data=screen, messages=screen, environ=os.environ),
    )


def open_store(url: str) -> "Store":
    """The store at a URL: a bucket or shared folder that keeps runs; it is asked when it is used.

    Credentials come from the environment of its provider. Raises `VeogenError` for a URL that
    names none, and without the extra `store`.
    """
    from veogen.store import opening  # noqa: PLC0415 - few runs have a store

    return opening.open_store(url, os.environ, SystemClock(), make=True)


def _dependencies(
    connection: Connection, plan_: Plan, spec: Spec, store: "Store | None", client: object | None
) -> Dependencies:
    """The parts of a run, with a client those of one that workers carry out.

    Its store is what is given, else a real run's of the policy, else that of `VEOGEN_STORE`.
    """
    policy = None if connection.simulated else spec.policy.store
    url = policy or os.environ.get("VEOGEN_STORE", "").strip()
    parts = connection.dependencies(spec.files.read, spec.policy.models)
    if store is not None or url:
        from veogen.executor.joining import StoreChoice, run_in_store  # noqa: PLC0415

        used = open_store(url) if store is None else store
        name = run_in_store(plan_.name, plan_.profile, simulated=connection.simulated)
        is_policys = policy is not None and used.url == open_store(policy).url
        parts = replace(parts, store=StoreChoice(store=used, run=name, from_policy=is_policys))
    if client is None:
        return parts
    if parts.store is None:
        raise UsageError("a run on a cluster needs a store: open_store(url)")
    from veogen.executor.cluster import DaskCluster  # noqa: PLC0415 - an extra

    work = connection.work(
        DaskCluster.checked(client, simulated=connection.simulated),
        plan_,
        parts.store,
        read=spec.files.read,
        models=spec.policy.models,
    )
    return replace(parts, work=work)


def _choice_of_run(store: "Store | None", path: Path) -> "StoreChoice | None":
    """The store of a run directory: the given one, else what its journal remembers."""
    journal = RunDirectory(path).journal
    row = None
    if journal.exists():
        with Journal.read(journal) as opened:
            row = opened.store()
    if store is None and row is None:
        return None
    from veogen.executor.joining import StoreChoice  # noqa: PLC0415

    used = store or open_store(row.url if row else "")
    return StoreChoice(store=used, run=row.run if row else path.absolute().name)


def _hashes(plan_: Plan, selected: Collection[str] | None) -> set[str]:
    hashes = {request.address: request.hash for request in plan_.requests}
    if selected is None:
        return set(hashes.values())
    for address in selected:
        if address not in hashes:
            raise UsageError(f"no request has the address {address!r}")
    return {hashes[address] for address in selected}
