"""Where the gateway is and which key opens it: all that the environment decides."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from veogen.errors import UsageError
from veogen.hosts import is_loopback
from veogen.text import is_plain

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
        bypassed = any(item == "*" or _matches(host, item) for item in self.bypass)
        return None if is_loopback(host) or bypassed else self.https


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


BASE_URL = "https://api.evolink.ai"
FILES_URL = "https://files-api.evolink.ai"

KEY = "EVOLINK_API_KEY"
_CA_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The gateway's addresses, the key, and the way to get there."""

    key: str = field(repr=False)
    base_url: str = BASE_URL
    files_url: str = FILES_URL
    proxies: Proxies = field(default_factory=Proxies, repr=False)
    ca_bundle: str | None = None


def from_environment(environ: Mapping[str, str]) -> Settings:
    """Read the settings; a mistake is named by its variable, never by the value of the key."""
    return Settings(
        key=read_key(environ),
        base_url=_url(environ, "EVOLINK_BASE_URL", BASE_URL),
        files_url=_url(environ, "EVOLINK_FILES_URL", FILES_URL),
        proxies=Proxies.from_environment(environ),
        ca_bundle=_ca_bundle(environ),
    )


def read_key(environ: Mapping[str, str]) -> str:
    key = environ.get(KEY, "")
    if not key.strip():
        raise UsageError(
            f"{KEY} is not set: it holds the key of your account, and nothing else can;"
            " 'veogen run --simulate' needs none"
        )
    if not all("!" <= char <= "~" for char in key):
        raise UsageError(
            f"{KEY} holds white space, a control character or a letter that no key has:"
            " copy the key again, without quotes and line ends"
        )
    return key


def is_local(url: str) -> bool:
    """Whether a URL leads to this machine."""
    return is_loopback(urlsplit(url).hostname)


def _url(environ: Mapping[str, str], name: str, default: str) -> str:
    url = environ.get(name, "").strip() or default
    mistake = _mistake(url)
    if mistake:
        raise UsageError(f"{name} {mistake}")
    return url.rstrip("/")


def _mistake(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is not a URL"
    if "@" in parts.netloc:
        return f"holds a user name or password: only {KEY} opens the gateway"
    if not all("!" <= char <= "~" for char in url):
        return "holds white space, a control character or a letter that no URL has"
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        return f"is not an https URL: {url}"
    if parts.query or parts.fragment or "?" in url or "#" in url:
        return f"is an address without query and fragment, such as {BASE_URL}"
    path, _, version = parts.path.rstrip("/").rpartition("/")
    if re.fullmatch(r"v\d+", version):
        base = f"{parts.scheme}://{parts.netloc}{path}"
        return f"is the address before /{version}, which veogen adds by itself: {base}"
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        return f"is plain http, which is accepted for this machine only: {url}"
    return None


def _ca_bundle(environ: Mapping[str, str]) -> str | None:
    for name in _CA_BUNDLES:
        path = environ.get(name)
        if path:
            if not Path(path).is_file():
                raise UsageError(f"{name} names no file: {path}")
            return path
    return None
