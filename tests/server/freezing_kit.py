"""A commune with a November that can be frozen."""

from collections.abc import Iterator
from datetime import date, datetime

import pytest
from django.core.cache import cache
from django.test import Client

from kiosk.texts import LOCAL
from server.facts.models import Fact
from server.publication import freezing
from server.publication.content import Place
from server.publication.models import Frozen
from server.reports import periods
from tests.server import figures_kit as kit
from tests.server.kit import Server
from tests.server.phone_kit import said
from tests.server.public_kit import standing_at

NOVEMBER = periods.parse("2026-11")
DECEMBER = datetime(2026, 12, 2, 12, tzinfo=LOCAL)


@pytest.fixture(autouse=True)
def december() -> Iterator[None]:
    """Noon of the second of December: all of November may be shown."""
    with standing_at(DECEMBER):
        yield


def november(server: Server) -> None:
    """Twelve ratings on two days, nine of them satisfied."""
    kit.days(server.device, "333331", "333312")


def frozen(server: Server, by: str = "Nguyễn Văn A") -> Frozen:
    return freezing.freeze(Place(server.unit), NOVEMBER, "", by, DECEMBER)


def late(server: Server, levels: str, day: date = kit.FIRST, reasons: str = "") -> None:
    """Ratings of tickets of a day that were heard of on the last of November, and are folded after it was frozen."""
    tickets, heard = [kit.ticket(server.device, day) for _ in levels], NOVEMBER.last
    kit.keep(
        server.site,
        day,
        tickets,
        [kit.rating(server.device, day, int(level), late=heard, reasons=reasons) for level in levels],
    )


def dossiers(server: Server, as_of: str, early: int = 0) -> None:
    """What the kiosk told last of the dossiers, as it writes it: in UTC."""
    value = {"as_of": as_of, "early": early, "on_time": 0, "late": 0, "in_time": 0, "overdue": 0}
    Fact.objects.update_or_create(
        site=server.site, device=server.device, kind="dossiers", key="", defaults={"value": value, "at": DECEMBER}
    )


def k_n(shown: freezing.Shown | None) -> tuple[int, int]:
    assert shown
    return shown.content["ratings"][0]["k"], shown.content["ratings"][0]["n"]


def page(path: str) -> str:
    cache.clear()
    answer = Client().get(path)
    assert answer.status_code == 200, path
    return said(answer)


# --- freezing and adjusting -----------------------------------------------------------------------------------
