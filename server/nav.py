"""The navigation: which pages there are, and for which roles."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from server.accounts.models import Role, User
from server.accounts.roles import (
    ACCOUNTS,
    AUDITORS,
    CLERKS,
    DOCUMENTS,
    FIGURES,
    KEEPERS,
    LEADERS,
    MACHINES,
    OPERATORS,
    TODAY,
)


@dataclass(frozen=True, slots=True)
class Page:
    """An entry: `key` under [nav] in the language files and the name of its address.

    With `tabs` it is a group, and leads to the first tab that is open to somebody.
    """

    key: str
    roles: frozenset[Role]
    tabs: "tuple[Page, ...]" = ()


PUBLICATION = ("published", "frozen", "comments", "letters", "bulletin")

PAGES: tuple[Page, ...] = (
    Page("today", TODAY),
    Page("mine", CLERKS),
    Page("reports", FIGURES),
    Page("publication", LEADERS, tuple(Page(key, LEADERS) for key in PUBLICATION)),
    Page("documents", DOCUMENTS),
    Page(
        "machines",
        MACHINES,
        (Page("kiosks", MACHINES), Page("alarms", MACHINES), Page("import", KEEPERS), Page("quarantine", KEEPERS)),
    ),
    Page(
        "admin",
        AUDITORS,
        (
            Page("people", ACCOUNTS),
            Page("communes", OPERATORS),
            Page("integrators", ACCOUNTS),
            Page("audit", AUDITORS),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A link of the navigation on one page."""

    key: str
    address: str
    current: bool


def entries(request: HttpRequest) -> list[Entry]:
    """What the person who is signed in may open."""
    return [_entry(request, page) for page in _open_to(request, PAGES)]


def tabs(request: HttpRequest) -> list[Entry]:
    """The pages of the group that this page belongs to, none outside of groups."""
    groups = [[_entry(request, tab) for tab in _open_to(request, page.tabs)] for page in PAGES]
    return next((group for group in groups if any(tab.current for tab in group)), [])


def group(request: HttpRequest) -> str:
    """The key of the entry that this page belongs to, whoever asks; "" for none."""
    within = (page.key for page in PAGES for each in page.tabs or (page,) if _within(request.path, reverse(each.key)))
    return next(within, "")


def _open_to(request: HttpRequest, pages: Sequence[Page]) -> list[Page]:
    user = request.user
    return [page for page in pages if user.role in page.roles] if isinstance(user, User) else []


def _entry(request: HttpRequest, page: Page) -> Entry:
    if not page.tabs:
        address = reverse(page.key)
        return Entry(page.key, address, _within(request.path, address))
    inner = [_entry(request, tab) for tab in _open_to(request, page.tabs)]
    return Entry(page.key, inner[0].address, any(tab.current for tab in inner))


def _within(path: str, address: str) -> bool:
    return path == address or (address != "/" and path.startswith(address.rstrip("/") + "/"))
