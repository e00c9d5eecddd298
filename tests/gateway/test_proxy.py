"""The gateway through a company's proxy: a tunnel, or nothing was written."""

import select
import socket
import ssl
import threading
from pathlib import Path

from support.scripted_host import Host, Step, answer, hang, say

from veogen.gateway.api import Accepted, NotAccepted, Submission
from veogen.gateway.client import Evolink
from veogen.gateway.settings import Proxies

KEY = "sk-evo-0123456789"
URL = "https://gateway.veogen.example"


def tunnel(port: int) -> Step:
    """Connect to a port of this machine, wherever was asked for, and carry bytes both ways."""

    def act(client: socket.socket, stop: threading.Event) -> None:
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", port)) as server:
            other = {client: server, server: client}
            while not stop.is_set():
                for ready in select.select(list(other), [], [], 0.1)[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    other[ready].sendall(data)

    return Step(act)


def submit(proxy: Host, bundle: Path) -> Submission:
    proxies = Proxies(https=f"http://user:word@127.0.0.1:{proxy.port}")
    with Evolink(
        URL, URL, KEY, proxies=proxies, ca_bundle=str(bundle), request_timeout=2
    ) as gateway:
        return gateway.submit(b"{}", "key-0123456789abcdef")


def test_the_gateway_is_reached_through_a_proxy_that_never_sees_the_key(
    self_signed: tuple[ssl.SSLContext, Path],
) -> None:
    context, bundle = self_signed
    task = {"id": "task-1", "status": "pending"}
    with Host(answer(200, task), tls=context) as server, Host(tunnel(server.port)) as proxy:
        submission = submit(proxy, bundle)

    assert submission == Accepted(task_id="task-1")
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    [asked] = proxy.requests
    assert asked.line.startswith("CONNECT gateway.veogen.example:443 ")
    assert asked.headers["proxy-authorization"] == "Basic dXNlcjp3b3Jk"
    assert KEY.encode() not in asked.head


def test_a_proxy_that_refuses_leaves_nothing_written(
    self_signed: tuple[ssl.SSLContext, Path],
) -> None:
    with Host(say(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")) as proxy:
        submission = submit(proxy, self_signed[1])

    assert isinstance(submission, NotAccepted)
    assert (submission.reached, "407" in submission.message) == (False, True)


def test_a_proxy_that_hangs_leaves_nothing_written(
    self_signed: tuple[ssl.SSLContext, Path],
) -> None:
    with Host(hang()) as proxy:
        submission = submit(proxy, self_signed[1])

    assert isinstance(submission, NotAccepted)
    assert (submission.reached, submission.code) == (False, "connect-timeout")
