import re
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import replace

import pytest
import requests
from customer import Customer, eventually

from veogen.errors import UsageError
from veogen.simulator.scenario import AccountSettings, Options, Outage
from veogen.simulator.server import running
from veogen.simulator.task import address


def test_a_simulator_ends_with_its_block_and_leaves_no_thread() -> None:
    with running() as simulator:
        Customer(simulator).submit(duration=8, quality="4k")

    assert [t.name for t in threading.enumerate() if t.name.startswith("simulator")] == []
    with pytest.raises(requests.ConnectionError):
        requests.get(simulator.base_url, timeout=5)


def test_several_simulators_run_side_by_side() -> None:
    with running() as one, running() as other:
        Customer(one).submit()
        assert one.audit()["submits"]["posts"] == 1
        assert other.audit()["submits"]["posts"] == 0


def test_a_port_in_use_is_a_mistake_of_the_user() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with (
            pytest.raises(
                UsageError, match=f"cannot listen on 127.0.0.1:{port}: Address already in use$"
            ),
            running(Options(port=port)),
        ):
            pass


@pytest.mark.parametrize("host", ["a..b", "a" * 64])
def test_what_is_no_host_is_a_mistake_of_the_user(host: str) -> None:
    told = f"cannot listen on {host}:0: this is not the name of a host$"

    with pytest.raises(UsageError, match=told), running(Options(host=host)):
        pass


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_the_command_prints_what_to_export_and_serves_until_it_is_ended(
    ending: signal.Signals,
) -> None:
    command = [sys.executable, "-m", "veogen", "simulate"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(3)]
        base, files, key = (line.partition("=")[2].strip() for line in lines)
        answer = requests.get(
            base + "/v1/credits", headers={"Authorization": f"Bearer {key}"}, timeout=30
        )
        process.send_signal(ending)
        rest, told = process.communicate(timeout=30)

    assert [re.split("=", line)[0] for line in lines] == [
        "export EVOLINK_BASE_URL",
        "export EVOLINK_FILES_URL",
        "export EVOLINK_API_KEY",
    ]
    assert base == files
    assert answer.json()["success"] is True
    assert rest == ""
    assert "submits: 0 (new tasks 0, replays 0, refusals 0)" in told
    assert process.returncode == 0


def test_nothing_listens_during_an_outage_and_all_is_known_after_it() -> None:
    gateway = AccountSettings(outages=(Outage(since=0.3, seconds=0.6),), clips="shared")
    with running(Options(generation_time=0, gateway=gateway)) as simulator:
        customer = Customer(simulator)
        task_id = customer.submit().json()["id"]
        eventually(lambda: reached(simulator.base_url), lambda is_there: not is_there)
        gone = reached(simulator.media_url)
        eventually(lambda: reached(simulator.base_url), bool)

        task = customer.wait(task_id)
        assert customer.fetch(task["results"][0]).status_code == 200

    assert not gone


def reached(url: str) -> bool:
    try:
        requests.get(url, timeout=5)
    except requests.ConnectionError:
        return False
    return True


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -1.0])
def test_a_generation_time_that_does_not_pass_is_a_mistake(seconds: float) -> None:
    with pytest.raises(UsageError, match="the generation time is a number of seconds"):
        Options(generation_time=seconds)


@pytest.mark.parametrize(
    ("host", "reached"),
    [
        pytest.param("127.0.0.1", "http://127.0.0.1:80", id="here"),
        pytest.param("0.0.0.0", "http://127.0.0.1:80", id="everywhere"),
        pytest.param("::1", "http://[::1]:80", id="here, IPv6"),
        pytest.param("::", "http://[::1]:80", id="everywhere, IPv6"),
        pytest.param("build-7", "http://build-7:80", id="by name"),
    ],
)
def test_whatever_it_listens_on_its_address_can_be_reached(host: str, reached: str) -> None:
    assert address(host, 80) == reached


def test_links_lead_to_the_host_that_the_client_knows() -> None:
    told = Options(host="0.0.0.0", generation_time=0, gateway=AccountSettings(clips="shared"))
    with running(told) as simulator:
        customer = Customer(simulator)
        [here] = customer.make()["results"]
        named = replace(simulator, base_url=simulator.base_url.replace("127.0.0.1", "localhost"))
        [by_name] = Customer(named).make()["results"]

        assert here.startswith("http://127.0.0.1:")
        assert by_name.startswith("http://localhost:")
        assert customer.fetch(here).status_code == customer.fetch(by_name).status_code == 200
