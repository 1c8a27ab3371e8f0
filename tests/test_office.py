"""The office document: the sample is sound, and whatever is wrong in another one is said at once."""

import datetime as dt
import json
import tomllib
import unicodedata
from dataclasses import replace
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk import hours
from kiosk.documents import DocumentError, mistake
from kiosk.office import Office, load, sample
from kiosk.texts import Texts

SAMPLE = resources.files("kiosk.assets") / "office.sample.toml"


@pytest.fixture
def plain():
    """The sample as plain values, to be broken by a test."""
    return json.loads(sample().to_json())


def wrong(plain):
    """The lines of the error, without the file's name."""
    with pytest.raises(DocumentError) as caught:
        Office.from_json(json.dumps(plain, default=str).encode())
    return [line.removeprefix("office.json: ") for line in str(caught.value).splitlines()]


# --- the sample ---------------------------------------------------------------------------------------------------


def test_the_sample_office_is_complete():
    office = sample()
    assert [service.digit for service in office.services] == ["1", "2", "3", "4", "5", "6"]
    assert all(service.hint and service.name_en and service.hint_en for service in office.services)
    assert len({service.icon for service in office.services}) == 6
    assert [office.clerk(counter.clerk).name for counter in office.counters] == [
        "Nguyễn Thị A",
        "Trần Văn B",
        "Lê Thị C",
        "Phạm Văn D",
    ]
    assert [labels.id for labels in office.label_sets] == ["smile", "vpcp", "nam-muc"]
    assert office.slogans
    assert office.channels
    assert {hotline.number[:8] for hotline in office.hotlines} == {"0000 000"}, "numbers that ring nowhere"


@pytest.mark.parametrize(
    ("day", "sessions"),
    [
        (dt.date(2026, 11, 23), ["sang", "chieu"]),
        (dt.date(2026, 11, 24), []),
        (dt.date(2026, 11, 28), ["sang"]),
        (dt.date(2026, 11, 29), []),
        (dt.date(2026, 8, 22), ["sang", "chieu"]),
        (dt.date(2026, 12, 31), ["sang"]),
        (dt.date(2027, 1, 1), []),
        (dt.date(2027, 2, 6), []),
        (dt.date(2027, 2, 11), ["sang", "chieu"]),
        (dt.date(2027, 4, 16), []),
    ],
)
def test_the_sample_calendar_knows_the_days(day, sessions):
    assert [session.id for session in sample().hours().on(day)] == sessions


def test_numbers_are_given_before_the_counters_open():
    opening = hours.opening(sample().hours(), dt.datetime(2026, 11, 23, 7, 5))  # noqa: DTZ001 - the office's wall clock
    assert (opening.status, opening.session.id) == ("open", "sang")


def test_the_middle_key_means_what_its_label_set_says():
    office = sample()
    middle = {labels.id: labels.by_key("neutral") for labels in office.label_sets}
    assert {name: (level.text, level.satisfied) for name, level in middle.items()} == {
        "smile": ("Bình thường", False),
        "vpcp": ("Hài lòng", True),
        "nam-muc": ("Bình thường", False),
    }
    assert office.label_set("nam-muc").by_key("happy").value == 4
    assert office.label_set().by_key("nonsense") is None


def test_what_an_older_document_had_is_not_found_and_stops_nothing():
    office = sample()
    assert (office.service("ho"), office.counter("9"), office.clerk(""), office.label_set("x")) == (None,) * 4


def test_a_service_is_offered_from_its_first_to_its_last_day():
    service = replace(sample().services[0], valid_from=dt.date(2026, 1, 1), valid_to=dt.date(2026, 12, 31))
    assert service.offered(dt.date(2026, 12, 31))
    assert not service.offered(dt.date(2027, 1, 1))
    assert not service.offered(dt.date(2025, 12, 31))


# --- carrying it ---------------------------------------------------------------------------------------------------


