"""How a kiosk is: what its last words say, and since when it is silent. Pure: "now" and the hours come in.

Every finding has a key under [health] in the language files, and its values.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from server.registry.models import Device, Mode
from server.registry.trouble import for_somebody
from sync.wire import parse_instant

SILENT = timedelta(minutes=15)
"""A kiosk speaks at least every five minutes (docs/feed.md)."""
LOW_DISK_MB, NO_DISK_MB = 500, 50
"""Below the first the kiosk warns, below the second it gives up its ballast (docs/architecture.md)."""
BACKLOG = 500
"""A whole batch that waits: it sends, but does not keep up."""
OLD_S = 3600
"""An event that waits so long although the kiosk speaks: something holds it up."""
HOT_C, SHORT_MEMORY_MB, WORN_PERCENT = 80, 60, 90
"""As the kiosk itself judges them (docs/commands.md)."""
UNSAVED_H = 72
"""As the kiosk itself judges it: it makes two backups a day."""
OFF, FAR_OFF = timedelta(minutes=2), timedelta(days=1)
"""So far a kiosk's clock may differ from the server's, sending included; beyond the second its days are wrong."""
MANY_STARTS = 5
"""So many in 24 hours are no technician any more."""
CANARY_FAULTS = {"slow": "card_slow", "stalled": "card_stalled", "failed": "card_failed"}
PRINTER_FAULTS = frozenset({"paper_out", "cover_open", "offline", "error"})
PRINTER_FINE = frozenset({"ok", "none"})
UNITS = (("days", timedelta(days=1)), ("hours", timedelta(hours=1)), ("minutes", timedelta(minutes=1)))


class Level(IntEnum):
    """How bad it is, in the order in which somebody should look."""

    GOOD = 0
    UNKNOWN = 1
    LOOK = 2
    BAD = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a kiosk. `kind` is the part that it is about, `key` the sentence."""

    kind: str
    level: Level
    key: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Health:
    """All that is known of a kiosk, in a fixed order; `restarts` counts the epochs after its first."""

    device: Device
    findings: tuple[Finding, ...]
    quarantined: int
    restarts: int

    @property
    def level(self) -> Level:
        """The worst of all findings; what is unknown of a kiosk that is good else does not worry."""
        contact = self.of("contact")
        worst = max(finding.level for finding in self.findings)
        return contact.level if worst is Level.UNKNOWN or contact.key == "revoked" else worst

    @property
    def troubles(self) -> tuple[Finding, ...]:
        """What somebody should look at, the worst first."""
        found = [finding for finding in self.findings if finding.level >= Level.LOOK]
        return () if self.device.revoked else tuple(sorted(found, key=lambda finding: -finding.level))

    @property
    def version(self) -> str:
        """Which version runs there, as it says."""
        return str(_said(self.device).get("app") or "–")

    def of(self, kind: str) -> Finding:
        """The finding about one part."""
        return next(finding for finding in self.findings if finding.kind == kind)


def health(device: Device, now: datetime, open_long: bool, quarantined: int = 0, restarts: int = 0) -> Health:
    """How a kiosk is. `open_long`: its office has been at work for SILENT."""
    status = _said(device)
    findings = (
        _contact(device, now, open_long),
        _printer(status.get("printer")),
        _clock(status.get("clock"), _off(device, status.get("at"))),
        _disk(status.get("disk_free_mb")),
        _card(status),
        _power(status.get("undervoltage"), status.get("undervoltage_now")),
        _heat(status.get("temperature_c")),
        _memory(status.get("memory_free_mb")),
        _starts(status.get("starts_24h")),
        _backup(status.get("backup_h")),
        _backlog(status.get("backlog"), 0 if device.mode == Mode.FILE else status.get("backlog_s")),
        _network(status.get("plain_http")),
        _quarantine(quarantined),
    )
    return Health(device, findings, quarantined, restarts)


def _said(device: Device) -> Mapping[str, Any]:
    return device.status if isinstance(device.status, dict) else {}


def silent(device: Device, now: datetime) -> bool:
    """Whether nothing came for SILENT, also since it was let in, from a kiosk that ought to speak by itself."""
    speaks = device.mode != Mode.FILE and not device.revoked
    known = [at for at in (device.seen, device.enrolled) if at is not None]
    return speaks and bool(known) and max(known) < now - SILENT


def _contact(device: Device, now: datetime, open_long: bool) -> Finding:
    if device.revoked:
        return Finding("contact", Level.UNKNOWN, "revoked")
    if for_somebody(device.trouble):
        return Finding("contact", Level.BAD, "trouble", dict(device.trouble))
    if device.seen is None:
        missed = open_long and silent(device, now)
        return Finding("contact", Level.BAD if missed else Level.UNKNOWN, "never")
    if silent(device, now):
        since = {"seen": device.seen.isoformat()}
        return Finding("contact", *((Level.BAD, "silent") if open_long else (Level.UNKNOWN, "closed")), since)
    if device.mode != Mode.FILE and device.seen < now - SILENT:  # let in again a moment ago, and not heard of since
        return Finding("contact", Level.UNKNOWN, "closed", {"seen": device.seen.isoformat()})
    return Finding("contact", Level.GOOD, "by_file" if device.mode == Mode.FILE else "speaks")


