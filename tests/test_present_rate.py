"""What the rating view says in each situation, and which answers it offers."""

from dataclasses import replace

import pytest

from kiosk.front import Front
from kiosk.office import Office, sample
from kiosk.present.rate import rate_view
from kiosk.present.words import Words
from kiosk.rating import tied
from kiosk.rulebook import Rulebook
from kiosk.store import Store
from kiosk.texts import Texts
from kiosk.tickets import Counter
from kiosk.views.model import RateState, RateView
from tests.office import moment

T0 = 1000.0


def office(**rules: object) -> Office:
    return replace(sample(), rules=replace(sample().rules, press_limits=False, **rules))  # type: ignore[arg-type]


def words(given: Office, language: str = "vi", url: str = "https://xa-mau.example") -> Words:
    return Words(given, Texts(language), url)


def asking(given: Office, language: str = "vi") -> RateView:
    counter = Counter("1", "open", "nguyen-thi-a")
    return rate_view(words(given, language), moment(0), counter, None, open_now=True, said=None)


@pytest.fixture
def here(store: Store) -> "Here":
    return Here(store)


class Here:
    """A counter's panel over a real store; the parts are put together as the kiosk's loop does."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.given = office()

    def use(self, **rules: object) -> None:
        self.given = office(**rules)
        book: Rulebook = self.given.rulebook()
        for part in (self.store.issuing, self.store.counters, self.store.ratings):
            part.book = book

    def view(self, seconds: float, said: RateState | None = None, url: str = "https://xa-mau.example") -> RateView:
        now = moment(seconds)
        facts, lit = self.store.board(now), self.store.ratings.lamps(now)
        counter = facts.counters.get("1", Counter("1"))
        is_tied = tied(counter.armed_at, self.given.rules.rating_policy(), now.at)
        armed = facts.armed.get("1") if is_tied else None
        return rate_view(words(self.given, url=url), now, counter, armed, open_now=lit["1"], said=said)

    def press(self, key: str, seconds: float) -> RateState:
        front = Front(self.store, words(self.given))
        front.press(f"rate:1:{key}", T0, moment(seconds), "touch")
        return front.rate_answers["1"][0]

    def serve(self, seconds: float) -> None:
        self.store.issuing.issue(moment(seconds), "ho-tich")
        self.store.counters.call_next(moment(seconds + 1), "1")
        self.store.counters.finish(moment(seconds + 60), "1")


# --- answers -----------------------------------------------------------------------------------------------------


def test_three_answers_stand_on_the_three_keys_by_rank():
    for labels, kinds in (("smile", ["happy", "neutral", "unhappy"]), ("vpcp", ["very_happy", "happy", "unhappy"])):
        faces = asking(office(label_set=labels)).faces
        assert [face.action for face in faces] == ["rate:1:happy", "rate:1:neutral", "rate:1:unhappy"]
        assert [face.level for face in faces] == [3, 2, 1]
        assert [face.kind for face in faces] == kinds


def test_five_answers_are_all_offered_the_best_first():
    faces = asking(office(label_set="nam-muc")).faces
    assert [(face.level, face.kind, face.label) for face in faces] == [
        (5, "very_happy", "Rất hài lòng"),
        (4, "happy", "Hài lòng"),
        (3, "neutral", "Bình thường"),
        (2, "unhappy", "Không hài lòng"),
        (1, "very_unhappy", "Rất không hài lòng"),
    ]
    assert asking(office(label_set="nam-muc"), "en").faces[0].label == "Very satisfied"


@pytest.mark.parametrize("wanted", [(5, 1), (5, 4, 2, 1), (5, 4, 3, 2, 1)])
@pytest.mark.parametrize("turned", [False, True])
def test_each_answer_that_is_shown_is_stored_as_its_level(here: Here, wanted: tuple[int, ...], turned: bool):
    five = next(labels for labels in sample().label_sets if labels.id == "nam-muc")
    levels = tuple(level for level in five.levels if level.value in wanted)
    asked = replace(five, id="muc", levels=levels[::-1] if turned else levels)
    here.use(label_set="muc")
    here.given = replace(here.given, label_sets=(asked,))
    here.store.ratings.book = replace(here.store.ratings.book, label_set="muc")
    for n, face in enumerate(here.view(0).faces):
        here.serve(n * 1000)
        assert here.press(face.action.rpartition(":")[2], n * 1000 + 62) == "thanks"
    kept = here.store.database.rows("SELECT level, label_set FROM ratings ORDER BY n")
    assert [tuple(row) for row in kept] == [(value, "muc") for value in wanted]


# --- situations --------------------------------------------------------------------------------------------------


def test_a_counter_that_nobody_opened_shows_no_clerk_and_says_where_to_go(here: Here):
    view = here.view(0)
    assert (view.state, view.clerk, view.portrait) == ("idle", "", None)
    assert (view.message, view.detail) == ("Quầy đóng", "Cần giúp đỡ, xin gặp bàn hướng dẫn")


def test_a_signed_in_clerk_is_shown_with_name_and_a_drawn_portrait_where_there_is_no_photo(here: Here):
    here.store.counters.open(moment(0), "1")
    view = here.view(1)
    assert (view.state, view.clerk, view.clerk_title) == ("idle", "Nguyễn Thị A", "Công chức Tư pháp – Hộ tịch")
    assert view.portrait is not None and view.portrait.path == ""
    assert view.message == "Xin chào! Quầy sẵn sàng phục vụ Ông/Bà"


@pytest.mark.parametrize(
    ("until", "says"), [("", "Tạm dừng phục vụ"), ("10:00", "Tạm dừng phục vụ (phục vụ lại lúc 10:00)")]
)
def test_a_paused_counter_greets_nobody(here: Here, until: str, says: str):
    here.store.counters.open(moment(0), "1")
    here.store.counters.pause(moment(1), "1", until)
    assert here.view(2).message == says


def test_after_the_service_the_ticket_is_asked_about_until_somebody_has_rated(here: Here):
    here.serve(0)
    view = here.view(61)
    assert (view.state, view.number, view.clerk) == ("ask", "1001", "Nguyễn Thị A")
    assert here.press("happy", 62) == "thanks"
    assert here.view(63).state == "idle"


def test_the_thanks_are_the_same_for_each_answer_and_show_no_number(here: Here):
    here.use(label_set="nam-muc")
    views = []
    for n, face in enumerate(here.view(0).faces):
        here.serve(n * 1000)
        said = here.press(face.action.rpartition(":")[2], n * 1000 + 62)
        views.append(replace(here.view(n * 1000 + 62, said), header=here.view(0).header))
    assert len(set(views)) == 1
    assert (views[0].number, views[0].message) == ("", "Cảm ơn Ông/Bà đã đánh giá!")


def test_a_second_rating_is_told_that_there_is_one_and_where_comments_go(here: Here):
    here.serve(0)
    here.press("happy", 62)
    view = here.view(68, here.press("unhappy", 68))
    assert (view.state, view.detail) == ("already", "Góp ý thêm: quét mã QR trên phiếu")
    assert here.view(68, "already", url="").detail == "", "no phone reaches anything"


def test_a_number_of_a_roll_has_no_code_to_scan(here: Here):
    here.store.rolls.start(moment(0), "ho-tich", "1501")
    here.store.issuing.issue(moment(1), "ho-tich", by="staff")
    here.store.counters.call_next(moment(2), "1")
    here.store.counters.finish(moment(61), "1")
    assert here.press("happy", 62) == "thanks"
    assert [here.view(62, "thanks").detail, here.view(68, "already").detail, here.view(200).detail] == ["", "", ""]


def test_a_press_before_the_end_is_told_when_the_time_comes(here: Here):
    here.store.counters.open(moment(0), "1")
    view = here.view(2, here.press("happy", 1))
    assert view.message == "Ông/Bà có thể đánh giá sau khi quầy phục vụ xong"
    assert view.detail == "Khi các khuôn mặt hiện lên màn hình, mời Ông/Bà chọn một"


def test_a_press_after_the_window_is_told_that_it_is_over(here: Here):
    here.serve(0)
    view = here.view(130, here.press("happy", 130))
    assert (view.state, view.message) == ("not_open", "Phiếu đã hết hạn đánh giá")


def test_in_free_mode_the_counters_own_clerk_is_rated_at_any_time_without_a_ticket(here: Here):
    here.use(free_rating=True)
    view = here.view(0)
    assert (view.state, view.clerk, view.number, view.ticket_label) == ("ask", "Nguyễn Thị A", "", "")
    assert view.privacy == "Máy không lưu tên Ông/Bà"
    assert here.press("happy", 1) == "thanks"
    assert here.view(1, "thanks").detail == "", "there are no slips"


def test_in_free_mode_a_counter_without_any_clerk_asks_nothing_and_says_so(here: Here):
    here.use(free_rating=True)
    desks = tuple(replace(desk, clerk="") for desk in here.given.counters)
    here.given = replace(here.given, counters=desks)
    here.store.ratings.book = here.given.rulebook()
    assert here.store.ratings.lamps(moment(0)) == {"1": False, "2": False, "3": False, "4": False}
    view = here.view(0)
    assert (view.state, view.message) == ("idle", "Quầy này hiện chưa có công chức")
    view = here.view(1, here.press("happy", 1))
    assert (view.state, view.message) == ("not_open", "Quầy này hiện chưa có công chức")
    assert here.store.database.rows("SELECT flags FROM ratings")[0]["flags"] == "unassigned"


def test_while_nothing_can_be_read_nothing_is_asked():
    counter = Counter("1", "open", "nguyen-thi-a")
    view = rate_view(words(office()), moment(0), counter, None, open_now=True, said=None, lost="Mất kết nối")
    assert (view.state, view.message, view.header.lost) == ("not_open", "Máy đánh giá đang tạm dừng", "Mất kết nối")


def test_a_photo_and_the_emblem_are_the_files_beside_the_office_document():
    given = office()
    clerks = (replace(given.clerks[0], photo="a.webp"), *given.clerks[1:])
    given = replace(given, clerks=clerks, unit=replace(given.unit, emblem="huy-hieu.png"))
    counter = Counter("1", "open", "nguyen-thi-a")
    view = rate_view(replace(words(given), folder="/etc/kiosk"), moment(0), counter, None, open_now=True, said=None)
    assert view.portrait is not None
    assert (view.portrait.path, view.header.emblem) == ("/etc/kiosk/a.webp", "/etc/kiosk/huy-hieu.png")