def test_json_and_toml_are_the_same_document_with_the_same_fingerprint(tmp_path):
    office = sample()
    again = Office.from_json(office.to_json())
    assert again == office
    assert again.sha256 == office.sha256
    (tmp_path / "office.json").write_bytes(office.to_json())
    (tmp_path / "office.toml").write_text(SAMPLE.read_text("utf-8"), "utf-8")
    assert load(tmp_path / "office.json") == load(tmp_path / "office.toml") == office


def test_any_change_changes_the_fingerprint():
    office = sample()
    assert replace(office, version=2).sha256 != office.sha256


def test_the_order_of_names_in_a_table_is_no_change():
    one, other = ({"sang": 1, "chieu": 2}, {"chieu": 2, "sang": 1})
    first, *rest = sample().services
    offices = [replace(sample(), services=(replace(first, quota=quota), *rest)) for quota in (one, other)]
    assert offices[0].sha256 == offices[1].sha256


def test_text_typed_on_another_system_becomes_nfc(tmp_path):
    path = tmp_path / "office.toml"
    path.write_text(unicodedata.normalize("NFD", SAMPLE.read_text("utf-8")), "utf-8")
    assert load(path) == sample()


def test_a_letter_with_more_marks_than_any_language_has_is_refused_before_it_is_composed(plain):
    plain["unit"]["name"] = "e" + "\u0301\u0323" * 100_000
    with pytest.raises(DocumentError, match="more than 30 marks on one letter"):
        Office.from_json(json.dumps(plain, ensure_ascii=False).encode())


# --- what is wrong --------------------------------------------------------------------------------------------------


def test_ids_and_names_that_differ_only_in_case_or_in_nfd_are_twins(plain):
    plain["services"][1] |= {"id": "ho-tich", "name": unicodedata.normalize("NFD", "HỘ TỊCH"), "digit": "1"}
    plain["counters"][3]["id"] = "1"
    plain["clerks"][1]["id"] = "nguyen-thi-a"
    lines = wrong(plain)
    assert '[services 2 "ho-tich"] id: is the same as that of "Hộ tịch" (1)' in lines
    assert '[services 2 "ho-tich"] digit: is the same as that of "Hộ tịch" (1)' in lines
    assert '[services 2 "ho-tich"] name: is the same as that of "Hộ tịch" (1)' in lines
    assert '[counters 4 "1"] id: is the same as that of "1" (1)' in lines
    assert '[clerks 2 "nguyen-thi-a"] id: is the same as that of "Nguyễn Thị A" (1)' in lines


def test_references_to_nothing_are_named_with_the_nearest_right_id(plain):
    plain["counters"][0] |= {"services": ["ho-tic", "chung-thuc"], "clerk": "nguyen-thi-b"}
    plain["services"][2]["quota"] = {"sáng": 30, "trua": 3}
    plain["calendar"][0]["sessions"] = ["toi"]
    plain["rules"]["label_set"] = "smil"
    assert wrong(plain) == [
        '[services 3 "dat-dai".quota] sáng: is not allowed as a name here, only lower-case letters a–z, digits and '
        "hyphens, at most 32.",
        '[counters 1 "1"] services: not in [services]: "ho-tic". Did you mean "ho-tich"?',
        '[counters 1 "1"] clerk: not in [clerks]: "nguyen-thi-b". Did you mean "nguyen-thi-a"?',
        '[calendar 1] sessions: not in [sessions]: "toi".',
        '[rules] label_set: not in [label_sets]: "smil". Did you mean "smile"?',
    ]


def test_a_document_with_nothing_in_it_says_so(plain):
    plain |= {"services": [], "counters": [], "sessions": [], "label_sets": [], "calendar": []}
    assert [line for line in wrong(plain) if "there are 0" in line] == [
        f"{name}: there are 0: from 1 to {most} can be used"
        for name, most in (("services", 8), ("counters", 16), ("sessions", 9), ("label_sets", 99))
    ]


def test_everything_missing_is_said_at_once():
    lines = wrong({"version": 1})
    assert [line.split(":")[0] for line in lines] == ["unit", "site", "services", "counters", "label_sets", "sessions"]


