"""The commune server with the data of a province: is it as quick with millions of events as with none?

Takes minutes. Of the year before its two weeks it has no events, but the sums of months: copies of those of the month
that it has.
"""

import statistics
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from django.core.management.color import no_style
from django.db import connection
from django.db.models import Model
from django.test import Client

from kiosk.office import sample
from server import clock, work
from server.accounts.models import Role, User
from server.facts.models import Cursor, Desk, Rating, RatingRollup, ReasonRollup, Refusal, Rollup, Ticket
from server.feed.intake import digest, take
from server.office.models import Document
from server.registry.models import Device, Site, Unit
from server.reports import months
from server.reports.models import MonthSum
from server.web import keep_still
from tests.bench.figures import Figure, Goal
from tests.bench.plan import Plan
from tests.bench.province import Kiosk
from tests.server import kit
from tests.server.figures_kit import keep_office

FIRST = date(2026, 12, 5)
PAGES = {
    "today": "/",
    "month": "/reports?period={day:%Y-%m}",
    "year": "/reports?period={day:%Y}",
}
ENGINES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
READ = (Unit, Site, Device, Document, Cursor, Desk, Refusal, Rollup, RatingRollup, ReasonRollup, MonthSum)


def province(plan: Plan) -> list[Figure]:
    """A hundred communes with one kiosk each, day after day, until two million events are there."""
    folder = plan.place("province")
    kiosks = [Kiosk(f"k-{n:06d}", n) for n in range(plan.count(100, 2))]
    with kit.fresh_database("sqlite", folder):
        devices = {kiosk.name: _commune(n, kiosk.name) for n, kiosk in enumerate(kiosks)}
        times, events, folded, last = _fill(plan, kiosks, devices)
        flat = _tenth(times, -1) / _tenth(times, 0)
        figures = [
            Figure("province.events", "events of the simulated province", events, ""),
            Figure("province.ingest", "500 events taken in, of the last tenth", _tenth(times, -1) * 1000, "ms"),
            Figure("province.flat", "ingest of the last tenth ÷ of the first", flat, "×", Goal(1.5)),
            Figure("province.bytes", "of disk for each event with its facts and sums", _bytes(folder) / events, "B"),
            Figure("province.facts", "events folded into facts and sums", folded, "/s"),
        ]
        _sum_the_year()
        figures += _pages(plan, last, "sqlite")
        kept = _kept(last)
    with kit.fresh_database("postgresql", folder):
        _put(kept)
        return figures + _pages(plan, last, "postgresql")


def _kept(day: date) -> list[tuple[type[Model], list[Model]]]:
    """What pages read, of tickets and ratings those of the last day. Nobody waits, so no event is read."""
    rows: list[tuple[type[Model], list[Model]]] = [(model, list(model.objects.all())) for model in READ]  # type: ignore[attr-defined]
    return rows + [(model, list(model.objects.filter(day=day))) for model in (Ticket, Rating)]


def _put(kept: list[tuple[type[Model], list[Model]]]) -> None:
    for model, rows in kept:
        model.objects.all().delete()  # type: ignore[attr-defined]  # what migrations put there
        model.objects.bulk_create(rows, batch_size=500)  # type: ignore[attr-defined]
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [model for model, _ in kept]):
            cursor.execute(statement)
        cursor.execute("ANALYZE")


def _commune(n: int, name: str) -> Device:
    unit = Unit.objects.create(code=f"{n:05d}", name=f"xã Mẫu {n}")
    site = Site.objects.create(unit=unit, key="chinh", name=f"Trụ sở {n}")
    keep_office(site, sample(), 1)
    return Device.objects.create(name=name, site=site, token=digest(name))


def _fill(plan: Plan, kiosks: list[Kiosk], devices: dict[str, Device]) -> tuple[list[float], int, float, date]:
    """Seconds of each batch in order, events, events folded per second, and the last day."""
    times: list[float] = []
    events, settling, day = 0, 0.0, FIRST
    wanted = plan.count(2_000_000, 3_000)
    while events < wanted:
        at = datetime(day.year, day.month, day.day, 11, tzinfo=UTC)
        for kiosk in kiosks:
            for batch in kiosk.batches(kiosk.day(day, 300)):
                began = time.perf_counter()
                take(devices[kiosk.name], batch, at)
                times += [(time.perf_counter() - began) * 500 / len(batch.lines)]
                events += len(batch.lines)
        began = time.perf_counter()
        work.settle(at)
        settling += time.perf_counter() - began
        day += timedelta(days=1)
    return times, events, events / settling, day - timedelta(days=1)


def _sum_the_year() -> None:
    """Months before this one, as the worker has summed them by now."""
    months.sum_months(datetime(FIRST.year + 1, 1, 20, tzinfo=UTC), most=1000)
    december = list(MonthSum.objects.all())
    MonthSum.objects.all().delete()
    for month in range(1, FIRST.month):
        for each in december:
            each.pk, each.month, each.again = None, FIRST.replace(month=month, day=1), None
        MonthSum.objects.bulk_create(december, batch_size=500)


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("server.db*"))


def _tenth(times: list[float], which: int) -> float:
    size = max(1, len(times) // 10)
    return statistics.median(times[:size] if which == 0 else times[-size:])


def _pages(plan: Plan, day: date, engine: str) -> list[Figure]:
    """Each page by the leader of a commune and by the province, some times, in opening hours: today changes between."""
    clock.follow(lambda: datetime(day.year, day.month, day.day, 9, tzinfo=UTC))
    unit = Unit.objects.order_by("pk")[0]
    people = {
        "commune": User.objects.create_user("lanh-dao", None, name="Lãnh đạo", role=Role.LEADER, unit=unit),
        "province": User.objects.create_user("tinh", None, name="Tỉnh", role=Role.VIEWER),
    }
    keep_still()  # as `kiosk-server run` does
    figures = []
    for who, user in people.items():
        client = Client()
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")
        for name, address in PAGES.items():
            times = [_seconds(client, address.format(day=day), day) for _ in range(plan.count(25, 3))][1:]
            value = sorted(times)[int(len(times) * 0.95)] * 1000
            says = f"page “{name}” of a {who} on {ENGINES[engine]}, p95"
            figures.append(Figure(f"province.{who}.{name}.{engine}", says, value, "ms", Goal(200)))
    clock.follow(None)
    return figures


def _sum_again(day: date) -> None:
    """As if a number had been called everywhere: the sums of today are other ones."""
    rows = list(Rollup.objects.filter(day=day))
    Rollup.objects.filter(day=day).delete()
    for each in rows:
        each.pk = None
    Rollup.objects.bulk_create(rows, batch_size=500)


def _seconds(client: Client, address: str, today: date) -> float:
    _sum_again(today)
    began = time.perf_counter()
    answer = client.get(address)
    seconds = time.perf_counter() - began
    if answer.status_code != 200:
        raise RuntimeError(f"{address}: {answer.status_code}")
    return seconds
