"""What the tests of alarms share: a mail server, whom to tell, and which alarms last."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.test import override_settings

from server.watch import telling
from server.watch.models import Alarm, Target
from tests.server.kit import Server
from tests.server.smtp import PostOffice

MINUTE = timedelta(minutes=1)


@pytest.fixture
def post_office() -> Iterator[PostOffice]:
    """A mail server on loopback, which the server knows."""
    with PostOffice() as office:
        config = replace(settings.CONFIG, mail=replace(settings.CONFIG.mail, host="127.0.0.1", port=office.port))
        where = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": office.port, "EMAIL_USE_TLS": False}
        with override_settings(CONFIG=config, DEFAULT_FROM_EMAIL="may-chu@xa-mau.example", **where):
            yield office


def target(server: Server, mails: str = "lanh-dao@xa-mau.example", url: str = "") -> Target:
    return Target.objects.create(unit=server.unit, mails=mails, url=url)


def tell(now: datetime) -> None:
    while telling.tell_next(now):
        continue


def lasting() -> list[str]:
    return sorted(Alarm.objects.filter(ended=None).values_list("kind", flat=True))
