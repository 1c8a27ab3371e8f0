"""The phone pages' rules: what a ticket's page says, what may be posted and how often, and how the pages are made."""

import re
import unicodedata
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk import public
from kiosk.public.form import COMMENT_LETTERS, MARKS, MASK, REASONS, clean, masked, read
from kiosk.public.limits import Limiter, Rate, spend
from kiosk.public.pages import Choice, Form, Frame, Pages, ticket_page
from kiosk.public.state import LIVE, Facts, Kind, kind_of
from kiosk.rating import Rating, by_phone, by_poster, counting
from kiosk.texts import Texts, sentences, values
from kiosk.tickets import Policy, State, Ticket, issued
from kiosk.turns import order
from kiosk.views.theme import colour_of, contrast
from tests.office import OPENING

DAY = date(2026, 11, 23)
VI = Texts("vi")
WINDOW = [DAY, DAY + timedelta(days=1)]
LATER = DAY + timedelta(days=2)


def ticket(state: State = State.WAITING, *, number: str = "1001", priority: bool = False, n: int = 1) -> Ticket:
    data = {
        "ticket": f"t{n}", "token": f"{n:016d}", "series": "s", "session": "sang", "service": "ho-tich", "seq": n,
        "number": number, "priority": priority, "boot": "b", "trusted": True, "arrival": n, "by": "kiosk",
    }  # fmt: skip
    return replace(issued(data, OPENING + timedelta(minutes=n)), state=state, counter="2", clerk="a")


def facts(state: State = State.WAITING, **more: object) -> Facts:
    base = Facts(ticket(state), DAY, DAY, ahead=5)
    return replace(base, **more)  # type: ignore[arg-type]


# --- which page ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "kind"),
    [
        (facts(), Kind.WAITING),
        (facts(ahead=3), Kind.WAITING),
        (facts(ahead=2), Kind.SOON),
        (facts(ahead=0), Kind.SOON),
        (facts(ahead=None), Kind.WAITING),
        (facts(State.CALLED), Kind.TURN),
        (facts(State.SERVING), Kind.SERVING),
        (replace(facts(), ticket=replace(ticket(State.SERVING), implied=True)), Kind.TURN),
        (facts(State.NO_SHOW), Kind.MISSED),
        (facts(State.HELD), Kind.HELD),
        (facts(State.SERVED), Kind.SERVED),
        (facts(State.SERVED, rated=True), Kind.RATED),
        (facts(State.SERVED, today=WINDOW[1]), Kind.SERVED),
        (facts(State.SERVED, today=LATER), Kind.EXPIRED),
        (facts(State.SERVED, today=LATER, rated=True), Kind.EXPIRED),
        (facts(State.SERVED, today=DAY - timedelta(days=40)), Kind.SERVED),
        (facts(State.CANCELLED), Kind.CANCELLED),
        (facts(State.CLOSED), Kind.CLOSED),
        (facts(State.WAITING, today=WINDOW[1]), Kind.CLOSED),
        (facts(State.NO_SHOW, today=WINDOW[1]), Kind.CLOSED),
    ],
)
def test_a_tickets_page_follows_from_what_is_known(known: Facts, kind: Kind):
    assert kind_of(known) is kind


def test_each_kind_of_page_can_come_up_and_says_one_sentence_of_its_own():
    seen = {}
    for state in State:
        for more in ({}, {"ahead": 1}, {"rated": True}, {"today": LATER}):
            page = ticket_page(facts(state, **more), "Hộ tịch", "2", VI)
            seen[page.kind] = page.says
    assert set(seen) == set(Kind)
    assert len(set(seen.values())) == len(Kind)


def test_only_pages_that_ask_nothing_change_by_themselves():
    pages = [ticket_page(facts(state, rated=rated), "", "", VI) for state in State for rated in (True, False)]
    assert not [page for page in pages if page.live and (page.asks_level or page.asks_comment)]
    assert {page.kind for page in pages if page.live} <= LIVE


