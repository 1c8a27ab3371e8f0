"""What the console leaves to processes of its own, so that it stays small itself."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from kiosk.console import apart, pictures
from kiosk.programs import ProgramError
from tests.board_scenes import photo

LARGE = {"cryptography", "PIL", "pygame", "qrcode", "requests", "sqlite_utils", "numpy"}
"""What takes 2 to 10 MB each, and is wanted seldom or never."""
GUESS_MB = 16


def said(program: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


LOADED = """
import sys
import kiosk.console.server
print(*(name for name, module in sys.modules.items() if module))
"""


def test_the_console_starts_without_large_libraries():
    loaded = {*said(LOADED).split()}
    assert "uvicorn" in loaded
    assert not LARGE & loaded


GUESSES = """
import threading
from kiosk import memory, pins
memory.give_back_large()
def mb():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6
stored = pins.kept("2468")
before = mb()
for _ in range(4):
    one = threading.Thread(target=pins.matches, args=("2468", stored))
    one.start()
    one.join()
print(mb() - before)
"""


def test_checking_pins_in_several_threads_keeps_no_memory():
    assert float(said(GUESSES)) < GUESS_MB / 4


def test_a_work_apart_answers(tmp_path: Path):
    assert apart.ask("kiosk.console.codes", "HTTPS://KIOSK.EXAMPLE/C/1", 60).startswith("<svg ")
    photo(tmp_path / "a.png")
    asked = {"do": "keep", "path": str(tmp_path / "a.png"), "folder": str(tmp_path / "kept")}
    [answer] = apart.ask("kiosk.console.shrinking", [asked], 60)
    with Image.open(tmp_path / "kept" / answer["name"]) as kept:
        assert max(kept.size) <= 800


def test_what_cannot_be_shown_is_answered_with_its_reason(tmp_path: Path):
    (tmp_path / "b.jpg").write_text("no picture")
    [answer] = apart.ask("kiosk.console.shrinking", [{"do": "photo", "path": str(tmp_path / "b.jpg")}], 60)
    assert answer["reason"] == "no_picture"
    assert answer["says"].endswith("b.jpg is no picture: save it as JPEG or PNG")


def test_what_the_disk_refuses_is_said_in_one_line_without_the_name_of_the_program(tmp_path: Path):
    photo(tmp_path / "a.png")
    asked = {"do": "keep", "path": str(tmp_path / "a.png"), "folder": str(tmp_path / "a.png")}
    with pytest.raises(ProgramError) as caught:
        apart.ask("kiosk.console.shrinking", [asked], 60)
    assert str(caught.value) == f"{tmp_path}/a.png: File exists"


def test_a_work_that_fails_says_by_what():
    with pytest.raises(ProgramError, match=r"^KeyError: 'nothing'$"):
        apart.ask("kiosk.console.shrinking", [{"do": "nothing"}], 60)


def test_a_picture_that_ends_the_process_spoils_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    photo(tmp_path / "a.png")
    good, bad = str(tmp_path / "a.png"), "bad"
    made = pictures._small({bad: "nothing", good: "photo"})  # an unknown task ends it as a fault of Pillow would
    assert {*made} == {good}
    assert "bad cannot be made small" in caplog.text
