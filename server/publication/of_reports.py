"""What stands beside a report: the code of its frozen figures, and the way to how they come about."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from markupsafe import Markup

from server import qr
from server.publication import freezing
from server.publication.content import Place
from server.reports.choosing import Choice


@dataclass(frozen=True, slots=True)
class Stamp:
    """Where the frozen figures of a report's place and period stand, as an address and as its QR code."""

    address: str
    number: int
    symbol: Markup


def beside(choice: Choice) -> dict[str, Any]:
    """For templates/publication/of-report.html. Some of a commune's reception points together, and several communes,
    are neither frozen nor explained."""
    place = _place(choice)
    if place is None:
        return {"explain": "", "stamp": None}
    known = freezing.stamp(place, choice.period)
    stamp = Stamp(*known, qr.svg(known[0])) if known else None
    return {"explain": f"{reverse('explain')}?{choice.query}", "stamp": stamp}


def _place(choice: Choice) -> Place | None:
    of = choice.place
    if of.unit is None or not of.sites:
        return None
    if len(of.sites) == len(of.offered):
        return Place(of.unit)
    return Place(of.unit, of.sites[0]) if len(of.sites) == 1 else None
