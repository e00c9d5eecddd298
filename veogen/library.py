"""veogen as a library: the same planner and executor as the command line, without a terminal.

from veogen import Settings, load_spec, plan, run

spec = load_spec(Path("specs/launch.yaml"))
outcome = run(plan(spec), Path("runs/launch"), settings=Settings(key=key), root=spec.files.root)
for standing in outcome.ledger.planned:
    print(standing.entry.address, standing.record.status)
"""

from collections.abc import Collection
from pathlib import Path

from veogen.document.files import Folder
from veogen.executor.desk import Listener, Silent
from veogen.executor.opening import opened
from veogen.executor.policy import Policy
from veogen.executor.services import connected
from veogen.executor.session import Outcome, Wanted
from veogen.gateway.settings import Settings
from veogen.planner.build import plan
from veogen.planner.plan import Plan
from veogen.spec.load import load_spec

__all__ = ["Outcome", "Plan", "Policy", "Settings", "load_spec", "plan", "run"]


def run(
    plan_: Plan,
    directory: Path,
    *,
    settings: Settings,
    root: Path,
    policy: Policy | None = None,
    listener: Listener | None = None,
    selected: Collection[str] | None = None,
) -> Outcome:
    """Buy what the directory does not hold yet, bring it home, and say where everything stands.

    `root` is the project's folder, from which local images are read; `selected` holds addresses,
    None means all. `listener` is told every event, in the calling thread. Raises `VeogenError`
    when nothing could be begun; what happens to one request is in the outcome.
    """
    policy = policy or Policy()
    listener = listener or Silent()
    wanted = {r.hash for r in plan_.requests if selected is None or r.address in selected}
    models = {str(request.body["model"]) for request in plan_.requests}
    with (
        connected(settings, policy, models=models, say=listener.note) as connection,
        opened(
            directory,
            plan=plan_,
            services=connection.services(Folder(root).read),
            policy=policy,
            listener=listener,
            wanted=Wanted(selected=wanted),
        ) as session,
    ):
        session.check_money()
        return session.run(connection.stop, max_credits=policy.max_credits)
