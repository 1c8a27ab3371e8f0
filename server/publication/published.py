"""What the public page of a reception point shows, as far as its leader switched it on."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from kiosk.dossiers import Dossiers, dossiers_of
from kiosk.office import Hotline, LabelSet, Office
from kiosk.rating import Figure
from kiosk.texts import LOCAL
from server.facts.models import Comment, Fact
from server.office.names import Names
from server.publication import freezing
from server.publication.content import dossiers_at, rating
from server.publication.explaining import Satisfaction, satisfaction
from server.publication.models import Frozen, Setting
from server.registry.models import Site
from server.reports import periods
from server.reports.figures import Visits, read_days
from server.reports.naming import names_on, offices_now
from server.reports.opinions import read_ratings
from server.reports.periods import Kind, Period
from server.reports.today import Published, SiteNow, read_published, sites_now

ANSWERS = 10
FROZEN = 12
WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class Rated:
    """Satisfaction as the kiosks published it last: of a month, up to the end of a session of a day."""

    period: Period
    day: date
    session: str
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
        rated=rated(site, day, office, names) if setting.satisfaction else None,
        clerks=_clerks(site, month, now, names) if setting.clerks else (),
        clerks_of=month,
        frozen=_frozen(site) if setting.frozen else (),
        answers=_answers(site) if setting.answers else (),
        hotlines=office.hotlines if office else (),
    )


def rated(site: Site, day: date, office: Office | None, names: Names) -> Rated | None:
    """Satisfaction of this month, else of the one before; None when neither has a published figure."""
    this = periods.around(Kind.MONTH, day)
    for period in (this, this.before()):
        found = Fact.objects.filter(site=site, kind="published", key=period.key).order_by("device")
        shown = [each for value in found.values_list("value", flat=True) for each in read_published(value)]
        if shown:
            last = max(shown, key=lambda each: each.day)
            sessions = {each.id: each.name for each in office.sessions} if office else {}
            ratings = tuple(_of_set(id, names.label_sets.get(id), shown) for id in _sets(shown))
            return Rated(period, last.day, sessions.get(last.session, last.session), ratings)
    return None


def _sets(shown: Iterable[Published]) -> list[str]:
    return sorted({each.figure.label_set for each in shown})


def _of_set(id: str, labels: LabelSet | None, shown: Iterable[Published]) -> Satisfaction:
    """One label set's figure of all kiosks of the point together."""
    own = [each.figure for each in shown if each.figure.label_set == id]
    levels, left_out = Counter[int](), dict[str, Counter[int]]()
    for figure in own:
        levels.update(figure.by_level)
        for flag, of in figure.left_out.items():
            left_out.setdefault(flag, Counter()).update(of)
    k, n, served = (sum(getattr(figure, name) for figure in own) for name in ("k", "n", "served"))
    return satisfaction(rating(id, labels, Figure(id, k, n, served, dict(levels), dict(left_out)), None))


def _week(site: Site, day: date) -> Visits:
    period = periods.between(day - timedelta(days=WEEK_DAYS), day - timedelta(days=1))
    return read_days([site], period).whole(period)


def _dossiers(site: Site) -> Dossiers | None:
    found = dossiers_at([site])
    return dossiers_of(found) if found else None


def _stale(dossiers: Dossiers, office: Office | None, now: datetime) -> bool:
    hours = office.rules.dossiers_stale_h if office else 0
    return dossiers.older_than(hours, now) or dossiers.ahead_of(now)


def _clerks(site: Site, month: Period, now: datetime, names: Names) -> tuple[tuple[str, Satisfaction], ...]:
    """Each clerk's figures of the last month that is over, where there are enough (server.reports.opinions)."""
    found = read_ratings([site], month, now, "clerk").over(month)
    return tuple(
        (names.clerk(cell.key), satisfaction(rating(name, each.labels, each.figure, each.left_out)))
        for cell, opinions in found.items()
        if cell.key
        for name, each in opinions.items()
    )


def _frozen(site: Site) -> tuple[tuple[Frozen, int], ...]:
    """Frozen periods of the point and of its whole commune, the latest first."""
    rows = [each for each in Frozen.objects.filter(unit=site.unit).order_by("-last", "-first", "-pk") if
            each.site_id in (None, site.pk)][:FROZEN]  # fmt: skip
    newest = freezing.newest(rows)
    return tuple((row, newest.get(row.pk, 0)) for row in rows)


def _answers(site: Site) -> tuple[Comment, ...]:
    return tuple(Comment.objects.filter(site=site).exclude(answer="").order_by("-answered_at")[:ANSWERS])
