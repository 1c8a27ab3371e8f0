"""The weekly bulletin for the commune's loudspeakers (tin loa truyền thanh): figures as sentences to be read aloud."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from kiosk import numerals
from kiosk.office import Hotline
from kiosk.texts import LOCAL, Texts
from kiosk.tickets import time_of
from server.publication.content import Content
from server.publication.explaining import satisfaction
from server.reports.periods import Period

DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
EARLY_DAYS = 10
"""The first ten days of a month are "mùng một" to "mùng mười"."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Numbers, shares and dates as they are read aloud: in words in Vietnamese, else in figures."""

    t: Texts

    def number(self, n: int) -> str:
        """125 → một trăm hai mươi lăm."""
        if self.t.base != "vi" or not 0 <= n < 10**numerals.MOST_DIGITS:
            return self.t.number(n)
        return " ".join(DIGITS[int(word)] if len(word) == 1 else numerals.WORDS[word] for word in numerals.read(n))

    def percent(self, part: int, whole: int) -> str:
        """39 of 40 → chín mươi bảy phẩy năm phần trăm. `whole` is not 0."""
        if self.t.base != "vi":
            return self.t.percent(part, whole)
        figure = self.t.percent(part, whole).partition("\u00a0")[0].replace(".", "")
        ones, _, tenths = figure.partition(",")
        words = self.number(int(ones)) + (f" phẩy {DIGITS[int(tenths)]}" if tenths else "")
        return f"{words} phần trăm"

    def day(self, day: date) -> str:
        """mùng hai tháng mười một; thirteen and later without mùng."""
        if self.t.base != "vi":
            return self.t.date(day)
        early = "mùng " if day.day <= EARLY_DAYS else ""
        month = "tư" if day.month == 4 else self.number(day.month)  # April has a word of its own
        return f"{early}{self.number(day.day)} tháng {month}"


def bulletin(t: Texts, content: Content, period: Period, answers: Sequence[str], hotlines: Sequence[Hotline]) -> str:
    """The text, a paragraph for each matter; what is not known is not spoken of."""
    spoken = Spoken(t)
    paragraphs = [
        _opening(spoken, content, period),
        *_visits(spoken, content),
        *_dossiers(spoken, content["dossiers"]),
        *_opinions(spoken, content),
        *(t("bulletin.answer", dong=answer.rstrip(".")) for answer in answers),
        *(t("bulletin.hotline", ten=line.name, so_dt=line.number) for line in hotlines[:1]),
        t("bulletin.end"),
    ]
    return "\n\n".join(paragraphs)


def _opening(spoken: Spoken, content: Content, period: Period) -> str:
    where = content["unit"]["name"]
    return spoken.t("bulletin.opening", don_vi=where, tu=spoken.day(period.first), den=spoken.day(period.last))


def _visits(spoken: Spoken, content: Content) -> Iterator[str]:
    t, visits = spoken.t, content["visits"]
    if not visits["issued"]:
        yield t("bulletin.nobody")
        return
    said = t("bulletin.visits", lay=spoken.number(visits["issued"]), xong=spoken.number(visits["served"]))
    most = max(content["services"], key=lambda each: each["issued"], default=None)
    if most and len(content["services"]) > 1:
        name = most["name"] if t.base == "vi" else most.get("name_en") or most["name"]
        said += " " + t("bulletin.most", linh_vuc=name, n=spoken.number(most["issued"]))
    yield said
    wait = visits["wait"]
    if wait["n"]:
        yield t(
            "bulletin.wait",
            thuong=_minutes(spoken, wait["median"], "under_a_minute"),
            chin_muoi=_minutes(spoken, wait["p90"], "a_minute"),
        )


def _minutes(spoken: Spoken, n: int, none: str) -> str:
    """Whole minutes; of fewer than one what `none` names."""
    return spoken.t("bulletin.minutes", n=spoken.number(n)) if n else spoken.t(f"bulletin.{none}")


def _dossiers(spoken: Spoken, dossiers: Mapping[str, Any] | None) -> Iterator[str]:
    if not dossiers:
        return
    settled, unsettled = ("early", "on_time", "late"), ("in_time", "overdue")
    sums = {"tong": sum(dossiers[n] for n in settled), "con": sum(dossiers[n] for n in unsettled)}
    counts = {name: spoken.number(n) if (n := dossiers[name]) else spoken.t("bulletin.none") for name in
              (*settled, *unsettled)}  # fmt: skip
    totals = {name: spoken.number(n) for name, n in sums.items()}
    yield spoken.t(
        "bulletin.dossiers", ngay=spoken.day(time_of(dossiers["as_of"]).astimezone(LOCAL).date()), **totals, **counts
    )


def _opinions(spoken: Spoken, content: Content) -> Iterator[str]:
    if not content["ratings"]:
        yield spoken.t("bulletin.few")
    for each in map(satisfaction, content["ratings"]):
        said = {"n": spoken.number(each.n), "k": spoken.number(each.k), "p": spoken.percent(each.k, each.n)}
        # Heard without a page: two figures need to be told apart by what was asked.
        said["bo"] = spoken.t("bulletin.of_set", ten=each.name) if len(content["ratings"]) > 1 else ""
        if each.served:
            yield spoken.t("bulletin.opinion", ty_le=spoken.percent(each.n, each.served), **said)
        else:  # where people rate without being called
            yield spoken.t("bulletin.opinion_alone", **said)
