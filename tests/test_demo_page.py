"""The demo's page over a real socket: what it shows, what it takes, and whom it refuses."""

import http.client
import inspect
import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from kiosk.simulator.appliance import FAULTS, Appliance
from kiosk.simulator.citizens import Crowds
from kiosk.simulator.demo import built
from kiosk.simulator.folder import Folder
from kiosk.simulator.web import PAGE, Web, kept
from tests.browser import watched
from tests.test_demo import WAIT_S, options, take


@pytest.fixture(scope="module")
def appliance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    folder = tmp_path_factory.mktemp("page")
    with built(options("--per-hour", "3600"), Folder(folder)) as started:
        assert started.wait_for(lambda seen: seen.running, WAIT_S)
        yield started


@pytest.fixture(scope="module")
def web(appliance: Appliance) -> Iterator[Web]:
    crowds = Crowds(appliance, seed=1)
    served = Web(appliance, crowds, 0)
    served.start()
    yield served
    crowds.close()
    served.close()


@contextmanager
def ask(web: Web, method: str, path: str, body: Any = None, **headers: str) -> Iterator[http.client.HTTPResponse]:
    """One request; the connection ends with the block. A header's name is written with underscores."""
    with closing(http.client.HTTPConnection("127.0.0.1", urlsplit(web.url).port or 0, timeout=WAIT_S)) as conn:
        sent = body if body is None or isinstance(body, str) else json.dumps(body)
        own = {"Content-Type": "application/json"} if body is not None else {}
        conn.request(method, path, sent, own | {name.replace("_", "-"): value for name, value in headers.items()})
        with conn.getresponse() as response:
            yield response


def order(web: Web, **command: Any) -> int:
    with ask(web, "POST", "/do", command) as response:
        response.read()
        return response.status


def first_event(web: Web) -> dict[str, Any]:
    """Everything that the page is told when it begins to listen."""
    with ask(web, "GET", "/events") as response:
        line = response.readline()
    assert line.startswith(b"data: ")
    return dict(json.loads(line[6:]))


def test_the_page_and_all_that_it_names_is_served_and_nothing_from_elsewhere(web: Web) -> None:
    with ask(web, "GET", "/") as response:
        page = response.read().decode()
        assert response.status == 200
    for path in ("/page/page.js", "/page/style.css", "/page/icon.svg", "/fonts/BeVietnamPro-Bold.ttf"):
        with ask(web, "GET", path) as response:
            assert (response.status, len(response.read()) > 100) == (200, True), path
    written = page + "".join(file.read_text() for file in PAGE.iterdir())
    assert "https://" not in written.replace("http://www.w3.org", "")
    assert 'lang="vi"' in page


def test_every_fault_has_a_switch_on_the_page(web: Web) -> None:
    script = (PAGE / "page.js").read_text()
    switches = script.partition("const FAULTS = {")[2].partition("};")[0]
    assert [name for name in FAULTS if f"{name}:" not in switches] == []
    with ask(web, "GET", "/office") as response:
        assert set(json.load(response)["faults"]) == set(FAULTS)


def test_the_page_knows_the_language_of_the_screens_and_the_keys_names_in_it(web: Web) -> None:
    with ask(web, "GET", "/office") as response:
        office = json.load(response)
    assert office["language"] == "vi"
    assert [service["id"] for service in office["services"] if not service["name_en"]] == []


def test_every_order_and_every_part_is_documented(web: Web) -> None:
    page = (Path(__file__).parents[1] / "docs" / "simulator.md").read_text()
    orders = re.findall(r'case "(\w+)"', inspect.getsource(Web._obey))
    assert len(orders) == 7
    assert [name for name in orders if f'"do": "{name}"' not in page] == []
    assert [name for name in (*FAULTS, *first_event(web)) if f"`{name}`" not in page] == []


def test_a_press_on_the_page_becomes_a_number_a_slip_and_figures(web: Web, appliance: Appliance) -> None:
    before = len(appliance.seen.slips)
    assert order(web, do="down", action="take:chung-thuc") == 200
    assert order(web, do="up", action="take:chung-thuc") == 200
    assert appliance.wait_for(lambda seen: len(seen.slips) > before and seen.figures.get("slips", 0) > before, WAIT_S)
    told = first_event(web)
    assert told["slips"] == appliance.seen.slips
    assert told["figures"]["tickets"] >= 1
    with ask(web, "GET", f"/slips/{told['slips'][-1]}.png") as response:
        assert response.read().startswith(b"\x89PNG")


def test_the_screens_are_live_pictures_and_can_be_touched(web: Web, appliance: Appliance) -> None:
    assert appliance.wait_for(lambda seen: set(seen.frames) == {"take", "board", "rate:1"}, WAIT_S)
    for name in ("take", "board", "rate-1"):
        with ask(web, "GET", f"/frames/{name}.png") as response:
            assert response.read().startswith(b"\x89PNG"), name
    before = len(appliance.seen.taken)
    assert order(web, do="tap", action="cancel") == 200  # a message of the press before may be in the tiles' place

    def touched() -> bool:
        assert order(web, do="touch", view="take", x=0.5, y=0.3) == 200
        return appliance.wait_for(lambda seen: len(seen.taken) > before, 1.0)

    assert any(touched() for _ in range(int(WAIT_S)))


