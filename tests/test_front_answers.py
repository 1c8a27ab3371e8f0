"""What answers a press beside its number: tones, sentences to be read aloud, and the language of whoever presses."""

import pytest

from kiosk.front import GLASS_S, Front
from kiosk.office import sample
from kiosk.present.spoken import Prompt, aloud, digits
from kiosk.present.words import Words
from kiosk.store import Store
from kiosk.store.spool import SlipFacts, Spool
from kiosk.texts import Texts
from tests.office import moment, open_store, rulebook

T0 = 1000.0
KHMER = {"km": {"language.name": "Khmer", "kiosk.your_number": "Number (km)"}}


class Answers:
    """A Front, and what it asked of the loudspeaker."""

    def __init__(self, store: Store, **options: object) -> None:
        words = Words(sample(), Texts("vi", further=KHMER), "http://xa-mau.example")
        self.front = Front(store, words, **options)  # type: ignore[arg-type]
        self.tones: list[str] = []
        self.prompts: list[Prompt] = []
        self.front.on_sound = self.tones.append
        self.front.on_said = self.prompts.append
        self.front.printer_is("ok", True, T0)

    def press(self, action: str, seconds: float = 0) -> None:
        self.front.press(action, T0 + seconds, moment(seconds))

    def says(self) -> str:
        return self.front.notice.title if self.front.notice else ""

    def language(self) -> str:
        return self.front.words.t.language


@pytest.fixture
def answers(store: Store) -> Answers:
    return Answers(store)


# --- tones -------------------------------------------------------------------------------------------------------


def test_a_number_has_its_tone_and_a_refusal_another(answers: Answers):
    answers.press("take:ho-tich")
    answers.press("take:nowhere", 10)
    assert answers.tones == ["taken", "refused"]


def test_an_impatient_press_sounds_refused_although_the_number_before_it_stays_on_the_glass(store: Store):
    answers = Answers(open_store(store.database.folder, rulebook()))
    answers.press("take:ho-tich")
    answers.press("take:ho-tich", 1)
    assert answers.tones == ["taken", "refused"]
    assert [prompt.kind for prompt in answers.prompts] == ["taken"]


@pytest.mark.parametrize("action", ["priority", "cancel", "language"])
def test_a_press_that_gives_no_number_clicks(answers: Answers, action: str):
    answers.press(action)
    assert answers.tones == ["press"]


def test_every_rating_press_clicks_alike_whatever_the_face_and_whatever_comes_of_it(answers: Answers):
    heard = {}
    for n, face in enumerate(("happy", "neutral", "unhappy")):
        start = n * 200
        answers.tones.clear()
        answers.press(f"rate:1:{face}", start)  # before anybody was served
        answers.press("take:ho-tich", start + 10)
        answers.press("call:1", start + 15)
        answers.press("call:1", start + 60)
        answers.press(f"rate:1:{face}", start + 65)
        answers.press(f"rate:1:{face}", start + 75)  # once more
        heard[face] = tuple(answers.tones)
    assert set(heard.values()) == {("press", "taken", "press", "press")}


def test_a_disk_that_cannot_be_written_sounds_refused(answers: Answers):
    answers.front.store.database.conn.execute("PRAGMA query_only = 1")
    answers.press("take:ho-tich")
    assert (answers.tones, answers.prompts[-1].sentence) == (
        ["refused"],
        "Máy lấy số tạm dừng. Xin gặp bàn hướng dẫn",
    )


# --- what can be read aloud --------------------------------------------------------------------------------------


def test_a_number_is_said_digit_by_digit_to_ong_ba(answers: Answers):
    answers.press("take:ho-tich")
    assert answers.prompts == [Prompt("taken", "Số của Ông Bà là: một, không, không, một.", "vi")]


def test_a_number_that_is_on_no_paper_is_said_with_why(answers: Answers):
    answers.front.printer_is("paper_out", False, T0)
    answers.press("take:ho-tich")
    answers.front.printer_is("ok", True, T0 + 60)
    answers.press("take:ho-tich", 60)
    answers.front.printer_is("cover_open", False, T0 + 61)
    assert [(prompt.kind, prompt.sentence) for prompt in answers.prompts] == [
        ("no_paper", "Máy in hết giấy. Số của Ông Bà là: một, không, không, một. Xin ghi nhớ."),
        ("taken", "Số của Ông Bà là: một, không, không, hai."),
        (
            "no_paper",
            "Máy in đang lỗi. Số của Ông Bà là: một, không, không, hai. Xin ghi nhớ và báo nhân viên hướng dẫn.",
        ),
    ]


def test_the_priority_choice_is_said_in_the_chosen_language(answers: Answers):
    answers.press("language")
    answers.press("priority", 1)
    answers.press("take:ho-tich", 2)
    assert answers.prompts == [
        Prompt("priority", "Priority chosen. Now choose the service you need", "en"),
        Prompt("taken", "Your priority number is: one, zero, zero, one.", "en"),
    ]


def test_a_refusal_is_said_as_its_title(answers: Answers):
    answers.front.press("take:ho-tich", T0, moment(4 * 3600))
    assert answers.prompts == [
        Prompt(
            "refused",
            "Đã hết giờ lấy số buổi sáng. Mời Ông Bà quay lại lúc 13 giờ, hôm nay",
            "vi",
        )
    ]


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("vi", "Giờ lấy số: 07:00 – 16:45", "Giờ lấy số: 7 giờ đến 16 giờ 45"),
        ("vi", "Đất đai – Xây dựng, 12/1", "Đất đai – Xây dựng, 12/1"),
        ("en", "Hours: 07:00 – 16:45", "Hours: 7 o'clock to 16 45"),
        ("en", "at 13:00, Monday, 23/11/2026", "at 13 o'clock, Monday, day 23 of month 11"),
    ],
)
def test_signs_that_nobody_reads_become_words(language: str, written: str, said: str):
    assert aloud(Texts(language), written) == said


