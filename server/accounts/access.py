"""Who may do what: a view says its roles, and everything that is done is noted."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from server import clock
from server.accounts.models import Audit, Role, User
from server.pages import page
from server.registry.models import Unit

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def for_roles(*roles: Role) -> Callable[[View[P]], View[P]]:
    """Only for people of these roles; others are told so (403), strangers are sent to sign in."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not isinstance(request.user, User):
                return redirect_to_login(request.get_full_path())
            if request.user.role not in roles:
                return no_right(request)
            return view(request, *args, **kwargs)

        return cast(View[P], wrapped)

    return decorate


def no_right(request: HttpRequest) -> HttpResponse:
    """The page for whoever is signed in and may not."""
    return page(request, "message.html", 403, key="server.no_right")


def person(request: HttpRequest) -> User:
    """Whoever is signed in; views behind `for_roles` have somebody."""
    assert isinstance(request.user, User)
    return request.user


def note(request: HttpRequest, what: str, about: str, unit: Unit | None = None) -> None:
    """Keep who did or read what: `what` is a dotted word as "comment.read", `about` says to what (300 letters)."""
    who = person(request)
    Audit.objects.create(at=clock.now(), who=who.username, unit=unit or who.unit, what=what, about=about[:300])
