"""kiosk.toml: what a technician writes, and what he is told when it is wrong."""

import tomllib
from dataclasses import replace

import pytest

from kiosk.config import effective, load_config, shipped
from kiosk.documents import DocumentError
from kiosk.keypad import KEY_CODES
from kiosk.office import sample
from kiosk.panel_rules import KEY_NAMES, claims
from kiosk.wiring import advice, check_against, pin_warnings


@pytest.fixture
def written(tmp_path):
    """Write kiosk.toml and get its path."""

    def write(text, name="kiosk.toml"):
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return write


def wrong(path):
    """The lines of the error, without the file's name."""
    with pytest.raises(DocumentError) as caught:
        load_config(path)
    return [line.removeprefix(f"{path}: ") for line in str(caught.value).splitlines()]


def hints(config, office):
    """What is advised, as it is said."""
    return [str(hint) for hint in advice(config, office)]


def test_the_shipped_panel_fits_a_pi_and_the_sample_office():
    config = shipped()
    pins = [pin for pin, _ in claims(config.buttons)]
    assert len(pins) == len(set(pins)) == 24
    assert not {2, 3} & set(pins), "the clock module sits there"
    assert check_against(config, sample()) == []
    assert config.buttons.services.keys() == {service.id for service in sample().services}
    assert all(part.led for part in config.buttons.services.values())


def test_every_counter_of_the_sample_office_can_call_and_be_rated_by_keyboard():
    actions = set(shipped().buttons.keyboard.values())
    for counter in sample().counters:
        assert {f"call:{counter.id}", f"rate:{counter.id}:happy", f"rate:{counter.id}:unhappy"} <= actions


def test_an_unknown_key_is_named_with_the_nearest_right_one(written):
    path = written("[printer]\npapr_mm = 58\n")
    with pytest.raises(DocumentError, match="unknown option") as caught:
        load_config(path)
    assert str(caught.value) == f'{path}: [printer] papr_mm: unknown option. Did you mean "paper_mm"?'
    assert caught.value.problems[0].path == "printer.papr_mm"


def test_all_mistakes_are_reported_at_once(written):
    path = written("""
language = "vn"
office = 3
colour = "red"
[printer]
paper_mm = 60
cutter = "yes"
write_timeout_s = nan
[[screen.outputs]]
view = "bord"
[sync]
server = "http://may-chu.example"
heartbeat_s = 1.5
[buttons.keyboard]
esc = "cancel"
q = "rate:17:happy"
w = "priority2"
[buttons.counters.17]
happy = 4
""")
    assert wrong(path) == [
        "colour: unknown option.",
        "office: 3 must be text",
        'language: "vn" is not allowed, only en, vi.',
        "[buttons.counters] 17: is not allowed as a name here, only 1 to 16.",
        "[printer] paper_mm: 60 is not allowed, only 80, 58.",
        '[printer] cutter: "yes" must be true or false',
        "[printer] write_timeout_s: NaN must be a number",
        '[screen.outputs 1] view: "bord" is not allowed, only take, board or rate:COUNTER.',
        "[sync] heartbeat_s: 1.5 must be a whole number",
        '[buttons.keyboard] esc: there is no such key. Did you mean "escape"?',
        '[buttons.keyboard] q: "rate:17:happy" is not allowed, only take:SERVICE, priority, cancel, language, '
        "rate:COUNTER:FACE (very_happy, happy, neutral, unhappy, very_unhappy), call:COUNTER.",
        '[buttons.keyboard] w: "priority2" is not allowed, only take:SERVICE, priority, cancel, language, '
        "rate:COUNTER:FACE (very_happy, happy, neutral, unhappy, very_unhappy), call:COUNTER.",
        "[sync] server: would send the token in the clear: use https://, or set allow_plain_http = true",
    ]


def test_plain_http_to_another_machine_must_be_asked_for(written):
    refused = '[sync]\nserver = "http://may-chu.example"\n'
    assert "in the clear" in wrong(written(refused))[0]
    for allowed in (refused + "allow_plain_http = true", '[sync]\nserver = "http://127.0.0.1:8000"'):
        assert load_config(written(allowed)).sync.server


