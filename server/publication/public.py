"""Pages for everybody: a reception point's figures, frozen figures by their code, and how they come about.

They touch no session and set no cookie. A page is made once in CACHED_S seconds, however many open it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from kiosk.public.pages import HEADERS
from kiosk.texts import LOCAL, Texts
from server import clock, qr
from server.accounts.models import User
from server.making import Making
from server.publication import freezing, published
from server.publication.models import Frozen
from server.publication.wording import history, values_of
from server.registry.models import Site
from server.reports import periods
from server.reports.naming import offices_now
from server.words import LANGUAGES, texts

CACHED_S = 60
LAST_S = 24 * 3600
"""How long a page is kept for moments in which none may be made."""
CODE = re.compile(r"[A-Za-z0-9._-]{1,20}")
KEY = re.compile(f"[{freezing.ALPHABET}]{{{freezing.KEY_LETTERS}}}")
BUSY_S = 30

Made = tuple[int, str]
"""Status and HTML of a page."""


making = Making()


def _public(page: Callable[..., Made | None]) -> Callable[..., HttpResponse]:
    """A page for everybody, from the cache if it was made a moment ago. None: it says that there is nothing here."""

    @require_safe
    @wraps(page)
    def wrapped(request: HttpRequest, **parts: Any) -> HttpResponse:
        language = request.GET.get("l", "")
        language = language if language in LANGUAGES else LANGUAGES[0]
        place = "/".join((page.__name__, *map(str, parts.values())))
        key = cache_key(place, language)
        made: Made | None = cache.get(key) if _sound(parts) else _nothing(language)
        if made is None and not making.allow(place):
            # Whoever asks for codes that there are not keeps no page away that somebody has looked at before.
            made = cache.get(f"{key}/last") or _busy(language)
        elif made is None:
            made = page(language, clock.now(), **parts)
            if made is None:
                return _answer(_nothing(language))
            cache.set(key, made, CACHED_S)
            cache.set(f"{key}/last", made, LAST_S)
        return _answer(made, findable="code" in parts)

    return wrapped


def _busy(language: str) -> Made:
    return HTTPStatus.TOO_MANY_REQUESTS, _render("message", language, message="public.busy")


def cache_key(place: str, language: str) -> str:
    # No code has a slash in it: a commune's page and that of a site never share a key.
    return f"public/{place}/{language}"


def forget(site: Site) -> None:
    """A leader changes what is public: as soon as it is kept, the pages are made anew."""
    code = site.unit.code
    places = [f"{page}/{code}{key}" for page in ("unit", "explained") for key in ("", f"/{site.key}")]
    keys = [cache_key(place, language) for place in places for language in LANGUAGES]
    transaction.on_commit(lambda: cache.delete_many([*keys, *(f"{key}/last" for key in keys)]))


@_public
def unit(language: str, now: datetime, code: str, site: str = "") -> Made | None:
    """/cong-khai/CODE[/SITE]: a reception point's figures, or the list of those that a commune has."""
    found = _chosen(code, site)
    if not found:
        return None
    if len(found) > 1:
        return HTTPStatus.OK, _render("sites", language, sites=found, unit=found[0].unit)
    shown = published.public_site(found[0], now)
    t = texts(language)
    frozen = [(row, periods.words(t, freezing.period_of(row)), number) for row, number in shown.frozen]
    symbol = qr.svg(freezing.address(*shown.frozen[0])) if shown.frozen else None
    month = periods.words(t, shown.clerks_of)
    values = {"shown": shown, "frozen": frozen, "symbol": symbol, "month": month, "at": now}
    return HTTPStatus.OK, _render("site", language, **values)


@_public
def explained(language: str, now: datetime, code: str, site: str) -> Made | None:
    """/cong-khai/CODE/SITE/giai-trinh: how the figures on the page come about, as far as they are public."""
    found = _chosen(code, site)
    if not found:
        return None
    shown, office = published.public_site(found[0], now), offices_now([found[0]])[found[0].pk]
    setting, visits, rated = shown.setting, shown.now.visits, shown.rated
    values = {
        "shown": shown,
        "visits": visits if setting.counts else None,
        "unfinished": visits.unfinished,
        "waited": shown.week if setting.waits and shown.week and shown.week.wait.n else None,
        "ratings": (rated.ratings if rated else ()) if setting.satisfaction else None,
        "dossiers": shown.dossiers,
        "letters": None,
        "withheld": True,
        "least": office.rules.rating_min if office else 5,
        "moves": "explain.moves_bundles",
        "days": _days(texts(language), shown, now.astimezone(LOCAL).date()),
    }
    if not any(values[name] is not None for name in ("visits", "waited", "ratings", "dossiers")):
        return None
    return HTTPStatus.OK, _render("explained", language, **values)


