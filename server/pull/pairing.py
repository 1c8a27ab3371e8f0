"""Pairing with a kiosk: look at its certificate, let somebody compare the fingerprint, exchange a code for a token."""

import json
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from server.pull import secrets
from server.pull.addresses import AddressRefused, checked, normal
from server.registry.enrolment import Brought, bring_office, gives_way
from server.registry.models import Device, Mode, Site
from server.registry.trouble import clear
from sync import wire
from sync.exchange import AddressError, Answer, Bounds, Pinned, Silent

BOUNDS = Bounds(connect_s=5.0, read_s=10.0, deadline_s=20.0)
MOST_OFFICE = 2 * wire.MAX_BODY
"""Bytes of an answer with an office document."""


class PairError(ValueError):
    """Why a kiosk is not paired; `key` stands under [pull] in the language files."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True)
class Seen:
    """A kiosk's address as it is kept, and the authority of its certificate (PEM) with its fingerprint."""

    url: str
    authority: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Paired:
    """The kiosk, and what became of the office document that it sent along."""

    device: Device
    brought: Brought


def look(text: str) -> Seen:
    """What stands at an address that somebody typed. Nothing secret is sent. Raises PairError."""
    try:
        url = normal(text)
    except AddressRefused as error:
        raise PairError(error.key) from error
    with closing(_line(url, "")) as line:
        answer = _asked(lambda: line.get("/ca.crt"))
    try:
        authority = answer.plain().decode() if answer.http == 200 else ""
        return Seen(url, authority, secrets.fingerprint(authority))
    except ValueError as error:
        raise PairError("no_kiosk") from error


def pair(site: Site, seen: Seen, code: str, now: datetime, label: str = "") -> Paired:
    """Exchange a kiosk's code for its token, which is kept sealed; from now on its events are fetched.

    The authority that was looked at is pinned: who has none of its certificates hears no code. Raises PairError.
    """
    body = json.dumps({"code": code}).encode()
    with closing(_line(seen.url, seen.authority)) as line:
        answer = _asked(lambda: line.post("/api/v1/pair", body, "application/json", most=MOST_OFFICE))
    if answer.http != 200:
        raise PairError({"code": "wrong_code", "busy": "busy"}.get(answer.code(), "no_kiosk"))
    try:
        raw = answer.parsed()
        name, token = wire.check_device(str(raw.get("device"))), str(raw["token"])
    except (KeyError, wire.WireError) as error:
        raise PairError("no_kiosk") from error
    with transaction.atomic():
        device = _entered(site, name, label, now)
        device.mode, device.revoked, device.enrolled = Mode.PULL, False, now
        device.pull_url, device.pull_pin = seen.url, seen.fingerprint
        device.pull_token = secrets.seal(json.dumps({"token": token, "authority": seen.authority}))
        # Of a kiosk that is there only this: its last batch may come in meanwhile, and says how it is.
        own = ["label", "mode", "revoked", "enrolled", "pull_url", "pull_pin", "pull_token"]
        device.save(update_fields=own if device.pk else None)
    clear(device, now, stays=now - now)
    return Paired(device, bring_office(site, _office(raw), device.name, now))


def _entered(site: Site, name: str, label: str, now: datetime) -> Device:
    device = Device.objects.filter(name=name).first()
    if device is None or gives_way(device, site, now):
        return Device(name=name, site=site, label=label[:120])
    if device.site_id != site.pk:
        raise PairError("elsewhere")
    device.label = label[:120] or device.label
    return device


def _office(raw: dict[str, Any]) -> str | None:
    office = raw.get("office")
    return json.dumps(office) if isinstance(office, dict) else None


def _line(url: str, authority: str) -> Pinned:
    try:
        target = checked(url, settings.CONFIG.pull_loopback)
        return Pinned(target.address, target.port, authority, bounds=BOUNDS)
    except AddressRefused as error:
        raise PairError(error.key) from error


def _asked(question: Any) -> Answer:
    try:
        answer: Answer = question()
        return answer
    except (Silent, AddressError) as error:
        raise PairError("silent") from error
