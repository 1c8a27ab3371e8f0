"""The leader's page in words: the day in figures, who waits too long and what helps, and the published ratings.

It shows ratings only as they were published, and nothing about one clerk: next to the office's figures that could be
subtracted.
"""

from dataclasses import dataclass
from datetime import date
from math import ceil

from kiosk.clock import Moment
from kiosk.present.words import Words
from kiosk.rating import Figure
from kiosk.store import DayFacts, Publication
from kiosk.store.today import ServiceDay
from kiosk.tickets import Counter

BAR_HEIGHT = 100
"""Units of the drawing in which the bars of the hours are."""


@dataclass(frozen=True, slots=True)
class Total:
    """One figure with its name."""

    label: str
    figure: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """One service's day; texts are ready to show, "–" where there is nothing to say."""

    name: str
    waiting: str
    longest: str
    median: str
    issued: str
    served: str
    no_show: str
    cancelled: str
    late: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """Numbers given in one hour; `height` of BAR_HEIGHT."""

    hour: str
    figure: str
    height: int


@dataclass(frozen=True, slots=True)
class CounterRow:
    """A counter and who sits there; no figure stands beside a name."""

    label: str
    clerk: str
    state: str
    tone: str


@dataclass(frozen=True, slots=True)
class RatingRow:
    """What one month showed last."""

    month: str
    rate: str
    counted: str
    answered: str
    levels: tuple[str, ...]
    left_out: str
    until: str


@dataclass(frozen=True, slots=True)
class LeaderPage:
    """All that moves on the page; `alert` is "" while nobody waits too long, `hint` says what helps."""

    day: str
    alert: str
    hint: str
    totals: tuple[Total, ...]
    services: tuple[ServiceRow, ...]
    bars: tuple[Bar, ...]
    bars_said: str
    counters: tuple[CounterRow, ...]


def leader_page(words: Words, now: Moment, facts: DayFacts) -> LeaderPage:
    """The running day."""
    t = words.t
    bars = _bars(words, facts)
    return LeaderPage(
        day=t.day(now.local),
        alert=_alert(words, facts),
        hint=_hint(words, facts) if facts.late else "",
        totals=_totals(words, facts),
        services=tuple(_service(words, each) for each in facts.services),
        bars=bars,
        bars_said="; ".join(t("leader.bar", gio=bar.hour, n=bar.figure) for bar in bars),
        counters=tuple(_counter(words, facts, each.id) for each in words.office.counters),
    )


def rating_rows(words: Words, publications: tuple[Publication, ...]) -> tuple[RatingRow, ...]:
    """The figures of the label set that is asked now, the newest month first."""
    labels = words.office.label_set()
    if labels is None:
        return ()
    shown = [(each, each.figures[labels.id]) for each in publications if labels.id in each.figures]
    return tuple(_rating(words, publication, figure) for publication, figure in shown)


# --- parts ---------------------------------------------------------------------------------------------------


def _alert(words: Words, facts: DayFacts) -> str:
    names = ", ".join(words.service_name(id) for id in facts.late)
    return words.t("leader.alert", linh_vuc=names) if names else ""


def _hint(words: Words, facts: DayFacts) -> str:
    """Counters that serve who waits and are not open now."""
    t = words.t
    idle = [
        t("board.counter_short", quay=desk.label)
        for desk in words.office.counters
        if {*desk.services} & {*facts.late} and facts.counters.get(desk.id, Counter(desk.id)).state != "open"
    ]
    return t("leader.open_counter", quay=", ".join(idle)) if idle else t("leader.all_open")


def _totals(words: Words, facts: DayFacts) -> tuple[Total, ...]:
    t, days = words.t, facts.services
    is_open = sum(1 for each in words.office.counters if facts.counters.get(each.id, Counter(each.id)).state == "open")
    return (
        Total(t("leader.waiting"), t.number(sum(each.waiting for each in days)), "late" if facts.late else ""),
        Total(t("leader.issued"), t.number(sum(each.issued for each in days))),
        Total(t("leader.served"), t.number(sum(each.served for each in days))),
        Total(t("leader.no_show"), t.number(sum(each.no_show for each in days))),
        Total(t("leader.cancelled"), t.number(sum(each.cancelled for each in days))),
        Total(t("leader.open_counters"), f"{is_open}/{len(words.office.counters)}"),
    )


def _service(words: Words, each: ServiceDay) -> ServiceRow:
    t = words.t
    return ServiceRow(
        words.service_name(each.service),
        t.number(each.waiting),
        _minutes(words, each.longest_s),
        _minutes(words, each.wait_s),
        t.number(each.issued),
        t.number(each.served),
        t.number(each.no_show),
        t.number(each.cancelled),
        each.late,
    )


def _minutes(words: Words, seconds: float | None) -> str:
    return "–" if seconds is None else words.t("unit.minutes", n=round(seconds / 60))


def _bars(words: Words, facts: DayFacts) -> tuple[Bar, ...]:
    """Each hour from the first number to the last, so that a quiet hour shows."""
    if not facts.hours:
        return ()
    most = max(facts.hours.values())
    hours = range(min(facts.hours), max(facts.hours) + 1)
    counts = {hour: facts.hours.get(hour, 0) for hour in hours}
    return tuple(
        Bar(words.t("leader.hour", n=hour), words.t.number(n), ceil(BAR_HEIGHT * n / most))
        for hour, n in counts.items()
    )


def _counter(words: Words, facts: DayFacts, id: str) -> CounterRow:
    t, counter = words.t, facts.counters.get(id, Counter(id))
    clerk = words.office.clerk(counter.clerk)
    state = {"open": t("leader.open"), "paused": t("board.paused_short")}.get(counter.state, t("board.closed"))
    return CounterRow(
        t("board.counter_short", quay=words.counter_label(id)), clerk.name if clerk else "", state, counter.state
    )


def _rating(words: Words, publication: Publication, figure: Figure) -> RatingRow:
    t, labels = words.t, words.office.label_set()
    assert labels is not None
    levels = tuple(
        f"{level.text if t.language == 'vi' else level.text_en}: {t.number(figure.by_level.get(level.value, 0))}"
        for level in labels.levels
    )
    left_out = sum(n for levels in figure.left_out.values() for n in levels.values())
    day = date.fromisoformat(publication.day)
    session = words.session_in_text(publication.session)
    return RatingRow(
        t("leader.month", thang=int(publication.period[5:]), nam=publication.period[:4]),
        t.percent(figure.k, figure.n),
        t("leader.counted", k=t.number(figure.k), n=t.number(figure.n)),
        t("leader.answered", p=t.percent(figure.n, figure.served), n=t.number(figure.n), luot=t.number(figure.served)),
        levels,
        t("leader.left_out", n=t.number(left_out)) if left_out else "",
        t("leader.until", buoi=session, ngay=t.date(day)),
    )
