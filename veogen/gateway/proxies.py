"""The proxy that a company's machine must go through, decided once from the environment."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from veogen.errors import UsageError
from veogen.hosts import is_loopback
from veogen.terminal import is_plain

_LONGEST = 2048


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxy for https, and the hosts that are reached without it."""

    https: str | None = None
    bypass: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Proxies":
        https = _first(environ, "https_proxy", "all_proxy")
        if https and "://" not in https:  # as curl, Go and requests take it
            https = f"http://{https}"
        if https and not (_is_proxy(https) and is_plain(https, limit=_LONGEST)):
            raise UsageError("HTTPS_PROXY is not an http or https URL")
        bypass = (_first(environ, "no_proxy") or "").replace(" ", ",").split(",")
        return cls(https, tuple(item.lower() for item in bypass if item))

    def for_url(self, url: str) -> str | None:
        """The proxy that leads to `url`; None when it is reached directly."""
        host = urlsplit(url).hostname
        if self.https is None or not url.startswith("https:") or host is None:
            return None
        return None if is_loopback(host) or self._is_bypassed(host) else self.https

    def _is_bypassed(self, host: str) -> bool:
        return any(item == "*" or _matches(host, item) for item in self.bypass)


def _is_proxy(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of a bracket, or of the port
        return False


def _first(environ: Mapping[str, str], *names: str) -> str | None:
    for name in names:
        value = environ.get(name) or environ.get(name.upper())
        if value:
            return value
    return None


def _matches(host: str, item: str) -> bool:
    suffix = item.lstrip("*.").partition(":")[0]
    if host == suffix or host.endswith(f".{suffix}"):
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(item, strict=False)
    except ValueError:
        return False
