"""Where the gateway is and which key opens it: all that the environment decides."""

import ipaddress
import re
from collections.abc import Mapping
from contextlib import suppress
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
        try:
            parts = urlsplit(https or "")
            is_proxy = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:  # of a bracket, or of the port
            is_proxy = False
        if https and not (is_proxy and is_plain(https, limit=_LONGEST)):
            raise UsageError("HTTPS_PROXY is not an http or https URL")
        bypass = (_first(environ, "no_proxy") or "").replace(" ", ",").split(",")
        return cls(https, tuple(item.lower() for item in bypass if item))

    def for_url(self, url: str) -> str | None:
        """The proxy that leads to `url`; None when it is reached directly."""
        host = urlsplit(url).hostname
        if self.https is None or not url.startswith("https:") or host is None:
            return None
        for item in self.bypass:
            suffix = item.lstrip("*.").partition(":")[0]
            if item == "*" or host == suffix or host.endswith(f".{suffix}"):
                return None
            with suppress(ValueError):  # of names
                if ipaddress.ip_address(host) in ipaddress.ip_network(item, strict=False):
                    return None
        return None if is_loopback(host) else self.https


def _first(environ: Mapping[str, str], *names: str) -> str | None:
    for name in names:
        value = environ.get(name) or environ.get(name.upper())
        if value:
            return value
    return None


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
    key = read_key(environ)
    base_url = _url(environ, "EVOLINK_BASE_URL", BASE_URL)
    files_url = _url(environ, "EVOLINK_FILES_URL", FILES_URL)
    proxies = Proxies.from_environment(environ)
    bundle = next((name for name in _CA_BUNDLES if environ.get(name)), None)
    ca_bundle = None if bundle is None else environ[bundle]
    if ca_bundle is not None and not Path(ca_bundle).is_file():
        raise UsageError(f"{bundle} names no file: {ca_bundle}")
    return Settings(
        key=key, base_url=base_url, files_url=files_url, proxies=proxies, ca_bundle=ca_bundle
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
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UsageError(f"{name} is not a URL") from None
    path, _, version = parts.path.rstrip("/").rpartition("/")
    mistake = None
    if "@" in parts.netloc:
        mistake = f"holds a user name or password: only {KEY} opens the gateway"
    elif not all("!" <= char <= "~" for char in url):
        mistake = "holds white space, a control character or a letter that no URL has"
    elif parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        mistake = f"is not an https URL: {url}"
    elif parts.query or parts.fragment or "?" in url or "#" in url:
        mistake = f"is an address without query and fragment, such as {BASE_URL}"
    elif re.fullmatch(r"v\d+", version):
        base = f"{parts.scheme}://{parts.netloc}{path}"
        mistake = f"is the address before /{version}, which veogen adds by itself: {base}"
    elif parts.scheme == "http" and not is_loopback(parts.hostname):
        mistake = f"is plain http, which is accepted for this machine only: {url}"
    if mistake:
        raise UsageError(f"{name} {mistake}")
    return url.rstrip("/")
