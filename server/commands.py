"""What an operator does at the command line beside running the server. Django is set up before."""

import logging
import sys
from datetime import datetime
from getpass import getpass
from pathlib import Path

from django.conf import settings
from django.db import transaction

from kiosk.office import ID, UNIT_CODE
from kiosk.public.form import clean
from kiosk.texts import LOCAL, Texts
from server.accounts import passwords
from server.accounts.models import COMMAND_LINE, Audit, Role, User
from server.accounts.people import USERNAME
from server.feed.files import Files, outcome, taken_in
from server.registry.communes import TWO_TIERS, make_unit
from server.registry.enrolment import command, make_code
from server.registry.models import Site, Unit
from server.words import texts
from sync.importing import Imported, import_path

logger = logging.getLogger(__name__)

LONGEST_NAME = 200
"""Letters of a commune's name, as on its page."""


def make_operator(username: str, name: str, now: datetime) -> str:
    """An account that may everything, with the password that is typed; an operator who is there gets a new password.

    Whoever may type this on the server owns it, so this is also the way back in. What was done. Raises ValueError.
    """
    t = texts(settings.CONFIG.language)
    found = User.objects.filter(username=username.strip().lower(), role=Role.OPERATOR).first()
    user = found or User(username=_free(username), name=name or username, role=Role.OPERATOR)
    password, again = _typed(t)
    wrong = passwords.problems(password, user, again)
    if wrong:
        raise ValueError("; ".join(t(key, **values) for key, values in wrong))
    user.set_password(password)
    user.is_active, user.first_password = True, False
    user.save()
    what = "account.reset" if found else "account.made"
    _note(now, what, _account(user))
    done = "operator_command.again" if found else "operator_command.made"
    return t(done, ten=user.username, url=settings.CONFIG.url)


def _typed(t: Texts) -> tuple[str, str | None]:
    """A password, and what was typed the second time: None where it comes by standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n"), None
    print(t("account.password_rules"), file=sys.stderr)
    return getpass(f"{t('account.password_new')}: "), getpass(f"{t('account.password_again')}: ")


@transaction.atomic
def set_up(code: str, name: str, site: str, site_name: str, admin: str, now: datetime) -> str:
    """A commune with a reception point, its administrator and a code for its first kiosk: what is to be done next.

    Run again it changes nothing that is there, and gives another code. Raises ValueError.
    """
    t, name = texts(settings.CONFIG.language), clean(name)
    there = Unit.objects.filter(code=code).first()
    if not there and not UNIT_CODE.ok(code):
        raise ValueError(f"--code {code!r}: {t('setup_command.code')}")
    if not ID.ok(site):
        raise ValueError(f"--site {site!r}: {t('field.site_key')}")
    if not there and not 0 < len(name) <= LONGEST_NAME:
        raise ValueError(f"--name: {t('setup_command.name', n=LONGEST_NAME)}")
    unit = there or make_unit(code, name, TWO_TIERS, now)
    if not there:
        _note(now, "unit.made", f"{unit.code} {unit.name}", unit)
    place = _place(unit, site, site_name, now)
    said = [t("setup_command.there" if there else "setup_command.done", xa=unit.name, diem=place.name)]
    if there and name not in ("", unit.name):
        said.append(t("setup_command.other_name", xa=unit.name, ten=name, url=settings.CONFIG.url))
    if not unit.user_set.filter(role=Role.ADMIN).exists():
        username = admin or f"quan-tri-{code.lower()}"
        first = _administrator(username, unit, now)
        said.append(t("setup_command.account", url=settings.CONFIG.url, ten=username, mat_khau=first))
    made = make_code(place, now)
    _note(now, "kiosk.code", place.name, unit)
    until = f"{now.astimezone(LOCAL):%H:%M}"
    said.append(t("setup_command.kiosk", lenh=command(settings.CONFIG, made), gio=until))
    if settings.CONFIG.only_here:
        said.append(t("server.only_here", url=settings.CONFIG.url, tep=settings.CONFIG.file))
    elif not settings.CONFIG.secure:
        said.append(t("kiosks.plain"))
    return "\n".join(said)


def _place(unit: Unit, key: str, name: str, now: datetime) -> Site:
    names = {"name": name or f"Trụ sở {unit.name}"}
    place, made = Site.objects.get_or_create(unit=unit, key=key, defaults=names)
    if made:
        _note(now, "site.made", f"{place.key} {place.name}", unit)
    return place


def take_in(path: Path, now: datetime) -> tuple[str, bool]:
    """Files that kiosks exported: what became of each, and whether there were any and all is well with them.

    Raises OSError when they cannot be read.
    """
    t = texts(settings.CONFIG.language)
    done = import_path(Files(now), path, now)
    for unit, about in taken_in(done):
        _note(now, "feed.imported", about, unit)
    said = [f"{file.name}: {_outcome(file, t)}" for file in done] or [t("import_command.none", noi=path)]
    return "\n".join(said), bool(done) and all(file.code == "ok" for file in done)


def _outcome(file: Imported, t: Texts) -> str:
    if file.code != "ok" and file.detail:
        logger.warning("%s: %s", file.name, file.detail)
    what = outcome(file)
    # The answer is on the stick already, not to be saved there as on the page.
    key = f"import_command.{what}" if what in ("gap", "fork") else f"import.{what}"
    taken = [t("import.ok", n=t.number(file.added))] if file.added and what != "ok" else []
    return ". ".join([*taken, t(key, device=file.device, n=t.number(file.added))])


def _note(now: datetime, what: str, about: str, unit: Unit | None = None) -> None:
    Audit.objects.create(at=now, who=COMMAND_LINE, unit=unit, what=what, about=about[:300])


def _account(user: User) -> str:
    return f"{user.username} ({user.role})"


def _administrator(username: str, unit: Unit, now: datetime) -> str:
    user = User(username=_free(username), name=username, role=Role.ADMIN, unit=unit, first_password=True)
    first = passwords.first()
    user.set_password(first)
    user.save()
    _note(now, "account.made", _account(user), unit)
    return first


def _free(username: str) -> str:
    """The name in lower case, when an account may have it. Raises ValueError."""
    t, name = texts(settings.CONFIG.language), username.strip().lower()
    if not USERNAME.regex.search(name):  # type: ignore[union-attr]
        raise ValueError(f"{username}: {t('field.username')}")
    if User.objects.is_taken(name):
        raise ValueError(f"{username}: {t('field.unique')}")
    return name