@pytest.mark.parametrize("host", ["[::1::2]", "a:99999", "a:0", "-a", "a b", "", "[::1]:8000/x?y", "a..b/#"])
def test_addresses_that_lead_nowhere_are_refused(written, host):
    assert "[sync] server" in wrong(written(f'[sync]\nserver = "https://{host}"'))[0]


@pytest.mark.parametrize("host", ["[::1]:8000", "mot-cua.example", "10.0.0.1:8443/kiosk"])
def test_addresses_of_servers_are_taken(written, host):
    assert load_config(written(f'[sync]\nserver = "https://{host}"')).sync.server.endswith(host)


def test_a_password_in_an_address_is_refused_and_not_repeated(written):
    for text in ('[sync]\nserver = "https://kiosk:hunter2@may-chu.example"', '[printer]\nurl = "tcp://a:hunter2@b"'):
        message = "".join(wrong(written(text)))
        assert "hunter2" not in message
        assert "***" in message


def test_pins_wanted_twice_are_all_named_with_those_who_want_them_and_what_is_free(written):
    path = written("""
[buttons.services.ho-tich]
pin = 17
led = 2
[buttons.services.dat-dai]
pin = 17
[buttons.counters.1]
happy = 22
call = 22
[buttons.cancel]
pin = 1
""")
    first, second, third, fourth = wrong(path)
    assert first == "[buttons.cancel] pin: 1 is not allowed, only a BCM number from 2 to 27."
    assert second.startswith("[buttons.services.ho-tich] led: BCM 2 belongs to the i2c bus")
    assert "BCM 17 is wanted by services.ho-tich.pin & services.dat-dai.pin" in third
    assert "BCM 22 is wanted by counters.1.happy & counters.1.call" in fourth
    assert "Free: 4, 5, 6" in fourth


def test_more_pins_than_a_pi_has_are_counted(written):
    keys = "happy = 4\nneutral = 5\nunhappy = 6\nhappy_led = 7\nneutral_led = 8\nunhappy_led = 9\ncall = 10\n"
    path = written("".join(f"[buttons.counters.{number}]\n{keys}" for number in range(1, 5)))
    assert wrong(path)[0] == "buttons: 28 pins are wanted and 24 are free: move 4 to a USB keypad or a tablet"


def test_a_bus_that_is_not_used_frees_its_pins_with_a_warning(written):
    config = load_config(written("[buttons]\nbuses = []\npriority = { pin = 3 }\ncancel = { pin = 15 }\n"))
    clock, console = map(str, pin_warnings(config))
    assert clock.startswith("BCM 3: also the clock module's")
    assert console.startswith("BCM 15: also the serial console's")


def test_a_file_that_wires_one_key_describes_the_whole_panel(written):
    config = load_config(written("[buttons.services.ho-tich]\npin = 26\n"))
    assert [pin for pin, _ in claims(config.buttons)] == [26]
    assert config.buttons.keyboard == shipped().buttons.keyboard


def test_a_keyboard_of_ones_own_replaces_the_shipped_one(written):
    config = load_config(written('[buttons.keyboard]\nspace = "take:ho-tich"\n'))
    assert config.buttons.keyboard == {"space": "take:ho-tich"}
    assert claims(config.buttons) == claims(shipped().buttons)


def test_keys_for_services_and_counters_that_the_office_does_not_have_are_reported(written):
    config = load_config(
        written("""
[buttons.services.dat-da]
pin = 4
[buttons.counters.9]
call = 5
[buttons.keyboard]
a = "take:hotich"
b = "call:7"
[screen]
touch = false
outputs = [{ view = "rate:8" }]
""")
    )
    services = ", ".join(service.id for service in sample().services)
    lines = [str(problem).removeprefix(f"{config.file}: ") for problem in check_against(config, sample())]
    assert lines == [
        f'[buttons.services] dat-da: the office has no service "dat-da". It has: {services}. Did you mean "dat-dai"?',
        '[buttons.counters] 9: the office has no counter "9". It has: 1, 2, 3, 4.',
        f'[buttons.keyboard] a: the office has no service "hotich". It has: {services}. Did you mean "ho-tich"?',
        '[buttons.keyboard] b: the office has no counter "7". It has: 1, 2, 3, 4.',
        '[screen.outputs 1] view: the office has no counter "8". It has: 1, 2, 3, 4.',
    ]


