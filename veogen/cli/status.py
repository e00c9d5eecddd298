"""`veogen status`: where every request of a run stands, or of several runs; no network."""

import os
import shlex
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

import click
import msgspec

from veogen.cli.options import SpecOptions
from veogen.cli.rundirs import commands_for, typed_path
from veogen.cli.runs import worst_code
from veogen.cli.specs import is_lock_file, with_chosen
from veogen.cli.status_text import StatusRow, lines, row_of, table_lines
from veogen.cli.store_names import FoundRun, look_at
from veogen.document.problems import MistakesError, Problems
from veogen.errors import ExitCode
from veogen.executor.directory import SIMULATED, profile_of
from veogen.executor.options import SystemClock
from veogen.executor.snapshot import Snapshot
from veogen.jsontext import indented
from veogen.planner.plan import total_credits
from veogen.planner.planner import plan
from veogen.results.ledger import charge_of, exit_code, over_what_is_counted
from veogen.results.manifest import Owned, line_data
from veogen.spec.load import load_spec
from veogen.text import counted, credits_text, paint, plain, plain_json


def print_status(found: FoundRun, format_: str, spec: Path | None = None) -> ExitCode:
    """Print where every request of a run stands; the exit code that a run would have.

    Of a `spec` also what that still buys.
    """
    path, now = found.path, SystemClock().now()
    snapshot = look_at(found, now)
    left = None if spec is None or is_lock_file(spec) else left_to_buy(spec, snapshot)
    if format_ == "json":
        data = status_data(snapshot) | ({} if left is None else {"to_buy": left.data})
        click.echo(_in_lines(data, snapshot))
    else:
        names = commands_for(path, snapshot.ledger.name)
        for line in lines(snapshot, names, now, paint(sys.stdout, os.environ)):
            click.echo(line, color=True)
        if left is not None:
            click.echo(f"\n{plain(left.text)}")
    return run_exit_code(snapshot)


def print_overview(runs: Sequence[FoundRun], format_: str) -> ExitCode:
    """Print a line for each of several runs, and what the real ones come to; the worst exit code.

    That of the real ones, as practice needs nothing; where there is none, that of practice.
    """
    now = SystemClock().now()
    snapshots = {typed_path(run.path): look_at(run, now) for run in runs}
    real = [each for each in snapshots.values() if each.gateway != "simulated"]
    if format_ == "json":
        data = [
            {"run": name, "gateway": each.gateway, **status_data(each)}
            for name, each in snapshots.items()
        ]
        click.echo(plain_json(indented(data)))
    else:
        rows, total = list[StatusRow](), StatusRow("total of the real ones", Counter(), Decimal(0))
        for name, each in snapshots.items():
            row = row_of(name, list(each.ledger.planned), each)
            if each.gateway == "simulated":
                row = replace(row, name=f"{row.name} (simulated)")
            else:
                counts = total.counts + row.counts
                total = replace(total, counts=counts, credits=total.credits + row.credits)
            rows.append(row)
        for line in table_lines([*rows, total], paint(sys.stdout, os.environ)):
            click.echo(line, color=True)
        click.echo("\nOne of them: veogen status RUN")
    return worst_code(map(run_exit_code, real or snapshots.values()))


def run_exit_code(snapshot: Snapshot) -> ExitCode:
    """What a run would say; a request that is being sent right now is just not delivered yet."""
    planned = list(snapshot.ledger.planned)
    settled = [s.record for s in planned if not snapshot.is_being_sent(s)]
    code = exit_code(settled)
    return ExitCode.INCOMPLETE if code is ExitCode.DONE and len(settled) < len(planned) else code


def status_data(snapshot: Snapshot) -> dict[str, Any]:
    """The summary, and the requests as in results.json with all that is known of their money."""
    summary = snapshot.ledger.summary()
    data = {
        "requests": summary.requests,
        **{str(status): number for status, number in summary.counts.items()},
        "videos": summary.videos,
        "credits": credits_text(summary.credits),
    }
    results = list[dict[str, Any]]()
    profile = profile_of(snapshot.path, snapshot.ledger.name)
    for standing in snapshot.ledger.planned:
        charge = charge_of(standing)
        machine = snapshot.machines.get(standing.record.hash)
        results.append(
            {
                **line_data(standing),
                "model": standing.request.model or None,
                "profile": profile,
                "estimate": _amount(charge.estimate),
                "reserved": _amount(charge.reserved),
                "charged": _amount(charge.charged),
                **({"machine": machine} if snapshot.machines else {}),
            }
        )
    return {"summary": data, "results": results}


def _in_lines(data: Mapping[str, Any], snapshot: Snapshot) -> str:
    """As `indented`, in C, which writes a float with an exponent in another way."""
    states = snapshot.ledger.planned
    figures = (
        value
        for request, record in states
        for value in chain(
            request.variables.values(), *((v.duration, v.fps) for v in record.videos.values())
        )
    )
    if all(map(_is_plain, figures)):
        return plain_json(msgspec.json.format(msgspec.json.encode(data), indent=2).decode())
    return plain_json(indented(data))


def _is_plain(value: object) -> bool:
    """Whether a value is no float, nor may hold one, but for a usual number."""
    if isinstance(value, float):
        return not value or _LEAST_PLAIN <= abs(value) < _MOST_PLAIN
    return not isinstance(value, (dict, list, tuple))


_LEAST_PLAIN, _MOST_PLAIN = 1e-4, 1e15


def _amount(amount: Decimal | None) -> str | None:
    return None if amount is None else credits_text(amount)


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
    budget, spent = spec.tightest.max_credits, snapshot.ledger.spent
    if budget is not None and price is not None and spent + price > budget:
        return LeftToBuy(f"{told}, but {over_what_is_counted(price, spent, budget)}", data)
    return LeftToBuy(f"{told}: {commands_for(snapshot.path, snapshot.ledger.name).buy}", data)
