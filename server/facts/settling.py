"""When a day's ratings are complete. They are shown from then on, and what is heard later is late."""

from datetime import date, datetime, time, timedelta

from kiosk.texts import LOCAL

SETTLES = timedelta(hours=36)
"""So long after its end a day's ratings are shown: phones rate until the end of the next day, and a kiosk that was
switched off then tells the rest in the morning."""


def settled(now: datetime) -> date:
    """The last day whose ratings may be shown."""
    return (now - SETTLES).astimezone(LOCAL).date() - timedelta(days=1)


def settles(day: date) -> datetime:
    """From when on a day's ratings may be shown: noon of the day after next."""
    return datetime.combine(day + timedelta(days=1), time(), LOCAL) + SETTLES


def late(day: date, heard: datetime | None) -> date | None:
    """The day on which a rating of `day` was heard, if that was too late to be among those that are shown; else None.

    `heard` None: in time, whenever it was.
    """
    return heard.astimezone(LOCAL).date() if heard is not None and day <= settled(heard) else None
