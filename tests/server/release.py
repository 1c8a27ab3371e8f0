"""The database of a release, kept as text: its migrations, its rows, its views, and what it answered.

Made once, by the release itself, when it is published: `python -m tests.server tests/server/releases/0.4.0`.
Every later one has to migrate it (test_upgrade).
"""

import base64
import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.cache import cache
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from kiosk.board_document import BoardDocument, Figures
from kiosk.clock import Moment
from kiosk.office import Office, sample
from kiosk.store import Store
from kiosk.store.phones import Answer
from kiosk.texts import LOCAL
from server import clock
from server.accounts.models import Audit, Role, User
from server.facts.models import Comment, Fact
from server.feed.intake import digest
from server.office.documents import publish
from server.office.models import Blob, Kind
from server.publication import comments, freezing, letters
from server.publication.content import Place
from server.publication.models import Setting
from server.registry.models import Integrator, UnitName
from server.reports import periods, sql_views
from server.reports.months import sum_months
from server.watch import alarms
from server.watch.models import Target
from sync import wire
from tests.office import moment, open_store
from tests.server.kit import Server, batch_of, batches, server_on

FOLDER = Path(__file__).parent / "releases"
NOW = datetime(2026, 12, 2, 12, 0, tzinfo=LOCAL)
"""The server's hour at which the release was asked: November is over and may be shown."""
TOKEN = "token-of-an-integrator"
ADDRESSES = ("/api/v1/tickets?limit=1000", "/api/v1/days?limit=100", "/api/v1/ratings?month=2026-11")
VIEWS = ("v_tickets", "v_days")
"""`v_ratings` told sums of days in 0.4, and tells months as the worker sums them."""

Plain = Any


def own_apps() -> list[str]:
    """The labels of the server's own apps; the migrations of others are their packages' affair."""
    return sorted(config.label for config in apps.get_app_configs() if config.name.startswith("server."))


def migration_files(app: str) -> dict[str, Path]:
    """An app's migrations by their name."""
    folder = Path(apps.get_app_config(app).path) / "migrations"
    return {path.stem: path for path in sorted(folder.glob("[0-9]*.py"))}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read(release: Path, name: str) -> Plain:
    """One of the files of a release: migrations, rows, views or answers."""
    return json.loads((release / f"{name}.json").read_text())


# --- making it again ------------------------------------------------------------------------------------------


def build(release: Path) -> None:
    """Make the release's database, in one that is empty: its migrations, then its rows and views by SQL."""
    names: Mapping[str, Mapping[str, str]] = read(release, "migrations")
    executor = MigrationExecutor(connection)
    # Those of other packages are their newest: they come with what is installed, whatever release this is.
    others = [node for node in executor.loader.graph.leaf_nodes() if node[0] not in own_apps()]
    executor.migrate([*others, *((app, max(known)) for app, known in names.items())])
    rows: Mapping[str, Mapping[str, Any]] = read(release, "rows")
    with transaction.atomic(), connection.cursor() as cursor:
        for table in rows:  # migrations put rows into some of them
            cursor.execute(f'DELETE FROM "{table}"')
        for table, kept in rows.items():
            columns = ", ".join(f'"{name}"' for name in kept["columns"])
            marks = ", ".join(["%s"] * len(kept["columns"]))
            values = [[_value(each) for each in row] for row in kept["rows"]]
            cursor.executemany(f'INSERT INTO "{table}" ({columns}) VALUES ({marks})', values)
        for table in rows:
            for sequence in connection.introspection.get_sequences(cursor, table):
                _go_on(table, sequence["column"])
        for statement in read(release, "views")[connection.vendor]:
            cursor.execute(statement)


def _value(kept: Plain) -> Any:
    if not isinstance(kept, dict):
        return kept
    return kept["bytes"].encode() if "bytes" in kept else base64.b64decode(kept["base64"])


def _go_on(table: str, column: str) -> None:
    """Numbers that the database gives go on after those that were loaded; SQLite sees to it by itself."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), "
                f'greatest((SELECT max("{column}") FROM "{table}"), 1))'
            )


@contextmanager
def standing_at(now: datetime) -> Iterator[None]:
    """The server's clock stands still."""
    clock.follow(lambda: now)
    cache.clear()
    try:
        yield
    finally:
        clock.follow(None)
        cache.clear()


