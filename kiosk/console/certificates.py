"""The console's own certificate: an authority made once on this device, and a leaf that follows its addresses.

A clerk's browser trusts the leaf once the authority is installed there, so the authority may sign for this machine and
private addresses only (name constraints, RFC 5280 4.2.1.10): installed, it is no danger to anything else.

A process of its own (`apart`), for `console.tls` to run.
"""

import datetime as dt
import ipaddress
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kiosk import RELEASED
from kiosk.addresses import Address
from kiosk.console.apart import answer
from kiosk.console.tls import Certificate, ends_soon
from kiosk.store.durable import sync_folder

LEAF_DAYS = 397
"""Longer ones are refused by some browsers (CA/Browser Forum, SC-031)."""
AUTHORITY_DAYS = 3653
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "fc00::/7", "::1/128")
LOOPBACK = (ipaddress.IPv4Address("127.0.0.1"), ipaddress.IPv6Address("::1"))
_DAMAGE = (OSError, ValueError, TypeError, x509.ExtensionNotFound)


@dataclass(frozen=True, slots=True)
class _Signed:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def ensure(folder: Path, names: Sequence[str], addresses: Sequence[Address], now: dt.datetime) -> Certificate:
    """The certificate in the folder, made or renewed when it has to be. Raises OSError when the folder cannot be used.

    Renewed: 30 days before its end, when names or addresses have changed, when it is damaged or not of this authority.
    A lost or ended authority is made anew, and has to be installed again.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = _read(folder / "ca.crt", folder / "ca.key")
    if authority is None or _ends(authority.certificate, now):
        authority = _make_authority(names, addresses, now)
        _write(folder / "ca.key", _private(authority.key))
        _write(folder / "ca.crt", _public(authority.certificate), 0o644)
    wanted = _allowed(authority.certificate, names, [*LOOPBACK, *addresses])
    leaf = _read(folder / "console.crt", folder / "console.key")
    if leaf is None or not _serves(leaf.certificate, authority, wanted, now):
        leaf = _make_leaf(authority, wanted, now)
        # The key first: a power cut between the two leaves a pair that does not fit, which is made anew.
        _write(folder / "console.key", _private(leaf.key))
        _write(folder / "console.crt", _public(leaf.certificate) + _public(authority.certificate), 0o644)
    return Certificate(
        folder / "console.crt",
        folder / "console.key",
        folder / "ca.crt",
        _fingerprint(leaf.certificate),
        _fingerprint(authority.certificate),
        tuple(str(name.value) for name in wanted),
        max(leaf.certificate.not_valid_before_utc, authority.certificate.not_valid_before_utc),
        min(leaf.certificate.not_valid_after_utc, authority.certificate.not_valid_after_utc),
    )


def _make_authority(names: Sequence[str], addresses: Sequence[Address], now: dt.datetime) -> _Signed:
    key = ec.generate_private_key(ec.SECP256R1())
    title = _title(f"Ki-ốt một cửa {names[0]}")
    reach = [*map(ipaddress.ip_network, PRIVATE), *map(ipaddress.ip_network, addresses)]
    permitted: list[x509.GeneralName] = [x509.IPAddress(network) for network in dict.fromkeys(reach)]
    permitted += [x509.DNSName(name) for name in dict.fromkeys(["localhost", "local", *names])]
    builder = (
        _builder(title, title, key.public_key(), now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return _Signed(builder.sign(key, hashes.SHA256()), key)


def _make_leaf(authority: _Signed, names: Sequence[x509.GeneralName], now: dt.datetime) -> _Signed:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate
    builder = (
        _builder(_title(str(names[0].value)), issuer.subject, key.public_key(), now, LEAF_DAYS)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False)  # type: ignore[arg-type]
    )
    return _Signed(builder.sign(authority.key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: dt.datetime, days: int
) -> x509.CertificateBuilder:
    # A clock that is set right later may go back: no further than to this version's own day.
    begins = min(max(now, RELEASED) - dt.timedelta(days=1), RELEASED) if days > LEAF_DAYS else _yesterday(now)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(_yesterday(now) + dt.timedelta(days=days))
    )


def _yesterday(now: dt.datetime) -> dt.datetime:
    return max(now, RELEASED) - dt.timedelta(days=1)


def _title(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _usage(*, sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign,
        key_cert_sign=sign,
        crl_sign=sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _allowed(
    authority: x509.Certificate, names: Sequence[str], addresses: Sequence[Address]
) -> list[x509.DNSName | x509.IPAddress]:
    """What the authority may sign for: one name beyond its limits would spoil the whole leaf."""
    limits = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    domains = [limit.value for limit in limits if isinstance(limit, x509.DNSName)]
    networks = [limit.value for limit in limits if isinstance(limit, x509.IPAddress)]
    good = [n for n in dict.fromkeys([*names, "localhost"]) if any(n == d or n.endswith(f".{d}") for d in domains)]
    reached = [a for a in dict.fromkeys(addresses) if any(a in network for network in networks)]  # type: ignore[operator]
    return [*map(x509.DNSName, good), *map(x509.IPAddress, reached)]


def _serves(leaf: x509.Certificate, authority: _Signed, wanted: Sequence[x509.GeneralName], now: dt.datetime) -> bool:
    try:
        leaf.verify_directly_issued_by(authority.certificate)
    except (ValueError, TypeError, InvalidSignature):  # another issuer, another kind of key, not signed by this one
        return False
    there = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return set(there) == set(wanted) and not _ends(leaf, now)


def _ends(certificate: x509.Certificate, now: dt.datetime) -> bool:
    return ends_soon(certificate.not_valid_before_utc, certificate.not_valid_after_utc, now)


def _read(certificate: Path, key: Path) -> _Signed | None:
    """A certificate with its key; None when one is missing, damaged, or not the other's."""
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), None)
    except _DAMAGE:
        return None
    fits = isinstance(private, ec.EllipticCurvePrivateKey) and private.public_key() == found.public_key()
    return _Signed(found, private) if fits else None  # type: ignore[arg-type]


def _public(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)


def _write(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Whole or not at all, and never readable by others even for a moment."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def _fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256, in pairs, as browsers show it."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def work(asked: dict[str, Any]) -> dict[str, Any]:
    """`ensure`, as another process asks for it."""
    addresses = [ipaddress.ip_address(address) for address in asked["addresses"]]
    now = dt.datetime.fromisoformat(asked["now"])
    return asdict(ensure(Path(asked["folder"]), asked["names"], addresses, now))


if __name__ == "__main__":
    sys.exit(answer(work))
