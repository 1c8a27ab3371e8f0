"""Pages for what went wrong, in plain words and with a way on."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from server.pages import page
from server.words import LANGUAGES, texts

API = "/api/"


def stale(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without a valid token: an old page, or somebody else's."""
    return page(request, "message.html", 403, key="server.stale")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address that leads nowhere; programs are told so in their own way."""
    if request.path.startswith(API):
        return JsonResponse({"code": "none", "message": "there is nothing at this address"}, status=404)
    return page(request, "message.html", 404, key="server.not_found")


def unreadable(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A request that makes no sense: too much at once, or another server's name."""
    if request.path.startswith(API):
        return JsonResponse({"code": "bad_request", "message": "this request cannot be read"}, status=400)
    return HttpResponse(_alone("server.unreadable"), status=HTTPStatus.BAD_REQUEST)


def failed(request: HttpRequest) -> HttpResponse:
    """A fault of ours."""
    return HttpResponse(_alone("server.failed"), status=HTTPStatus.INTERNAL_SERVER_ERROR)


def in_words(answer: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Say what to do where Django says nothing: at the address of a form that was opened as a page, as after signing in
    again."""

    def answered(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and not request.path.startswith(API):
            response.content = _alone("server.not_a_page").encode()
        return response

    return answered


def _alone(key: str) -> str:
    """A page with nothing around it that could fail again or needs to know who asks: no session, no database."""
    return render_to_string("alone.html", {"key": key, "languages": [texts(name) for name in LANGUAGES]})
