"""The hall's board: each counter, the latest calls, who missed theirs, dossiers, and the published satisfaction."""

from kiosk.clock import Moment
from kiosk.office import Counter as Desk
from kiosk.present.progress import progress_panel, progress_sentence
from kiosk.present.words import Words
from kiosk.rating import Figure
from kiosk.store import BoardFacts, Publication
from kiosk.tickets import Counter, State, Ticket
from kiosk.views.model import (
    PANELS_UP_TO,
    BoardView,
    Called,
    CounterCard,
    FaceKind,
    Portrait,
    SatisfactionCount,
    SatisfactionPanel,
)

CALLED_LINES = 4
CALLED_LINES_ALONE = 8
"""Without a panel of figures the list has the side to itself."""


def board_view(
    words: Words, now: Moment, facts: BoardFacts, publication: Publication | None, lost: str = ""
) -> BoardView:
    """The board as everybody may see it. The newest call stays highlighted until the next one.

    `lost` says which source is gone: then the facts are the last ones known.
    """
    t = words.t
    newest = facts.called[0].id if facts.called else ""
    satisfaction = _satisfaction(words, publication)
    progress = progress_panel(words, now, facts.dossiers) if facts.dossiers else None
    lines = CALLED_LINES if satisfaction or progress else CALLED_LINES_ALONE
    return BoardView(
        header=words.header(now, t("board.title"), lost),
        cards=tuple(_card(words, facts, desk, newest) for desk in words.office.counters),
        called=tuple(_called(words, ticket, ticket.id == newest) for ticket in facts.called[:lines]),
        called_title=t("board.called"),
        missed=tuple(ticket.number for ticket in facts.missed),
        missed_title=t("board.missed"),
        progress=progress,
        satisfaction=satisfaction,
        ticker=words.ticker(now, _more(words, facts, publication)),
        ticker_label=t("board.ticker"),
        apology=t("apology.wait") if facts.kept_waiting else "",
        message="" if words.office.counters else t("board.no_counters"),
    )


def ticker_lines(words: Words, facts: BoardFacts, publication: Publication | None) -> tuple[str, ...]:
    """All pages of the board's ticker, for a board that turns them by itself: one each `TICKER_PAGE_S`."""
    return words.ticker_lines(_more(words, facts, publication))


def portrait(words: Words, clerk_id: str) -> Portrait:
    """The clerk's photo, or a drawn person who stays the same."""
    clerk = words.office.clerk(clerk_id)
    ids = [clerk.id for clerk in words.office.clerks]
    return Portrait(words.picture(clerk.photo) if clerk else "", ids.index(clerk_id) if clerk_id in ids else 0)


def service_line(words: Words, desk: Desk) -> str:
    """What a counter serves, on one line."""
    return " · ".join(words.short_name(id) for id in desk.services)


def _card(words: Words, facts: BoardFacts, desk: Desk, newest: str) -> CounterCard:
    t = words.t
    counter = facts.counters.get(desk.id, Counter(desk.id))
    ticket = facts.at_counter.get(desk.id)
    clerk = words.office.clerk(counter.clerk)
    state, text, plate = _state(words, counter, ticket)
    waiting = sum(facts.waiting.get(service, 0) for service in desk.services)
    return CounterCard(
        counter_label=t("board.counter", quay=desk.label),
        service_line=words.service_name(ticket.queue) if ticket else service_line(words, desk),
        number=ticket.number if ticket else "",
        state=state,  # type: ignore[arg-type]
        state_text=text,
        clerk=clerk.name if clerk else "",
        portrait=portrait(words, counter.clerk) if clerk else None,
        waiting=t.number(waiting),
        waiting_label=t("board.waiting"),
        highlighted=ticket is not None and ticket.id == newest,
        plate=plate,
        calls=ticket.calls if ticket else 0,
    )


def _state(words: Words, counter: Counter, ticket: Ticket | None) -> tuple[str, str, str]:
    """State of the card, its sentence, and what stands in place of a number."""
    t = words.t
    if ticket:
        return ("called", t("board.come"), "") if ticket.state is State.CALLED else ("serving", t("board.serving"), "")
    if counter.state == "paused":
        back = t("board.back_at", gio=counter.paused_until) if counter.paused_until else ""
        return "paused", back, t("board.paused_short")
    if counter.state == "closed":
        return "closed", "", t("board.closed")
    return "free", t("board.free"), t("board.none")


def _called(words: Words, ticket: Ticket, highlighted: bool) -> Called:
    at = words.t.clock(ticket.last_called_at) if ticket.last_called_at else ""
    where = words.t("board.counter_short", quay=words.counter_label(ticket.counter))
    return Called(ticket.number, where, at, highlighted)


def _satisfaction(words: Words, publication: Publication | None) -> SatisfactionPanel | None:
    """The figures of the label set that is asked now, as they were published; nothing that moves with a press."""
    labels = words.office.label_set()
    if publication is None or labels is None or labels.id not in publication.figures:
        return None
    t, figure = words.t, publication.figures[labels.id]
    period = t("board.month", thang=int(publication.period[5:]))
    counts = tuple(_count(words, figure, level.face, level.value) for level in labels.levels)  # type: ignore[arg-type]
    share = _bare(t.percent(figure.n, figure.served))
    line = t(
        "board.satisfaction_line", k=t.number(figure.k), n=t.number(figure.n), luot=t.number(figure.served), t=share
    )
    title = t("board.satisfaction_title", ky=period)
    return SatisfactionPanel(title, t.percent(figure.k, figure.n), counts, line)


def _more(words: Words, facts: BoardFacts, publication: Publication | None) -> tuple[str, ...]:
    """What the board's ticker says besides the office document's lines: the panels in words where there is no room
    beside the counters, and what staff wrote.
    """
    is_dense = len(words.office.counters) > PANELS_UP_TO
    return (*(_sentences(words, facts, publication) if is_dense else ()), *facts.lines)


def _sentences(words: Words, facts: BoardFacts, publication: Publication | None) -> tuple[str, ...]:
    """The panels in words, for a board that has no room beside its counters."""
    dossiers = (progress_sentence(words, facts.dossiers),) if facts.dossiers else ()
    return (*dossiers, *_satisfaction_sentence(words, publication))


def _satisfaction_sentence(words: Words, publication: Publication | None) -> tuple[str, ...]:
    labels = words.office.label_set()
    if publication is None or labels is None or labels.id not in publication.figures:
        return ()
    t, figure = words.t, publication.figures[labels.id]
    share, answered = (
        _bare(t.percent(part, whole)) for part, whole in ((figure.k, figure.n), (figure.n, figure.served))
    )
    period = t("board.month", thang=int(publication.period[5:]))
    return (t("board.satisfaction", ky=period.lower(), p=share, k=figure.k, n=figure.n, t=answered),)


def _bare(percent: str) -> str:
    """A percentage without its sign, for sentences that write it themselves."""
    return percent.removesuffix("%").rstrip("\u00a0")


def _count(words: Words, figure: Figure, face: FaceKind, value: int) -> SatisfactionCount:
    n = figure.by_level.get(value, 0)
    return SatisfactionCount(face, words.t.number(n), n / figure.n if figure.n else 0.0)