def test_seventeen_counters_are_too_many(plain):
    plain["counters"] = [plain["counters"][0] | {"id": str(n), "label": str(n)} for n in range(1, 18)]
    assert wrong(plain) == ['[counters 17 "17"] id: "17" is not allowed, only 1 to 16.']


def test_a_service_that_no_counter_serves_is_reported(plain):
    plain["counters"][1]["services"] = ["ho-tich"]
    assert wrong(plain) == ['[services 3 "dat-dai"] id: no counter serves it: its numbers would never be called']


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"end": "07:00"}, "end: is not after start"),
        ({"last_number": "11:31"}, "last_number: must be after take_from and not after end"),
        ({"take_from": "11:15"}, "last_number: must be after take_from and not after end"),
        ({"start": "7h30"}, 'start: "7h30" must be a time of day, as 07:30:00'),
        ({"start": "07:30+07:00"}, 'start: "07:30+07:00" must be a time of day, as 07:30:00'),
        ({"weekdays": [0, 7]}, "weekdays 2]: 7 is not allowed, only 0–6."),
    ],
)
def test_a_session_whose_times_cannot_be(plain, change, line):
    plain["sessions"][0] |= change
    (said,) = wrong(plain)
    assert said.endswith(line)


def test_sessions_that_overlap_on_a_day_are_reported(plain):
    plain["sessions"][1] |= {"start": "11:00", "take_from": "10:30"}
    lines = wrong(plain)
    assert lines == ['[sessions 2 "chieu"] start: overlaps with sessions 1 "Sáng"']
    plain["sessions"][1] |= {"start": "13:30", "take_from": "11:00"}
    assert wrong(plain) == lines, "numbers of two sessions would be given at the same time"


def test_sessions_of_different_weekdays_may_overlap_but_not_on_a_calendar_day(plain):
    plain["sessions"].append(plain["sessions"][0] | {"id": "sang-thu-7", "weekdays": [5]})
    plain["sessions"][0]["weekdays"] = [0, 1, 2, 3, 4]
    plain["calendar"] = [{"day": "2026-08-22", "kind": "work"}]
    assert wrong(plain) == [
        "[calendar 1] sessions: Sáng (sang) and Sáng (sang-thu-7) overlap: name the sessions of this day"
    ]
    with pytest.raises(DocumentError) as found:
        Office.from_json(json.dumps(plain).encode())
    assert "Sáng (sang) và Sáng (sang-thu-7) trùng giờ" in mistake(found.value.problems[0], Texts("vi"))
    plain["calendar"][0]["sessions"] = ["sang", "chieu"]
    assert Office.from_json(json.dumps(plain).encode())


@pytest.mark.parametrize(
    ("day", "line"),
    [
        (
            {"day": "2026-02-30", "kind": "off", "reason": "x"},
            '[calendar 1] day: "2026-02-30" must be a date, as 2026-11-24',
        ),
        ({"day": "2026-02-03", "kind": "off"}, "[calendar 1] reason: say why the office is closed: citizens read it"),
        (
            {"day": "2026-02-03", "kind": "off", "reason": "Lễ", "sessions": ["sang"]},
            "[calendar 1] sessions: an off day has none: choose half or work",
        ),
        (
            {"day": "2026-02-03", "kind": "of", "reason": "Lễ"},
            '[calendar 1] kind: "of" is not allowed, only off, work, half. Did you mean "off"?',
        ),
        (
            {"day": "2026-02-03", "kind": "work", "reson": "x"},
            '[calendar 1] reson: unknown option. Did you mean "reason"?',
        ),
    ],
)
def test_a_calendar_day_that_cannot_be(plain, day, line):
    plain["calendar"] = [day]
    assert wrong(plain) == [line]


def test_the_same_day_twice_is_reported(plain):
    plain["calendar"].append(plain["calendar"][0])
    assert wrong(plain) == [
        f"""[calendar {len(plain["calendar"])}] day: is the same as that of "{plain["calendar"][0]["day"]}" (1)"""
    ]


