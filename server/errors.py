"""Pages for what went wrong, in plain words."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from server.pages import page


def stale(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without a valid token: an old page, or somebody else's."""
    return page(request, "message.html", 403, key="server.stale")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address that leads nowhere; programs are told so in their own way."""
    if request.path.startswith("/api/"):
        return JsonResponse({"code": "none", "message": "there is nothing at this address"}, status=404)
    return page(request, "message.html", 404, key="server.not_found")


def failed(request: HttpRequest) -> HttpResponse:
    """A fault of ours. Nothing that could fail again: no session, no database."""
    text = "Máy chủ đang lỗi, dữ liệu không mất. Xin thử lại sau ít phút. / The server has a problem, no data is lost."
    return HttpResponse(text, status=500, content_type="text/plain; charset=utf-8")
