"""The figures of a period as plain values that can be kept as JSON: what is frozen, published and explained.

Shape: {"format", "unit": {"code", "name"}, "site": {"key", "name"} or None, "period", "visits": {counts, "wait",
"service"}, "services": [{"id", "name", "name_en", …counts, "wait"}], "ratings": [{"set", "name", "levels", "k", "n",
"served", "by_level", "left_out", "left_out_total"}], "withheld", "least", "reasons": {set: {reason: n}}, "letters":
{kind: n}, "dossiers": {…} or None}. A spread is {"n", "median", "p90"} in whole minutes.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from typing import Any

from kiosk.rating import RatingPolicy
from kiosk.texts import LOCAL
from kiosk.tickets import text_of
from server.facts.models import Fact
from server.office.names import Names, unit_name
from server.publication import letters
from server.registry.models import Site, Unit
from server.reports.figures import COUNTS, Cell, Visits, read_days
from server.reports.naming import names_on, set_name
from server.reports.opinions import Opinion, RatingDays, read_ratings
from server.reports.periods import Period
from server.reports.spreads import Spread

FORMAT = 2
"""1: who missed a call was among "closed" as soon as the day was closed."""
LEVEL = ("value", "text", "text_en", "satisfied", "face")
SPREADS = frozenset({"wait", "service"})
"""Times, which may be unknown where a count is 0."""
STATE_DAYS = timedelta(days=5)
"""So long after a period a state of the dossiers may be from and still be the period's: a leader enters a month's on
the first days of the next, after a weekend or the days off of 30 April and 1 May."""
Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """A commune as a whole, or one of its reception points."""

    unit: Unit
    site: Site | None = None

    def sites(self) -> list[Site]:
        """The reception points, with their unit."""
        if self.site is not None:
            return [self.site]
        return list(Site.objects.select_related("unit").filter(unit=self.unit).order_by("key"))


def content_of(place: Place, period: Period, now: datetime) -> Content:
    """The figures of a period as they may be shown now."""
    sites = place.sites()
    ratings = read_ratings(sites, period, now)
    site = {"key": place.site.key, "name": place.site.name} if place.site else None
    return {
        "format": FORMAT,
        "unit": {"code": place.unit.code, "name": unit_name(place.unit, period.last)},
        "site": site,
        "period": period.key,
        "visits": _visits(read_days(sites, period).whole(period)),
        "services": _services(sites, period),
        "ratings": [rating(name, each, sites) for name, each in ratings.whole(period).items()],
        "withheld": ratings.withholds(period),
        "least": _least(ratings, period),
        "reasons": ratings.reasons(period),
        "letters": {} if place.site else letters.counted(place.unit, period),
        "dossiers": dossiers_in(sites, period),
    }


def packed(content: Mapping[str, Any]) -> bytes:
    """Always the same bytes for the same figures."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def unpacked(data: bytes | memoryview) -> Content:
    """The other way."""
    content: Content = json.loads(bytes(data))
    return content


def dossiers_now(sites: Sequence[Site]) -> Content | None:
    """The newest dossier figures that a kiosk of these sites has told, None for none."""
    return max(_told(sites), key=_as_of, default=None)


def dossiers_in(sites: Sequence[Site], period: Period) -> Content | None:
    """The newest of those that belong to a period, None for none.

    They are a state at a moment: it must lie in the period, or at most STATE_DAYS after it. Of each kiosk only what it
    told last is known, so that a period of long ago has none.
    """
    first = datetime.combine(period.first, time(), LOCAL)
    end = datetime.combine(period.last, time(), LOCAL) + timedelta(days=1) + STATE_DAYS
    belong = (value for value in _told(sites) if text_of(first) <= _as_of(value) < text_of(end))
    return max(belong, key=_as_of, default=None)


def _told(sites: Sequence[Site]) -> list[Content]:
    """The last dossier figures of each kiosk, but for those that were taken off."""
    told = Fact.objects.filter(site__in=sites, kind="dossiers").values_list("value", flat=True)
    return [value for value in told if value.get("as_of")]


def _as_of(dossiers: Content) -> str:
    """In UTC, as event lines write it: as text the earlier moment is the smaller one."""
    return str(dossiers["as_of"])


def adjusted(before: Content, now: Content) -> Content:
    """What stands in place of frozen figures, given what they would be now.

    Counts follow. Ratings of a label set move only when at least `least` of its own came in, or count no more: with
    fewer, what moved would tell who pressed. Names and dossier figures stay as they were frozen.
    """
    least = max(before["least"], now["least"])
    was, true = _by_set(before), _by_set(now)
    moved = {name for name in {*was, *true} if abs(_given(true, name) - _given(was, name)) >= least}
    kept = {name: of for name, of in was.items() if name not in moved} | {n: of for n, of in true.items() if n in moved}
    ratings = [kept[name] for name in sorted(kept)]
    reasons = {name: (now if name in moved else before)["reasons"].get(name, {}) for name in sorted(kept)}
    same = {name: before[name] for name in ("unit", "site", "period", "dossiers", "least")}
    return {
        **now,
        **same,
        "ratings": ratings,
        "reasons": {name: ticked for name, ticked in reasons.items() if ticked},
        "withheld": now["withheld"] and not ratings,
        "services": _named_as_before(before, now),
    }


