"""When alarms begin and end: one row for each, and a notice at either end for each way in which a commune is told."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from server.registry.fleet import healths
from server.registry.health import Finding, Health, Level
from server.registry.models import Device, Mode
from server.watch.models import Alarm, Edge, Notice, Target, Way

KINDS = ("contact", "printer", "disk", "card", "clock", "power", "heat", "quarantine")
"""Findings that are worth waking somebody. What is not among them, and low paper, stands on the page alone."""
QUIET = frozenset({"paper_low"})
HOLD = {"printer": timedelta(minutes=3), "clock": timedelta(minutes=3), "heat": timedelta(minutes=15)}
"""What is mended sooner is told to nobody: a roll of paper is changed in a minute, a kiosk without a battery learns the
time from the first answer, the sun wanders on."""
KEPT = timedelta(days=731)


def look(now: datetime) -> int:
    """Begin and end alarms by how the kiosks are; how many began or ended."""
    # Without the server's own feeds: they speak only when somebody does.
    every = healths(Device.objects.filter(own_feed=None).select_related("site__unit"), now)
    lasting: dict[int, dict[str, Alarm]] = {}
    for alarm in Alarm.objects.filter(ended=None):
        lasting.setdefault(alarm.device_id, {})[alarm.kind] = alarm
    return sum(_look_at(one, lasting.get(one.device.pk, {}), now) for one in every)


def forget_old(now: datetime) -> bool:
    """Alarms that were over two years ago go with what was told of them, and trial messages."""
    old = now - KEPT
    Alarm.objects.filter(ended__lt=old).delete()
    Notice.objects.filter(alarm=None, made__lt=old).delete()
    return False


def _look_at(one: Health, lasting: dict[str, Alarm], now: datetime) -> int:
    changed = 0
    for finding in one.findings:
        if finding.kind not in KINDS:
            continue
        alarm = lasting.get(finding.kind)
        if alarm is None and _is_alarming(finding) and not one.device.revoked:
            alarm = Alarm.objects.create(
                device=one.device, kind=finding.kind, key=finding.key, values=dict(finding.values), began=now
            )
            changed += 1
        if alarm is not None:
            _follow(alarm, finding)
            changed += _go_on(alarm, over=_is_over(finding, one), now=now)
    return changed


def _follow(alarm: Alarm, finding: Finding) -> None:
    """A trouble that lasts is said as it is now: the disk is fuller, the paper is there and the cover open."""
    values = dict(finding.values)
    if _is_alarming(finding) and (alarm.key, alarm.values) != (finding.key, values):
        alarm.key, alarm.values = finding.key, values
        alarm.save(update_fields=["key", "values"])


def _is_alarming(finding: Finding) -> bool:
    return finding.level >= Level.LOOK and finding.key not in QUIET


def _is_over(finding: Finding, one: Health) -> bool:
    """Whether the trouble is known to be gone; silence does not end because the office closes."""
    if finding.key == "never" and one.device.mode == Mode.FILE:
        return True  # it brings its events on a stick now, and nobody waits for it any more
    return one.device.revoked or (finding.level is not Level.UNKNOWN and not _is_alarming(finding))


def _go_on(alarm: Alarm, over: bool, now: datetime) -> int:
    if over and not alarm.told:
        alarm.delete()
        return 1
    if over:
        with transaction.atomic():
            alarm.ended = now
            alarm.save(update_fields=["ended"])
            begun = Notice.objects.filter(alarm=alarm, edge=Edge.BEGUN).values_list("way", flat=True)
            _tell(alarm, Edge.ENDED, begun, now)
        return 1
    if not alarm.told and alarm.began <= now - HOLD.get(alarm.kind, timedelta(0)):
        with transaction.atomic():
            alarm.told = True
            alarm.save(update_fields=["told"])
            _tell(alarm, Edge.BEGUN, _ways(alarm), now)
        return 1
    return 0


def _ways(alarm: Alarm) -> list[str]:
    target = Target.objects.filter(unit=alarm.device.site.unit_id).first()
    return ways_of(target) if target else []


def ways_of(target: Target) -> list[str]:
    """How somebody of a commune is told."""
    return [way for way, where in ((Way.MAIL, target.mails), (Way.WEBHOOK, target.url)) if where]


def _tell(alarm: Alarm, edge: Edge, ways: Iterable[str], now: datetime) -> None:
    unit = alarm.device.site.unit
    Notice.objects.bulk_create(Notice(unit=unit, alarm=alarm, way=way, edge=edge, made=now, due=now) for way in ways)