def test_letters_of_a_number_stay_letters():
    assert digits(Texts("vi"), "A-025") == "A, không, hai, năm"


# --- languages ---------------------------------------------------------------------------------------------------


def test_the_language_key_goes_round_all_languages_and_shows_the_name_of_the_next(answers: Answers):
    seen = []
    for n in range(4):
        seen.append((answers.language(), answers.front.next_words.t("language.name")))
        answers.press("language", n)
    assert seen == [("vi", "English"), ("en", "Khmer"), ("km", "Tiếng Việt"), ("vi", "English")]


def test_the_offices_language_comes_back_when_nobody_presses(answers: Answers):
    answers.press("language")
    answers.press("priority", 20)
    answers.front.tick(T0 + 49)
    assert answers.language() == "en"
    answers.front.tick(T0 + 50)
    assert answers.language() == "vi"


def test_presses_at_a_counter_do_not_hold_a_language(answers: Answers):
    answers.press("language")
    answers.press("rate:1:happy", 20)
    answers.press("call:1", 25)
    answers.front.tick(T0 + 30)
    assert answers.language() == "vi"


def test_the_time_after_which_it_comes_back_is_a_setting(store: Store):
    answers = Answers(store, language_s=10)
    answers.press("language")
    answers.front.tick(T0 + 10)
    assert answers.language() == "vi"


def test_a_message_stays_in_the_language_of_who_pressed_and_the_next_press_is_answered_in_the_offices(answers: Answers):
    answers.press("language")
    answers.press("take:ho-tich", 1)
    assert (answers.language(), answers.says()) == ("en", "Your number")
    answers.press("take:dat-dai", 3)
    assert (answers.language(), answers.says()) == ("vi", "Số của Ông/Bà")
    answers.front.tick(T0 + 20)
    assert answers.language() == "vi"


def test_a_number_on_the_glass_keeps_its_language_until_it_leaves(answers: Answers):
    answers.front.printer_is("paper_out", False, T0)
    answers.press("language")
    answers.press("take:ho-tich", 1)
    answers.front.tick(T0 + GLASS_S)
    assert (answers.language(), answers.says()) == ("en", "Your number")
    answers.front.slip_is_out(1, T0 + GLASS_S)
    assert (answers.language(), answers.says()) == ("en", "Your number")
    answers.front.tick(T0 + GLASS_S + 6)
    assert answers.language() == "vi"


def test_paper_that_runs_out_brings_the_number_onto_the_glass_in_its_language(answers: Answers):
    answers.press("language")
    answers.press("take:ho-tich", 1)
    answers.front.printer_is("paper_out", False, T0 + 2)
    assert (answers.language(), answers.says(), answers.prompts[-1].language) == ("en", "Your number", "en")


def test_a_message_that_is_shown_is_said_again_in_the_language_that_is_asked_for(answers: Answers):
    answers.press("take:nowhere")
    answers.press("language", 5)
    assert answers.says() == "This key is not in use. Please choose another service"
    answers.front.tick(T0 + 10)
    assert answers.says(), "it can be read as long as a new one"
    answers.front.tick(T0 + 11)
    assert answers.says() == ""


def test_what_a_further_language_lacks_is_in_the_office_s_own_language(answers: Answers):
    answers.press("language")
    answers.press("language", 1)
    answers.press("take:ho-tich", 2)
    assert (answers.says(), answers.front.notice.pill if answers.front.notice else "") == (
        "Number (km)",
        "Mời nhận phiếu ở khe bên dưới",
    )


def test_without_a_cancel_key_the_priority_key_takes_its_choice_back(store: Store):
    answers = Answers(store, cancel_key=False)
    answers.press("priority")
    answers.press("priority", 2)
    assert (answers.front.priority, answers.says()) == (False, "Đã hủy chọn ưu tiên")
    answers.press("priority", 4)
    assert answers.front.priority


def test_with_a_cancel_key_the_priority_key_only_gives_more_time(answers: Answers):
    answers.press("priority")
    answers.press("priority", 10)
    answers.front.tick(T0 + 20)
    assert answers.front.priority


# --- the slip ----------------------------------------------------------------------------------------------------


def claimed(answers: Answers) -> SlipFacts:
    class Clock:
        def now(self) -> object:
            return moment(5)

    spool = Spool(answers.front.store.database, Clock())  # type: ignore[arg-type]
    job = spool.claim(moment(5).at)
    assert job is not None
    spool.done(job)
    return job.payload


def test_the_printer_is_told_the_chosen_language_and_it_is_not_kept_once_the_slip_is_out(answers: Answers):
    answers.press("language")
    answers.press("language", 1)
    answers.press("take:ho-tich", 2)
    assert claimed(answers).language == "km"
    assert answers.front.store.database.rows("SELECT state, language FROM jobs")[0]["language"] == ""


def test_the_offices_own_language_is_no_choice(answers: Answers):
    answers.press("take:ho-tich")
    assert claimed(answers).language == ""


def test_no_event_tells_which_language_somebody_reads(answers: Answers):
    answers.press("language")
    answers.press("take:ho-tich", 1)
    lines = [bytes(row["line"]).decode() for row in answers.front.store.database.rows("SELECT line FROM events")]
    assert lines
    assert not any('"en"' in line or "language" in line for line in lines)
