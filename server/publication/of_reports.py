"""What stands beside a report: the code of its frozen figures, and the way to how they come about."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from markupsafe import Markup

from kiosk.texts import Texts
from server import qr
from server.publication import freezing
from server.publication.content import Content, Place, changes, content_of
from server.reports.choosing import Choice
from server.reports.periods import Period


@dataclass(frozen=True, slots=True)
class Stamp:
    """Where the frozen figures of a report's place and period stand; `differs`: those of the report are others by
    now."""

    address: str
    number: int
    differs: bool

    @property
    def symbol(self) -> Markup:
        """The address as a QR code for a page."""
        return qr.svg(self.address)

    @property
    def picture(self) -> bytes:
        """The same for a file, as PNG."""
        return qr.png(self.address)

    def words(self, t: Texts) -> str:
        """What a reader of the report should know of it."""
        which = t("frozen.adjusted", n=self.number) if self.number else t("frozen.first")
        return t("frozen.of_report_differs" if self.differs else "frozen.of_report", lan=which.lower())

    def line(self, t: Texts) -> str:
        """The same with the address, for a file."""
        return f"{self.words(t)}: {self.address}"


def beside(choice: Choice, now: datetime) -> dict[str, Any]:
    """For templates/publication/of-report.html. Some of a commune's reception points together, and several communes,
    are neither frozen nor explained: `several` says so."""
    place = _place(choice)
    if place is None:
        return {"explain": "", "stamp": None, "several": len(choice.place.sites) > 1}
    way = f"{reverse('explain')}?{choice.query}"
    return {"explain": way, "stamp": _stamp_now(place, choice, now), "several": False}


def stamp_of(choice: Choice, now: datetime) -> Stamp | None:
    """The same for files; None where nothing is frozen."""
    place = _place(choice)
    return _stamp_now(place, choice, now) if place else None


def _stamp_now(place: Place, choice: Choice, now: datetime) -> Stamp | None:
    return stamp(place, choice.period, lambda: content_of(place, choice.period, now))


def stamp(place: Place, period: Period, made: Callable[[], Content]) -> Stamp | None:
    """For what shows this place and period as they are now, which `made` tells; None if nobody froze them."""
    frozen = freezing.find(place, period)
    shown = freezing.shown(frozen) if frozen else None
    if frozen is None or shown is None:
        return None
    address = freezing.address(frozen, shown.revision.number)
    differs = bool(changes(shown.content, made()))
    return Stamp(address, shown.revision.number, differs)


def _place(choice: Choice) -> Place | None:
    of = choice.place
    if of.unit is None or not of.sites:
        return None
    if len(of.sites) == len(of.offered):
        return Place(of.unit)
    return Place(of.unit, of.sites[0]) if len(of.sites) == 1 else None
