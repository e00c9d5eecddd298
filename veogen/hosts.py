"""Which hosts are our own machine, and which belong to the public internet."""

import ipaddress
import re

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_LONGEST_NAME = 253
_PRIVATE_NAMES = frozenset(
    {
        "alt",
        "home.arpa",
        "internal",
        "invalid",
        "local",
        "localdomain",
        "localhost",
        "onion",
        "test",
    }
)
"""Names that no public host has: set aside for other uses, whatever a name server says."""


def is_loopback(host: str | None) -> bool:
    """Whether a host, as it stands in a URL, is this machine."""
    if host is None:
        return False
    if host.lower().rstrip(".") == "localhost":
        return True
    address = _address(host)
    return address is not None and any(inner.is_loopback for inner in _with_embedded(address))


def is_public(address: str) -> bool:
    """Whether an IP address can belong to a host of the public internet."""
    parsed = _address(address)
    return parsed is not None and all(
        inner.is_global and not inner.is_multicast for inner in _with_embedded(parsed)
    )


def public_host(host: str) -> str:
    """The plain form of a host that can be public; raises `ValueError` with it for any other.

    Names are read as a client reads them: by IDNA, and as an address where their last part is a
    number (`127.1`, `0x7f000001`, `2130706433`).
    """
    name = host
    if ":" not in host:
        try:
            name = host.encode("idna").decode().lower().removesuffix(".")
        except UnicodeError:
            raise ValueError(host) from None
    if not _can_be_public(name):
        raise ValueError(name or host)
    return name


def _can_be_public(name: str) -> bool:
    labels = name.split(".")
    if ":" in name:
        return "%" not in name and is_public(name)
    if len(name) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, labels)):
        return False
    if _NUMBER.fullmatch(labels[-1]):
        import socket  # noqa: PLC0415 - it alone knows all the ways to write an address

        try:
            return is_public(socket.inet_ntoa(socket.inet_aton(name)))
        except OSError:
            return False
    reserved = (".".join(labels[-parts:]) for parts in (1, 2))
    return len(labels) > 1 and _PRIVATE_NAMES.isdisjoint(reserved)


def is_literal(host: str) -> bool:
    """Whether a host is written as an IP address."""
    return _address(host) is not None


def _address(text: str) -> _Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None


def _with_embedded(address: _Address) -> tuple[_Address, ...]:
    """The address, or the IPv4 address that it carries: some IPv6 addresses lead to one."""
    if not isinstance(address, ipaddress.IPv6Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address, address.sixtofour)
    if address in _NAT64:
        return (address, ipaddress.IPv4Address(address.packed[-4:]))
    return (address,)
