"""What the office documents say to reports: names of a day, and what the ratings' label sets mean.

Documents never change, so what was read from them is kept in memory, found by the hashes of all versions of a site.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache

from kiosk.office import LabelSet, Office
from kiosk.rating import RatingPolicy
from kiosk.texts import LOCAL
from server.office.models import Document, Kind
from server.office.names import Names, names_of, office_of
from server.office.reading import read
from server.registry.models import Site

Versions = tuple[tuple[int, str, datetime], ...]
"""Version, hash and time of each office document of a site, the oldest first."""


@dataclass(frozen=True, slots=True)
class Asking:
    """How a site asks: its label sets by id, old ones included, and `rating_min` by the day from which on it held."""

    minima: tuple[tuple[date, int], ...] = ()
    sets: Mapping[str, LabelSet] = field(default_factory=dict)

    def least(self, day: date) -> int:
        """The fewest ratings that are told together, as it held at the end of a day; before all documents, the first's.

        Bundles that are made stay: a document of today says nothing about those of last year.
        """
        if not self.minima:
            return RatingPolicy().rating_min
        at = bisect_right(self.minima, day, key=lambda each: each[0])
        return self.minima[max(at - 1, 0)][1]

    def meaning(self, label_set: str) -> frozenset[tuple[int, bool]]:
        """The levels of a set and whether they satisfy: two sets with the same are one. Nothing for an unknown set."""
        found = self.sets.get(label_set)
        return frozenset((level.value, level.satisfied) for level in found.levels) if found else frozenset()


@dataclass(frozen=True, slots=True)
class _Documents:
    """A site with its versions; two are the same when all that could be read from them is."""

    site: Site = field(compare=False)
    key: int
    name: str
    unit: str
    versions: Versions


def asking_of(sites: Sequence[Site], needed: Mapping[int, Collection[str]], now: datetime) -> dict[int, Asking]:
    """How each site asks, by its primary key; `needed` are the label sets that its ratings speak of."""
    today = now.astimezone(LOCAL).date()
    return {
        documents.key: _asking(documents, frozenset(needed.get(documents.key, ())), today)
        for documents in _documents(sites)
    }


def names_on(sites: Sequence[Site], day: date) -> dict[int, Names]:
    """The names at each site on a day, by its primary key."""
    return {documents.key: _names(documents, day) for documents in _documents(sites)}


def set_name(name: str, labels: LabelSet | None, sites: Iterable[Site]) -> str:
    """What a label set of `reports.opinions.Opinions` is called; one that two sites mean differently with its site."""
    id, _, of = name.partition("@")
    called = labels.name if labels else id
    return f"{called} ({next(site.name for site in sites if site.pk == int(of))})" if of else called


def offices_now(sites: Sequence[Site]) -> dict[int, Office | None]:
    """The newest office document of each site, by its primary key."""
    return {documents.key: _office(documents) for documents in _documents(sites)}


def _documents(sites: Sequence[Site]) -> list[_Documents]:
    """Needs the sites' units; one query for all."""
    found = Document.objects.filter(site__in=sites, kind=Kind.OFFICE).order_by("version")
    versions: dict[int, list[tuple[int, str, datetime]]] = defaultdict(list)
    for site, version, sha256, at in found.values_list("site_id", "version", "sha256", "at"):
        versions[site].append((version, sha256, at))
    return [_Documents(site, site.pk, site.name, site.unit.name, tuple(versions[site.pk])) for site in sites]


@lru_cache(maxsize=1024)
def _office(documents: _Documents) -> Office | None:
    return office_of(documents.site)


@lru_cache(maxsize=1024)
def _asking(documents: _Documents, needed: frozenset[str], today: date) -> Asking:
    office = _office(documents)
    if office is None:
        return Asking()
    sets: Mapping[str, LabelSet] = {each.id: each for each in office.label_sets}
    if not needed <= sets.keys():
        sets = names_of(documents.site).label_sets
    return Asking(_minima(documents, today), sets)


def _minima(documents: _Documents, today: date) -> tuple[tuple[date, int], ...]:
    _read_minima(documents)
    found: dict[date, int] = {}
    for _, sha256, at in documents.versions:
        if (least := _minimum[sha256]) is not None:
            since = at.astimezone(LOCAL).date()
            # What a clock that ran ahead has dated later than this newer version never held. What has held already
            # stays: then it is this version's clock that was behind.
            found = {day: held for day, held in found.items() if day <= max(since, today)}
            found[max([since, *found])] = least
    return tuple(found.items())


_minimum: dict[str, int | None] = {}
"""The `rating_min` of an office document by its hash, None for one of another release: too many to read them twice."""


def _read_minima(documents: _Documents) -> None:
    new = {sha256 for _, sha256, _ in documents.versions} - _minimum.keys()
    rows = Document.objects.filter(site=documents.key, kind=Kind.OFFICE, sha256__in=new) if new else ()
    for row in rows:
        office = read(bytes(row.content))
        _minimum[row.sha256] = office.rules.rating_min if office else None


@lru_cache(maxsize=1024)
def _names(documents: _Documents, day: date) -> Names:
    return names_of(documents.site, day)