def changes(before: Content, after: Content) -> list[tuple[tuple[str, ...], int | None, int | None]]:
    """Which numbers differ: where each stands, what it was, what it is. A count that is not there is 0; a time that
    is not there is None."""
    was, now = dict(_numbers(before)), dict(_numbers(after))

    def of(numbers: dict[tuple[str, ...], int | None], path: tuple[str, ...]) -> int | None:
        return numbers.get(path, None if _is_time(path) else 0)

    paths = {**now, **was}
    return [(path, of(was, path), of(now, path)) for path in paths if of(was, path) != of(now, path)]


def _is_time(path: Sequence[str]) -> bool:
    """Reasons and services may be called as times are."""
    return path[-1] in ("median", "p90") and path[-2] in SPREADS


def _numbers(content: Content) -> Iterator[tuple[tuple[str, ...], int | None]]:
    """Every number that is compared, by its place."""
    yield from _counts(("visits",), content["visits"])
    for service in content["services"]:
        yield from _counts(("services", service["id"]), service)
    for rating in content["ratings"]:
        place = ("ratings", rating["set"])
        yield from (((*place, name), rating[name]) for name in ("k", "n", "served", "left_out_total"))
        yield from (((*place, "level", level), n) for level, n in rating["by_level"].items())
    for name, ticked in content["reasons"].items():
        yield from ((("ratings", name, "reason", reason), n) for reason, n in ticked.items())
    for kind, n in content["letters"].items():
        yield ("letters", kind), n


def _counts(place: tuple[str, ...], of: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], int | None]]:
    yield from (((*place, name), of[name]) for name in COUNTS)
    for spread in sorted(SPREADS & of.keys(), reverse=True):
        yield from (((*place, spread, name), of[spread][name]) for name in ("median", "p90"))


# --- making it ------------------------------------------------------------------------------------------------


def _visits(visits: Visits) -> Content:
    return {**{name: getattr(visits, name) for name in COUNTS}, "wait": _spread(visits.wait),
            "service": _spread(visits.service)}  # fmt: skip


def _spread(spread: Spread) -> Content:
    return asdict(spread)


def _services(sites: Sequence[Site], period: Period) -> list[Content]:
    names = names_on(sites, period.last)
    found = read_days(sites, period, "service").over(period)
    order = [id for site in sites for id in names[site.pk].services]
    known = {id: names[site.pk] for site in reversed(sites) for id in names[site.pk].services}

    def place(cell: Cell) -> tuple[int, str]:
        return (order.index(cell.key) if cell.key in order else len(order), cell.key)

    return [
        {"id": cell.key, **_called(cell.key, known.get(cell.key)), **_visits(found[cell])}
        for cell in sorted(found, key=place)
    ]


def _called(service: str, names: Names | None) -> Content:
    return {"name": names.service(service) if names else service,
            "name_en": names.service(service, "en") if names else service}  # fmt: skip


def rating(name: str, opinion: Opinion, sites: Sequence[Site]) -> Content:
    """One label set's figure of these sites."""
    labels, figure = opinion.labels, opinion.figure
    levels = sorted(labels.levels, key=lambda level: -level.value) if labels else []
    return {
        "set": name,
        "name": set_name(name, labels, sites),
        "levels": [{field: getattr(each, field) for field in LEVEL} for each in levels],
        "k": figure.k,
        "n": figure.n,
        "served": figure.served,
        "by_level": _plain(figure.by_level),
        "left_out": {flag: _plain(by_level) for flag, by_level in figure.left_out.items()},
        "left_out_total": opinion.left_out,
    }


def _plain(by_level: Mapping[int, int]) -> dict[str, int]:
    """Keys as JSON has them."""
    return {str(level): n for level, n in by_level.items()}


def _least(ratings: RatingDays, period: Period) -> int:
    return max((site.asking.least(period.last) for site in ratings.sites.values()), default=RatingPolicy().rating_min)


def _by_set(content: Content) -> dict[str, Content]:
    return {rating["set"]: rating for rating in content["ratings"]}


def _given(ratings: Mapping[str, Content], name: str) -> int:
    return int(ratings[name]["n"]) if name in ratings else 0


def _named_as_before(before: Content, now: Content) -> list[Content]:
    called = {each["id"]: {key: each[key] for key in ("name", "name_en") if key in each} for each in before["services"]}
    return [{**service, **called.get(service["id"], {})} for service in now["services"]]
