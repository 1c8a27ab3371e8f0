"""Signing in and out."""

from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from server.pages import page


@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The way in, by name and password; eight wrong ones lock a name for a quarter of an hour."""
    if request.method == "GET":
        return page(request, "signin.html", problem="", username="")
    username = request.POST.get("username", "").strip().lower()
    user = authenticate(request, username=username, password=request.POST.get("password", ""))
    if user is None:
        return page(request, "signin.html", 403, problem="account.wrong", username=username)
    login(request, user)
    after = request.GET.get("next", "")
    inside = url_has_allowed_host_and_scheme(after, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(after if inside else "/")


def locked(request: HttpRequest, response: HttpResponse, credentials: object) -> HttpResponse:
    """What a name that is locked is told, in place of the answer; see AXES_LOCKOUT_CALLABLE."""
    username = request.POST.get("username", "")
    return page(request, "signin.html", 429, problem="account.locked", username=username)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """The way out."""
    logout(request)
    return redirect("sign-in")
