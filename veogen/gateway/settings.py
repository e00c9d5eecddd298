"""Where the gateway is and which key opens it: all that the environment decides."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from veogen.errors import UsageError
from veogen.gateway.proxies import Proxies
from veogen.hosts import is_loopback

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
    return _insecure(parts, url)


def _insecure(parts: SplitResult, url: str) -> str | None:
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
