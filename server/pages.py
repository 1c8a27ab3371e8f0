"""How a page is made: its words, who is signed in, what that person may open."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django_htmx.jinja import htmx_script
from jinja2 import Environment, StrictUndefined

from server.nav import entries, tabs
from server.words import LANGUAGES, language_of, texts


def environment(**options: Any) -> Environment:
    """Jinja with what every page needs; a name that is missing fails loudly."""
    made = Environment(**{**options, "undefined": StrictUndefined, "autoescape": True})
    made.globals |= {"static": static, "url": reverse, "htmx_script": htmx_script}
    return made


def page(request: HttpRequest, template: str, status: int = 200, **values: Any) -> HttpResponse:
    """A page in the language of whoever asks. `values` go into the template beside `t`, `user` and the navigation."""
    language = language_of(request)
    t = texts(language)
    frame = {
        "t": t,
        "language": language,
        "languages": [
            (name, texts(name)("language.name"), _in(request, name)) for name in LANGUAGES if name != language
        ],
        "user": request.user,
        "entries": entries(request),
        "tabs": tabs(request),
        "only_here": settings.CONFIG.url if settings.CONFIG.only_here and settings.SAYS_ONLY_HERE else "",
        "said": _said(request),
    }
    return render(request, template, {**frame, **values}, status=status)


def _said(request: HttpRequest) -> str:
    """What `say` left for this page. A part that another window fetches again does not take it away unread."""
    if not request.user.is_authenticated or getattr(request, "htmx", None):
        return ""
    return str(request.session.pop("said", ""))


def _in(request: HttpRequest, language: str) -> str:
    """The query of the same page in another language."""
    asked = request.GET.copy()
    asked["l"] = language
    return asked.urlencode()


def say(request: HttpRequest, key: str, **values: object) -> None:
    """A sentence that the next page shows once."""
    request.session["said"] = texts(language_of(request))(key, **values)