def test_a_key_may_stand_for_each_answer_of_five(written):
    faces = ("very_happy", "happy", "neutral", "unhappy", "very_unhappy")
    keys = "".join(f'f{n} = "rate:1:{face}"\n' for n, face in enumerate(faces, 1))
    config = load_config(written("[buttons.keyboard]\n" + keys))
    assert list(config.buttons.keyboard.values()) == [f"rate:1:{face}" for face in faces]


def test_rating_keys_that_stand_for_no_answer_are_advice(written):
    config = load_config(written('[buttons.keyboard]\nq = "rate:1:very_happy"\nw = "rate:1:neutral"\n'))
    said = "the rating keys {} stand for no answer, only {} do: wire those"
    assert said.format("very_happy", "happy, neutral, unhappy") in hints(config, sample())
    five = replace(sample(), rules=replace(sample().rules, label_set="nam-muc"))
    assert not [line for line in hints(config, five) if "rating keys" in line]
    levels = [level for level in five.label_set().levels if level.value in (1, 5)]
    two = replace(five, label_sets=(replace(five.label_set(), levels=tuple(levels)),))
    wired = load_config(written("[buttons.counters.1]\nhappy = 18\nunhappy = 24\n[buttons.keyboard]\n"))
    assert said.format("happy, unhappy", "very_happy, very_unhappy") in hints(wired, two)


def test_shipped_keys_that_an_office_has_no_use_for_are_advice_and_no_mistake(written):
    small = replace(sample(), services=sample().services[:5], counters=sample().counters[:3])
    config = load_config(written("[printer]\npaper_mm = 58\n"))
    assert check_against(config, small) == []
    idle = "the shipped keys of service huong-dan, counter 4 do nothing in this office: wire your own under [buttons]"
    assert idle in hints(config, small)


def test_services_that_nobody_can_take_are_named(written):
    one = '[buttons.keyboard]\nf1 = "take:ho-tich"\n[buttons.cancel]\npin = 4\n'
    without = [
        f"no key takes a number of {service.id}: wire it under [buttons.services], or give it a key of a keypad"
        for service in sample().services[1:]
    ]
    without += [
        f"no key for {action}: wire [buttons.{action}], or give it a key of a keypad"
        for action in ("priority", "language")
    ]
    assert hints(load_config(written(one + "[screen]\ntouch = false\n")), sample()) == without
    assert hints(load_config(written(one)), sample()) == [], "they can be touched"


def test_what_is_in_force_is_printed_with_where_it_came_from(written):
    path = written('device = "k-7F3K2M"\n[printer]\npaper_mm = 58\n')
    lines = effective(load_config(path)).splitlines()
    assert f'device = "k-7F3K2M"  # {path}' in lines
    assert f"paper_mm = 58  # {path}" in lines
    assert "baud = 115200  # default" in lines
    assert '"[1]" = "take:ho-tich"  # default' in lines


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[buttons.cancel]\n",
        "[buttons]\nkeyboard = {}\nbuses = ['spi']\nservices = {}\n",
        "office = 'dir/văn phòng.toml'\n[[screen.outputs]]\nview = 'take'\n[[screen.outputs]]\nview = 'rate:2'\n",
    ],
)
def test_what_is_printed_can_be_read_again(written, text):
    config = load_config(written(text))
    assert load_config(written(effective(config), "again.toml")) == config


def test_voices_and_a_folder_of_calls_lie_beside_the_file_and_a_card_has_its_name(written, tmp_path):
    assert load_config(written('data_dir = "data"')).voice.packs == str(tmp_path / "data" / "voices")
    config = load_config(written('[sound]\ndevice = "folder:calls"\n[voice]\npacks = "packs"'))
    assert (config.sound.device, config.voice.packs) == (f"folder:{tmp_path / 'calls'}", str(tmp_path / "packs"))
    assert load_config(written('[sound]\ndevice = "plughw:CARD=USB"')).sound.device == "plughw:CARD=USB"


