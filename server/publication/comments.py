"""What citizens wrote: who may read it, how long it stays, and what becomes of it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import OperationalError, connection, transaction
from django.db.models import Q, QuerySet

from kiosk.public.form import clean
from server.accounts.models import User
from server.accounts.roles import LEADERS
from server.facts.models import Comment
from server.facts.texts import COMMENT_DAYS, UNDER_WORK, oldest
from server.registry.models import Site

LOCK_MS = 10_000
"""So long whoever reads the table of comments is waited for."""

MOST_LETTERS = {"handler": 120, "result": 2000, "answer": 500}

STATES = {
    "new": Q(kept_by="", answer=""),
    "kept": UNDER_WORK,
    "done": Q(result__gt="") | Q(answer__gt=""),
}
"""What comments can be listed by, beside all."""


logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wrong(ValueError):
    """Something that was written cannot be kept: `key` of the language files and its values."""

    key: str
    most: int = 0


def readable(user: User) -> "QuerySet[Comment]":
    """The comments that somebody may read: of the own commune, by leaders and administrators, and none about the
    reader's own work as a clerk."""
    if user.role not in LEADERS:
        return Comment.objects.none()
    found = Comment.objects.filter(site__unit__in=user.units()).exclude(text=None, answer="", result="")
    if not user.clerk:
        return found
    own = Q(clerk=user.clerk) & (Q(site=user.site) if user.site_id else Q())
    return found.exclude(own)


def listed(user: User, sites: Sequence[Site], days: tuple[date, date], state: str = "") -> "QuerySet[Comment]":
    """What somebody may read of these sites and days (first and last), the newest first; by one of STATES, "" for
    all."""
    found = readable(user).filter(site__in=sites, day__range=days).select_related("site")
    return found.filter(STATES[state] if state in STATES else Q()).order_by("-day", "-id")


def days_left(comment: Comment, today: date) -> int | None:
    """Days until the words are deleted; None while they are kept to be worked on, or are gone."""
    if comment.text is None or (comment.kept_by and not comment.result):
        return None
    return max((comment.day + timedelta(days=COMMENT_DAYS) - today).days, 0)


def keep(comment: Comment, handler: str, now: datetime) -> bool:
    """Keep a comment until somebody has written a result (giữ để xử lý). Whoever was first stays; whether it is kept
    by this one. Raises Wrong."""
    words = _words("handler", handler)
    if comment.kept_by:
        return False
    comment.kept_by, comment.kept_at = words, now
    comment.save(update_fields=["kept_by", "kept_at"])
    return True


@dataclass(frozen=True, slots=True)
class Work:
    """What somebody wrote about a comment; None is left as it is."""

    handler: str | None = None
    result: str | None = None
    answer: str | None = None


def work(comment: Comment, written: Work, now: datetime) -> list[str]:
    """Keep what is new: all of it or, when one part cannot be kept, nothing. Which parts were. Raises Wrong."""
    done = []
    with transaction.atomic():
        if written.handler is not None and keep(comment, written.handler, now):
            done.append("keep")
        if written.result is not None and clean(written.result) != comment.result:
            finish(comment, written.result)
            done.append("finish")
        if written.answer is not None and clean(written.answer) != comment.answer:
            answer(comment, written.answer, now)
            done.append("answer")
    return done


def finish(comment: Comment, result: str) -> None:
    """Write what came of it; from then on the words go when their time is over. Raises Wrong."""
    comment.result = _words("result", result)
    comment.save(update_fields=["result"])


def answer(comment: Comment, text: str, now: datetime) -> None:
    """Write the public line (Ông/Bà góp ý – xã đã làm); an empty one takes it back. Raises Wrong."""
    comment.answer = _words("answer", text, may_be_empty=True)
    comment.answered_at = now if comment.answer else None
    comment.save(update_fields=["answer", "answered_at"])


def _words(field: str, text: str, may_be_empty: bool = False) -> str:
    words = clean(text)
    if not words and not may_be_empty:
        raise Wrong("comments.empty")
    if len(words) > MOST_LETTERS[field]:
        raise Wrong("comments.long", MOST_LETTERS[field])
    return words


def forget_old(now: datetime) -> int:
    """Delete the words whose time is over; how many. What a leader wrote about them goes with the tickets of its day
    (server.facts.retention)."""
    old = Comment.objects.filter(day__lt=oldest(now)).exclude(text=None).exclude(UNDER_WORK)
    with transaction.atomic():
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                # Deleted means overwritten: SQLite would leave the words in the file's free pages.
                cursor.execute("PRAGMA secure_delete = ON")
        return old.update(text=None, salt="", gone=True)


def write_anew(now: datetime) -> bool:
    """Write PostgreSQL's table of comments into a new file: the old one keeps words that were deleted.

    It is done each day, whether anything was deleted or not: one that an open transaction may still look at is taken
    along, and a long reader, such as a nightly copy, is not waited for. A job: False says that nothing more is to do.
    """
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {LOCK_MS}")
        try:
            cursor.execute(f"VACUUM (FULL) {Comment._meta.db_table}")
        except OperationalError as error:
            logger.warning("the table of comments is in use and keeps deleted words until tomorrow: %s", error)
        finally:
            cursor.execute("RESET lock_timeout")
    return False
