"""Signing in and out, and the own account: language and password."""

from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from server.accounts import devices, passwords
from server.accounts.access import for_roles, note, person
from server.accounts.models import Role, User
from server.pages import page, say
from server.words import LANGUAGES, asked_language, language_of, texts


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The way in, by name and password; eight wrong ones lock a name for strangers, or a known browser for it."""
    if request.method == "GET":
        return page(request, "signin.html", problem="" if User.objects.exists() else "account.nobody_yet", username="")
    username = request.POST.get("username", "").strip().lower()
    user = authenticate(request, username=username, password=request.POST.get("password", ""))
    if user is None:
        return page(request, "signin.html", 403, problem="account.wrong", username=username)
    login(request, user)
    if asked := asked_language(request):
        request.session["language"] = asked
    after = request.GET.get("next", "")
    inside = url_has_allowed_host_and_scheme(after, {request.get_host()}, require_https=request.is_secure())
    answer = HttpResponseRedirect(after if inside else "/")
    devices.remember(answer, username)
    return answer


def locked(request: HttpRequest, response: HttpResponse, credentials: object) -> HttpResponse:
    """What a name that is locked is told, in place of the answer; see AXES_LOCKOUT_CALLABLE."""
    if request.user.is_authenticated:
        return page(request, "message.html", 429, key="account.locked")
    username = request.POST.get("username", "")
    return page(request, "signin.html", 429, problem="account.locked", username=username)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """The way out."""
    logout(request)
    return redirect("sign-in")


@for_roles(*Role)
@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """The own account: who one is here, and in which language pages are."""
    user = person(request)
    chosen = request.POST.get("language", "")
    if chosen in LANGUAGES:
        user.language = request.session["language"] = chosen
        user.save(update_fields=["language"])
        say(request, "server.saved")
        return redirect("account")
    offered = [(name, texts(name)("language.name")) for name in LANGUAGES]
    return page(request, "account.html", offered=offered, chosen=language_of(request))


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponseBase:
    """A new own password; the old one is asked for, except right after signing in with the first one."""
    if not isinstance(request.user, User):
        return redirect("sign-in")
    if request.method == "GET":
        return page(request, "password.html", problems=[])
    problems = _changed(request, request.user)
    if problems:
        return page(request, "password.html", 422, problems=problems)
    note(request, "account.password", request.user.username)
    say(request, "account.password_saved")
    return redirect("/")


def _changed(request: HttpRequest, user: User) -> list[tuple[str, dict[str, object]]]:
    """Set the new password of a posted form, or say what is wrong."""
    old, new = request.POST.get("old", ""), request.POST.get("new", "")
    # By `authenticate`: guesses are counted here as well.
    if not user.first_password and authenticate(request, username=user.username, password=old) is None:
        return [("account.password_old_wrong", {})]
    wrong = passwords.problems(new, user, request.POST.get("again", ""))
    if wrong:
        return [(key, dict(values)) for key, values in wrong]
    user.set_password(new)
    user.first_password = False
    user.save(update_fields=["password", "first_password"])
    update_session_auth_hash(request, user)
    return []
