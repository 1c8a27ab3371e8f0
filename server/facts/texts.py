"""The words of comments: they come beside the feed after their event, and go after `COMMENT_DAYS`."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Q

from kiosk.texts import LOCAL
from server.facts.models import Comment, Cursor
from server.feed.models import Counter
from server.registry.models import Device
from sync.beside import Message, Text, text_hash

COMMENT_DAYS = 90
"""So long words are kept, by the day that their comment belongs to."""


class Taken(NamedTuple):
    """How far the words are here, whether some came before their event, and the ids of words that do not fit it."""

    upto: int
    later: bool
    refused: list[str]


def take(device: Device, message: Message, now: datetime) -> Taken:
    """Keep the words of comments whose events are here; doing it again changes nothing.

    Words that are too old, or were deleted here, are not kept. Words whose event is not folded yet are asked for
    again; those that no event speaks of (it is in quarantine) hold up nobody.
    """
    with transaction.atomic():
        folded = _all_folded()
        wanted = {text.id for text in message.texts}
        rows = {row.id: row for row in Comment.objects.select_for_update().filter(device=device, id__in=wanted)}
        done = [_take(rows.get(text.id), text, folded, now) for text in message.texts]
    upto = message.after
    for text, word in zip(message.texts, done, strict=True):
        if word == "later":
            break
        upto = text.n
    return Taken(
        upto, "later" in done, [text.id for text, word in zip(message.texts, done, strict=True) if word == "refused"]
    )


def _take(row: Comment | None, text: Text, folded: bool, now: datetime) -> str:
    if row is None:
        return "unknown" if folded else "later"
    if text_hash(text.salt, text.text) != row.sha256:
        return "refused"
    if row.text is None and not row.gone:
        if row.day < oldest(now):
            row.gone = True
        else:
            # PostgreSQL's text cannot hold the letter NUL.
            row.text, row.salt = text.text.replace("\0", ""), text.salt[:64]
        row.save(update_fields=["text", "salt", "gone"])
    return "taken"


def _all_folded() -> bool:
    """Whether the facts are made of all events that are here."""
    return Cursor.objects.get(one=1).num >= Counter.objects.get(one=1).num


def oldest(now: datetime) -> date:
    """The first day whose words may be here."""
    return now.astimezone(LOCAL).date() - timedelta(days=COMMENT_DAYS)


def forget(now: datetime) -> int:
    """Delete the words that are too old, unless they are kept to be handled and nobody has said yet how; how many."""
    over = Comment.objects.filter(Q(kept_by="") | ~Q(result=""), day__lt=oldest(now), gone=False)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            # Deleted means overwritten: SQLite would leave the words in the file's free pages.
            cursor.execute("PRAGMA secure_delete = ON")
    return over.update(text=None, salt="", gone=True)