def _printer(said: object) -> Finding:
    state = said if isinstance(said, str) else "unknown"
    if state in PRINTER_FAULTS:
        return Finding("printer", Level.BAD, state)
    if state == "paper_low":
        return Finding("printer", Level.LOOK, state)
    return (
        Finding("printer", Level.GOOD, state) if state in PRINTER_FINE else Finding("printer", Level.UNKNOWN, "unknown")
    )


def _off(device: Device, said: object) -> timedelta:
    """How far the kiosk's clock was ahead of the server's when it spoke last; nothing where it did not tell."""
    if not isinstance(said, str) or device.seen is None:
        return timedelta(0)
    try:
        return parse_instant(said) - device.seen
    except (ValueError, OverflowError):
        return timedelta(0)


def _clock(said: object, off: timedelta) -> Finding:
    if abs(off) > OFF:
        unit, size = next((unit, size) for unit, size in UNITS if abs(off) >= size)
        # One that guesses knows it: it gives numbers of the day before, and believes none of its dates.
        level = Level.BAD if abs(off) > FAR_OFF and said != "guess" else Level.LOOK
        return Finding("clock", level, f"{'ahead' if off > timedelta(0) else 'behind'}_{unit}", {"n": abs(off) // size})
    if not isinstance(said, str):
        return Finding("clock", Level.UNKNOWN, "clock_unknown")
    return Finding("clock", Level.LOOK if said == "guess" else Level.GOOD, "clock", {"quality": said})


def _disk(said: object) -> Finding:
    if not isinstance(said, int):
        return Finding("disk", Level.UNKNOWN, "disk_unknown")
    level = Level.BAD if said < NO_DISK_MB else Level.LOOK if said < LOW_DISK_MB else Level.GOOD
    return Finding("disk", level, "disk" if level is Level.GOOD else "disk_low", {"n": said})


def _card(status: Mapping[str, Any]) -> Finding:
    """The disk below the data: the worst of what the kiosk tells of it."""
    errors, counted, worn = (_count(status.get(key)) for key in ("card_errors", "fs_errors", "card_worn"))
    tried = status.get("canary")
    if status.get("read_only") is True:
        return Finding("card", Level.BAD, "read_only")
    if isinstance(tried, str) and tried in CANARY_FAULTS:
        return Finding("card", Level.LOOK if tried == "slow" else Level.BAD, CANARY_FAULTS[tried])
    if errors:
        return Finding("card", Level.BAD, "card_errors", {"n": errors})
    if counted:
        return Finding("card", Level.LOOK, "fs_errors", {"n": counted})
    if worn is not None and worn >= WORN_PERCENT:
        return Finding("card", Level.LOOK, "card_worn", {"n": worn})
    known = tried == "ok" or errors is not None or counted is not None
    return Finding("card", Level.GOOD, "card") if known else Finding("card", Level.UNKNOWN, "card_unknown")


def _count(said: object) -> int | None:
    return said if type(said) is int and said >= 0 else None


def _power(said: object, now: object) -> Finding:
    if now is True:
        return Finding("power", Level.BAD, "undervoltage_now")
    if not isinstance(said, bool):
        return Finding("power", Level.UNKNOWN, "power_unknown")
    return Finding("power", Level.LOOK, "undervoltage") if said else Finding("power", Level.GOOD, "power")


def _heat(said: object) -> Finding:
    if not isinstance(said, int | float) or not -100 < said < 200:
        return Finding("heat", Level.UNKNOWN, "heat_unknown")
    degrees = round(said)
    return Finding("heat", *((Level.LOOK, "hot") if degrees >= HOT_C else (Level.GOOD, "heat")), {"n": degrees})


def _memory(said: object) -> Finding:
    free = _count(said)
    if free is None:
        return Finding("memory", Level.UNKNOWN, "memory_unknown")
    short = free < SHORT_MEMORY_MB
    return Finding("memory", *((Level.LOOK, "memory_short") if short else (Level.GOOD, "memory")), {"n": free})


def _starts(said: object) -> Finding:
    n = _count(said)
    if n is None:
        return Finding("starts", Level.UNKNOWN, "starts_unknown")
    return Finding("starts", *((Level.LOOK, "starts_many") if n >= MANY_STARTS else (Level.GOOD, "starts")), {"n": n})


def _backup(said: object) -> Finding:
    hours = _count(said)
    if hours is None:
        return Finding("backup", Level.UNKNOWN, "backup_unknown")
    if hours >= UNSAVED_H:
        return Finding("backup", Level.LOOK, "backup_old", {"n": hours // 24})
    return Finding("backup", Level.GOOD, "backup", {"n": hours})


def _backlog(said: object, seconds: object) -> Finding:
    if not isinstance(said, int):
        return Finding("backlog", Level.UNKNOWN, "backlog_unknown")
    oldest = _count(seconds) or 0
    if said and oldest >= OLD_S:
        return Finding("backlog", Level.LOOK, "backlog_old", {"n": said, "gio": oldest // 3600})
    return Finding("backlog", Level.LOOK if said > BACKLOG else Level.GOOD, "backlog", {"n": said})


def _network(said: object) -> Finding:
    return Finding("network", Level.LOOK, "plain_http") if said is True else Finding("network", Level.GOOD, "https")


def _quarantine(count: int) -> Finding:
    return Finding("quarantine", Level.LOOK if count else Level.GOOD, "quarantine", {"n": count})
