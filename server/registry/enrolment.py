"""How a kiosk gets its token: one-time codes, the exchange of a code for a token, new tokens, the end of a token.

Of codes and tokens only hashes are kept. Of nobody who guesses is an address kept.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.crypto import salted_hmac

from kiosk.documents import DocumentError
from kiosk.office import SAMPLE_CODE, Office
from server.accounts.models import Audit
from server.config import Config
from server.feed.intake import digest
from server.feed.models import Head
from server.office.models import Document, Kind
from server.registry.models import Device, EnrolCode, Mode, Site
from sync import wire

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without 0 O, 1 I L: a code is read out and typed."""
LETTERS = 8
LIFE = timedelta(hours=1)
TRIES = 5

Refusal = Literal["code", "taken", "other_device"]


class EnrolError(ValueError):
    """Why a kiosk gets no token: `code` is wrong or over; its name is `taken`; the code is for an `other_device`."""

    def __init__(self, refusal: Refusal, message: str) -> None:
        super().__init__(message)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of an office document that a kiosk brought along; `problem` says what is wrong with a broken one."""

    what: Literal["none", "taken", "kept", "broken"]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A kiosk, its new token, which is nowhere else, and what became of its office document."""

    device: Device
    token: str
    brought: Brought


# --- codes ----------------------------------------------------------------------------------------------------


def make_code(site: Site, now: datetime, *, device: Device | None = None, label: str = "") -> str:
    """A one-time code as ABCD-EFGH, shown once, for a new kiosk of the site, or for a new token of one that is there.

    Good for LIFE and TRIES wrong guesses. A code that the same kiosk had before is over. `label` is how people will
    call a new kiosk. Raises ValueError for a kiosk of another site.
    """
    if device is not None and device.site_id != site.pk:
        raise ValueError(f"{device.name} does not stand at this site")
    code = "".join(secrets.choice(ALPHABET) for _ in range(LETTERS))
    with transaction.atomic():
        EnrolCode.objects.filter(made__lte=now - timedelta(days=1)).delete()
        if device is not None:
            EnrolCode.objects.filter(device=device).delete()
        EnrolCode.objects.create(site=site, device=device, code=code_hash(code), label=label[:120], made=now)
    return f"{code[:4]}-{code[4:]}"


def command(config: Config, code: str) -> str:
    """What is typed at the kiosk: that plain HTTP to another machine is meant has to be said there."""
    plain = "" if config.secure or config.only_here else " --allow-plain-http"
    return f"sudo kiosk enrol {config.url} {code}{plain}"


def open_codes(now: datetime) -> QuerySet[EnrolCode]:
    """The codes that somebody may still use."""
    return EnrolCode.objects.filter(used=False, tries__lt=TRIES, made__gt=now - LIFE)


