"""Whether numbers are given, in one line for systemd, which `systemctl status kiosk` shows.

Root's helper compares the line before and after an update (systemd/kiosk_trial.py), and the two may be of different
releases: how it begins, and that "; " parts it, is not changed.
"""

from collections.abc import Iterable

from kiosk.notify import notify

LONGEST = 200


def opened(broken: Iterable[str] = (), refused: bool = False) -> str:
    """A kiosk that gives numbers; what is `broken` of its keys and lamps, and whether a document is refused."""
    document = ["the newest office document is refused"] if refused else []
    return "; ".join(["open", *(f"{action} is broken" for action in broken), *document])


def shut(why: object) -> str:
    """A kiosk that gives none, and why."""
    sentence = " ".join(str(why).split()).replace(";", ",")
    return f"not open: {sentence[:LONGEST]}"


class Standing:
    """Says it when it is another than before."""

    def __init__(self) -> None:
        self._told = ""

    def is_now(self, line: str) -> None:
        if line != self._told:
            self._told = line
            notify(f"STATUS={line}")
