"""What kiosks fetch with their token: documents of their reception point, and photos. docs/feed.md has the answers."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from server.feed.api import by_token, refused
from server.office.documents import etag, newest, photos
from server.registry.models import Device


@require_safe
@by_token
def document(request: HttpRequest, device: Device, kind: str) -> HttpResponse:
    """GET /api/v1/office and /api/v1/board: the newest version; 304 for whoever has it."""
    found = newest(device.site, kind)
    if found is None:
        return refused(HTTPStatus.NOT_FOUND, "none", "no document is offered here")
    return _sent(request, bytes(found.content), "application/json", etag(found))


@require_safe
@by_token
def blob(request: HttpRequest, device: Device, sha256: str) -> HttpResponse:
    """GET /api/v1/blob/SHA256: a photo that a document of the kiosk's reception point names."""
    found = photos(device.site, [sha256]).first()
    if found is None:
        return refused(HTTPStatus.NOT_FOUND, "none", "no photo has this hash")
    return _sent(request, bytes(found.content), found.type, f'"{found.sha256}"')


def _sent(request: HttpRequest, content: bytes, type: str, tag: str) -> HttpResponse:
    made = HttpResponse(content, content_type=type, headers={"ETag": tag, "Cache-Control": "private, no-cache"})
    answer = get_conditional_response(request, etag=tag, response=made)
    assert isinstance(answer, HttpResponse)
    return answer
