"""What the screens show, as plain data: every sentence is already in the reader's language.

Whoever fills these types decides; whoever draws them only draws. This module knows no pygame, no office, no clock and
no rule. Texts may be NFC or NFD. An empty text is not drawn. A text holds no line breaks: drawing wraps it by
measuring; a no-break space (U+00A0) keeps two words on one line.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Tone = Literal["info", "ok", "warn", "error"]
CounterState = Literal["serving", "called", "paused", "free", "closed"]
FaceKind = Literal["very_happy", "happy", "neutral", "unhappy", "very_unhappy"]
RateState = Literal["ask", "thanks", "already", "not_open", "idle"]
CheckState = Literal["ok", "wait", "warn", "error"]

# Names that `icon` and `staff_icons` may hold; another name is drawn as "question".
ICONS = (
    "people",
    "house",
    "heart",
    "stamp",
    "document",
    "question",
    "star",
    "cane",
    "speech",
    "leaf",
    "coin",
    "shield",
)
STAFF_ICONS = ("offline", "paper_low", "paper_out", "printer", "clock", "disk", "key")

# A board with more counters than this has no room for the panels at the side: the counters get the whole width, and
# what the panels would say belongs into the ticker's pages.
PANELS_UP_TO = 9
COUNTERS_UP_TO = 16
TILES_UP_TO = 8


@dataclass(frozen=True, slots=True)
class Header:
    """The band at the top.

    `clock` is "HH:MM"; `lost` names a source that is gone and is shown as a strip below the band. `emblem` is a picture
    file; without one, or with one that cannot be read, a star is drawn.
    """

    unit: str
    title: str
    date: str
    clock: str
    lost: str = ""
    emblem: str = ""


@dataclass(frozen=True, slots=True)
class Portrait:
    """A photo file, or (no path, or a file that cannot be read) a drawn person; `variant` is any integer and picks
    which.
    """

    path: str = ""
    variant: int = 0


# --- take a number ---


@dataclass(frozen=True, slots=True)
class Tile:
    """One service to choose.

    `colour` is "#rrggbb" or a name of `theme.TILE_COLOURS`; `note` replaces `hint` when given.
    """

    action: str
    digit: str
    name: str
    hint: str = ""
    icon: str = "question"
    colour: str = "blue"
    waiting_text: str = ""
    available: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class PriorityBar:
    """The bar below the tiles: its offer, or (`chosen`) what was chosen with the key that takes it back."""

    action: str
    title: str
    text: str
    button: str
    chosen: bool = False
    digit: str = ""


@dataclass(frozen=True, slots=True)
class LanguageKey:
    """The key to the next language: `text` is that language's own name, `digit` what its key is marked with."""

    action: str
    text: str
    digit: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """One message in place of the tiles: take your slip, number and QR on the glass, a refusal.

    `kind` is a word for whoever made it and for tests ("slip", "glass", "refused" …). With a `number`, `title` stands
    small above it; without, `title` is the message itself. The first of `lines` is the strongest. `pill` says what to
    do now, `mark` is a stamp below the number ("ƯU TIÊN"), `qr_text` stands below the QR code. `action` makes the
    whole card touchable.
    """

    kind: str
    title: str
    number: str = ""
    lines: tuple[str, ...] = ()
    qr_url: str = ""
    qr_text: str = ""
    tone: Tone = "info"
    pill: str = ""
    mark: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True)
class TakeView:
    """Take a number: by touch (icons lead) or by keys (the digit of the key leads). 0 to 8 tiles.

    With keys, `panel` is the sentence beside a drawing of the front panel; it stands there while there is room.
    `message` stands in place of the tiles where there are none.
    """

    header: Header
    mode: Literal["touch", "keys"]
    tiles: tuple[Tile, ...]
    priority: PriorityBar | None = None
    notice: Notice | None = None
    ticker: str = ""
    ticker_label: str = ""
    staff_icons: tuple[str, ...] = ()
    language: LanguageKey | None = None
    panel: str = ""
    message: str = ""