@pytest.mark.parametrize(
    ("known", "sentences"),
    [
        (facts(serving=("1007", "1005")), ["Đang phục vụ: 1007, 1005 · Còn 5 người trước Ông/Bà"]),
        (facts(), ["Phía trước còn 5 người"]),
        (facts(ahead=0), ["Sắp đến lượt, mời vào khu vực chờ", "Chưa có ai chờ trước Ông/Bà"]),
        (facts(ahead=None), ["Vui lòng giữ phiếu và chờ gọi số. Xin cảm ơn!"]),
        (facts(wait=(20, 35)), ["Phía trước còn 5 người", "Thời gian chờ dự kiến: khoảng 20–35 phút"]),
        (
            facts(wait=(20, 35), kept_waiting=True),
            [
                "Phía trước còn 5 người",
                "Xin lỗi Ông/Bà vì phải chờ lâu hơn dự kiến. Đơn vị đang bố trí thêm quầy",
            ],
        ),
        (facts(State.NO_SHOW), ["Số của Ông/Bà đã được gọi. Mời liên hệ quầy 2"]),
    ],
)
def test_what_the_page_says(known: Facts, sentences: list[str]):
    page = ticket_page(known, "Hộ tịch", "2", VI)
    assert [page.says, *page.more] == sentences


def test_rejoining_is_offered_only_to_a_missed_number_that_may():
    offered = [ticket_page(facts(state, may_rejoin=True), "", "", VI).may_rejoin for state in State]
    assert offered == [state is State.NO_SHOW for state in State]
    assert not ticket_page(facts(State.NO_SHOW), "", "", VI).may_rejoin


def test_a_comment_is_asked_for_once_also_beside_a_rating():
    def asks(**more: bool) -> tuple[bool, bool]:
        page = ticket_page(facts(State.SERVED, **more), "", "", VI)
        return page.asks_level, page.asks_comment

    assert (asks(), asks(rated=True), asks(rated=True, commented=True)) == ((True, True), (False, True), (False, False))
    assert asks(commented=True) == (True, False)


# --- the line --------------------------------------------------------------------------------------------------


def test_a_queue_is_called_by_turns_from_whoever_is_next():
    line = [ticket(number=str(n), priority=n in (3, 4), n=n) for n in range(1, 6)]
    now = OPENING + timedelta(minutes=10)
    assert [t.number for t in order(line, True, Policy(), now)] == ["1", "3", "2", "4", "5"]
    assert [t.number for t in order(line, False, Policy(), now)] == ["3", "1", "4", "2", "5"]
    assert [t.number for t in order(line, False, Policy(priority="strict"), now)] == ["3", "4", "1", "2", "5"]
    aged = OPENING + timedelta(minutes=32)
    assert [t.number for t in order(line, False, Policy(), aged)][:2] == ["1", "2"]
    assert order([], False, Policy(), now) == []


@given(
    kinds=st.lists(st.booleans(), max_size=12),
    last=st.booleans(),
    minutes=st.integers(0, 60),
    missed=st.integers(0, 12),
)
def test_everybody_in_a_queue_has_exactly_one_place_and_each_kind_keeps_its_order(
    kinds: list[bool], last: bool, minutes: int, missed: int
):
    line = [ticket(priority=kind, n=n) for n, kind in enumerate(kinds, 1)]
    line = [
        replace(t, missed_at=OPENING + timedelta(minutes=minutes)) if n == missed else t for n, t in enumerate(line)
    ]
    called = order(line, last, Policy(), OPENING + timedelta(minutes=minutes))
    assert sorted(t.id for t in called) == sorted(t.id for t in line)
    for kind in (True, False):
        places = [t.place for t in called if t.priority is kind]
        assert places == sorted(places)


# --- which rating counts ---------------------------------------------------------------------------------------


def rating(source: str, seconds: float, **more: object) -> Rating:
    at = OPENING + timedelta(seconds=seconds)
    base = Rating(f"{source}{seconds}", "t1", "2", "a", 3, "smile", source, (), at, str(DAY), "sang")
    return replace(base, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ratings", "counts"),
    [
        ([], None),
        ([rating("phone", 9), rating("phone", 5)], "phone5"),
        ([rating("phone", 1), rating("key", 9)], "key9"),
        ([rating("phone", 1), rating("tablet", 9)], "tablet9"),
        ([rating("phone", 1), rating("key", 9, flags=("burst",))], "phone1"),
        ([rating("key", 1, replaced_by="key3"), rating("key", 3), rating("phone", 2)], "key3"),
        ([rating("key", 1, flags=("late",))], None),
    ],
)
def test_keys_and_tablets_go_before_phones_then_the_earliest(ratings: list[Rating], counts: str | None):
    for known in (ratings, ratings[::-1]):
        found = counting(known)
        assert (found.id if found else None) == counts