def test_a_voice_that_cannot_be_is_named(written):
    path = written('[voice]\nlanguages = ["VI"]\nnumbers = "words"\nmissing_ten = "le"\nvolume = 101')
    assert wrong(path) == [
        "[voice] volume: 101 is not allowed, only 0–100.",
        '[voice.languages 1]: "VI" is not allowed, only codes of languages, as vi, en or km.',
        '[voice] numbers: "words" is not allowed, only digits, whole.',
        '[voice] missing_ten: "le" is not allowed, only linh, lẻ.',
    ]


def test_relative_paths_start_at_the_file(written, tmp_path):
    config = load_config(written('office = "office.toml"\ndata_dir = "data"\n[sync]\nca_file = "ca.pem"\n'))
    assert config.office == str(tmp_path / "office.toml")
    assert config.sync.token_file == str(tmp_path / "data" / "token")
    assert config.sync.ca_file == str(tmp_path / "ca.pem")


def test_the_environment_names_the_file(written, monkeypatch):
    monkeypatch.setenv("KIOSK_CONFIG", str(written('device = "k-ENV"\n')))
    assert load_config().device == "k-ENV"
    assert load_config(written("", "other.toml")).device == "auto", "an argument goes before the environment"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"device = 'a'\ndevice = 'b'\n", "cannot be read: line 2, column 13: Cannot overwrite a value"),
        (b"device = \n", "cannot be read: line 1, column 10: Invalid value"),
        ("device = 'xã'".encode("utf-16"), "is not UTF-8: save it as UTF-8"),
        (b"#" * (2 << 20), "is larger than"),
        (b"buses = " + b"[" * 100_000, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path, content, says):
    path = tmp_path / "kiosk.toml"
    path.write_bytes(content)
    with pytest.raises(DocumentError) as caught:
        load_config(path)
    assert str(caught.value).startswith(f"{path}: {says}")
    assert "\n" not in str(caught.value)


def test_a_missing_file_that_was_named_is_an_error(tmp_path):
    with pytest.raises(DocumentError, match="No such file"):
        load_config(tmp_path / "none.toml")
    with pytest.raises(DocumentError, match="Is a directory"):
        load_config(tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        "none",
        "file:/dev/usb/lp0",
        "tcp://10.0.0.5:9100",
        "tcp://may-in.local",
        "serial:/dev/ttyUSB0",
        "usb:04b8:0e15",
    ],
)
def test_every_kind_of_printer_can_be_named(written, url):
    assert load_config(written(f'[printer]\nurl = "{url}"\n')).printer.url == url


@pytest.mark.parametrize("url", ["", "lp0", "file:lp0", "tcp:10.0.0.5", "usb:4b8", "usb:", "file:/dev/lp 0"])
def test_other_printers_are_refused(written, url):
    assert "[printer] url" in wrong(written(f'[printer]\nurl = "{url}"\n'))[0]


@pytest.mark.parametrize("url", ["https://q.example/", "https://q.example/kiosk", "q.example", "HTTPS://q example"])
def test_the_address_in_the_qr_is_a_bare_host(written, url):
    assert "[public] url" in wrong(written(f'[public]\nurl = "{url}"\n'))[0]


def test_nested_values_of_the_wrong_kind_are_one_line_each(written):
    path = written("buttons = 3\nprinter = []\n[screen]\noutputs = ['take', 2]\n[sync]\nserver = true\n")
    assert wrong(path) == [
        "buttons: must be a table",
        "printer: must be a table",
        "[screen.outputs 1]: must be a table",
        "[screen.outputs 2]: must be a table",
        "[sync] server: true must be text",
    ]


def test_every_key_that_can_be_configured_has_a_keypad_code_and_the_other_way_round():
    assert KEY_CODES.keys() == KEY_NAMES


def test_values_are_toml_of_the_declared_types():
    plain = tomllib.loads(effective(replace(shipped(), office='/a "b"/c.toml')))
    assert plain["office"] == '/a "b"/c.toml'
    assert plain["screen"]["outputs"] == [{"view": "take", "size": "1920x1080", "display": 0}]
