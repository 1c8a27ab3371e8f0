"""The view for taking a number: tiles, the priority bar, and the one message in their place."""

from collections.abc import Collection, Mapping
from datetime import date, datetime

from kiosk.clock import Moment
from kiosk.hours import Opening
from kiosk.present.words import Words
from kiosk.store import Issued
from kiosk.texts import Texts
from kiosk.tickets import Refused
from kiosk.views.model import LanguageKey, Notice, PriorityBar, TakeView, Tile

Outlook = dict[str, tuple[int, tuple[int, int] | None]]
"""Service → people ahead of a new number, and the wait in minutes (from, to) where it can be said; none = not known."""

LANGUAGE_MARK, CANCEL_MARK = "VI/EN", "×"
"""What stands on keys of the panel; on the priority key stands the office's own sign."""


def take_view(
    words: Words,
    now: Moment,
    outlook: Outlook,
    *,
    touch: bool,
    priority: bool,
    notice: Notice | None,
    staff_icons: tuple[str, ...],
    lost: str = "",
    next_language: str = "",
    marks: Mapping[str, str] | None = None,
    setup_line: str = "",
    rolls: Collection[str] = (),
) -> TakeView:
    """What the citizen sees at the kiosk; `priority` after the priority key, until a service is chosen.

    `next_language` is what the next language calls itself. `marks` says, where keys are pressed, what stands on those
    that there are (by action): what no key does is not offered. `setup_line` tells whoever sets a new kiosk up how.
    `rolls` are services whose numbers the help desk tears off a roll.
    """
    t, marks = words.t, marks or {}
    offered = any(service.offered(now.day) for service in words.office.services)
    tiles = tuple(_tile(words, now, service.id, outlook, rolls) for service in words.office.services)
    gives = any(tile.available for tile in tiles)
    return TakeView(
        header=words.header(now, _title(t, notice, gives=gives, touch=touch), lost),
        mode="touch" if touch else "keys",
        tiles=tiles if offered else (),
        priority=_priority_bar(words, marks, chosen=priority, touch=touch) if gives else None,
        notice=notice,
        ticker=setup_line or words.ticker(now),
        ticker_label=t("board.ticker"),
        staff_icons=staff_icons,
        language=_language_key(next_language, marks, touch),
        panel="" if touch or not gives else t("kiosk.panel"),
        message="" if offered else t("kiosk.nothing_offered"),
    )


def _title(t: Texts, notice: Notice | None, *, gives: bool, touch: bool) -> str:
    """What the band says: it invites to choose only while that leads to a number."""
    if notice and notice.number:
        return t("kiosk.taken")
    if (notice and notice.kind != "cancelled") or not gives:
        return t("kiosk.not_taken")
    return t("kiosk.hint_touch" if touch else "kiosk.hint_button")


def key_marks(words: Words, keys: Mapping[str, str]) -> dict[str, str]:
    """What stands on the citizens' keys: action → sign. `keys`: action → name on a keyboard, "" on the panel.

    Without a cancel key the priority key takes its choice back.
    """
    signs = {"priority": words.t("slip.priority_mark"), "cancel": CANCEL_MARK, "language": LANGUAGE_MARK}
    marks = {action: _sign(name) if name else signs[action] for action, name in keys.items()}
    if "priority" in marks:
        marks.setdefault("cancel", marks["priority"])
    return marks


def _sign(key: str) -> str:
    """A key's name as it stands on the key: "[/]" → "/", "l" → "L"."""
    if len(key) == 3 and key[0] == "[":
        return key[1]
    return "Esc" if key == "escape" else key.upper() if len(key) <= 3 else key.capitalize()


def _language_key(name: str, marks: Mapping[str, str], touch: bool) -> LanguageKey | None:
    reached = touch or "language" in marks
    return LanguageKey("language", name, marks.get("language", "")) if name and reached else None


def _tile(words: Words, now: Moment, id: str, outlook: Outlook, rolls: Collection[str]) -> Tile:
    t, service = words.t, words.service(id)
    offered, rolled = service.offered(now.day), id in rolls
    note = "" if offered and not rolled else t("kiosk.at_desk" if offered else "kiosk.not_offered")
    return Tile(
        action=f"take:{id}",
        digit=service.digit,
        name=words.service_name(id),
        hint=service.hint if t.base == "vi" else service.hint_en,
        icon=service.icon,
        colour=service.colour,
        waiting_text=_waiting(words, *outlook[id]) if not note and id in outlook else "",
        available=not note,
        note=note,
    )


def _waiting(words: Words, ahead: int, wait: tuple[int, int] | None) -> str:
    if not ahead:
        return words.t("kiosk.waiting_0")
    if wait is None:
        return words.t("kiosk.waiting", n=ahead)
    return words.t("kiosk.waiting_wait", n=ahead, tu=wait[0], den=wait[1])


def _priority_bar(words: Words, marks: Mapping[str, str], *, chosen: bool, touch: bool) -> PriorityBar | None:
    t = words.t
    if not (touch or "priority" in marks):
        return None
    if chosen:
        title, sign = t("kiosk.priority"), marks.get("cancel", "")
        return PriorityBar("cancel", title, t("kiosk.priority_chosen"), t("kiosk.cancel"), chosen=True, digit=sign)
    who = words.office.rules.priority_who or t("kiosk.priority_who")
    return PriorityBar(
        "priority", t("kiosk.priority_take"), who, t("kiosk.priority_choose"), digit=marks.get("priority", "")
    )