def test_what_phones_say_is_the_tickets_clerks_and_what_posters_say_is_counted_apart():
    _, phone = by_phone(ticket(State.SERVED), 1, "smile", ("wait",))
    assert (phone["clerk"], phone["counter"], phone["flags"], phone["reasons"]) == ("a", "2", [], ["wait"])
    assert by_poster("2", "a", 1, "smile", ())[1]["flags"] == ["unlinked"]
    assert by_poster("2", "", 1, "smile", ())[1]["flags"] == ["unlinked", "unassigned"]


# --- what is posted --------------------------------------------------------------------------------------------


def test_a_form_is_read_as_it_was_asked():
    posted = read([("level", "2"), ("reason", "guide"), ("reason", "wait"), ("comment", " Tốt ")], {1, 2, 3})
    assert (posted.level, posted.reasons, posted.comment, posted.problem) == (2, ("wait", "guide"), "Tốt", "")


@pytest.mark.parametrize("level", ["", "0", "4", "-1", "2.0", "２", "22", "x"])
def test_a_level_that_was_not_asked_is_none(level: str):
    assert read([("level", level)], {1, 2, 3}).problem == "choose"
    assert read([("level", level), ("reason", "wait"), ("comment", "Tốt")], {1, 2, 3}).reasons == ()


def test_reasons_that_are_not_on_the_list_are_passed_over_and_the_list_has_its_sentences():
    assert read([("level", "1"), ("reason", "bribe"), ("reason", "other")], {1}).reasons == ("other",)
    for language in ("vi", "en"):
        listed = {key.removeprefix("reason.") for key in sentences(language) if key.startswith("reason.")}
        assert listed - {"ask"} == set(REASONS)


def test_a_comment_of_the_longest_length_is_taken_and_one_letter_more_is_given_back_whole():
    longest = "ệ" * COMMENT_LETTERS
    assert read([("comment", unicodedata.normalize("NFD", longest))], ()).problem == ""
    over = read([("comment", longest + "a")], ())
    assert (over.problem, over.letters, over.comment) == ("long", COMMENT_LETTERS + 1, longest + "a")


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Hộ tịch", "Hộ tịch"),
        (unicodedata.normalize("NFD", "Hộ tịch"), "Hộ tịch"),
        ("một\r\nhai\rba\u2028bốn", "một\nhai\nba\nbốn"),
        ("\x00a\x07\u200b\u202eb\ufeff\ue000", "ab"),
        ("a\tb", "a b"),
        ("a\n\n\n\n b \n", "a\n\nb"),
        ("z" + "\u0335\u0336\u0337\u0338\u0335" * 9, "z\u0335\u0336"),
        ("👍 tốt", "👍 tốt"),
    ],
)
def test_a_comment_is_made_clean(text: str, cleaned: str):
    assert clean(text) == cleaned


def test_a_tower_of_marks_is_cut_before_it_is_put_into_order_which_takes_time_by_its_square(
    monkeypatch: pytest.MonkeyPatch,
):
    put_in_order: list[str] = []

    def normalize(form: str, text: str) -> str:
        put_in_order.append(text)
        return unicodedata.normalize(form, text)

    monkeypatch.setattr(
        "kiosk.public.form.unicodedata", SimpleNamespace(**{**vars(unicodedata), "normalize": normalize})
    )
    tower = "e" + "\u0301\u0323" * 16_000
    assert read([("comment", f"{tower} xin cảm ơn")], ()).comment == "ẹ\u0323\u0323 xin cảm ơn"
    assert len("".join(put_in_order)) < 100


@given(st.text())
def test_a_clean_comment_is_nfc_has_nothing_unseen_and_stays_as_it_is(text: str):
    once = clean(text)
    assert clean(once) == once == unicodedata.normalize("NFC", once).strip()
    assert {unicodedata.category(char)[0] for char in once if char != "\n"} <= set("LMNPSZ")
    assert not re.search(f"[\u0300-\u036f]{{{MARKS + 1}}}", once)


