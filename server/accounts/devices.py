"""How wrong passwords are counted: by name for strangers, by browser for whoever signed in with it before.

With the name alone anybody could keep its owner out. So a browser gets a signed cookie when somebody signs in with it,
and its wrong passwords are counted apart (OWASP, "device cookies"). No address is looked at, kept or logged.
"""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

SALT = "server.accounts.devices"
AGE_S = 400 * 86400
"""Browsers keep no cookie for longer."""


def counted_as(request: HttpRequest, credentials: Mapping[str, Any] | None) -> str:
    """Whose wrong passwords these are; see AXES_USERNAME_CALLABLE."""
    given = credentials.get("username") if credentials else request.POST.get("username")
    username = str(given or "").strip().lower()
    known = _known(request, username)
    return f"{username} {known}" if known else username


def remember(response: HttpResponse, username: str) -> None:
    """Tell the browser that this name was signed in with it."""
    value = signing.dumps([username, secrets.token_hex(8)], salt=SALT)
    response.set_cookie(
        cookie_of(username), value, AGE_S, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Strict"
    )


def _known(request: HttpRequest, username: str) -> str:
    """The browser's own word, when it was signed in with by this name; "" for a stranger's or a forged cookie."""
    try:
        name, word = signing.loads(request.COOKIES.get(cookie_of(username), ""), salt=SALT, max_age=AGE_S)
    except (signing.BadSignature, TypeError, ValueError):
        return ""
    return str(word) if name == username else ""


def cookie_of(username: str) -> str:
    """A browser may know several names: people share a desk."""
    return f"device-{hashlib.sha256(username.encode('utf-8', 'replace')).hexdigest()[:12]}"
