"""Whether the server's clock is believed when something is to be deleted or told late by it.

A machine that starts with its clock years ahead would delete all that it has. A clock is believed that went on from
when it was believed last, or that kiosks with a clock of their own agree with: the server gives its time to the
others, so they prove nothing.
"""

import logging
from datetime import datetime, timedelta

from kiosk.texts import LOCAL
from server.facts.models import Cursor, Rollup
from server.registry.models import Device

logger = logging.getLogger(__name__)

NEAR = timedelta(days=31)
"""How far a clock may have gone on, and how long ago the last day of a kiosk may be: an office that was closed."""
OWN_CLOCKS = ("ntp", "rtc", "manual")
NOTED_EVERY = timedelta(hours=1)


def is_believed(now: datetime) -> bool:
    """Whether `now` can be the true time."""
    seen = Cursor.objects.values_list("seen", flat=True).get(one=1)
    return (seen is not None and abs(now - seen) <= NEAR) or _kiosks_agree(now)


def believed_until(now: datetime) -> datetime:
    """The latest time that the server's clock may have given to what was heard until `now`."""
    seen = Cursor.objects.values_list("seen", flat=True).get(one=1)
    return (now if seen is None or is_believed(now) else seen) + NEAR


def believe(now: datetime) -> bool:
    """The same for whoever is about to delete: it is noted, so that a server that runs on is believed tomorrow too."""
    if not is_believed(now):
        logger.warning("nothing is deleted: neither kiosks nor this machine's past say that it is %s", now.date())
        return False
    recent = Cursor.objects.filter(seen__gt=now - NOTED_EVERY, seen__lte=now)
    if not recent.exists():
        Cursor.objects.filter(one=1).update(seen=now)
    return True


def _kiosks_agree(now: datetime) -> bool:
    today = now.astimezone(LOCAL).date()
    sites = Device.objects.filter(status__clock__in=OWN_CLOCKS).values("site")
    days = (today - NEAR, today + timedelta(days=1))
    return Rollup.objects.filter(site__in=sites, dim="all", day__range=days).exists()