def level(value, face, satisfied):
    return {"value": value, "text": f"Mức {value}", "text_en": f"Level {value}", "face": face, "satisfied": satisfied}


@pytest.mark.parametrize(
    ("levels", "line"),
    [
        ([level(1, "happy", True)], "there are 1: from 2 to 5 can be used"),
        ([level(2, "happy", True), level(2, "unhappy", False)], "value and face must differ"),
        ([level(2, "happy", True), level(1, "happy", False)], "value and face must differ"),
        ([level(2, "happy", True), level(1, "very_happy", True)], "some levels must count as satisfied"),
        ([level(2, "neutral", False), level(1, "unhappy", False)], "some levels must count as satisfied"),
        ([level(1, "happy", True), level(2, "unhappy", False)], "some levels must count as satisfied"),
        ([level(3, "happy", True), level(2, "neutral", True), level(1, "unhappy", False)], "only the faces happy"),
    ],
)
def test_a_label_set_that_makes_no_honest_figure_is_refused(plain, levels, line):
    plain["label_sets"][0]["levels"] = levels
    (said,) = wrong(plain)
    assert said.startswith(f'[label_sets 1 "smile"] levels: {line}')


@pytest.mark.parametrize("name", ["a.png", "a.JPG", "a.jpeg", "a.webp", "a.bmp", "a.gif", "a.tif", "chị-Ánh.TIFF", ""])
def test_a_photo_may_be_any_usual_picture_file(plain, name):
    plain["clerks"][0]["photo"] = plain["unit"]["emblem"] = name
    assert Office.from_json(json.dumps(plain).encode()).clerks[0].photo == name


@pytest.mark.parametrize("name", ["a.svg", "a.heic", "a", ".png", "a b.png", "../a.png", "a.png\n"])
def test_a_photo_of_another_kind_or_place_is_refused_with_the_kinds_that_are_known(plain, name):
    plain["clerks"][0]["photo"] = name
    (said,) = wrong(plain)
    assert said.startswith('[clerks 1 "nguyen-thi-a"] photo: ')
    assert "the bare name of a .png, .jpg, .webp, .bmp, .gif or .tif file" in said or "control characters" in said


def test_the_key_of_an_answer_is_its_rank_among_three_and_else_its_face():
    office = sample()
    keys = {labels.id: list(labels.keyed()) for labels in office.label_sets}
    assert keys == {
        "smile": ["happy", "neutral", "unhappy"],
        "vpcp": ["happy", "neutral", "unhappy"],
        "nam-muc": ["very_happy", "happy", "neutral", "unhappy", "very_unhappy"],
    }
    assert [level.value for level in office.label_set("nam-muc").keyed().values()] == [5, 4, 3, 2, 1]
    assert office.label_set("nam-muc").by_key("very_unhappy").value == 1
    assert office.label_set("vpcp").by_key("very_happy") is None