def code_hash(code: str) -> str:
    """What is kept of a code. Forty bits could be guessed from a plain hash, so the server's secret goes into it."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    return salted_hmac("enrol", plain, algorithm="sha256").hexdigest()


# --- tokens ---------------------------------------------------------------------------------------------------


def enrol(
    code: str, name: str, now: datetime, *, replace: bool = False, rename: bool = False, office: str | None = None
) -> Enrolled:
    """Exchange a code for a token: for a new kiosk called `name`, or for the one that the code was made for.

    `replace`: a kiosk of another name takes that one's place and name (its card was replaced). `rename`: a new
    kiosk takes another name when a kiosk of another commune has this one. `office`: the document that it brings along.
    The old token of a kiosk stays valid until the first request with the new one. Raises
    EnrolError; a wrong code counts against all that are open, any other refusal or failure leaves the code as it is.
    Raises wire.WireError for a name that cannot be one.
    """
    wire.check_device(name)
    key = code_hash(code)
    with transaction.atomic():
        # Claimed by its update: of two that come at once, one finds a row to change.
        if open_codes(now).filter(code=key).update(used=True):
            row = EnrolCode.objects.select_related("site__unit", "device").get(code=key)
            device = _renewed(row.device, name, replace) if row.device else _new(row, name, rename, now)
            token = _give_token(device, now)
            EnrolCode.objects.filter(pk=row.pk).update(device=device)  # whoever made the code waits to see who came
            done = Enrolled(device, token, bring_office(row.site, office, device.name, now))
            _note(done, row.site, now)
            return done
    open_codes(now).update(tries=F("tries") + 1)
    raise EnrolError("code", "this code is wrong, used or more than an hour old: ask for a new one")


def _note(done: Enrolled, site: Site, now: datetime) -> None:
    about = f"{done.device.name}, {site.name}, office: {done.brought.what}"
    who = done.device.name[:60]
    Audit.objects.create(at=now, who=who, unit=site.unit, what="device.enrolled", about=about[:300])


def _renewed(device: Device, name: str, replace: bool) -> Device:
    if name != device.name and not replace:
        raise EnrolError("other_device", f"this code is for {device.name}, not for {name}")
    return device


def _new(row: EnrolCode, name: str, rename: bool, now: datetime) -> Device:
    there = Device.objects.filter(name=name).first()
    if there is None or gives_way(there, row.site, now):
        return Device(name=name, site=row.site, label=row.label)
    if rename and there.site.unit_id != row.site.unit_id:
        return Device(name=_free_name(), site=row.site, label=row.label)
    raise EnrolError("taken", f"{name} is known here already: ask for a code for this kiosk, not for a new one")


def gives_way(device: Device, site: Site, now: datetime) -> bool:
    """Let go of a kiosk that another commune only entered, so that nobody keeps a name from whoever has the kiosk.

    Nothing ever came of it, and nobody has a token for it. The other commune's audit tells it.
    """
    heard = device.token or device.next_token or device.pull_token or device.seen or device.epoch
    if device.site.unit_id == site.unit_id or heard or Head.objects.filter(device=device.name).exists():
        return False
    Audit.objects.create(at=now, who="", unit=device.site.unit, what="kiosk.given_way", about=device.name)
    device.delete()
    return True


def _free_name() -> str:
    """As a kiosk makes its own."""
    while True:
        name = "k-" + "".join(secrets.choice(ALPHABET) for _ in range(6))
        if not Device.objects.filter(name=name).exists():
            return name


def _give_token(device: Device, now: datetime) -> str:
    """A new token; of a kiosk that has one, the old one goes with the first use of the new one."""
    token = secrets.token_urlsafe(32)
    if device.token and not device.revoked:
        device.next_token = digest(token)
    else:
        device.token, device.next_token, device.revoked = digest(token), "", False
    device.mode, device.enrolled = Mode.PUSH, now
    # Of a kiosk that is there only this: its last batch may come in meanwhile, and says how it is.
    own = ["token", "next_token", "revoked", "mode", "enrolled"]
    device.save(update_fields=own if device.pk else None)
    return token


def register(site: Site, name: str, mode: Mode, now: datetime, label: str = "") -> Device:
    """A kiosk that brings no code: one whose events come by stick, or are fetched.

    Raises EnrolError when the name is taken, wire.WireError when it cannot be one.
    """
    wire.check_device(name)
    fields = {"site": site, "mode": mode, "label": label[:120]}
    with transaction.atomic():
        device, made = Device.objects.get_or_create(name=name, defaults=fields)
        if not made and gives_way(device, site, now):
            device, made = Device.objects.create(name=name, **fields), True
    if not made:
        raise EnrolError("taken", f"{name} is known here already")
    return device


def revoke(device: Device) -> None:
    """From now on no token of this kiosk opens anything; what it sent stays. A new code lets it in again."""
    EnrolCode.objects.filter(device=device).delete()
    device.revoked, device.token, device.next_token, device.pull_token = True, "", "", ""
    device.save(update_fields=["revoked", "token", "next_token", "pull_token"])


def admit(device: Device) -> None:
    """Let a kiosk in again whose events come on a stick: it has no token, and may have no network to fetch one."""
    device.revoked = False
    device.save(update_fields=["revoked"])


# --- the office document that comes along ---------------------------------------------------------------------


def bring_office(site: Site, text: str | None, by: str, now: datetime) -> Brought:
    """Make a kiosk's office document the first version of a site that has none. A broken one is said, not raised.

    The sample office is nobody's: its people and telephone numbers would stand as the commune's.
    """
    if not text:
        return Brought("none")
    try:
        office = Office.from_json(text.encode("utf-8", "replace"))
    except DocumentError as error:
        return Brought("broken", str(error)[:500])
    if Document.objects.filter(site=site, kind=Kind.OFFICE).exists():
        return Brought("kept")
    if office.unit.code == SAMPLE_CODE:
        return Brought("broken", f"it is still the sample office (unit code {SAMPLE_CODE})")
    fields = {"sha256": office.sha256, "content": office.to_json(), "at": now, "by": by[:60]}
    _, made = Document.objects.get_or_create(site=site, kind=Kind.OFFICE, version=office.version, defaults=fields)
    return Brought("taken" if made else "kept")
