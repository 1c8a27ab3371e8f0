"""Dossiers settled and open (công khai tiến độ giải quyết hồ sơ): the board's panel, or one sentence."""

from kiosk.clock import Moment
from kiosk.dossiers import Dossiers
from kiosk.present.words import Words
from kiosk.views.model import ProgressPanel, ProgressRow


def progress_panel(words: Words, now: Moment, dossiers: Dossiers) -> ProgressPanel:
    """The words of the form (Biểu 06) and from when the figures are; a share only where something was settled."""
    t, settled = words.t, dossiers.settled
    share = 1 / settled if settled else 0.0
    return ProgressPanel(
        title=t("board.progress_title"),
        rows=(
            ProgressRow(t("board.early"), t.number(dossiers.early), dossiers.early * share, "early"),
            ProgressRow(t("board.on_time"), t.number(dossiers.on_time), dossiers.on_time * share, "on_time"),
            ProgressRow(t("board.overdue"), t.number(dossiers.late), dossiers.late * share, "late"),
        ),
        percent=t.percent(dossiers.in_good_time, settled, 1) if settled else "",
        asof=asof(words, dossiers),
        stale=is_stale(words, now, dossiers),
        total=t.number(settled),
        open_line=t(
            "board.progress_open_line",
            e=t.number(dossiers.unsettled),
            f=t.number(dossiers.in_time),
            g=t.number(dossiers.overdue),
        ),
    )


def progress_sentence(words: Words, dossiers: Dossiers) -> str:
    """All of it in one line; the figures never stand without the time that they are from."""
    names = {
        "a": dossiers.settled,
        "b": dossiers.early,
        "c": dossiers.on_time,
        "d": dossiers.late,
        "e": dossiers.unsettled,
        "f": dossiers.in_time,
        "g": dossiers.overdue,
    }
    figures = words.t("board.progress", **{name: words.t.number(n) for name, n in names.items()})
    return f"{figures}. {asof(words, dossiers)}"


def report(words: Words, now: Moment, dossiers: Dossiers | None) -> list[str]:
    """What is in force, for whoever enters it."""
    if dossiers is None:
        return [words.t("board.progress_none")]
    lines = [progress_sentence(words, dossiers)]
    if dossiers.ahead_of(now.at):
        lines.append(words.t("board.progress_ahead") if now.trusted else words.t("clock.untrusted"))
    elif is_stale(words, now, dossiers):
        lines.append(words.t("board.progress_stale", n=words.office.rules.dossiers_stale_h))
    return lines


def asof(words: Words, dossiers: Dossiers) -> str:
    """From when the figures are."""
    return words.t("board.asof", gio=words.t.clock(dossiers.as_of), ngay=words.t.date(dossiers.as_of))


def is_stale(words: Words, now: Moment, dossiers: Dossiers) -> bool:
    """Whether nobody should rely on the figures: they are older than the office wants, or from a time to come.

    A clock that nobody vouches for calls nothing old: figures that it let in are judged when the true time is known.
    """
    hours = words.office.rules.dossiers_stale_h
    return now.trusted and (dossiers.older_than(hours, now.at) or dossiers.ahead_of(now.at))
