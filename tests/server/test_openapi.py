"""The server keeps to its own description, whatever is asked of it, and every door is in it."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

import pytest
import schemathesis
from django.test import Client
from django.urls import URLPattern
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS

from kiosk.office import sample
from kiosk.store import Store
from server.feed.intake import digest
from server.office.models import Blob
from server.registry.models import Integrator
from server.urls import urlpatterns
from server.wsgi import application
from sync import beside, wire
from tests.server.down_kit import publish_office
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
    first, *others = sample().clerks
    publish_office(lite, clerks=(replace(first, photo=f"{PHOTO}.jpg"), *others))
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
    batch = wire.encode_batch(batches(store.database.conn)[0], packed=False)
    words = beside.encode(beside.Message("k-7F3K2M", 0, []))
    asked = [
        ("POST", "/api/v1/feed", TOKEN, {"body": batch}, 200),
        ("POST", "/api/v1/comments", TOKEN, {"body": words}, 200),
        ("GET", "/api/v1/office", TOKEN, {}, 200),
        ("GET", "/api/v1/board", TOKEN, {}, 404),
        ("GET", "/api/v1/blob/{sha256}", TOKEN, {"path_parameters": {"sha256": PHOTO}}, 200),
        ("GET", "/api/v1/ratings", READER, {"query": {"month": "2026-11"}}, 200),
        ("GET", "/api/v1/days", READER, {}, 200),
        ("GET", "/api/v1/tickets", READER, {}, 200),
        ("GET", "/api/v1/tickets", READER, {"query": {"limit": 0}}, 400),
        ("GET", "/api/v1/tickets", TOKEN, {}, 401),
        ("GET", "/api/v1/health", "", {}, 200),
    ]
    for method, path, token, parts, status in asked:
        media = {"media_type": wire.CONTENT_TYPE} if "body" in parts else {}
        case = schema[path][method].Case(headers={"Authorization": f"Bearer {token}"}, **parts, **media)
        answer = case.call()
        assert answer.status_code == status, (path, answer.content)
        schema[path][method].validate_response(answer)


def test_each_key_of_an_answer_is_described(filled: Server):
    reader = {"Authorization": f"Bearer {READER}"}
    described = json.loads(Client().get("/api/v1/openapi.json").content)["components"]["schemas"]
    (ticket, *_), (day, *_), (bundle, *_) = (
        Client().get(address, headers=reader).json()[key]
        for address, key in (
            ("/api/v1/tickets", "tickets"),
            ("/api/v1/days", "days"),
            ("/api/v1/ratings?month=2026-11", "ratings"),
        )
    )
    shown = {"Ticket": ticket, "Day": day, "Sums": day["sums"][0], "Ratings": bundle}
    assert {name: set(row) for name, row in shown.items()} == {
        name: set(described[name]["properties"]) for name in shown
    }
    assert all(set(described[name]["required"]) == set(row) for name, row in shown.items())
