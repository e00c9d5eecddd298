import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from customer import Customer, eventually

from veogen.simulator.scenario import AccountSettings, Options
from veogen.simulator.server import running
from veogen.simulator.service import WAITS, CallbackSender


class Receiver(ThreadingHTTPServer):
    """Answers callbacks with the statuses of a script; the last one stays."""

    daemon_threads = True

    def __init__(self, *statuses: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses = list(statuses)
        self.received: list[Any] = []
        self.signs: set[str | None] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/done"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.server.signs.add(self.headers["X-Veogen-Simulator"])
        length = int(self.headers["Content-Length"])
        self.server.received.append(json.loads(self.rfile.read(length)))
        statuses = self.server.statuses
        self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def receiving(*statuses: int) -> Iterator[Receiver]:
    with Receiver(*statuses) as receiver:
        thread = threading.Thread(target=receiver.serve_forever)
        thread.start()
        yield receiver
        receiver.shutdown()
        thread.join()


def test_the_end_of_a_task_is_told_in_the_shape_of_a_read() -> None:
    with (
        receiving(200) as receiver,
        running(Options(generation_time=0, gateway=AccountSettings(clips="shared"))) as simulator,
    ):
        customer = Customer(simulator)
        task = customer.make(callback_url=receiver.url)
        [told] = eventually(lambda: receiver.received, bool)
        eventually(lambda: simulator.audit()["callbacks"], bool)

        assert told == task
        assert receiver.signs == {"1"}
        assert simulator.audit()["callbacks"] == {"delivered": 1}


@pytest.mark.parametrize(
    ("statuses", "times", "outcome"),
    [
        pytest.param((500, 404, 204), 3, "delivered", id="until a 2xx"),
        pytest.param((302,), 4, "given up", id="three times again, and redirects are no 2xx"),
    ],
)
def test_a_callback_is_tried_again(statuses: tuple[int, ...], times: int, outcome: str) -> None:
    callbacks = CallbackSender(waits=(0, 0, 0))
    with receiving(*statuses) as receiver:
        asyncio.run(callbacks.send(receiver.url, {"id": "x"}))

    assert receiver.received == [{"id": "x"}] * times
    assert callbacks.outcomes == {outcome: 1}


def test_a_callback_to_nobody_is_given_up() -> None:
    callbacks = CallbackSender(waits=(0,))

    asyncio.run(callbacks.send("http://127.0.0.1:9/", {}))

    assert callbacks.outcomes == {"given up": 1}


def test_nobody_is_called_outside_of_this_machine() -> None:
    callbacks = CallbackSender()

    asyncio.run(callbacks.send("https://example.org/hook", {}))

    assert callbacks.outcomes == {"withheld": 1}


def test_the_waits_are_the_documented_ones() -> None:
    assert WAITS == (1.0, 2.0, 4.0)
