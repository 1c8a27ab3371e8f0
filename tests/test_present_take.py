"""The view for taking a number in words: why there is none and what to do, keys in place of touch, languages."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from kiosk.config import Config, load_config, panel_keys, shipped
from kiosk.front import Front
from kiosk.hours import Opening
from kiosk.office import Office, sample
from kiosk.parts import key_pins
from kiosk.present.take import cancelled_notice, key_marks, refusal_notice, stopped_notice, take_view
from kiosk.present.words import Words
from kiosk.showing import Showing
from kiosk.store import Store
from kiosk.texts import Texts
from kiosk.tickets import Refused
from kiosk.views.model import Notice, TakeView
from tests.office import moment

MORNING = sample().hours().sessions[0]
TUESDAY = datetime(2026, 11, 24, 7, 0)  # noqa: DTZ001 - local wall time, as the hours give it
RESUMES = {"again": TUESDAY, "unknown": None}

TODAY = date(2026, 11, 23)


def words(language: str = "vi", office: Office | None = None) -> Words:
    return Words(office or sample(), Texts(language), "http://xa-mau.example")


def refusals() -> dict[str, Refused]:
    """Every reason for which the store refuses a number, with what it hands over."""
    found = {reason: Refused(reason) for reason in ("too_fast", "flood", "no_service", "unheard_of")}
    for known, resumes in RESUMES.items():
        found[f"session_over, {known}"] = Refused("session_over", opening=Opening("over", MORNING, resumes=resumes))
        found[f"holiday, {known}"] = Refused("holiday", opening=Opening("holiday", reason="Tết", resumes=resumes))
        found[f"weekend, {known}"] = Refused("holiday", opening=Opening("holiday", resumes=resumes))
        found[f"quota, {known}"] = Refused("quota", quota=30, session="sang")
    return found | {"closed": Refused("closed", opening=Opening("before", MORNING, resumes=TUESDAY))}


def notice(case: str, language: str, office: Office | None = None) -> Notice:
    resumes = RESUMES[case.partition(", ")[2]] if case.startswith("quota") else None
    return refusal_notice(words(language, office), refusals()[case], "dat-dai", TODAY, resumes)


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("case", refusals())
def test_every_refusal_has_a_title_and_says_what_to_do(case: str, language: str):
    said = notice(case, language)
    for text in (said.title, said.pill, *said.lines):
        assert text
        assert "kiosk." not in text
        assert "{" not in text, "a value is missing"
    assert said.kind in ("closed", "session_over", "holiday", "quota", "too_fast", "flood", "no_service", "other")


def title(said: Notice | None, office: Office | None = None, *, touch: bool = True) -> str:
    """What stands in the band above the message, or above the tiles."""
    shown = take_view(
        words(office=office), moment(), {}, touch=touch, priority=False, notice=said, staff_icons=(), marks={}
    )
    return shown.header.title


@pytest.mark.parametrize("touch", [True, False])
def test_the_band_invites_to_choose_only_while_that_leads_to_a_number(touch: bool):
    invites = {True: "Mời Ông/Bà chạm việc cần làm để lấy số", False: "Mời Ông/Bà bấm phím theo việc cần làm để lấy số"}
    assert title(None, touch=touch) == title(cancelled_notice(words()), touch=touch) == invites[touch]
    refused = [*(notice(case, "vi") for case in refusals()), stopped_notice(words())]
    assert {title(said, touch=touch) for said in refused} == {"Chưa lấy được số"}
    assert title(Notice("slip", "Số của Ông/Bà", "1001"), touch=touch) == "Lấy số thành công"
    gone = tuple(replace(service, valid_to=date(2026, 11, 22)) for service in sample().services)
    assert title(None, replace(sample(), services=gone), touch=touch) == "Chưa lấy được số"


@pytest.mark.parametrize("touch", [True, False])
def test_a_service_on_a_roll_sends_to_the_help_desk_before_anybody_chooses_it(store: Store, touch: bool):
    said = words()
    showing = Showing(store, Front(store, said), said, touch=touch, marks={"priority": "P"})
    store.rolls.start(moment(1), "ho-tich", "1501")
    rolled, other, *_ = showing.take(moment(2)).tiles
    assert (rolled.available, rolled.note, rolled.waiting_text) == (False, "Lấy số ở bàn hướng dẫn", "")
    assert (other.available, other.note) == (True, "")
    for service in sample().services:
        store.rolls.start(moment(3), service.id, f"{service.digit}501")
    every = showing.take(moment(4))
    assert len(every.tiles) == len(sample().services)
    assert (every.header.title, every.priority, every.panel) == ("Chưa lấy được số", None, "")
    store.rolls.end(moment(5), "ho-tich")
    assert showing.take(moment(6)).tiles[0].available


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_disk_that_stops_the_kiosk_sends_to_the_help_desk(language: str):
    assert (
        stopped_notice(words(language)).pill
        == {"vi": "Mời Ông/Bà đến bàn hướng dẫn", "en": "Please go to the help desk"}[language]
    )


@pytest.mark.parametrize(
    ("case", "pill"),
    [
        ("closed", "Mời Ông/Bà quay lại trong giờ lấy số"),
        ("session_over, again", "Cần giúp đỡ, xin gặp bàn hướng dẫn"),
        ("holiday, again", "Mời Ông/Bà quay lại vào ngày làm việc"),
        ("too_fast", "Xin lấy số lại sau vài giây"),
        ("flood", "Xin lấy số lại sau một phút"),
        ("unheard_of", "Mời Ông/Bà đến bàn hướng dẫn"),
    ],
)
def test_what_to_do_fits_the_reason(case: str, pill: str):
    assert notice(case, "vi").pill == pill


def test_a_closed_office_that_names_no_day_is_telephoned_or_its_notices_read():
    office = sample()
    assert notice("holiday, unknown", "vi").pill == f"Xin gọi {office.hotlines[0].number} để hỏi ngày làm việc lại"
    silent = replace(office, hotlines=())
    assert notice("holiday, unknown", "vi", silent).pill == "Xin xem thông báo của đơn vị về ngày làm việc lại"


# --- keys in place of touch --------------------------------------------------------------------------------------


@pytest.fixture
def written(tmp_path):
    def write(text: str) -> Config:
        path = tmp_path / "kiosk.toml"
        path.write_text(text, "utf-8")
        return load_config(path)

    return write


def view(config: Config, *, language: str = "vi", priority: bool = False, office: Office | None = None) -> TakeView:
    """The view as the App asks for it."""
    home = words("vi", office)
    return take_view(
        words(language, office),
        moment(0),
        {},
        touch=config.screen.touch,
        priority=priority,
        notice=None,
        staff_icons=(),
        next_language="English",
        marks={} if config.screen.touch else key_marks(home, panel_keys(config)),
    )


def offered(shown: TakeView) -> set[str]:
    """Every action that the glass offers."""
    found = {tile.action for tile in shown.tiles}
    return found | {part.action for part in (shown.priority, shown.language) if part}


def reached(config: Config) -> set[str]:
    """Every action that a key has; a priority key without a cancel key takes its choice back."""
    pins = {key.action for key in key_pins(config.buttons)} if config.buttons.factory != "none" else set()
    has_keyboard = config.buttons.evdev or not pins or "buttons.keyboard.f1" in config.given
    keyboard = set(config.buttons.keyboard.values()) if has_keyboard else set()
    keys = pins | keyboard
    return keys | ({"cancel"} if "priority" in keys else set())


PANEL = """
[screen]
touch = false
[buttons]
buses = []
[buttons.services]
ho-tich = { pin = 4 }
chung-thuc = { pin = 5 }
dat-dai = { pin = 6 }
bao-tro = { pin = 7 }
tra-ket-qua = { pin = 8 }
huong-dan = { pin = 9 }
[buttons.priority]
pin = 10
"""
KEYBOARDS = {
    "keypad": '[screen]\ntouch = false\n[buttons]\nfactory = "none"\nevdev = "*keypad*"\n',
    "keypad beside the shipped panel": '[screen]\ntouch = false\n[buttons]\nevdev = "*keypad*"\n',
    "keyboard": '[screen]\ntouch = false\n[buttons]\nfactory = "none"\n',
    "panel": PANEL,
    "panel with a keyboard of its own": PANEL + '[buttons.keyboard]\nf1 = "language"\n',
    "panel with a language key": PANEL + "[buttons.language]\npin = 11\n[buttons.cancel]\npin = 12\n",
}


@pytest.mark.parametrize("case", KEYBOARDS)
@pytest.mark.parametrize("priority", [False, True])
def test_without_touch_a_key_reaches_everything_that_the_glass_offers(written, case: str, priority: bool):
    config = written(KEYBOARDS[case])
    assert offered(view(config, priority=priority)) <= reached(config)


def test_with_the_shipped_keyboard_everything_that_can_be_touched_has_a_key():
    config = replace(shipped(), buttons=replace(shipped().buttons, factory="none"))
    for priority in (False, True):
        can_be_touched = offered(view(config, priority=priority))
        assert {"language", "cancel" if priority else "priority"} < can_be_touched
        assert can_be_touched <= reached(config)


@pytest.mark.parametrize(
    ("case", "signs"),
    [
        ("keypad", ("0", ".", "/")),
        ("keypad beside the shipped panel", ("ƯT", ".", "/")),
        ("keyboard", ("0", "Esc", "L")),
        ("panel", ("ƯT", "ƯT", None)),
        ("panel with a keyboard of its own", ("ƯT", "ƯT", "F1")),
        ("panel with a language key", ("ƯT", "×", "VI/EN")),
    ],
)
def test_the_glass_shows_what_stands_on_the_keys_in_every_language(written, case: str, signs: tuple[str | None, ...]):
    config = written(KEYBOARDS[case])
    for language in ("vi", "en"):
        before, after = (view(config, language=language, priority=chosen) for chosen in (False, True))
        assert before.priority is not None
        assert after.priority is not None
        key = before.language.digit if before.language else None
        assert (before.priority.digit, after.priority.digit, key) == signs


def test_a_choice_that_no_key_makes_is_not_offered(written):
    shown = view(written("[screen]\ntouch = false\n[buttons.services.ho-tich]\npin = 4\n"))
    assert (shown.priority, shown.language) == (None, None)
    assert shown.tiles


def test_keys_have_a_sentence_beside_the_panel_and_a_touch_screen_has_none(written):
    keys = written(PANEL)
    assert view(keys).panel == "Mời Ông/Bà bấm phím trên bảng phím bên dưới màn hình"
    assert view(keys, language="en").panel == "Please press a key on the panel below the screen"
    assert view(shipped()).panel == ""


# --- languages and what is not there -----------------------------------------------------------------------------


def test_the_language_key_is_touched_without_a_mark():
    key = view(shipped()).language
    assert key is not None
    assert (key.action, key.text, key.digit) == ("language", "English", "")


@pytest.mark.parametrize("language", ["vi", "en"])
def test_an_office_that_offers_nothing_today_says_so_and_what_to_do(language: str):
    yesterday = (moment(0).local - timedelta(days=1)).date()
    closed = tuple(replace(service, valid_to=yesterday) for service in sample().services)
    shown = view(shipped(), language=language, office=replace(sample(), services=closed))
    assert (shown.tiles, shown.priority, shown.panel) == ((), None, "")
    assert (
        shown.message
        == {
            "vi": "Hôm nay chưa có lĩnh vực nào nhận số. Mời Ông/Bà đến bàn hướng dẫn",
            "en": "No service gives numbers today. Please go to the help desk",
        }[language]
    )
    assert shown.language is not None
    one = replace(sample(), services=(sample().services[0], *closed[1:]))
    assert (view(shipped(), office=one).message, len(view(shipped(), office=one).tiles)) == ("", len(closed))
