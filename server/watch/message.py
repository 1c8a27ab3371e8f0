"""What is told of an alarm, in words and as JSON."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from kiosk.texts import Texts
from server.registry.fleet import called, says
from server.registry.health import Finding, Level
from server.watch.models import Alarm, Edge, Notice
from server.words import LANGUAGES, texts


class NoTarget(Exception):
    """There is nobody to be told any more."""


@dataclass(frozen=True, slots=True)
class Message:
    """`subject` and `text` in the server's language, `data` for programs."""

    subject: str
    text: str
    data: dict[str, Any]


def message_of(notice: Notice, now: datetime) -> Message:
    """What a notice says."""
    t = texts(settings.CONFIG.language)
    data: dict[str, Any] = {"id": notice.pk, "event": notice.edge, "at": now.isoformat(timespec="seconds")}
    data |= {"unit": {"code": notice.unit.code, "name": notice.unit.name}}
    if notice.alarm is None:
        subject = t("alarms.test_subject", don_vi=notice.unit.name)
        return Message(subject, t("alarms.test_text"), {**data, "text": _in_all("alarms.test_text")})
    return _of_alarm(notice.alarm, Edge(notice.edge), t, data)


def sentence(alarm: Alarm, t: Texts) -> str:
    """What is or was wrong."""
    return says(Finding(alarm.kind, Level.BAD, alarm.key, alarm.values), t)


def _of_alarm(alarm: Alarm, edge: Edge, t: Texts, data: dict[str, Any]) -> Message:
    device = alarm.device
    address = settings.CONFIG.url + reverse("kiosk", args=[device.pk])
    subject = t(f"alarms.{edge}_subject", don_vi=device.site.unit.name, may=called(device), viec=sentence(alarm, t))
    began, ended = _when(alarm.began, t), _when(alarm.ended, t) if alarm.ended else ""
    lines = [sentence(alarm, t), f"{called(device)} – {device.site.name} – {device.site.unit.name}"]
    lines += [t("alarms.from_to", tu=began, den=ended) if ended else t("alarms.from", tu=began), address]
    return Message(
        " ".join(subject.split()),
        "\n".join(lines),
        {
            **data,
            "kind": alarm.kind,
            "key": alarm.key,
            "kiosk": {"id": device.name, "label": device.label},
            "site": {"id": device.site.key, "name": device.site.name},
            "began": alarm.began.isoformat(timespec="seconds"),
            "ended": alarm.ended.isoformat(timespec="seconds") if alarm.ended else None,
            "text": {name: sentence(alarm, texts(name)) for name in LANGUAGES},
            "url": address,
        },
    )


def _in_all(key: str) -> dict[str, str]:
    return {name: texts(name)(key) for name in LANGUAGES}


def _when(at: datetime, t: Texts) -> str:
    return f"{t.clock(at)} {t.date(at)}"