# --- board ---


@dataclass(frozen=True, slots=True)
class CounterCard:
    """One counter. Without a `number`, `plate` ("Tạm dừng", "Chưa có số") stands in its place.

    `calls` is how often the number was called; it is not written, but a card that is called again lights up again.
    """

    counter_label: str
    service_line: str
    number: str
    state: CounterState
    state_text: str = ""
    clerk: str = ""
    portrait: Portrait | None = None
    waiting: str = ""
    waiting_label: str = ""
    highlighted: bool = False
    plate: str = ""
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Called:
    """One line of the list of called numbers, newest first."""

    number: str
    counter: str
    clock: str
    highlighted: bool = False


@dataclass(frozen=True, slots=True)
class ProgressRow:
    """One figure of the dossiers: `text` as shown ("1.840"), `share` 0.0–1.0 of the ring, 0 for none."""

    label: str
    text: str
    share: float = 0.0
    tone: Literal["early", "on_time", "late"] = "on_time"


@dataclass(frozen=True, slots=True)
class ProgressPanel:
    """Dossiers settled (`total` beside the title), the open ones in a line, and the time that the figures are from.

    `stale` greys them.
    """

    title: str
    rows: tuple[ProgressRow, ...]
    percent: str
    asof: str
    stale: bool = False
    total: str = ""
    open_line: str = ""


@dataclass(frozen=True, slots=True)
class SatisfactionCount:
    """How often one face was chosen: `text` as shown, `share` 0.0–1.0 of the bar."""

    kind: FaceKind
    text: str
    share: float


@dataclass(frozen=True, slots=True)
class SatisfactionPanel:
    """Published satisfaction: the rate, the counts per face, and the line with k/n and the answer rate."""

    title: str
    percent_text: str
    counts: tuple[SatisfactionCount, ...]
    line: str = ""


@dataclass(frozen=True, slots=True)
class BoardView:
    """The hall's board: 0 to 16 counters; the panels are shown up to `PANELS_UP_TO` counters.

    `apology` is a strip below the band; `message` stands in place of the counters where there are none.
    """

    header: Header
    cards: tuple[CounterCard, ...]
    called: tuple[Called, ...] = ()
    called_title: str = ""
    missed: tuple[str, ...] = ()
    missed_title: str = ""
    progress: ProgressPanel | None = None
    satisfaction: SatisfactionPanel | None = None
    ticker: str = ""
    ticker_label: str = ""
    apology: str = ""
    message: str = ""


# --- rate ---


@dataclass(frozen=True, slots=True)
class Face:
    """One answer, best first: told apart by shape, colour and word. Two to five in a view."""

    action: str
    level: int
    kind: FaceKind
    label: str


@dataclass(frozen=True, slots=True)
class RateView:
    """Rate a counter. `question` and `faces` show in state "ask"; `message` (and `detail`) in the others."""

    header: Header
    clerk: str
    clerk_title: str
    counter_line: str
    portrait: Portrait | None
    ticket_label: str
    number: str
    question: str
    faces: tuple[Face, ...]
    state: RateState
    message: str = ""
    detail: str = ""
    privacy: str = ""


# --- the technician's start screen ---


@dataclass(frozen=True, slots=True)
class StartCheck:
    """One part that was checked: what it is, what was found, what to do."""

    name: str
    state: CheckState
    text: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class StartView:
    """What the technician sees while the kiosk starts."""

    header: Header
    checks: tuple[StartCheck, ...]
    footer: str = ""


@dataclass(frozen=True, slots=True)
class IdleView:
    """The calm screen of an office that is closed: clock, what is next, and when numbers are given.

    `drift` is any integer; another one moves everything a little, so that nothing burns in.
    """

    header: Header
    message: str
    lines: tuple[str, ...] = ()
    drift: int = 0


View: TypeAlias = TakeView | BoardView | RateView | StartView | IdleView
