"""The rating view of one counter: who served, which ticket, the faces; the same thanks for each of them."""

from kiosk.clock import Moment
from kiosk.office import Counter as Desk
from kiosk.present.board import portrait, service_line
from kiosk.present.words import Words
from kiosk.rating import Rating, tied
from kiosk.store import BoardFacts
from kiosk.tickets import Counter, Ticket
from kiosk.views.model import Face, RateState, RateView

ANSWER_S = 4.0
"""How long the answer to a press stands."""


def answer_to(rating: Rating) -> RateState:
    """What somebody who pressed is told: the same for every level."""
    if rating.counts:
        return "thanks"
    return "already" if "repeat" in rating.flags else "not_open"


def counter_panel(
    words: Words,
    now: Moment,
    facts: BoardFacts,
    counter_id: str,
    *,
    open_now: bool,
    said: RateState | None,
    lost: str = "",
) -> RateView:
    """`rate_view` of a counter by what the store says of all."""
    counter = facts.counters.get(counter_id, Counter(counter_id))
    is_tied = tied(counter.armed_at, words.office.rules.rating_policy(), now.at)
    armed = facts.armed.get(counter_id) if is_tied else None
    return rate_view(words, now, counter, armed, open_now=open_now, said=said, lost=lost)


def rate_view(
    words: Words,
    now: Moment,
    counter: Counter,
    armed: Ticket | None,
    *,
    open_now: bool,
    said: RateState | None,
    lost: str = "",
) -> RateView:
    """What the panel at a counter shows.

    `armed` is the ticket that a press is about, `open_now` whether a press counts now, `said` the answer to the last
    press while it stays on the screen; with `lost` (see `board_view`) nothing can be rated.
    """
    t, free = words.t, words.office.rules.free_rating
    desk = words.office.counter(counter.id)
    clerk_id = armed.clerk if armed else _who_sits_there(counter, desk, free)
    clerk = words.office.clerk(clerk_id)
    state: RateState = "not_open" if lost else said or ("ask" if open_now else "idle")
    message, detail = (t("rate.stopped"), t("kiosk.help")) if lost else _says(words, state, counter, armed, clerk_id)
    line = t("rate.counter", quay=words.counter_label(counter.id), linh_vuc=service_line(words, desk) if desk else "")
    return RateView(
        header=words.header(now, t("rate.title"), lost),
        clerk=clerk.name if clerk else "",
        clerk_title=clerk.title if clerk else "",
        counter_line=line,
        portrait=portrait(words, clerk_id) if clerk else None,
        ticket_label=t("rate.ticket") if armed and state == "ask" else "",
        number=armed.number if armed and state == "ask" else "",
        question=t("rate.ask"),
        faces=_faces(words, counter.id),
        state=state,
        message=message,
        detail=detail,
        privacy=t("rate.privacy_free" if free else "rate.privacy"),
    )


def _who_sits_there(counter: Counter, desk: Desk | None, free: bool) -> str:
    """Whoever signed in. Only free mode, where nobody has to, counts for the clerk of the office document."""
    return counter.clerk or (desk.clerk if desk and free else "")


def _says(words: Words, state: RateState, counter: Counter, armed: Ticket | None, clerk_id: str) -> tuple[str, str]:
    """The message in place of the faces, and what to do next where that is not in it."""
    t, free = words.t, words.office.rules.free_rating
    # The slip's page takes a comment too; in free mode there are no slips, and a roll's numbers have no code.
    has_code = words.public_url and not free and armed is not None and armed.issuer != "roll"
    more = t("rate.more") if has_code else ""
    match state:
        case "ask":
            return "", ""
        case "thanks" | "already":
            return t(f"rate.{state}"), more
        case _ if free and not clerk_id:
            return t("rate.nobody"), t("kiosk.help")
        case "not_open" if armed:
            return t("rate.expired"), more
        case "not_open":
            return t("rate.not_open"), t("rate.not_open_next")
    return _idle(words, counter, free)


def _idle(words: Words, counter: Counter, free: bool) -> tuple[str, str]:
    t = words.t
    if counter.state == "paused":
        until = counter.paused_until
        return t("board.paused_until", gio=until) if until else t("board.paused"), ""
    if counter.state == "closed" and not free:
        return t("board.closed"), t("kiosk.help")
    return t("rate.idle"), ""


def _faces(words: Words, counter_id: str) -> tuple[Face, ...]:
    """All answers of the set that is asked, the best first."""
    labels = words.office.label_set()
    vietnamese = words.t.base == "vi"
    return tuple(
        Face(f"rate:{counter_id}:{key}", level.value, level.face, level.text if vietnamese else level.text_en)  # type: ignore[arg-type]
        for key, level in (labels.keyed().items() if labels else ())
    )
