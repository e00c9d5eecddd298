"""Which hosts are our own machine, and which addresses belong to the public internet."""

import ipaddress

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


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
