"""Tells people: one notice after the other for each commune and way, tried again with longer and longer waits."""

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException

from server.watch import mail, problems, webhook
from server.watch.message import NoTarget, message_of
from server.watch.models import Edge, Notice, Target, Way

logger = logging.getLogger(__name__)

FIRST, LONGEST = timedelta(minutes=1), timedelta(hours=1)
GIVE_UP = timedelta(days=3)
LEASE = timedelta(minutes=5)
"""Whoever tells something has so long for it before somebody else may try."""


def tell_next(now: datetime) -> bool:
    """Tell one notice that is due, if there is one; whether there was."""
    notice = next((one for one in _in_turn() if one.due is not None and one.due <= now), None)
    if notice is None:
        return False
    # Claimed by its update: of two that come at once, one finds the row as it was.
    if Notice.objects.filter(pk=notice.pk, due=notice.due).update(due=now + LEASE):
        _tell(notice, now)
    return True


def _in_turn() -> list[Notice]:
    """The first notice of each commune and way that is not told yet, so that no end comes before its beginning.

    Tests come at any time: somebody waits for them.
    """
    waiting = Notice.objects.exclude(due=None).select_related("unit", "alarm__device__site__unit").order_by("id")
    firsts: dict[tuple[int, str], Notice] = {}
    tests = []
    for notice in waiting:
        if notice.edge == Edge.TEST:
            tests.append(notice)
        else:
            firsts.setdefault((notice.unit_id, notice.way), notice)
    return [*tests, *firsts.values()]


def _tell(notice: Notice, now: datetime) -> None:
    try:
        _send(notice, now)
    except NoTarget:
        _end(notice, None, problems.NOBODY)
    except (OSError, SMTPException, webhook.Refused) as error:
        _put_off(notice, problems.kept(error), now)
    except Exception as error:  # whatever one commune entered keeps nobody else's notices back
        logger.exception("a notice of commune %s could not be sent", notice.unit_id)
        _put_off(notice, type(error).__name__, now)
    else:
        _end(notice, now, "")


def _send(notice: Notice, now: datetime) -> None:
    target = Target.objects.filter(unit=notice.unit_id).first()
    if target is None or not (target.mails if notice.way == Way.MAIL else target.url):
        raise NoTarget
    message = message_of(notice, now)
    if notice.way == Way.MAIL:
        mail.send(target.mails.split(), message)
    else:
        webhook.post(target, message, now)


def _end(notice: Notice, done: datetime | None, problem: str) -> None:
    Notice.objects.filter(pk=notice.pk).update(due=None, done=done, problem=problem)


def _put_off(notice: Notice, problem: str, now: datetime) -> None:
    if notice.edge == Edge.TEST or now - notice.made >= GIVE_UP:
        logger.warning("notice %d is given up: %s", notice.pk, problem)
        _end(notice, None, problem)
        return
    due = now + min(FIRST * 2 ** min(notice.tries, 10), LONGEST)
    Notice.objects.filter(pk=notice.pk).update(due=due, tries=notice.tries + 1, problem=problem)
