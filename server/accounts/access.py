"""Who may do what: a view says its roles, and everything that is done is noted."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import urlencode

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from server import clock
from server.accounts.models import Audit, Role, User
from server.nav import group
from server.pages import page
from server.registry.models import Unit
from server.words import asked_language

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def for_roles(*roles: Role, whole: bool = True) -> Callable[[View[P]], View[P]]:
    """Only for people of these roles; others are told so (403), strangers are sent to sign in.

    Whoever still has the first password of an account is sent to choose an own one.

    A form that is sent is one transaction: nothing is changed without its row in the audit. `whole=False` is for views
    that ask other machines or keep many things one after the other, and would make everybody wait meanwhile.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not isinstance(request.user, User):
                return _to_sign_in(request)
            if request.user.first_password:
                return _send(request, reverse("password"))
            if request.user.role not in roles:
                return no_right(request, communes=Role.ADMIN in roles)
            with transaction.atomic() if whole and request.method == "POST" else nullcontext():
                response = view(request, *args, **kwargs)
            if not response.has_header("Cache-Control"):
                response["Cache-Control"] = "no-store"  # on a shared PC "back" shows nothing after signing out
            return response

        return cast(View[P], wrapped)

    return decorate


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """To the page for signing in, and afterwards back to the page that was wanted."""
    htmx = _htmx(request)
    wanted = (htmx.current_url_abs_path or "/") if htmx else request.get_full_path()
    language = asked_language(request)
    query = {"next": wanted, **({"l": language} if language else {})}
    return _send(request, f"{reverse('sign-in')}?{urlencode(query, safe='/')}")


def _send(request: HttpRequest, address: str) -> HttpResponse:
    """To another page; a part of a page that is fetched again takes the whole page there."""
    return HttpResponseClientRedirect(address) if _htmx(request) else HttpResponseRedirect(address)


def _htmx(request: HttpRequest) -> Any:
    return getattr(request, "htmx", None)


def no_right(request: HttpRequest, *, communes: bool = False) -> HttpResponse:
    """The page for whoever is signed in and may not. `communes`: it is open to a commune's administrator, which is
    another account than an operator's and no right that an operator can get."""
    where = group(request) if communes and person(request).role == Role.OPERATOR else ""
    return page(request, "message.html", 403, key="server.not_operators" if where else "server.no_right", where=where)


def person(request: HttpRequest) -> User:
    """Whoever is signed in; views behind `for_roles` have somebody."""
    assert isinstance(request.user, User)
    return request.user


def note(request: HttpRequest, what: str, about: str, unit: Unit | None = None) -> None:
    """Keep who did or read what: `what` is a dotted word as "comment.read", `about` says to what (300 letters)."""
    who = person(request)
    Audit.objects.create(at=clock.now(), who=who.username, unit=unit or who.unit, what=what, about=about[:300])
