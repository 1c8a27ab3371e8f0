"""The server's own sentences beside the kiosk's, and which language somebody reads.

`kiosk.texts` has dates, figures and the sentences that both sides show; server/lang adds the rest.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

from django.conf import settings
from django.http import HttpRequest

from kiosk.texts import Texts

LANGUAGES = ("vi", "en")


@cache
def _own() -> Mapping[str, Mapping[str, str]]:
    """The server's sentences by language and dotted key."""
    files = {name: resources.files("server.lang") / f"{name}.toml" for name in LANGUAGES}
    groups = {name: tomllib.loads(file.read_text("utf-8")) for name, file in files.items()}
    return {
        name: {f"{group}.{key}": text for group, texts in tables.items() for key, text in texts.items()}
        for name, tables in groups.items()
    }


@cache
def texts(language: str) -> Texts:
    """All sentences in a language; an unknown one is Vietnamese."""
    return Texts(language if language in LANGUAGES else LANGUAGES[0], further=_own())


def asked_language(request: HttpRequest) -> str:
    """The language of the address (`?l=en`), "" for none."""
    asked = request.GET.get("l", "")
    return asked if asked in LANGUAGES else ""


def language_of(request: HttpRequest) -> str:
    """The language that the address asks for, else what this browser asked for before, else its user's or the server's.

    A page that is opened remembers it for who is signed in. A stranger's goes along in addresses: a session is a row of
    the database.
    """
    asked = asked_language(request)
    opened = request.method == "GET" and request.user.is_authenticated
    if asked and opened and asked != request.session.get("language"):
        request.session["language"] = asked
    own = getattr(request.user, "language", "")
    return str(asked or request.session.get("language") or own or settings.CONFIG.language)


def office_texts(language: str, own: Mapping[str, str], address: str) -> Texts:
    """All sentences as an office says them to citizens: with its own ones (office document) and its way to address."""
    return Texts(language if language in LANGUAGES else LANGUAGES[0], own, address, _own())
