"""The office's rules in the form that the store works by. Knows no names and no words."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kiosk.hours import Hours
from kiosk.rating import RatingPolicy
from kiosk.tickets import Policy


@dataclass(frozen=True, slots=True)
class ServiceRule:
    """How a service numbers its tickets, and how many it gives per session (by session id)."""

    id: str
    prefix: str
    quota: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeskRule:
    """Which services a counter calls, and who sits there unless somebody else signed in."""

    id: str
    services: tuple[str, ...]
    clerk: str = ""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All that a transaction must know of the office. `satisfied`: label set → levels that count as satisfied."""

    hours: Hours
    services: Mapping[str, ServiceRule]
    desks: Mapping[str, DeskRule]
    policy: Policy = field(default_factory=Policy)
    rating: RatingPolicy = field(default_factory=RatingPolicy)
    label_set: str = ""
    satisfied: Mapping[str, frozenset[int]] = field(default_factory=dict)
    numbering: str = "day"
