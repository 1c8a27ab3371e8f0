"""What kiosks ask over HTTP with their token: docs/feed.md has the answers, word for word."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from server import asking, clock
from server.facts import texts
from server.feed.intake import WrongDevice, device_of, take
from server.feed.room import while_there_is_room
from server.office.documents import offered
from server.registry import trouble
from server.registry.models import Device
from sync import beside, ingest, wire

NEXT_S = 60
"""A sign of life at least this often."""

Answer = Callable[..., HttpResponse]
"""Gets the request, the kiosk, and what stands in the address."""


def refused(status: HTTPStatus, code: str, message: str) -> JsonResponse:
    """An answer that says what is wrong: {"code": …, "message": …}."""
    return JsonResponse({"code": code, "message": message}, status=status)


def by_token(answer: Answer) -> Callable[..., HttpResponse]:
    """Only for a kiosk that shows its token; who it is goes into the answer."""

    @csrf_exempt
    @wraps(answer)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        device = device_of(token.strip()) if scheme.lower() == "bearer" else None
        if device is None:
            return refused(HTTPStatus.UNAUTHORIZED, "token", "this token is not known here")
        return answer(request, device, *args, **kwargs)

    return wrapped


@csrf_exempt
@while_there_is_room
@require_POST
@by_token
def push(request: HttpRequest, device: Device) -> JsonResponse:
    """POST /api/v1/feed: one batch, packed by gzip or plain."""
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding not in ("gzip", "identity"):
        return refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "encoding", "gzip or nothing")
    if asking.length(request.headers) > wire.MAX_BODY:
        return refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", f"more than {wire.MAX_BODY} bytes")
    now = clock.now()
    try:
        batch = wire.decode_batch(request.read(wire.MAX_BODY + 1), encoding == "gzip")
        result = take(device, batch, now)
    except wire.BadBatch as error:
        status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if error.code == "too_large" else HTTPStatus.BAD_REQUEST
        return refused(status, error.code, str(error))
    except WrongDevice as error:
        trouble.tell(device, now, "other_device", other=batch.header.device)
        return refused(HTTPStatus.FORBIDDEN, "device", str(error))
    if result.contested:
        trouble.tell(device, now, "two_cards")
    else:
        trouble.clear(device, now)
    code, body = ingest.answer(result, batch.header.epoch, now, **versions(device), next_s=NEXT_S)
    return JsonResponse(body, status=code)


@require_POST
@by_token
def comments(request: HttpRequest, device: Device) -> JsonResponse:
    """POST /api/v1/comments: the words of comments, after their events."""
    if asking.length(request.headers) > beside.MAX_BODY:
        return refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", f"more than {beside.MAX_BODY} bytes")
    try:
        message = beside.decode(request.read(beside.MAX_BODY + 1))
    except wire.BadBatch as error:
        return refused(HTTPStatus.BAD_REQUEST, error.code, str(error))
    if message.device != device.name:
        return refused(HTTPStatus.FORBIDDEN, "device", f"the texts are of {message.device}, not of {device.name}")
    code, body = beside.answer(*texts.take(device, message, clock.now()))
    return JsonResponse(body, status=code)


def versions(device: Device) -> dict[str, int]:
    """The versions of the documents that are offered to a kiosk; 0 for none."""
    return offered(device.site_id)


def health(request: HttpRequest) -> JsonResponse:
    """GET /api/v1/health: whether the server answers, for whoever watches it."""
    return JsonResponse({"ok": True})
