"""Requests under the key: sent, timed and logged."""

import ssl
import time
from collections.abc import Mapping
from dataclasses import replace

from requests import PreparedRequest

from veogen.gateway import traffic, wire
from veogen.gateway.connections import Wire
from veogen.gateway.exchange import Answer, Broken
from veogen.gateway.proxies import Proxies
from veogen.gateway.text import clean, mask, mask_bytes

SIMULATED = "x-veogen-simulator"


class Caller:
    """Sends requests with the key to the hosts that may see it; safe to use from threads."""

    def __init__(
        self,
        key: str,
        *,
        timeout: float,
        connections: int,
        proxies: Proxies,
        certificates: ssl.SSLContext | None,
    ) -> None:
        self.key = key
        self.simulated: bool | None = None  # whether the last answer came from a simulator
        self._timeout = timeout
        self._proxies = proxies
        self._certificates = certificates
        self._pool = Wire(certificates, connections=connections)

    def read(self, method: str, url: str, body: bytes | None = None) -> Answer | Broken:
        """Ask what is free to be asked again, over a connection that may have waited for it."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        return self.send(wire.prepare(method, url, self._headers(headers), body))

    def send(self, request: PreparedRequest) -> Answer | Broken:
        """As `read`: if the host has closed the waiting connection, ask over another one."""
        outcome = self._exchange(self._pool, request)
        if isinstance(outcome, Broken) and outcome.kind == "lost":
            return self._exchange(self._pool, request)
        return outcome

    def submit(self, url: str, body: bytes, idempotency_key: str) -> Answer | Broken:
        """POST once, over a connection of its own: a stale one would leave us in doubt."""
        headers = {
            "Content-Type": "application/json",
            "Connection": "close",
            "Idempotency-Key": idempotency_key,
        }
        request = wire.prepare("POST", url, self._headers(headers), body)
        with Wire(self._certificates, connections=1) as fresh:
            return self._exchange(fresh, request)

    def upload(self, url: str, name: str, content: bytes, mime: str) -> Answer | Broken:
        """POST a file as a form."""
        return self.send(wire.prepare_upload(url, self._headers({}), (name, content, mime)))

    def close(self) -> None:
        """Close the connections that wait for their next use."""
        self._pool.close()

    def _headers(self, more: Mapping[str, str]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}", "Accept": "application/json", **more}

    def _exchange(self, pool: Wire, request: PreparedRequest) -> Answer | Broken:
        begun = time.monotonic()
        outcome = _without(
            self.key,
            wire.exchange(pool, request, timeout=self._timeout, proxies=self._proxies),
        )
        traffic.log(request, outcome, seconds=time.monotonic() - begun, secret=self.key)
        if isinstance(outcome, Answer):
            self.simulated = outcome.headers.get(SIMULATED, "") not in ("", "0", "false")
        return outcome


def _without(key: str, outcome: Answer | Broken) -> Answer | Broken:
    """The outcome as if the key had never been echoed: no id, link or error can carry it on."""
    if isinstance(outcome, Broken):
        return replace(outcome, message=clean(outcome.message, secret=key))
    headers = {name: mask(value, key) for name, value in outcome.headers.items()}
    body = mask_bytes(outcome.body, key)
    return Answer(outcome.status, headers, body)
