"""The words of comments, which come beside the feed after their event."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q

from kiosk.texts import LOCAL
from server.facts.believed import is_believed
from server.facts.models import Comment
from server.feed.models import Event
from server.registry.models import Device
from sync import wire
from sync.beside import Message, Text, text_hash

COMMENT_DAYS = 90
"""So long the words are kept, by the day that they belong to; longer only while somebody works on them."""
UNDER_WORK = Q(kept_by__gt="", result="")
"""Of comments: somebody works on it."""


class Taken(NamedTuple):
    """How far the words are here, whether some came before their event, and the ids of words that do not fit it."""

    upto: int
    later: bool
    refused: list[str]


def take(device: Device, message: Message, now: datetime) -> Taken:
    """Keep the words of comments whose events are here; doing it again changes nothing.

    Words that are too old, or were deleted here, are not kept. Words whose event is not here, or not folded yet, are
    asked for again.
    """
    with transaction.atomic():
        wanted = {text.id for text in message.texts}
        rows = {row.id: row for row in Comment.objects.select_for_update().filter(device=device, id__in=wanted)}
        unfit = _in_quarantine(device) if wanted - rows.keys() else set()
        done = [_take(rows.get(text.id), text, unfit, now) for text in message.texts]
    later = done.index("later") if "later" in done else len(done)
    upto = message.texts[later - 1].n if later else message.after
    return Taken(
        upto, later < len(done), [text.id for text, word in zip(message.texts, done, strict=True) if word == "refused"]
    )


def _take(row: Comment | None, text: Text, unfit: set[str], now: datetime) -> str:
    if row is None:
        # Nobody waits for words whose event will not be folded.
        return "unfit" if text.id in unfit else "later"
    if text_hash(text.salt, text.text) != row.sha256:
        return "refused"
    if row.text is None and not row.gone:
        if row.day < oldest(now) and is_believed(now):
            row.gone = True
        else:
            # PostgreSQL's text cannot hold the letter NUL.
            row.text, row.salt = text.text.replace("\0", ""), text.salt[:64]
        row.save(update_fields=["text", "salt", "gone"])
    return "taken"


def _in_quarantine(device: Device) -> set[str]:
    """The comments of events that did not fit."""
    held = Event.objects.filter(device=device.name, type="comment.given").exclude(quarantined=None)
    data = [wire.parse_object(bytes(line)).get("data") for line in held.values_list("line", flat=True)]
    return {str(each["comment"]) for each in data if isinstance(each, dict) and "comment" in each}


def oldest(now: datetime) -> date:
    """The first day whose words may be here."""
    return now.astimezone(LOCAL).date() - timedelta(days=COMMENT_DAYS)
