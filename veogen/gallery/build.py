"""From a run, and maybe another to compare it with, to the page."""

from pathlib import Path
from typing import Any

from veogen.executor.snapshot import Snapshot
from veogen.gallery.clips import clip
from veogen.gallery.comparison import pairs
from veogen.gallery.page import html
from veogen.results.advice import Names
from veogen.results.ledger import Standing


def gallery(
    snapshot: Snapshot,
    names: Names,
    now: float,
    *,
    folder: Path,
    other: tuple[Snapshot, Names] | None = None,
) -> str:
    """The page of a run; `folder` is where it will stand."""
    data = _run(snapshot, names, now, folder)
    if other is not None:
        compared, other_names = other
        data["other"] = _run(compared, other_names, now, folder)
        old, new = _planned(compared), _planned(snapshot)
        data["pairs"] = list(pairs([s.entry for s in old], [s.entry for s in new]))
    return html(data)


def _run(snapshot: Snapshot, names: Names, now: float, folder: Path) -> dict[str, Any]:
    summary = snapshot.ledger.summary()
    return {
        "name": snapshot.ledger.name,
        "run": names.run,
        "buy": names.buy,
        "simulated": snapshot.gateway == "simulated",
        "credits": f"{summary.credits:.3f}",
        "clips": [clip(s, snapshot, names, now, folder) for s in _planned(snapshot)],
        "former": len(list(snapshot.ledger.former)),
    }


def _planned(snapshot: Snapshot) -> list[Standing]:
    return list(snapshot.ledger.planned)