def answers() -> Plain:
    """What programs of others read at NOW, by address or view, in an order of its own."""
    with standing_at(NOW):
        found: dict[str, Plain] = {}
        for address in ADDRESSES:
            answer = Client().get(address, headers={"Authorization": f"Bearer {TOKEN}"})
            assert answer.status_code == 200, answer.content
            found[address] = {name: value for name, value in answer.json().items() if name not in ("next", "more")}
        return _ordered(found | {view: _rows_of(view) for view in VIEWS})


def _rows_of(view: str) -> list[dict[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {view}")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, map(_shown, row), strict=True)) for row in cursor.fetchall()]


def _shown(value: Any) -> str:
    """As both engines say it."""
    return str(int(value) if isinstance(value, bool) else value)


def _ordered(value: Plain) -> Plain:
    """Lists in an order that says nothing: that of changes is another one after facts were made again."""
    if isinstance(value, dict):
        return {name: _ordered(each) for name, each in value.items() if name != "num"}
    if isinstance(value, list):
        return sorted(map(_ordered, value), key=lambda each: json.dumps(each, sort_keys=True))
    return value


def unserved_together(told: Plain) -> Plain:
    """With numbers that were missed or closed as one count, and in the order of `answers`."""
    if isinstance(told, list):
        return _ordered(list(map(unserved_together, told)))
    if not isinstance(told, dict):
        return told
    inside = {name: unserved_together(value) for name, value in told.items()}
    if {"no_show", "closed"} <= inside.keys():
        inside["no_show"] = inside["closed"] = int(inside["no_show"]) + int(inside["closed"])
    return inside


def same(then: Plain, now: Plain) -> bool:
    """Whether all that was said then is said now; there may be more beside it, by name."""
    if isinstance(then, dict) and isinstance(now, dict):
        return all(name in now and same(value, now[name]) for name, value in then.items())
    if isinstance(then, list) and isinstance(now, list):
        return len(then) == len(now) and all(map(same, then, now))
    return bool(then == now)


# --- making it for the first time -----------------------------------------------------------------------------


def make(release: Path) -> None:
    """Write the release's files. SQLite keeps values plainly enough for both engines."""
    release.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, server_on("sqlite", Path(name)) as server, standing_at(NOW):
        store = open_store(Path(name) / "kiosk")
        live(server, store)
        store.close()
        _write(release, "rows", {table: _dumped(table) for table in _tables()})
        _write(release, "answers", answers())
    names = {app: {name: sha256(path) for name, path in migration_files(app).items()} for app in own_apps()}
    _write(release, "migrations", names)
    words = {"sqlite": sql_views._SQLITE, "postgresql": sql_views._POSTGRES}
    made = (sql_views._tickets, sql_views._ratings, sql_views._days)
    _write(release, "views", {vendor: [each(said) for each in made] for vendor, said in words.items()})


def _write(release: Path, name: str, value: Plain) -> None:
    """A line for each row, so that two releases can be compared."""
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=name != "rows")
    (release / f"{name}.json").write_text(text + "\n")


def _tables() -> list[str]:
    models = [model for app in own_apps() for model in apps.get_app_config(app).get_models()]
    return sorted(model._meta.db_table for model in models if model._default_manager.exists())


def _dumped(table: str) -> dict[str, Plain]:
    with connection.cursor() as cursor:
        cursor.execute(f'PRAGMA table_info("{table}")')
        columns = {row[1]: row[2].lower() for row in cursor.fetchall()}
        cursor.execute(f'SELECT * FROM "{table}" ORDER BY 1')
        rows = [
            [_kept(value, kind) for value, kind in zip(row, columns.values(), strict=True)] for row in cursor.fetchall()
        ]
    return {"columns": list(columns), "rows": rows}


def _kept(value: Any, kind: str) -> Plain:
    if isinstance(value, bytes):
        try:
            return {"bytes": value.decode()}
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    return bool(value) if kind == "bool" else str(value) if isinstance(value, date) else value


def live(server: Server, store: Store) -> None:
    """Something of everything that a server keeps."""
    for role in Role:
        own = {"site": server.site, "clerk": sample().clerks[0].id} if role == Role.CLERK else {}
        server.user(f"la-{role}", role, **own)
    User.objects.update(password="!")  # nobody signs in with one
    UnitName.objects.create(unit=server.unit, name="xã Cũ", valid_from=date(2025, 7, 1))
    Integrator.objects.create(name="Cổng tỉnh", unit=server.unit, token=digest(TOKEN), made=NOW)
    _write_documents(server)
    for day in (0, 2):  # the 24th is a holiday
        a_day(store, day)
    evening = moment(12 * 3600, day=2)
    assert store.posters.token(evening, "1")
    assert store.ratings.publish(evening)
    for batch in batches(store.database.conn, size=40):
        assert server.push(batch).status_code == 200
    _two_odd_events(server)
    server.settle(NOW)
    for comment in Comment.objects.all():
        comment.text, comment.salt = "Chờ lâu quá", "5a17"
        comment.save()
        comments.keep(comment, "Nguyễn Văn A", NOW)
        comments.answer(comment, "Xã đã thêm quầy", NOW)
    sum_months(NOW)
    Setting.objects.create(site=server.site, on=True)
    letters.enter(server.unit, date(2026, 11, 1), {letters.KINDS[0]: 7})
    freezing.freeze(Place(server.unit), periods.parse("2026-11"), "Tháng 11", "Nguyễn Văn A", NOW)
    server.device.refresh_from_db()
    server.device.status = {"printer": "paper_out", "disk_free_mb": 21000, "clock": "ntp"}
    server.device.seen = NOW
    server.device.save()
    Target.objects.create(unit=server.unit, mails="truc@example.org", url="https://example.org/hook")
    for minutes in (0, 5):
        alarms.look(NOW + timedelta(minutes=minutes))
    Audit.objects.create(at=NOW, who="la-leader", unit=server.unit, what="comment.read", about="1: Trụ sở xã Mẫu")
    assert Fact.objects.exists()


def _write_documents(server: Server) -> None:
    Blob.objects.create(sha256="0" * 64, content=bytes(range(256)), type="image/png")
    office, at = server.site.documents.get(kind=Kind.OFFICE), NOW - timedelta(days=20)
    publish(server.site, Office.from_json(bytes(office.content)), seen=1, by="la-admin", note="như cũ", now=at)
    board = BoardDocument(version=1, dossiers=Figures("2026-11-20T01:00:00Z", 4, 5, 1, 3, 0))
    publish(server.site, board, seen=0, by="la-leader", note="", now=at)


def a_day(store: Store, day: int) -> None:
    """Eight people at two counters: seven are served and say how it was, one of them on the phone, one never comes."""
    seconds = count(60, 30)

    def at() -> Moment:
        return moment(next(seconds), day=day)

    for n in range(8):
        store.issuing.issue(at(), ("ho-tich", "dat-dai")[n % 2], priority=n == 3)
    for counter, clerk in zip("12", sample().clerks, strict=False):
        store.counters.open(at(), counter, clerk.id)
    for n in range(8):
        counter = "12"[n % 2]
        called = store.counters.call_next(at(), counter)
        assert called is not None
        for _ in range(9):
            at()
        if n == 7:
            store.counters.no_show(at(), counter)
            continue
        store.counters.start(at(), counter)
        for _ in range(n):
            at()
        store.counters.finish(at(), counter)
        if n == 6:
            assert store.phones.rate(at(), called.token, Answer(1, ("wait",), "Chờ lâu quá"))
        else:
            store.ratings.press(at(), counter, 3 - n % 2, "key")


def _two_odd_events(server: Server) -> None:
    """Of another kiosk: one that does not fit and is set aside, and one of a kind that only a newer release knows."""
    server.enrol("k-OTHER1", "another-token")
    stamp = wire.Stamp(NOW, "ntp", "b0070009", 1)
    lines = [
        wire.event_line("ticket.called", {"ticket": "nobody"}, stamp),
        wire.event_line("wish.made", {"wish": "ghế"}, stamp),
    ]
    assert server.push(batch_of([], lines, "k-OTHER1", "0000000112345678"), "another-token").status_code == 200
