"""The storage of `sync.ingest` on the server's database: SQLite and PostgreSQL by the same statements."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from server.feed.models import Head
from server.registry.models import Device
from sync.ingest import Followed, Row
from sync.wire import START, Header, Position

MOST = 2**53
"""Beyond it JSON's numbers are not whole, and nothing of a kiosk is counted that far."""

_INSERT = (
    "INSERT INTO feed_event (num, device, epoch, seq, id, type, line, quarantined, received)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
_UNNEST = (
    "INSERT INTO feed_event (num, device, epoch, seq, id, type, line, quarantined, received)"
    " SELECT num, %s, %s, seq, id, type, line, quarantined, %s FROM unnest(%s::bigint[], %s::bigint[], %s::text[],"
    " %s::text[], %s::bytea[], %s::text[]) AS rows (num, seq, id, type, line, quarantined)"
)


class Storage:
    """What ingest needs, inside the transaction of `writing`. `now` is the server's time."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._postgres = connection.vendor == "postgresql"

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction; on SQLite it has the write lock from its beginning."""
        with transaction.atomic(durable=True):
            yield

    def locked_head(self, device: str, epoch: str) -> Position:
        with connection.cursor() as cursor:
            key = (device, epoch)
            if self._postgres:
                # Two first batches of an epoch must wait for each other, so the row is there before it is locked.
                cursor.execute(
                    "INSERT INTO feed_head (device, epoch, seq, hash) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
                    (*key, *START),
                )
            lock = " FOR UPDATE" if self._postgres else ""
            cursor.execute(f"SELECT seq, hash FROM feed_head WHERE device = %s AND epoch = %s{lock}", key)
            row = cursor.fetchone()
        return Position(row[0], bytes(row[1])) if row else START

    def stored(self, ids: Sequence[str]) -> dict[str, bytes]:
        with connection.cursor() as cursor:
            if self._postgres:
                cursor.execute("SELECT id, line FROM feed_event WHERE id = ANY(%s)", [list(ids)])
            else:
                marks = ", ".join(["%s"] * len(ids))
                cursor.execute(f"SELECT id, line FROM feed_event WHERE id IN ({marks})", ids)
            return {id: bytes(line) for id, line in cursor.fetchall()}

    def add(self, device: str, epoch: str, rows: Sequence[Row]) -> None:
        received = int(self._now.timestamp() * 1000)
        with connection.cursor() as cursor:
            # Everybody locks head, counter, device in this order: in another one two would wait for each other.
            cursor.execute("UPDATE feed_counter SET num = num + %s WHERE one = 1 RETURNING num", [len(rows)])
            first = cursor.fetchone()[0] - len(rows) + 1
            # Events of an older epoch stand before newer ones that are here already: the facts are to be made again.
            Device.objects.filter(name=device, epoch__gt=epoch).update(rebuild=True)
            nums = range(first, first + len(rows))
            if self._postgres:
                columns = zip(*((r.seq, r.id, r.type, r.line, r.quarantined) for r in rows), strict=True)
                cursor.execute(_UNNEST, (device, epoch, received, list(nums), *map(list, columns)))
                return
            cursor.executemany(
                _INSERT,
                [
                    (num, device, epoch, r.seq, r.id, r.type, r.line, r.quarantined, received)
                    for num, r in zip(nums, rows, strict=True)
                ],
            )

    def advance(self, header: Header, head: Position) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO feed_head (device, epoch, seq, hash) VALUES (%s, %s, %s, %s)"
                " ON CONFLICT (device, epoch) DO UPDATE SET seq = excluded.seq, hash = excluded.hash",
                (header.device, header.epoch, *head),
            )
        # A batch that comes late is stored, but says nothing about how the device is now.
        newest = Q(epoch__lt=header.epoch) | Q(epoch=header.epoch, head__lte=header.head)
        Device.objects.filter(newest, name=header.device).update(
            epoch=header.epoch, head=header.head, status=_sound(header.status), seen=self._now
        )

    def followed(self, device: str) -> Followed:
        epoch, seen = Device.objects.values_list("epoch", "seen").get(name=device)
        return Followed(epoch, self._now - seen if seen else timedelta.max)


def heads(device: str) -> dict[str, Position]:
    """How far the server has each epoch of a device."""
    return {head.epoch: Position(head.seq, bytes(head.hash)) for head in Head.objects.filter(device=device)}


def _sound(value: Any) -> Any:
    """JSON without the letter NUL, which PostgreSQL's text cannot hold, and numbers that nobody can have measured."""
    if isinstance(value, int | float):
        return value if abs(value) < MOST else None
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, Mapping):
        return {_sound(key): _sound(item) for key, item in value.items()}
    return [_sound(item) for item in value] if isinstance(value, list) else value
