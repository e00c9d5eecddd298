"""What a run costs in a store: requests for each clip, at a simulator and a folder."""

import os
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.machines import trip

from veogen import library
from veogen.errors import ExitCode
from veogen.executor.options import RunPolicy, SystemClock
from veogen.store.cloud import connect
from veogen.store.location import StoreLocation
from veogen.store.objects import Objects
from veogen.store.opening import Store
from veogen.store.signs import Patience

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PRICE = Decimal("38.016")


@dataclass
class CountedObjects:
    """Objects whose requests are written down: what is refused is read once more."""

    inner: Objects
    requests: list[tuple[str, str]] = field(default_factory=list)

    def __getattr__(self, kind: str) -> Callable[..., Any]:
        def call(name: str, *rest: Any) -> Any:
            self.requests.append((kind, name))
            answer = getattr(self.inner, kind)(name, *rest)
            if kind == "create" and answer is not None:
                self.requests.append(("read", name))
            return answer

        return call

    @property
    def after_opening(self) -> list[tuple[str, str]]:
        """All from the first claim on, without signs of life."""
        first = next((n for n, (_, name) in enumerate(self.requests) if "/claims/" in name), None)
        begun = [] if first is None else self.requests[first:]
        return [(kind, name) for kind, name in begun if "/signs" not in name]


def requests_of(folder: Path, machines: int, clips: int, *, budget: bool) -> Counter[str]:
    """The requests of machines that carry one plan out together, by what they are about."""
    (folder / "specs").mkdir()
    (folder / "veogen.yaml").write_text("limits: {}\n")
    limit = f"budget: {{max_credits: {PRICE * clips + 1}}}\n" if budget else ""
    (folder / "specs/trip.yaml").write_text(trip(clips, limit))
    (folder / "faults.yaml").write_text("gateway: {clips: shared, estimated_time: 1}\n")
    location, codes = StoreLocation.of(f"file://{folder}/store"), list[ExitCode]()
    counted = [
        CountedObjects(connect(location, os.environ, SystemClock(), make=True))
        for _ in range(machines)
    ]
    with library.simulated(generation_time=2.0, faults=folder / "faults.yaml") as settings:

        def machine(number: int) -> None:
            store = Store(counted[number], location, SystemClock(), Patience())
            outcome = library.run(
                library.load_spec(folder / "specs/trip.yaml"),
                folder / f"machine-{number}",
                settings=settings,
                policy=RunPolicy(max_in_flight=4),
                store=store,
            )
            codes.append(outcome.code)

        threads = [threading.Thread(target=machine, args=(n,)) for n in range(machines)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert codes == [ExitCode.DONE] * machines
    asked = [request for each in counted for request in each.after_opening]
    return Counter(f"{kind} {(name.split('/') * 2)[2]}" for kind, name in asked)


def test_on_one_machine_a_clip_costs_four_requests_and_itself(tmp_path: Path) -> None:
    requests = requests_of(tmp_path, 1, 40, budget=False)

    assert requests.total() <= 40 * 5, requests


def test_with_four_machines_and_a_budget_a_clip_costs_six_requests(tmp_path: Path) -> None:
    requests = requests_of(tmp_path, 4, 160, budget=True)

    assert requests.total() <= 160 * 6, requests