def test_a_picture_is_sent_as_it_was_though_the_next_one_takes_its_place(tmp_path: Path) -> None:
    frame = tmp_path / "take.png"
    frame.write_bytes(b"the picture that was asked for")
    answer = kept(frame)
    frame.write_bytes(b"the next one")
    assert answer.body == b"the picture that was asked for"
    frame.unlink()
    assert kept(frame).status_code == 404


def test_what_the_hall_hears_is_served_and_no_other_file(web: Web, appliance: Appliance) -> None:
    (appliance.plan.folder.calls / "call-900001.wav").write_bytes(b"RIFF")
    assert appliance.wait_for(lambda seen: "call-900001.wav" in seen.calls, 10)
    with ask(web, "GET", "/calls/call-900001.wav") as answer:
        assert (answer.read(), answer.headers["content-type"]) == (b"RIFF", "audio/wav")
    with ask(web, "GET", "/calls/call-900002.wav") as answer:
        assert answer.status == 404


def test_what_changes_is_told_part_by_part(web: Web, appliance: Appliance) -> None:
    with ask(web, "GET", "/events") as response:
        assert len(json.loads(response.readline()[6:])) > 10
        assert order(web, do="fault", name="paper_low", on=True) == 200
        told: dict[str, Any] = {}
        while "faults" not in told:
            line = response.readline()
            told = json.loads(line[6:]) if line.startswith(b"data: ") else {}
    assert told["faults"] == ["paper_low"]
    assert "clock" not in told
    assert order(web, do="fault", name="paper_low", on=False) == 200


def test_speed_and_citizens_can_be_set_while_it_runs(web: Web, appliance: Appliance) -> None:
    assert order(web, do="speed", speed=10) == 200
    assert order(web, do="people", per_hour=40) == 200
    told = first_event(web)
    assert (told["clock"]["speed"], told["per_hour"]) == (10, 40)
    assert order(web, do="people", per_hour=0) == 200
    assert order(web, do="speed", speed=1) == 200


@pytest.mark.parametrize(
    "command",
    [
        {},
        {"do": "explode"},
        {"do": "fault", "name": "earthquake", "on": True},
        {"do": "touch", "view": "take", "x": 2, "y": 0},
        {"do": "touch", "view": "take", "x": "nan", "y": 0},
        {"do": "people", "per_hour": 10**9},
        {"do": "speed", "speed": 0},
        {"do": "speed"},
        [],
        "no json",
        "x" * 5000,
    ],
    ids=lambda command: str(command)[:30],
)
def test_an_order_that_makes_no_sense_is_refused_in_one_line(web: Web, command: Any) -> None:
    with ask(web, "POST", "/do", command) as response:
        assert response.status == 400
        assert json.load(response)["error"]


def test_a_page_from_elsewhere_can_neither_press_keys_nor_look(web: Web, appliance: Appliance) -> None:
    before = len(appliance.seen.taken)
    tap = {"do": "tap", "action": "take:ho-tich"}
    port = urlsplit(web.url).port
    refused: dict[str, tuple[str, Any, dict[str, str]]] = {
        "another host": ("/events", None, {"Host": "kiosk.example"}),
        "a name for this computer": ("/do", tap, {"Host": f"rebound.example:{port}"}),
        "another origin": ("/do", tap, {"Origin": "http://evil.example"}),
        "a file's origin": ("/do", tap, {"Origin": "null"}),
        "a plain form": ("/do", json.dumps(tap), {"Content_Type": "text/plain"}),
    }
    for why, (path, body, headers) in refused.items():
        with ask(web, "GET" if body is None else "POST", path, body, **headers) as response:
            assert response.status in (400, 403), why
    with ask(web, "POST", "/do", {"do": "up", "action": "take:ho-tich"}, Origin=f"http://127.0.0.1:{port}") as own:
        assert own.status == 200
    assert len(appliance.seen.taken) == before


@pytest.mark.parametrize(
    "path", ["/slips/../kiosk.toml", "/slips/%2e%2e%2ftoken", "/frames/secret.png", "/token", "/page/../web.py"]
)
def test_nothing_else_of_the_folder_is_served(web: Web, path: str) -> None:
    with ask(web, "GET", path) as response:
        assert response.status == 404


def test_a_taken_port_is_said_with_what_to_do(web: Web, appliance: Appliance) -> None:
    with pytest.raises(OSError, match="--port"):
        Web(appliance, Crowds(appliance, None), urlsplit(web.url).port or 0)


@pytest.mark.slow
def test_a_browser_draws_the_page(chromium: Browser, web: Web, appliance: Appliance) -> None:
    take(appliance)
    with watched(chromium, web.url, (1440, 900)) as seen:
        page = seen.page(web.url)
        page.wait_for_selector("#roll img")
        assert len(page.screenshot()) > 20_000


def test_as_many_citizens_as_the_command_line_says_are_marked_though_they_are_no_choice(
    chromium: Browser, web: Web
) -> None:
    marked = "#people [aria-pressed=true]"
    with watched(chromium, web.url) as seen:
        page = seen.page(web.url)
        page.wait_for_selector(marked)
        usual = page.locator("#people button").all_inner_texts()
        assert order(web, do="people", per_hour=121) == 200
        page.wait_for_selector(f"{marked}:has-text('121')")
        assert [int(text) for text in page.locator("#people button").all_inner_texts()] == sorted(
            [*(int(text) for text in usual), 121]
        )
        assert order(web, do="people", per_hour=0) == 200
        page.wait_for_selector(f"{marked}:has-text('0')")
        page.wait_for_selector("#people [data-own]", state="detached")
