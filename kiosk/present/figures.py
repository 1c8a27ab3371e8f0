"""The form for dossier figures: its fields in the words of Biểu 06, what was read, and what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kiosk.clock import SITE_TIME
from kiosk.documents import Problem, printable
from kiosk.dossiers import COUNTS, Dossiers
from kiosk.present.progress import progress_sentence
from kiosk.present.words import Words


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form with what somebody wrote into it."""

    name: str
    label: str
    value: str
    wrong: bool


@dataclass(frozen=True, slots=True)
class FiguresForm:
    """What was entered and not saved yet. `preview` is what the board would show, "" while something is wrong.

    `exact` are the fields that save just this.
    """

    fields: tuple[Field, ...]
    problems: tuple[str, ...] = ()
    preview: str = ""
    exact: Mapping[str, str] = field(default_factory=dict)


def empty_form(words: Words) -> FiguresForm:
    """Before anything was entered."""
    return FiguresForm(_fields(words, {}, set()))


def wrong_form(words: Words, texts: Mapping[str, str], problems: Sequence[Problem]) -> FiguresForm:
    """What was written, and all that is wrong with it."""
    said = tuple(_said(words, problem) for problem in problems)
    return FiguresForm(_fields(words, texts, {problem.path for problem in problems}), said)


def read_form(words: Words, dossiers: Dossiers) -> FiguresForm:
    """Figures that could be read, to look at before they are saved."""
    at = dossiers.as_of.astimezone(SITE_TIME)
    exact = {"as_of": f"{at:%Y-%m-%dT%H:%M}", **{name: str(getattr(dossiers, name)) for name in COUNTS}}
    shown = {name: words.t.number(getattr(dossiers, name)) for name in COUNTS}
    shown["as_of"] = f"{words.t.clock(at)} {words.t.date(at)}"
    return FiguresForm(_fields(words, shown, set()), preview=progress_sentence(words, dossiers), exact=exact)


def _fields(words: Words, texts: Mapping[str, str], wrong: "set[str]") -> tuple[Field, ...]:
    return tuple(Field(name, label(words, name), texts.get(name, ""), name in wrong) for name in ("as_of", *COUNTS))


def label(words: Words, name: str) -> str:
    """A field's name as the form of the statute has it."""
    return words.t(f"figure.{name}")


def _said(words: Words, problem: Problem) -> str:
    values = {
        name: words.t.number(value) if isinstance(value, int) else value for name, value in problem.values.items()
    }
    says = words.t(f"figures.{problem.key}", **values)
    known = problem.path == "as_of" or problem.path in COUNTS
    return printable(f"{label(words, problem.path)}: {says}" if known and problem.key != "twice" else says)
