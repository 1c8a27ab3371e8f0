"""What was found of the machine below the kiosk, in the technician's words: power, heat, memory, disk, clock module.

`kiosk check` and the technician's page say it alike. Parts of which the kernel tells nothing are left out.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from kiosk import kernel_log, vitals
from kiosk.canary import CanaryState
from kiosk.findings import Finding
from kiosk.texts import Texts
from kiosk.vitals import ROOT, Disk

RTC = "sys/class/rtc/rtc0"
UNSAVED_H = 72
"""Two are made each day, also of a Sunday, and what was missed is made up: so long without one, they fail."""


def found(folder: Path, lines: Sequence[str] | None, t: Texts, root: Path = ROOT) -> Iterator[Finding]:
    """A row for each part that the kernel tells about; `lines` are its messages, None when they cannot be read."""
    yield from power(lines, t, root)
    yield from heat(t, root)
    yield from memory(t, root)
    yield from disk(vitals.disk(folder, root), lines, t)


def power(lines: Sequence[str] | None, t: Texts, root: Path = ROOT) -> Iterator[Finding]:
    """The voltage. The firmware may forget what it has seen; the kernel's log does not."""
    seen, logged = vitals.power(root), kernel_log.low_voltage(lines or ())
    if seen and seen.now:
        yield Finding("power", False, t("machine.low_now"), t("machine.power_do"), code="undervoltage_now")
    elif logged or (seen and seen.since_boot):
        yield Finding("power", False, t("machine.low_before"), t("machine.power_do"), code="undervoltage")
    elif seen:
        yield Finding("power", True, t("technician.voltage_ok"))


def heat(t: Texts, root: Path = ROOT) -> Iterator[Finding]:
    """The processor's temperature."""
    degrees = vitals.temperature_c(root)
    if degrees is None:
        return
    shown = t.number(degrees, 0)
    if degrees >= vitals.HOT_C:
        yield Finding("heat", False, t("machine.hot", do=shown), t("machine.heat_do"), code="hot")
    else:
        yield Finding("heat", True, t("technician.degrees", do=shown))


def memory(t: Texts, root: Path = ROOT) -> Iterator[Finding]:
    """What programs can still get."""
    has = vitals.memory(root)
    if has is None:
        return
    says = t("machine.memory_free", mb=t.number(has.free_mb), tong=t.number(has.total_mb))
    short = has.free_mb < vitals.SHORT_MEMORY_MB
    yield Finding("memory", not short, says, t("machine.memory_do") if short else "", code="memory" if short else "")


def disk(below: Disk | None, lines: Sequence[str] | None, t: Texts) -> Iterator[Finding]:
    """The card or disk that the data lie on: one row for each thing that is wrong with it, else one that says OK."""
    if below is None:
        return
    wrong = list(_wrong(below, lines, t))
    yield from wrong
    if not wrong:
        seen = t("machine.disk_ok") if lines is not None or below.errors is not None else t("machine.disk_silent")
        yield Finding("card", True, seen, detail=f"{below.part}, {below.kind}")


def _wrong(below: Disk, lines: Sequence[str] | None, t: Texts) -> Iterator[Finding]:
    if below.read_only:
        says = t("machine.read_only")
        yield Finding("card", False, says, t("machine.read_only_do"), detail=below.part, code="read_only")
    errors = kernel_log.disk_errors(lines or (), below)
    if errors:
        says = t("machine.card_errors", n=t.number(len(errors)))
        yield Finding("card", False, says, t("machine.card_do"), detail=errors[-1][:200], code="card_errors")
    if below.errors:
        says = t("machine.fs_errors", n=t.number(below.errors))
        yield Finding("card", False, says, t("machine.fs_do", noi=below.part), detail=below.part, code="fs_errors")
    if below.spare_low or (below.worn or 0) >= vitals.WORN_PERCENT:
        says = t("machine.worn", n=below.worn) if below.worn else t("machine.spare_low")
        yield Finding("card", False, says, t("machine.card_do"), detail=below.name, code="card_worn")


def canary(state: str, t: Texts) -> Finding | None:
    """How the kiosk's own try of the disk went last, by its noted state (`kiosk.canary`); None before the first."""
    if state in ("", CanaryState.FULL):  # a full disk is said where its space is
        return None
    if state == CanaryState.OK:
        return Finding("canary", True, t("machine.canary_ok"))
    code = f"canary_{state}"
    code = code if f"machine.{code}" in t else "canary_failed"  # a later kiosk may have noted it
    return Finding("canary", False, t(f"machine.{code}"), t("machine.card_do"), code=code)


def backup(hours: int | None, t: Texts) -> Iterator[Finding]:
    """How long ago the last backup was made (`kiosk.store.backup.hours_without`); nothing where no clock tells."""
    if hours is None:
        return
    if hours >= UNSAVED_H:
        says = t("machine.backup_old", n=t.number(hours // 24))
        yield Finding("backup", False, says, t("machine.backup_do"), code="backup_old")
    else:
        yield Finding("backup", True, t("machine.backup_ok", n=t.number(hours)))


def clock_module(t: Texts, root: Path = ROOT) -> Iterator[Finding]:
    """A board without a clock module does not know the day after a power cut, unless it has a network."""
    if not (root / RTC).exists():
        says, todo = t("machine.no_rtc"), t("machine.no_rtc_do")
        yield Finding("clock", True, says, todo, note=True, code="no_clock_module")
