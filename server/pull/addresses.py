"""Where the server may connect to when somebody enters a kiosk's address: never to itself, its link, or a cloud's own.

A name is looked up once, and the address that was checked is the one that is connected to: a name that leads elsewhere
a moment later (DNS rebinding) leads nowhere.
"""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
PORT = 8443
"""Of a kiosk's console, when none is named."""
METADATA = frozenset(map(ipaddress.ip_address, ("169.254.169.254", "100.100.100.200", "192.0.0.192", "fd00:ec2::254")))
"""Where clouds tell machines their secrets."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressRefused(ValueError):
    """An address that is not connected to: `key` says why (bad_address, unknown_name, forbidden)."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True)
class Target:
    """A checked address in figures, and the port."""

    address: str
    port: int


def normal(text: str) -> str:
    """An address as https://HOST:PORT, of what somebody typed. Raises AddressRefused."""
    text = text.strip()
    try:
        url = urlsplit(text if "://" in text else f"https://{text}")
        host, port = url.hostname, url.port
    except ValueError as error:
        raise AddressRefused("bad_address") from error
    odd = url.username is not None or url.query or url.fragment or url.path not in ("", "/")
    if url.scheme != "https" or not host or odd or port == 0 or not host.isascii() or len(host) > 150:
        raise AddressRefused("bad_address")
    return f"https://{f'[{host}]' if ':' in host else host}:{port or PORT}"


def checked(url: str, allow_loopback: bool = False) -> Target:
    """Look up and check a normal address. All that a name leads to must be allowed. Raises AddressRefused."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or PORT
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressRefused("unknown_name") from error
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not addresses or not all(may_connect(address, allow_loopback) for address in addresses):
        raise AddressRefused("forbidden")
    if not allow_loopback and any(is_own(meant(address)) for address in addresses):
        raise AddressRefused("forbidden")
    return Target(str(addresses[0]), port)


def may_connect(address: Address, allow_loopback: bool = False) -> bool:
    """Whether a kiosk may stand there. Private networks are where kiosks are."""
    real = meant(address)
    if real.is_loopback:
        return allow_loopback
    odd = real.is_link_local or real.is_multicast or real.is_unspecified or real.is_reserved
    return not odd and real not in METADATA


def is_own(address: Address) -> bool:
    """Whether it is one of this machine's own at this moment: to these alone it goes by way of themselves."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as way:
            way.connect((str(address), PORT))  # sends nothing
            return ipaddress.ip_address(way.getsockname()[0].partition("%")[0]) == address
    except OSError:
        return False


def meant(address: Address) -> Address:
    """The IPv4 address within an IPv6 one that only carries it."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    if inner is None and int(address) >> 32 == 0 and int(address) > 1:
        inner = ipaddress.IPv4Address(int(address))  # the old ::a.b.c.d
    return inner or address
