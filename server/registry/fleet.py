"""The kiosks that somebody may see, with how each of them is."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count, QuerySet

from kiosk.texts import Texts, sort_key
from server.accounts.models import User
from server.feed.models import Event, Head
from server.office.opening import hours_of, open_since
from server.registry import trouble
from server.registry.health import SILENT, Finding, Health, health
from server.registry.models import Device, Mode


def devices_of(user: User) -> QuerySet[Device]:
    """The kiosks of the communes that somebody may see; not the server's own feeds, for which nobody gets a token."""
    return Device.objects.filter(site__unit__in=user.units(), own_feed=None).select_related("site__unit")


def healths(devices: Iterable[Device], now: datetime) -> list[Health]:
    """How these kiosks are; those that somebody should look at come first."""
    listed = list(devices)
    names = [device.name for device in listed]
    hours = hours_of({device.site for device in listed})
    quarantined, epochs = _quarantined(names), _epochs(names)
    found = [
        health(
            device,
            now,
            open_since(hours[device.site_id], now, SILENT),
            quarantined.get(device.name, 0),
            max(epochs.get(device.name, 0) - 1, 0),
        )
        for device in listed
    ]
    return sorted(found, key=_order)


def called(device: Device) -> str:
    """How people call a kiosk."""
    return device.label or device.name


def _order(one: Health) -> tuple[object, ...]:
    device = one.device
    return (
        -one.level,
        sort_key(device.site.unit.name),
        sort_key(device.site.name),
        sort_key(called(device)),
        device.pk,
    )


def _quarantined(names: list[str]) -> dict[str, int]:
    held = Event.objects.filter(device__in=names, quarantined__isnull=False).values_list("device")
    return dict(held.annotate(Count("num")).order_by())


def _epochs(names: list[str]) -> dict[str, int]:
    return dict(Head.objects.filter(device__in=names).values_list("device").annotate(Count("epoch")).order_by())


def last_try(device: Device, t: Texts) -> str:
    """Why a kiosk that the server fetches from was not reached the last time; "" when it was, or more is wrong."""
    asked = device.mode == Mode.PULL and not device.revoked
    found = device.trouble if asked and not trouble.for_somebody(device.trouble) else {}
    return trouble.in_words(found, t) if found else ""


def says(finding: Finding, t: Texts) -> str:
    """A finding in words."""
    values = dict(finding.values)
    match finding.kind, finding.key:
        case _, "trouble":
            return trouble.in_words(values, t)
        case "printer", state:
            return t(f"printer.{state}")
        case "clock", "clock":
            return t("health.clock", nguon=t(f"quality.{values['quality']}"))
        case _, "silent" | "closed":
            seen = datetime.fromisoformat(values["seen"])
            return t(f"health.{finding.key}", luc=f"{t.clock(seen)} {t.date(seen)}")
        case _, key:
            return t(f"health.{key}", **{name: t.number(value) for name, value in values.items()})
