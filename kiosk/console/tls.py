"""Which certificate the console's doors show, and when it has to be made anew. Knows no cryptography.

Making one is the work of `console.certificates`, apart: its library would take 10 MB of the console for ever.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk import RELEASED
from kiosk.addresses import Address
from kiosk.console import apart
from kiosk.programs import ProgramError

RENEW_DAYS = 30
MAKE_S = 60.0
"""A PC needs 0.2 s; a slow memory card has to read the library first."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files for the server, and what people compare. It is good for these `names`, from `begins` to `until`."""

    chain: Path
    key: Path
    authority: Path
    fingerprint: str
    authority_fingerprint: str
    names: tuple[str, ...]
    begins: dt.datetime
    until: dt.datetime


class Keeper:
    """Keeps the certificate of a folder good: it is made anew only when something has changed, or near its end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: tuple[object, Certificate] | None = None

    def certificate(self, names: Sequence[str], addresses: Sequence[Address], now: dt.datetime) -> Certificate:
        """The one for these names and addresses. Raises OSError, with the reason, when it has to be made and cannot."""
        if self._made:
            known, certificate = self._made
            if known == self._mark(names, addresses) and not ends_soon(certificate.begins, certificate.until, now):
                return certificate
        certificate = _make(self.folder, names, addresses, now)
        self._made = self._mark(names, addresses), certificate
        return certificate

    def _mark(self, names: Sequence[str], addresses: Sequence[Address]) -> object:
        """Differs when another one may be needed. The folder's time changes when a file comes or goes."""
        return tuple(names), tuple(addresses), self.folder.stat().st_mtime_ns if self.folder.exists() else 0


def ends_soon(begins: dt.datetime, until: dt.datetime, now: dt.datetime) -> bool:
    """Whether it ends within 30 days, or has not begun on a clock that was set right."""
    at = max(now, RELEASED)
    return at < begins or at + dt.timedelta(days=RENEW_DAYS) > until


def _make(folder: Path, names: Sequence[str], addresses: Sequence[Address], now: dt.datetime) -> Certificate:
    asked = {
        "folder": str(folder),
        "names": list(names),
        "addresses": list(map(str, addresses)),
        "now": now.isoformat(),
    }
    try:
        return _read(apart.ask("kiosk.console.certificates", asked, MAKE_S))
    except ProgramError as error:
        raise OSError(f"the certificate cannot be made: {error}") from error


def _read(made: dict[str, Any]) -> Certificate:
    """The certificate, as JSON left it."""
    paths = {name: Path(made[name]) for name in ("chain", "key", "authority")}
    times = {name: dt.datetime.fromisoformat(made[name]) for name in ("begins", "until")}
    return Certificate(**{**made, **paths, **times, "names": tuple(made["names"])})
