"""What the public page of a reception point shows, as far as its leader switched it on."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from kiosk.dossiers import Dossiers, dossiers_of
from kiosk.office import Hotline, Office
from kiosk.texts import LOCAL
from server.facts.models import Comment
from server.office.names import Names
from server.publication import freezing
from server.publication.content import dossiers_now, rating
from server.publication.explaining import Satisfaction, satisfaction
from server.publication.models import Frozen, Setting
from server.registry.models import Site
from server.reports import periods
from server.reports.figures import Visits, read_days
from server.reports.naming import names_on, offices_now
from server.reports.opinions import latest, read_ratings
from server.reports.periods import Kind, Period
from server.reports.today import SiteNow, sites_now

ANSWERS = 10
FROZEN = 12
WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class Rated:
    """Satisfaction of a month, as far as it may be shown, by label set."""

    days: Period
    ratings: tuple[Satisfaction, ...]


@dataclass(frozen=True, slots=True)
class PublicSite:
    """All that may be on the page; what is switched off is None or empty.

    `now` is today as far as the kiosks told until `seen`, `week` the seven days before. `stale`: the dossier figures
    are old. `clerks` are of `clerks_of`. `frozen` are frozen periods with their newest revision.
    """

    site: Site
    setting: Setting
    unit_name: str
    now: SiteNow
    seen: datetime | None
    week: Visits | None
    dossiers: Dossiers | None
    stale: bool
    rated: Rated | None
    clerks: tuple[tuple[str, Satisfaction], ...]
    clerks_of: Period
    frozen: tuple[tuple[Frozen, int], ...]
    answers: tuple[Comment, ...]
    hotlines: tuple[Hotline, ...]


def rated(site: Site, now: datetime) -> Rated | None:
    """The newest satisfaction that may be shown; None when there is none of this month nor of the one before."""
    found = latest([site], now).get(site.pk)
    if found is None:
        return None
    ratings = (rating(name, each, [site]) for name, each in found.opinions.items())
    return Rated(found.days, tuple(satisfaction(each) for each in ratings))


def sites_of(code: str) -> list[Site]:
    """The reception points of a commune that are public, by the commune's code."""
    found = Site.objects.select_related("unit", "publication").filter(unit__code=code, publication__on=True)
    return list(found.order_by("key"))


def public_site(site: Site, now: datetime) -> PublicSite:
    """What is public of a reception point now. Some queries: its page is cached."""
    setting, day = site.publication, now.astimezone(LOCAL).date()
    office, names, live = offices_now([site])[site.pk], names_on([site], day)[site.pk], sites_now([site], now)[0]
    dossiers = _dossiers(site) if setting.dossiers else None
    month = periods.around(Kind.MONTH, day).before()
    return PublicSite(
        site=site,
        setting=setting,
        unit_name=names.unit,
        now=live,
        seen=max((kiosk.seen for kiosk in live.kiosks if kiosk.seen), default=None),
        week=_week(site, day) if setting.waits else None,
        dossiers=dossiers,
        stale=dossiers is not None and _stale(dossiers, office, now),
        rated=rated(site, now) if setting.satisfaction else None,
        clerks=_clerks(site, month, now, names) if setting.clerks else (),
        clerks_of=month,
        frozen=_frozen(site) if setting.frozen else (),
        answers=_answers(site) if setting.answers else (),
        hotlines=office.hotlines if office else (),
    )


def week_before(day: date) -> Period:
    """The seven days before a day."""
    return periods.between(day - timedelta(days=WEEK_DAYS), day - timedelta(days=1))


def _week(site: Site, day: date) -> Visits:
    period = week_before(day)
    return read_days([site], period).whole(period)


def _dossiers(site: Site) -> Dossiers | None:
    found = dossiers_now([site])
    return dossiers_of(found) if found else None


def _stale(dossiers: Dossiers, office: Office | None, now: datetime) -> bool:
    hours = office.rules.dossiers_stale_h if office else 0
    return dossiers.older_than(hours, now) or dossiers.ahead_of(now)


def _clerks(site: Site, month: Period, now: datetime, names: Names) -> tuple[tuple[str, Satisfaction], ...]:
    """Each clerk's figures of the last month that is over, where there are enough (server.reports.opinions)."""
    found = read_ratings([site], month, now, "clerk").over(month)
    return tuple(
        (f"{names.clerk(cell.key)} – {each.name}" if len(opinions) > 1 else names.clerk(cell.key), each)
        for cell, opinions in found.items()
        if cell.key
        for each in (satisfaction(rating(name, of, [site])) for name, of in opinions.items())
    )


def _frozen(site: Site) -> tuple[tuple[Frozen, int], ...]:
    """Frozen periods of the point and of its whole commune, the latest first."""
    rows = [each for each in Frozen.objects.filter(unit=site.unit).order_by("-last", "-first", "-pk") if
            each.site_id in (None, site.pk)][:FROZEN]  # fmt: skip
    newest = freezing.newest(rows)
    return tuple((row, newest.get(row.pk, 0)) for row in rows)


def _answers(site: Site) -> tuple[Comment, ...]:
    return tuple(Comment.objects.filter(site=site).exclude(answer="").order_by("-answered_at")[:ANSWERS])
