"""A customer of the simulator who speaks plain HTTP and waits for what was asked for."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import requests

from veogen.simulator.scenario import AccountSettings, Options, parse
from veogen.simulator.server import Simulator, running

MODEL = "veo-3.1-fast-generate-preview"
Seen = TypeVar("Seen")
KEY = "sk-evo-0123456789abcdef"


class Customer:
    """Sends what a test says and nothing else; bodies are read, statuses are not judged."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {KEY}"

    def ask(self, method: str, path: str, **sent: Any) -> requests.Response:
        url = path if path.startswith("http") else self.simulator.base_url + path
        return self.session.request(method, url, timeout=30, **sent)

    def submit(self, key: str | None = None, **body: Any) -> requests.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return self.ask(
            "POST",
            "/v1/videos/generations",
            json={"model": MODEL, "prompt": "a boat at dusk", **body},
            headers=headers,
        )

    def read(self, task_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.ask("GET", f"/v1/tasks/{task_id}").json()
        return answer

    def wait(self, task_id: str) -> dict[str, Any]:
        """The task once it has ended."""
        return eventually(
            lambda: self.read(task_id),
            lambda task: task.get("status") in ("completed", "failed", "cancelled"),
        )

    def make(self, **body: Any) -> dict[str, Any]:
        """A task, submitted and ended."""
        return self.wait(self.submit(**body).json()["id"])

    def fetch(self, link: str, **headers: str) -> requests.Response:
        """A clip, without the key."""
        return requests.get(link, headers=headers, timeout=30)


@contextmanager
def customer_of(*faults: str) -> Iterator[Customer]:
    """A customer of a simulator with these entries of a faults file."""
    scenario = parse("\n".join(["faults:", *(f"- {{{f}}}" for f in faults)]).encode(), "faults")
    told = Options(
        generation_time=0, faults=scenario.faults, gateway=AccountSettings(clips="shared")
    )
    with running(told) as simulator:
        yield Customer(simulator)


def eventually(look: Callable[[], Seen], right: Callable[[Seen], bool]) -> Seen:
    """What `look` answers once it is `right`."""
    deadline = time.monotonic() + 30
    while not right(seen := look()):
        assert time.monotonic() < deadline, seen
        time.sleep(0.02)
    return seen
