"""Under which addresses and names this machine can be reached, as the kernel says it; asks nobody on the network."""

import ipaddress
import re
import socket
from pathlib import Path

IPV4 = Path("/proc/net/fib_trie")
IPV6 = Path("/proc/net/if_inet6")
_LOCAL = re.compile(r"\|-- (\d+\.\d+\.\d+\.\d+)\n\s+/32 host LOCAL")
_GLOBAL, _TEMPORARY = "00", 0x01

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def addresses() -> list[Address]:
    """All addresses in use beside loopback, IPv4 first; none that changes by itself each day, and none of one link."""
    found = {*_ipv4(), *_ipv6()}
    return sorted(found, key=lambda address: (address.version, int(address)))


def names() -> list[str]:
    """The machine's own names in lower case: as it calls itself, and as others find it without a name server."""
    own = socket.gethostname().lower()
    return [own] if own.endswith(".local") else [own, f"{own}.local"]


def own_url(scheme: str, port: int) -> str:
    """Where this machine's pages are on the LAN: by its first IPv4 address, else by its name."""
    host = [str(address) for address in addresses() if address.version == 4] or [names()[-1]]
    return f"{scheme}://{host[0]}:{port}"


def _ipv4() -> list[Address]:
    try:
        found = [ipaddress.ip_address(text) for text in _LOCAL.findall(IPV4.read_text())]
    except OSError:
        return []
    return [address for address in found if not (address.is_loopback or address.is_link_local)]


def _ipv6() -> list[Address]:
    try:
        lines = [line.split() for line in IPV6.read_text().splitlines()]
    except OSError:
        return []
    return [
        ipaddress.IPv6Address(int(address, 16))
        for address, _, _, scope, flags, _ in lines
        if scope == _GLOBAL and not int(flags, 16) & _TEMPORARY
    ]
