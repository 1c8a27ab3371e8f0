"""The rating view of one counter: who served, which ticket, three faces; the same thanks for each of them."""

from kiosk.clock import Moment
from kiosk.present.board import portrait, service_line
from kiosk.present.words import Words
from kiosk.tickets import Counter, Ticket
from kiosk.views.model import Face, RateState, RateView


def rate_view(
    words: Words, now: Moment, counter: Counter, armed: Ticket | None, *, open_now: bool, said: RateState | None
) -> RateView:
    """What the panel at a counter shows.

    `armed` is the ticket that may be rated, `open_now` whether a press counts now, `said` the answer to the last press
    while it stays on the screen.
    """
    t = words.t
    desk = words.office.counter(counter.id)
    clerk_id = armed.clerk if armed else counter.clerk or (desk.clerk if desk else "")
    clerk = words.office.clerk(clerk_id)
    state: RateState = said or ("ask" if open_now else "idle")
    line = t("rate.counter", quay=words.counter_label(counter.id), linh_vuc=service_line(words, desk) if desk else "")
    return RateView(
        header=words.header(now, t("rate.title")),
        clerk=clerk.name if clerk else "",
        clerk_title=clerk.title if clerk else "",
        counter_line=line,
        portrait=portrait(words, clerk_id) if clerk else None,
        ticket_label=t("rate.ticket") if armed and state == "ask" else "",
        number=armed.number if armed and state == "ask" else "",
        question=t("rate.ask"),
        faces=_faces(words, counter.id),
        state=state,
        message="" if state == "ask" else t(f"rate.{state}"),
        privacy=t("rate.privacy_free" if words.office.rules.free_rating else "rate.privacy"),
    )


def _faces(words: Words, counter_id: str) -> tuple[Face, ...]:
    labels = words.office.label_set()
    if labels is None:
        return ()
    vietnamese = words.t.language == "vi"
    shown = ((key, labels.by_key(key)) for key in ("happy", "neutral", "unhappy"))
    return tuple(
        Face(f"rate:{counter_id}:{key}", level.value, level.face, level.text if vietnamese else level.text_en)  # type: ignore[arg-type]
        for key, level in shown
        if level is not None
    )
