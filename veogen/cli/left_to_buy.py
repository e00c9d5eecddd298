"""What a spec would still buy, as it is now, beside what was bought in its run."""

import shlex
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from veogen.cli.options import SpecOptions
from veogen.cli.rundirs import commands_for
from veogen.cli.specs import with_chosen
from veogen.document.problems import MistakesError, Problems
from veogen.executor.directory import SIMULATED, profile_of
from veogen.executor.snapshot import Snapshot
from veogen.planner.plan import total_credits
from veogen.planner.planner import plan
from veogen.results.manifest import Owned
from veogen.spec.load import load_spec
from veogen.text import counted, credits_text


@dataclass(frozen=True, slots=True)
class LeftToBuy:
    """What a spec would still buy, in words and as data."""

    text: str
    data: dict[str, Any]


def left_to_buy(path: Path, snapshot: Snapshot) -> LeftToBuy:
    """What a run of a spec would buy now, whatever was planned when it was run last."""
    simulated = snapshot.path.name.endswith(SIMULATED)
    profile = profile_of(snapshot.path, snapshot.ledger.name)
    problems = Problems()
    try:
        spec = load_spec(path, profile=profile)
        chosen = with_chosen(spec, problems, SpecOptions(profile=profile), simulated=simulated)
        made = plan(chosen, problems)
        problems.raise_errors()
    except MistakesError:
        check = shlex.join(["veogen", "validate", str(path)])
        return LeftToBuy(f"{path} has mistakes: {check}", {"requests": None, "credits": None})
    owned = Owned.of_ledger(snapshot.ledger)
    requests = [request for request in made.requests if owned.would_buy(request.hash)]
    price = total_credits(requests)
    data = {"requests": len(requests), "credits": None if price is None else credits_text(price)}
    if not requests:
        return LeftToBuy(f"{path} would buy nothing now.", data)
    states = Counter(owned.state(request.address, request.hash) for request in requests)
    which = ", ".join(f"{number} {state}" for state, number in states.items())
    amount = "at an unknown price" if price is None else f"for {credits_text(price)} credits"
    told = f"{path} would buy {counted(len(requests), 'request')} now ({which}) {amount}"
    return LeftToBuy(f"{told}: {commands_for(snapshot.path, snapshot.ledger.name).buy}", data)