# --- messages ------------------------------------------------------------------------------------------------


def slip_notice(words: Words, issued: Issued) -> Notice:
    """Take your slip: the number big, and how long it may take."""
    return Notice(
        kind="slip",
        title=_your_number(words, issued),
        number=issued.ticket.number,
        lines=(*_lines(words, issued), words.t("kiosk.sit_down")),
        tone="ok",
        pill=words.t("kiosk.take_slip_below"),
        mark=words.t("slip.priority") if issued.ticket.priority else "",
    )


def glass_notice(words: Words, issued: Issued, printer: str) -> Notice:
    """The number and its code on the glass, while the printer (in state `printer`) gives no paper."""
    t, url = words.t, words.ticket_url(issued.ticket.token)
    number = issued.ticket.number
    if printer == "paper_out":
        says = t("kiosk.no_paper" if url else "kiosk.no_paper_no_code", so=number)
    else:
        says = t("kiosk.printer_error", so=number)
    return Notice(
        kind="glass",
        title=_your_number(words, issued),
        number=number,
        lines=(says, *_lines(words, issued)),
        qr_url=url,
        qr_text=t("kiosk.scan") if url else "",
        tone="warn",
        pill=t("kiosk.remember"),
        mark=t("slip.priority") if issued.ticket.priority else "",
    )


def _your_number(words: Words, issued: Issued) -> str:
    return words.t("kiosk.your_priority_number" if issued.ticket.priority else "kiosk.your_number")


def _lines(words: Words, issued: Issued) -> tuple[str, ...]:
    t = words.t
    ahead = t("kiosk.ahead", n=issued.ahead) if issued.ahead else t("kiosk.ahead_0")
    wait = t("kiosk.wait", tu=issued.wait[0], den=issued.wait[1]) if issued.wait and issued.ahead else ""
    return tuple(line for line in (words.service_name(issued.ticket.service), ahead, wait) if line)


def refusal_notice(
    words: Words, refused: Refused, service: str, today: date, resumes: datetime | None = None
) -> Notice:
    """Why there is no number, and what to do; `resumes` is the local time at which numbers are given again."""
    t = words.t
    door = refused.values.get("opening")
    match refused.reason, door:
        case "closed", Opening(session=session) if session is not None:
            title = t("kiosk.closed", tu=t.clock(session.take_from), den=t.clock(session.last_number))
            return _refusal("closed", title, pill=t("kiosk.come_in_hours"))
        case "session_over", Opening(session=session) if session is not None:
            return _come_back(words, "session_over", door.resumes, today, buoi=words.session_in_text(session.id))
        case "holiday", Opening(reason=reason):
            title = t("kiosk.holiday", ly_do=reason) if reason else t("kiosk.day_off")
            lines = (t("kiosk.open_again", **words.when(door.resumes, today)),) if door.resumes else ()
            return _refusal("holiday", title, *lines, pill=_after_holiday(words, door.resumes))
        case "quota", _:
            name = words.service_name(service)
            buoi = words.session_in_text(refused.values.get("session", ""))
            return _come_back(words, "quota", resumes, today, linh_vuc=name, buoi=buoi)
        case "too_fast", _:
            return Notice("too_fast", t("kiosk.too_fast"), pill=t("kiosk.again_soon"))
        case "flood", _:
            return Notice("flood", t("kiosk.flood"), pill=t("kiosk.again_minute"))
        case "no_service", _:
            return Notice("no_service", t("kiosk.no_service"), pill=t("kiosk.help"))
    return _refusal("other", t("kiosk.other"), pill=t("kiosk.to_desk"))


def _after_holiday(words: Words, resumes: datetime | None) -> str:
    """What to do while nobody is at the help desk."""
    if resumes:
        return words.t("kiosk.come_when_open")
    hotlines = words.office.hotlines
    return words.t("kiosk.call_about_days", so_dt=hotlines[0].number) if hotlines else words.t("kiosk.look_for_days")


def stopped_notice(words: Words) -> Notice:
    """Numbers cannot be kept (the disk): nobody may get one that would be forgotten."""
    return Notice("stopped", words.t("kiosk.stopped"), tone="error", pill=words.t("kiosk.to_desk"))


def testing_notice(words: Words) -> Notice:
    """A technician tries the keys: no press takes a number meanwhile."""
    return Notice("testing", words.t("kiosk.testing"), tone="info", pill=words.t("kiosk.again_minute"))


def cancelled_notice(words: Words) -> Notice:
    """The priority choice was taken back."""
    return Notice("cancelled", words.t("kiosk.cancelled"), tone="info")


def _come_back(words: Words, key: str, resumes: datetime | None, today: date, **values: str) -> Notice:
    t = words.t
    title = t(f"kiosk.{key}", **values, **words.when(resumes, today)) if resumes else t(f"kiosk.{key}_last", **values)
    return _refusal(key, title, pill=t("kiosk.help"))


def _refusal(kind: str, title: str, *lines: str, pill: str) -> Notice:
    return Notice(kind, title, lines=lines, tone="warn", pill=pill)
