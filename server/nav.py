"""The navigation: which pages there are, and for which roles."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from server.accounts.models import Role, User

ALL = frozenset(Role)
FIGURES = frozenset({Role.OPERATOR, Role.VIEWER, Role.ADMIN, Role.LEADER})


@dataclass(frozen=True, slots=True)
class Page:
    """An entry: `key` under [nav] in the language files and the name of its address."""

    key: str
    roles: frozenset[Role]


PAGES: tuple[Page, ...] = (
    Page("today", ALL - {Role.CLERK}),
    Page("mine", frozenset({Role.CLERK})),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A link of the navigation on one page."""

    key: str
    address: str
    current: bool


def entries(request: HttpRequest) -> list[Entry]:
    """What the person who is signed in may open."""
    user = request.user
    if not isinstance(user, User):
        return []
    open_to = [(page.key, reverse(page.key)) for page in PAGES if user.role in page.roles]
    return [Entry(key, address, _within(request.path, address)) for key, address in open_to]


def _within(path: str, address: str) -> bool:
    return path == address or (address != "/" and path.startswith(address.rstrip("/") + "/"))