def _days(t: Texts, shown: published.PublicSite, day: date) -> dict[str, str]:
    """Of which days each part of the page is, on this day."""
    found = {"visits": periods.between(day, day), "waited": published.week_before(day)}
    found |= {"ratings": shown.rated.days} if shown.rated else {}
    return {name: periods.words(t, period) for name, period in found.items()}


@_public
def frozen(language: str, now: datetime, key: str, number: int | None = None) -> Made | None:
    """/cong-khai/chot/KEY[/N]: frozen figures, the newest revision or the N-th."""
    values = _frozen(language, key, number)
    if values is None:
        return None
    return HTTPStatus.OK, _render("frozen", language, **values)


@_public
def frozen_explained(language: str, now: datetime, key: str, number: int) -> Made | None:
    """/cong-khai/chot/KEY/N/giai-trinh: how frozen figures come about."""
    values = _frozen(language, key, number)
    if values is None:
        return None
    content = values["content"]
    more = {name: content[name] for name in ("visits", "dossiers", "letters", "withheld", "least")}
    return HTTPStatus.OK, _render("frozen-explained", language, **values, **more, moves="explain.moves_bundles")


def _frozen(language: str, key: str, number: int | None) -> dict[str, Any] | None:
    row = Frozen.objects.select_related("unit", "site").filter(key=key).first()
    shown = freezing.shown(row, number) if row else None
    if row is None or shown is None:
        return None
    t, revisions = texts(language), freezing.revisions(row)
    period = freezing.period_of(row)
    return {
        "shown": shown,
        "symbol": qr.svg(freezing.address(row, shown.revision.number)),
        "period": periods.words(t, period),
        "capitals": periods.title_words(t, period),
        "history": history(t, revisions),
        "unnamed": _logins(each.revision.by for each in revisions),
        **values_of(shown.content),
    }


def _logins(names: Iterable[str]) -> set[str]:
    """Those of these names that somebody signs in with: an account that was set up is called so until its owner enters
    a name, and what one signs in with is not for everybody."""
    given = set(names)
    logins = User.objects.filter(username__in=[name.lower() for name in given]).values_list("username", flat=True)
    return {name for name in given if name.lower() in set(logins)}


def _chosen(code: str, site: str) -> list[Site]:
    return [each for each in published.sites_of(code) if site in ("", each.key)]


def _sound(parts: Mapping[str, Any]) -> bool:
    """Whether an address may lead somewhere at all: nothing else costs a look at the database."""
    checks = {"code": CODE, "key": KEY}
    return all(check.fullmatch(parts[name]) for name, check in checks.items() if name in parts) and all(
        "\0" not in str(part) and len(str(part)) <= 40 for part in parts.values()
    )


# --- answers --------------------------------------------------------------------------------------------------


def _nothing(language: str) -> Made:
    return HTTPStatus.NOT_FOUND, _render("message", language, message="public.nothing")


def _render(name: str, language: str, **values: Any) -> str:
    others = [(code, texts(code)("language.name")) for code in LANGUAGES if code != language]
    frame = {"t": texts(language), "language": language, "others": others}
    frame["query"] = "" if language == LANGUAGES[0] else f"?l={language}"
    return render_to_string(f"publication/public/{name}.html", {**frame, **values})


def _answer(made: Made, *, findable: bool = False) -> HttpResponse:
    """`findable`: search engines may show it. The address of frozen figures is for those who were given it."""
    status, html = made
    answer = HttpResponse(html, status=status, headers=HEADERS)
    if findable and status == HTTPStatus.OK:
        del answer["X-Robots-Tag"]
    answer["Cache-Control"] = f"public, max-age={CACHED_S}" if status == HTTPStatus.OK else "no-store"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        answer["Retry-After"] = str(BUSY_S)
    return answer
