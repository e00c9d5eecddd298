"""veogen as a library: the same planner and executor as the command line, without a terminal.

`load_spec` reads a spec, `plan` makes all its requests, priced and hashed, within its budget and
the team's limits, and `run` buys what a run directory does not hold yet. Nothing is printed: an
`Outcome` says how it ended and where every request stands, a `Listener` is told each `Event` as it
happens. A dead end is a `VeogenError`; of a spec a `MistakesError` with all that is wrong in it.
"""

import os
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from veogen.document.problems import MistakesError, Problems
from veogen.errors import ExitCode, UsageError, VeogenError
from veogen.executor.connect import connected
from veogen.executor.options import RunPolicy
from veogen.executor.run import Outcome, Selection, open_run
from veogen.executor.state import Listener, NullListener, RunProgress
from veogen.gateway.settings import Settings, from_environment
from veogen.planner.plan import Plan
from veogen.planner.planner import plan_specs
from veogen.results.events import Event
from veogen.results.ledger import RequestState
from veogen.results.promotion import with_picks
from veogen.spec.load import load_spec
from veogen.spec.types import Spec

__all__ = [
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
    "Spec",
    "VeogenError",
    "load_spec",
    "plan",
    "run",
]


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


def run(
    plan_: Plan,
    directory: Path,
    *,
    spec: Spec,
    settings: Settings | None = None,
    policy: RunPolicy | None = None,
    listener: Listener | None = None,
    selected: Collection[str] | None = None,
) -> Outcome:
    """Buy what the directory does not hold yet, bring it home, and say where everything stands.

    `spec` is what the plan was made of: local images are read from its project. `settings` are
    those of the environment, unless given; `selected` holds addresses, None means all. `listener`
    is told every event, in the calling thread. Raises `VeogenError` when nothing could be begun;
    what happens to one request is in the outcome.
    """
    settings = settings or from_environment(os.environ)
    policy = (policy or RunPolicy()).within(
        plan_.budget.max_credits, spec.policy.limits.max_credits
    )
    policy = replace(policy, retired=spec.policy.retired)
    listener = listener or NullListener()
    wanted = _hashes(plan_, selected)
    models = {str(request.body["model"]) for request in plan_.requests}
    with (
        connected(settings, policy, models=models, say=listener.note) as connection,
        open_run(
            directory,
            plan=plan_,
            dependencies=connection.dependencies(spec.files.read, spec.policy.models),
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


def _hashes(plan_: Plan, selected: Collection[str] | None) -> set[str]:
    hashes = {request.address: request.hash for request in plan_.requests}
    if selected is None:
        return set(hashes.values())
    for address in selected:
        if address not in hashes:
            raise UsageError(f"no request has the address {address!r}")
    return {hashes[address] for address in selected}