def test_own_sentences_are_checked(plain):
    plain["texts"] = {"slip.kep": "Giữ phiếu", "kiosk.ahead": "Còn {so} người", "en.slip.keep": "Keep it"}
    assert wrong(plain) == [
        '[texts] slip.kep: there is no such sentence. Did you mean "slip.keep"?',
        "[texts] kiosk.ahead: {so} is no value of this sentence, which has: {n}",
    ]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("services", 0, "colour"), "#ffee00"),
        (("services", 0, "colour"), "#12345"),
        (("services", 0, "icon"), "smile"),
        (("services", 0, "digit"), "12"),
        (("services", 0, "digit"), 1),
        (("services", 0, "id"), "hộ-tịch"),
        (("services", 0, "name"), "Hộ\ntịch"),
        (("services", 0, "hint"), "\x1b[31mđỏ"),
        (("services", 0, "name"), ""),
        (("services", 0, "name"), "x" * 301),
        (("services", 2, "quota"), {"sang": -1}),
        (("hotlines", 0, "number"), "gọi xã"),
        (("channels", 0, "url"), "javascript:alert(1)"),
        (("clerks", 0, "photo"), "../../etc/passwd"),
        (("clerks", 0, "photo"), "a/b.png"),
        (("rules", "per_minute"), 0),
        (("rules", "per_minute"), True),
        (("rules", "cooldown_s"), True),
        (("rules", "cooldown_s"), 10**400),
        (("rules", "address"), "Ông"),
        (("unit", "code"), 123),
        (("unit",), []),
        (("format",), 2),
        (("version",), 0),
        (("slogans",), "5 biết"),
        (("slogans",), [5]),
        (("texts",), ["x"]),
        (("services",), {}),
    ],
)
def test_a_wrong_value_is_one_line_that_names_its_place(plain, place, value):
    at = plain
    for part in place[:-1]:
        at = at[part]
    at[place[-1]] = value
    lines = wrong(plain)
    assert lines[0].replace("]", "").split(":")[0].split()[0].lstrip("[") == place[0]
    assert len(lines) == 1 or place == ("services",)


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b'{"a": 1, "a": 2}',
        b"{" * 5000,
        b'{"version": NaN}',
        b"\xff\xfe",
        b'{"version": ' + b"9" * 5000 + b"}",
        b"[]",
        b"",
    ],
)
def test_bytes_that_are_no_document_are_refused_with_a_reason(data):
    with pytest.raises(DocumentError) as caught:
        Office.from_json(data)
    assert str(caught.value).startswith("office.json: ")


def test_a_key_given_twice_is_refused_in_json_too():
    twice = sample().to_json().replace(b'{"calendar"', b'{"version":2,"calendar"', 1)
    with pytest.raises(DocumentError, match="given twice: version"):
        Office.from_json(twice)


def test_a_moment_is_no_day(tmp_path):
    path = tmp_path / "office.toml"
    path.write_text(SAMPLE.read_text("utf-8").replace("day = 2026-11-24", "day = 2026-11-24T00:00:00"), "utf-8")
    with pytest.raises(DocumentError, match='"2026-11-24 00:00:00" must be a date, as 2026-11-24'):
        load(path)


def test_keys_that_become_one_in_nfc_are_refused():
    with pytest.raises(DocumentError, match="given twice"):
        Office.from_json(b'{"t\\u1ed1": 1, "to\\u0302\\u0301": 2}')


def test_the_sample_file_itself_is_nfc_and_has_no_unknown_numbers():
    text = SAMPLE.read_text("utf-8")
    assert text == unicodedata.normalize("NFC", text)
    assert tomllib.loads(text)["version"] == 1


def places_in(plain, above=()):
    """Every place of a document, as a path of keys and positions."""
    below = plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    return [(*above, name) for name, _ in below] + [p for name, v in below for p in places_in(v, (*above, name))]


PLACES = places_in(json.loads(sample().to_json()))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["", "1", "sang", "07:30"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.just("id"), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(st.tuples(st.sampled_from(PLACES), JSON | st.just(...)), max_size=4))
@settings(max_examples=300, deadline=None)
def test_whatever_is_broken_the_document_is_used_or_refused_in_lines(changes):
    plain = json.loads(sample().to_json())
    for place, value in changes:
        _change(plain, place, value)
    try:
        office = Office.from_json(json.dumps(plain).encode())
    except DocumentError as error:
        lines = str(error).split("\n")
        assert all(line.startswith("office.json: ") and line.isprintable() for line in lines)
        assert len(lines) == len(error.problems)
    else:
        assert Office.from_json(office.to_json()) == office
        assert office.rulebook()


def _change(plain, place, value):
    """Put a value at a place, or take it away (...); an earlier change may have removed the place."""
    try:
        for part in place[:-1]:
            plain = plain[part]
        if value is ...:
            del plain[place[-1]]
        else:
            plain[place[-1]] = value
    except (LookupError, TypeError):
        pass
