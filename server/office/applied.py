"""What kiosks made of the documents: which version is in force on each, and what is wrong with one that is not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from kiosk.documents import Problem, mistake
from kiosk.texts import Texts
from server.facts.models import Fact
from server.office.models import Document
from server.registry.models import Device, Site

State = Literal["none", "current", "waits", "differs", "refused", "ahead", "own"]


@dataclass(frozen=True, slots=True)
class Applied:
    """A kiosk and a kind of document.

    `state`: `none` was told yet; `current` is in force; `waits` for its next contact; `differs`: it has another content
    under the same number, because this server was restored; `refused` it; `ahead` of this server, for the same reason;
    `own`: one that was entered at the kiosk is in force. `version` is the one in force
    (0: unknown), put in force at `at`; `problems` are sentences about the newest version that it looked at.
    """

    device: Device
    state: State
    version: int = 0
    at: datetime | None = None
    problems: tuple[str, ...] = ()


def applied(site: Site, kind: str, newest: Document | None, t: Texts) -> list[Applied]:
    """What the kiosks of a site made of a kind of document, whose newest version is `newest`."""
    facts = Fact.objects.filter(site=site, kind__in=("applied", "refused"), key=kind)
    known = {(fact.device_id, fact.kind): fact for fact in facts}
    devices = Device.objects.filter(site=site, revoked=False).order_by("name")
    return [_of(one, known.get((one.pk, "applied")), known.get((one.pk, "refused")), newest, t) for one in devices]


def _of(device: Device, good: Fact | None, bad: Fact | None, newest: Document | None, t: Texts) -> Applied:
    version, offered = _version(good), newest.version if newest else 0
    replaced = version < offered or _differs(good, newest)
    if bad is not None and _version(bad) == offered and replaced and not _differs(bad, newest):
        return Applied(device, "refused", version, good.at if good else None, _problems(bad.value, t))
    if good is None:
        return Applied(device, "none")
    says = _problems(good.value, t)
    if good.value.get("by") != "server":
        return Applied(device, "own", version, good.at, says)
    state: State = "current" if version == offered else "waits" if version < offered else "ahead"
    return Applied(device, "differs" if _differs(good, newest) else state, version, good.at, says)


def _differs(fact: Fact | None, newest: Document | None) -> bool:
    """Whether a kiosk tells of another content under this document's number."""
    if fact is None or newest is None or _version(fact) != newest.version:
        return False
    return bool(fact.value.get("sha256", newest.sha256) != newest.sha256)


def _version(fact: Fact | None) -> int:
    version = fact.value.get("version") if fact else 0
    return version if isinstance(version, int) else 0


def _problems(value: Mapping[str, Any], t: Texts) -> tuple[str, ...]:
    """In the reader's language where the kiosk named the sentence, as it wrote them where not."""
    told = value.get("problems")
    if not isinstance(told, list) or not told:
        return (str(value["error"]),) if value.get("error") else ()
    return tuple(_sentence(one, t) for one in told if isinstance(one, dict))


def _sentence(told: Mapping[str, Any], t: Texts) -> str:
    where, message, key = (str(told.get(name, "")) for name in ("where", "message", "key"))
    values = told.get("values")
    known = values if isinstance(values, dict) and f"problem.{key}" in t else {}
    says = mistake(Problem("", "", where, message, key if known or f"problem.{key}" in t else "", known), t)
    return f"{where}: {says}" if where else says
