"""Passwords: the first one that an account gets, and what is wrong with one that somebody chooses."""

import secrets
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from server.accounts.models import User

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look alike on paper: i l o 0 1."""


def first() -> str:
    """A password to be read aloud and typed once, as "k7mw-3htp-9xqd": 59 bits."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))


def problems(password: str, user: User, again: str | None = None) -> list[tuple[str, Mapping[str, Any]]]:
    """What is wrong with a password of this user: keys under [account] in the language files with their values.

    `again` is the same typed a second time, None where it is asked once.
    """
    found: list[tuple[str, Mapping[str, Any]]] = []
    try:
        validate_password(password, user)
    except ValidationError as errors:
        found = [(f"account.{error.code}", error.params or {}) for error in errors.error_list]
    if user.password and user.check_password(password):
        found.append(("account.password_same", {}))
    if again is not None and again != password:
        found.append(("account.password_again_differs", {}))
    return found