@pytest.mark.parametrize(
    "number",
    [
        "0912345678", "079203001234", "123456789", "+84912345678", "0912 345 678", "0912.345.678", "091-234-5678",
        "079 203 001 234", "079.203.001.234", "+84 912 345 678", "0 9 1 2 3 4 5 6 7 8", "12345678901234567",
    ],
)  # fmt: skip
def test_telephone_and_identity_numbers_are_hidden(number: str):
    for text in ("{}", "gọi {} nhé", "SĐT:{}.", "sđt{}" if number.isdigit() else "({})", "{}, {}", "số {} 23/11"):
        hidden = masked(text.replace("{}", number))
        assert hidden == text.replace("{}", MASK), text


@pytest.mark.parametrize(
    "text",
    [
        "1001", "23/11/2026", "23.11.2026", "1.500.000 đồng", "12.345.678.000 đồng", "07:30–11:30", "quầy 12345678",
        "000.12.34.H56-250630-0012", "5 biết, 3 không",
    ],
)  # fmt: skip
def test_other_figures_stay(text: str):
    assert masked(text) == text


# --- how often -------------------------------------------------------------------------------------------------


def test_a_bucket_gives_its_burst_and_then_one_at_a_time():
    rate, full_at, given = Rate(3, 10), 0.0, []
    for now in (0, 0, 0, 0, 9.9, 10, 10, 100):
        after = spend(full_at, rate, now)
        given.append(after is not None)
        full_at = full_at if after is None else after
    assert given == [True, True, True, False, False, True, False, True]


@given(st.lists(st.floats(0, 50), max_size=60))
def test_no_bucket_ever_gives_more_than_its_burst_and_what_flowed_in(gaps: list[float]):
    rate, now, full_at, taken = Rate(4, 7), 0.0, 0.0, list[float]()
    for gap in gaps:
        now += gap
        if (after := spend(full_at, rate, now)) is not None:
            full_at = after
            taken.append(now)
    for n, first in enumerate(taken):
        assert all(
            m - n + 1 <= rate.burst + (last - first) / rate.every_s + 1e-6 for m, last in enumerate(taken) if m >= n
        )


def test_one_key_does_not_use_up_anothers_and_all_together_are_limited():
    limiter = Limiter(Rate(2, 60), Rate(5, 60))
    assert [limiter.allow("a", 0) for _ in range(3)] == [True, True, False]
    assert [limiter.allow(key, 0) for key in "bcde"] == [True, True, True, False]
    assert limiter.allow("e", 60)


def test_a_full_bucket_is_forgotten():
    limiter = Limiter(Rate(2, 1), Rate(10**6, 0.001))
    for n in range(1000):
        limiter.allow(str(n), n)
    assert len(limiter._full_at) < 5


# --- the pages -------------------------------------------------------------------------------------------------

ROOT = Path(public.__file__).parent
TEMPLATES = sorted((ROOT / "templates").iterdir())
CSS = (ROOT / "static" / "phone.css").read_text()
FACES = ["very_happy", "happy", "neutral", "unhappy", "very_unhappy"]
EVIL = "<script>alert('x')</script>\"&"


def frame(language: str = "vi", **more: object) -> Frame:
    t = Texts(language)
    base = Frame(t, "UBND xã Mẫu", "/T/0123456789ABCDEF", "0000 000 000", [("en", "English")])
    return replace(base, **more)  # type: ignore[arg-type]


def every_page(around: Frame, name: str = "Hộ tịch") -> dict[str, str]:
    """All pages there are, with `name` for every name."""
    pages = Pages("/phone/")
    form = Form([Choice(5 - n, name, face) for n, face in enumerate(FACES)])
    made = {"thanks": pages.thanks(around), "unknown": pages.unknown(around), "trouble": pages.trouble(around)}
    made["counter"] = pages.counter(around, name, replace(form, given=read([("comment", name)], ())))
    made["poster"] = pages.poster(around, name, [name], "HTTP://KIOSK.EXAMPLE/C/X", "<svg></svg>")
    for state in State:
        for more in ({}, {"rated": True}, {"today": LATER}, {"may_rejoin": True}):
            page = ticket_page(facts(state, **more), name, name, around.t)
            made[f"{state} {more}"] = pages.ticket(around, page, form, OPENING)
    return made


