"""The server keeps to its own description, whatever is asked of it, and every door is in it."""

import json
import re
from collections.abc import Callable
from datetime import date, datetime

import pytest
import requests
import schemathesis
from django.test import Client
from django.urls import URLPattern
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS

from kiosk.store import Store
from server.feed.intake import digest
from server.office.models import Blob
from server.registry.models import Integrator
from server.urls import urlpatterns
from server.wsgi import application
from sync import beside, wire
from tests.server.figures_kit import days, it_is, noon
from tests.server.kit import NOW, TOKEN, Server, batches
from tests.server.test_facts import a_morning

__all__ = ["it_is"]

Clock = Callable[[datetime], None]
READER = "token-of-an-integrator"
READS = ("/api/v1/tickets", "/api/v1/days", "/api/v1/ratings")
PHOTO = "a" * 64
TAKEN = {"texts": 1, "device": "k-7F3K2M", "after": 0, "count": 0}

schemathesis.openapi.media_type(
    "application/x-ndjson",
    st.one_of(
        st.binary(max_size=200),
        st.just(json.dumps(TAKEN).encode() + b"\n"),
        st.just(b'{"feed":1}\n'),
        st.just(wire.encode_batch(wire.Batch(wire.Header("k-OTHER", "0" * 16, wire.START, 0, 0, wire.ZERO, {}), []))),
    ),
)
schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)


@pytest.fixture
def filled(lite: Server, store: Store, it_is: Clock) -> Server:
    """A server with some tickets, ratings, documents and a photo."""
    Integrator.objects.create(name="Cổng tỉnh", unit=lite.unit, token=digest(READER), made=NOW)
    Blob.objects.create(sha256=PHOTO, content=b"\xff\xd8", type="image/jpeg")
    a_morning(store)
    days(lite.device, "33333", "321", "33")
    it_is(noon(date(2026, 12, 5)))
    return lite


@schema.parametrize()
@settings(max_examples=8, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(case: schemathesis.Case, filled: Server) -> None:
    token = READER if case.operation.path in READS else TOKEN
    # What a query has beside its parameters is ignored, and a body that makes no sense is said by its code.
    excluded = CHECKS.get_by_names(["negative_data_rejection", "positive_data_acceptance", "unsupported_method"])
    case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, excluded_checks=excluded)


def test_every_door_of_the_api_is_described():
    described = set(json.loads(Client().get("/api/v1/openapi.json").content)["paths"])
    doors = {f"/{route.pattern}" for route in urlpatterns if isinstance(route, URLPattern)}
    served = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", door) for door in doors if door.startswith("/api/")}
    assert served == described


def test_real_answers_are_as_described(filled: Server, store: Store):
    kiosk, reader = {"Authorization": f"Bearer {TOKEN}"}, {"Authorization": f"Bearer {READER}"}
    batch = wire.encode_batch(batches(store.database.conn)[0], packed=False)
    words = beside.encode(beside.Message("k-7F3K2M", 0, []))
    asked = [
        ("POST", "/api/v1/feed", kiosk, batch, 200),
        ("POST", "/api/v1/comments", kiosk, words, 200),
        ("GET", "/api/v1/office", kiosk, b"", 200),
        ("GET", "/api/v1/board", kiosk, b"", 404),
        ("GET", f"/api/v1/blob/{PHOTO}", kiosk, b"", 200),
        ("GET", "/api/v1/ratings?month=2026-11", reader, b"", 200),
        ("GET", "/api/v1/days", reader, b"", 200),
        ("GET", "/api/v1/tickets", reader, b"", 200),
        ("GET", "/api/v1/tickets?limit=0", reader, b"", 400),
        ("GET", "/api/v1/tickets", kiosk, b"", 401),
        ("GET", "/api/v1/health", {}, b"", 200),
    ]
    with filled.serving() as url:
        for method, address, headers, body, status in asked:
            headers = {**headers, "Content-Type": wire.CONTENT_TYPE, "Connection": "close"}
            answer = requests.request(method, url + address, headers=headers, data=body, timeout=10)
            assert answer.status_code == status, (address, answer.content)
            path = address.partition("?")[0].replace(PHOTO, "{sha256}")
            schema[path][method].validate_response(answer)
