"""How services, counters and clerks were called: by the office document that was in force on a day."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import count

from django.db.models import QuerySet

from kiosk.office import LabelSet, Office
from kiosk.texts import LOCAL
from server.office.models import Document, Kind
from server.office.reading import first_read, read
from server.registry.models import Site, Unit


@dataclass(frozen=True, slots=True)
class Names:
    """What is shown for ids; an id that no document knows is shown as it is.

    `services`, `counters` and `clerks` map ids to names in the office's own order, `label_sets` ids to label sets,
    `services_en` ids to English names where the office gave one.
    """

    unit: str
    site: str
    services: Mapping[str, str]
    counters: Mapping[str, str]
    clerks: Mapping[str, str]
    label_sets: Mapping[str, LabelSet]
    services_en: Mapping[str, str] = field(default_factory=dict)

    def service(self, id: str, language: str = "vi") -> str:
        return (language != "vi" and self.services_en.get(id)) or self.services.get(id, id)

    def counter(self, id: str) -> str:
        return self.counters.get(id, id)

    def clerk(self, id: str) -> str:
        return self.clerks.get(id, id)


def office_of(site: Site, day: date | None = None) -> Office | None:
    """The office document of a site at the end of a day, else the first one after it; the newest without a day.

    Documents that this release cannot read are passed over.
    """
    versions = Document.objects.filter(site=site, kind=Kind.OFFICE)
    if day is None:
        return first_read(_contents(versions.order_by("-version")))
    end = datetime.combine(day + timedelta(days=1), time(), LOCAL)
    before = first_read(_contents(versions.filter(at__lt=end).order_by("-version")))
    return before or first_read(_contents(versions.order_by("version")))


def _contents(versions: QuerySet[Document]) -> Iterator[bytes]:
    """One after another: mostly the first is wanted alone."""
    contents = versions.values_list("content", flat=True)
    for at in count():
        found = list(contents[at : at + 1])
        if not found:
            return
        yield bytes(found[0])


def names_of(site: Site, day: date | None = None) -> Names:
    """The names at a site on a day (by default now). Ids of older documents keep the name that they had last."""
    documents = Document.objects.filter(site=site, kind=Kind.OFFICE).order_by("version")
    known: dict[str, dict[str, str]] = {"services": {}, "counters": {}, "clerks": {}}
    sets: dict[str, LabelSet] = {}
    english: dict[str, str] = {}
    office = office_of(site, day)
    for one in filter(None, [*(read(bytes(row.content)) for row in documents), office]):
        known["services"] |= {each.id: each.name for each in one.services}
        known["counters"] |= {each.id: each.label for each in one.counters}
        known["clerks"] |= {each.id: each.name for each in one.clerks}
        sets |= {each.id: each for each in one.label_sets}
        english |= {each.id: each.name_en for each in one.services}
    ordered = _in_order(known, office) if office else known
    return Names(unit_name(site.unit, day), site.name, label_sets=sets, services_en=english, **ordered)


def unit_name(unit: Unit, day: date | None = None) -> str:
    """How the commune was called on a day: the latest name that was valid then."""
    if day is None:
        return unit.name
    row = unit.names.filter(valid_from__lte=day).order_by("-valid_from").first()
    return row.name if row else unit.name


def _in_order(known: Mapping[str, Mapping[str, str]], office: Office) -> dict[str, dict[str, str]]:
    """What the office has now stands first, in its order."""
    order = {
        "services": [each.id for each in office.services],
        "counters": [each.id for each in office.counters],
        "clerks": [each.id for each in office.clerks],
    }
    return {kind: {id: names[id] for id in dict.fromkeys([*order[kind], *names])} for kind, names in known.items()}
