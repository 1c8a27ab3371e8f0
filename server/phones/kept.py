"""Phones' pages that were made a moment ago, and how many codes may be looked for that open nothing.

By the page's own address, in memory: nobody else's address is known here.
"""

from django.core.cache import cache, caches
from django.http import HttpResponse

from kiosk.public.limits import Rate
from server.making import Making
from server.words import LANGUAGES

SHOWN = ("", "done", "part")
"""What may be asked for at one address: the page, thanks, the part of it that changes."""
KNOWN_S = 24 * 3600
"""So long a code that opened its page is not held back by those who guess."""

TOGETHER = Rate(burst=120, every_s=0.02)
"""Each slip whose kiosk is silent asks every 20 s: this is room for a thousand of them."""
looking = Making(together=TOGETHER)


def page(path: str, language: str, shown: str) -> HttpResponse | None:
    """The page as it was made a moment ago."""
    made: HttpResponse | None = caches["phones"].get(_key(path, language, shown))
    return made


def keep(path: str, language: str, shown: str, made: HttpResponse, seconds: int) -> None:
    """Show this page for so many seconds."""
    caches["phones"].set(_key(path, language, shown), made, seconds)


def forget(path: str) -> None:
    """Something was said on the page: it is made anew."""
    caches["phones"].delete_many([_key(path, language, shown) for language in LANGUAGES for shown in SHOWN])


def may_look(path: str) -> bool:
    """Whether the database may be asked for this code."""
    return cache.get(_known(path)) is not None or looking.may(path)


def looked(path: str, found: bool) -> None:
    """Only codes that open nothing are counted: after a restart all waiting phones ask at once."""
    if found:
        cache.set(_known(path), True, KNOWN_S)
    else:
        looking.allow(path)


def _key(path: str, language: str, shown: str) -> str:
    return f"phones.page.{path}?{language}&{shown}"


def _known(path: str) -> str:
    return f"phones.known.{path}"