@pytest.mark.parametrize("language", ["vi", "en"])
def test_pages_name_nothing_from_elsewhere_and_have_no_script_or_style_within(language: str):
    for name, page in every_page(frame(language)).items():
        assert "http" not in page.replace("http-equiv", "").replace("HTTP://KIOSK.EXAMPLE", ""), name
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|<script(?! src=\"/phone/)", page), name
        assert page.startswith("<!DOCTYPE html>"), name
        assert f'<html lang="{language}">' in page, name
        assert page == unicodedata.normalize("NFC", page), name
        assert "{" not in page, name
    assert not re.search(r"url\(|@import|http", CSS)


def test_names_with_signs_of_html_are_shown_as_they_are():
    around = frame(office=EVIL, hotline=EVIL, languages=[("en", EVIL)])
    for name, page in every_page(around, EVIL).items():
        assert "<script>" not in page, name
        assert "&lt;script&gt;" in page, name


def test_a_page_without_a_script_looks_again_by_itself_only_while_it_asks_nothing():
    for name, page in every_page(frame()).items():
        refreshes = '<noscript><meta http-equiv="refresh" content="20"></noscript>' in page
        assert refreshes == ("data-live" in page) == ("phone.js" in page), name
        assert not (refreshes and "<textarea" in page), name


def test_each_field_has_its_label_and_each_form_its_button():
    for name, page in every_page(frame()).items():
        for id in re.findall(r'<textarea id="(\w+)"', page):
            assert f'for="{id}"' in page, name
        bare = re.sub(r"<label.*?</label>", "", page, flags=re.DOTALL)
        assert "<input" not in bare, name
        assert page.count("<form") == page.count("<button"), name
        assert len(set(re.findall(r'id="(\w+)"', page))) == len(re.findall(r'id="(\w+)"', page)), name


def test_faces_differ_by_shape_and_word_and_not_by_colour_alone():
    page = every_page(frame())["served {}"]
    mouths = re.findall(r'<path d="([^"]+)"', page)
    assert len(set(mouths)) == len(FACES)


def test_the_part_for_the_script_is_what_stands_in_the_page():
    pages, page = Pages("/phone/"), ticket_page(facts(), "Hộ tịch", "2", VI)
    whole = pages.ticket(frame(), page, Form(()), OPENING)
    assert pages.part(frame(), page, Form(()), OPENING).strip() in whole


def test_every_sentence_of_a_template_exists_and_gets_its_values():
    usual = sentences("vi")
    asked = set()
    for path in TEMPLATES:
        for key, passed in re.findall(r'\bt\("([\w.]+)"((?:, \w+=[^,()]+(?:\([^()]*\))?)*)\)', path.read_text()):
            assert key in usual, f"{path.name}: {key}"
            assert values(usual[key]) <= set(re.findall(r"(\w+)=", passed)), f"{path.name}: {key}"
            asked.add(key)
    code = "".join(path.read_text() for path in [*ROOT.glob("*.py"), ROOT.parent / "console" / "phone.py"])
    unused = {key for key in usual if key.startswith("phone.") and key not in asked and f'"{key}"' not in code}
    assert not unused


def test_text_stands_out_from_its_ground():
    """Every rule with a colour names its ground; WCAG 2 asks for 4.5:1."""
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", re.sub(r"/\*.*?\*/", "", CSS, flags=re.DOTALL))
    checked = 0
    for selector, body in rules:
        ink = re.search(r"(?<![-\w])color: (#\w{6})", body)
        ground = re.search(r"background: (#\w{6})", body)
        if ink and selector.strip() != "a":
            assert ground, selector
            assert contrast(colour_of(ink[1]), colour_of(ground[1])) >= 4.5, selector
            checked += 1
    assert checked > 10
    assert all(contrast(colour_of("#0e4c87"), colour_of(ground)) >= 4.5 for ground in ("#ffffff", "#ecf1f9"))


def test_the_script_is_what_old_phones_understand():
    script = (ROOT / "static" / "phone.js").read_text()
    assert not re.search(r"=>|\b(let|const|class|async|await|fetch)\b|`", re.sub(r"//.*", "", script))
