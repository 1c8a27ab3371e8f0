"""The rows of one device while events are folded into them: read once, changed in memory, written together."""

from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from typing import Any, TypeVar

from django.db import connection, models

from server.facts.models import Comment, Desk, Dirty, Fact, Rating, Refusal, Ticket
from server.registry.models import Device

Row = TypeVar("Row", bound=models.Model)
KEYS: dict[type[models.Model], tuple[str, ...]] = {
    Ticket: ("id",),
    Rating: ("id",),
    Comment: ("id",),
    Desk: ("device", "counter"),
    Fact: ("device", "kind", "key"),
    Refusal: ("device", "day", "service", "reason"),
}
"""What tells the rows of a table apart; the first two words of a key are the device's own."""
WRITTEN_BY_PEOPLE = frozenset({"text", "salt", "gone", "kept_by", "kept_at", "result", "answer", "answered_at"})
"""Fields of a comment that do not come from events: making the facts again leaves them as they are."""


class Rows:
    """The working set of a device. It opens no transaction. Sums of days before `since` are closed.

    `rebuild`: what was folded asks for the device's facts to be made again.
    """

    def __init__(self, device: Device, since: date = date.min) -> None:
        self.device = device
        self.since = since
        self._known: dict[type[models.Model], dict[tuple[Any, ...], models.Model]] = {model: {} for model in KEYS}
        self._changed: dict[type[models.Model], set[tuple[Any, ...]]] = {model: set() for model in KEYS}
        self._asked: dict[type[models.Model], set[tuple[Any, ...]]] = {model: set() for model in KEYS}
        self._rated: set[str] = set()
        self._dropped: list[models.Model] = []
        self.dirty: set[date] = set()
        self.rebuild = False

    def load(self, model: type[Row], **where: Any) -> list[Row]:
        """All rows of the device that are like this, as they are now in memory."""
        found: dict[tuple[Any, ...], models.Model] = {}
        for row in model._default_manager.filter(device=self.device, **where):
            key = self._key(row)
            found[key] = self._known[model].setdefault(key, row)
        return list(found.values())  # type: ignore[arg-type]

    def preload(self, model: type[models.Model], ids: Iterable[str]) -> None:
        """Fetch rows by their id at once; those that are not there are not asked for again."""
        asked = {id for id in ids if (id,) not in self._asked[model]}
        if asked:
            self.load(model, pk__in=asked)
            self._asked[model] |= {(id,) for id in asked}

    def load_ratings(self, tickets: Iterable[str]) -> None:
        """Fetch the ratings of these tickets, of whatever feed of the site they are; once."""
        new = set(tickets) - self._rated
        if not new:
            return
        self._rated |= new
        for row in Rating.objects.filter(site=self.device.site, ticket__in=new):
            self._known[Rating].setdefault(self._key(row), row)

    def get(self, model: type[Row], *key: Any) -> Row | None:
        """The row with this key (without the device), None when there is none."""
        if key not in self._known[model] and key not in self._asked[model]:
            names = [name for name in KEYS[model] if name != "device"]
            self.load(model, **dict(zip(names, key, strict=True)))
            self._asked[model].add(key)
        return self._known[model].get(key)  # type: ignore[return-value]

    def put(self, row: models.Model) -> None:
        """Keep a new or changed row; the day that it belongs to, if any, is to be summed again."""
        model, key = type(row), self._key(row)
        self._known[model][key] = row
        self._changed[model].add(key)
        if isinstance(row, Ticket | Rating):
            self.dirty.add(row.day)

    def drop(self, row: models.Model) -> None:
        """Take a row away."""
        self._known[type(row)].pop(self._key(row), None)
        self._changed[type(row)].discard(self._key(row))
        self._dropped.append(row)

    def known(self, model: type[Row]) -> list[Row]:
        """The rows that are in memory."""
        return list(self._known[model].values())  # type: ignore[arg-type]

    def save(self, at: datetime) -> None:
        """Write what changed, and note which days are to be summed again."""
        for row in self._dropped:
            if row.pk is not None:
                row.delete()
        for model, keys in self._changed.items():
            self._write(model, [self._known[model][key] for key in sorted(keys)])
        site = self.device.site
        Dirty.objects.bulk_create([Dirty(site=site, day=day) for day in self.dirty], ignore_conflicts=True)

    def _write(self, model: type[models.Model], rows: list[models.Model]) -> None:
        sql, fields = _upsert(model, connection.vendor)
        values = [[field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields] for row in rows]
        with connection.cursor() as cursor:
            cursor.executemany(sql, values)

    def _key(self, row: models.Model) -> tuple[Any, ...]:
        return tuple(getattr(row, name) for name in KEYS[type(row)] if name != "device")


@cache
def _upsert(model: type[models.Model], vendor: str) -> tuple[str, list[Any]]:
    """One statement for new and changed rows, and the fields whose values it takes.

    By hand: Django's bulk_create builds it anew for each row, and while it does so nobody else can write to SQLite.
    """
    fields = [f for f in model._meta.concrete_fields if not isinstance(f, models.BigAutoField)]
    keys = [str(f.column) for f in fields if f.name in KEYS[model]]
    kept = [str(f.column) for f in fields if f.name not in KEYS[model] and f.name not in WRITTEN_BY_PEOPLE]
    columns, marks = ", ".join(str(f.column) for f in fields), ", ".join(["%s"] * len(fields))
    changes = ", ".join(f"{column} = excluded.{column}" for column in kept)
    table = model._meta.db_table
    sql = f"INSERT INTO {table} ({columns}) VALUES ({marks}) ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes}"
    sql += f" WHERE {table}.device_id = excluded.device_id"  # an id that another kiosk uses too takes nothing from it
    return sql, fields
