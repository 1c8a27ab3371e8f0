"""Why events are set aside is said in the reader's words, whatever made the reason."""

import json

import pytest
from markupsafe import escape

from server.feed.models import Event
from server.registry.unfit import KINDS, why
from server.words import texts
from tests.server.kit import Server
from tests.server.test_malformed import FAR, ISSUED, line, send

GOOD = line(1, "ticket.issued", ISSUED)


def changed(event: bytes, **parts: object) -> bytes:
    """An event line with other values; None takes a key out."""
    return json.dumps(
        {key: value for key, value in {**json.loads(event), **parts}.items() if value is not None}
    ).encode()


UNFIT = [
    ("line", b"\xff"),
    ("line", b"[]"),
    ("line", changed(GOOD, at=None)),
    ("line", changed(GOOD, at="today")),
    ("line", changed(GOOD, id="1", type="?", v=0, clock="?", boot=0, mono=-1, data=0)),
    ("long", line(2, "device.clock", {"why": "x" * 9000})),
    ("twice", changed(GOOD, mono=1)),
    ("clock", line(3, "device.clock", {}, at=FAR)),
    ("newer", changed(line(4, "ticket.issued", ISSUED), v=2**63 - 1)),
    ("newer", line(5, "ticket.strange", {"ticket": "T1"})),
    ("newer", line(6, "counter.strange", {"counter": "1"})),
    ("fields", line(7, "ticket.issued", {})),
    ("fields", line(8, "rating.replaced", {})),
    ("no_ticket", line(9, "ticket.released", {"ticket": "T9"})),
    ("no_rating", line(10, "rating.reasons", {"rating": "R9", "reasons": []})),
    ("other", line(11, "ticket.strange", {})),
]
"""The kind of reason, and an event that is set aside for it after GOOD was folded."""


@pytest.mark.parametrize(("kind", "unfit"), UNFIT)
def test_the_page_says_in_both_languages_why_an_event_is_set_aside(lite: Server, kind: str, unfit: bytes):
    lite.enrol("k-BAD", "its token")
    send(lite, [GOOD, unfit])
    lite.settle()
    (event,) = Event.objects.exclude(quarantined=None)
    browser = lite.signed_in("ky-thuat", "technician")
    for language in ("vi", "en"):
        page = browser.get(f"/quarantine?l={language}").content.decode()
        assert escape(texts(language)(f"quarantine.why_{kind}")) in page
        assert f'<small lang="en">{escape(event.quarantined)}</small>' in page


def test_every_kind_of_reason_is_seen_and_what_an_error_said_is_another_one():
    assert {kind for kind, _ in UNFIT} == {*KINDS, "other"}
    assert why("DataError: value too long for type character varying(80)") == "quarantine.why_other"
