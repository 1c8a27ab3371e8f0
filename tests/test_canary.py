"""The write canary: a file on the disk, tried again and again; faults are those of the trial that it is given."""

import errno
import threading
from pathlib import Path

import pytest

from kiosk import canary
from kiosk.canary import AGAIN_S, FILE, SLOW_S, STALLED_S, Canary, CanaryState, try_disk
from tests.app_kit import Kiosk, config, kiosk, paper, receiver  # noqa: F401


class Card:
    """Trials that take so long, or fail: `say` is what the next ones do. It imitates no file."""

    def __init__(self) -> None:
        self.at = 0.0
        self.takes = 0.1
        self.fails: OSError | None = None

    def __call__(self, path: Path) -> None:
        self.at += self.takes
        if self.fails:
            raise self.fails

    def clock(self) -> float:
        return self.at


@pytest.fixture
def card() -> Card:
    return Card()


def tries(card: Card, made: Canary, *seconds: float) -> list[str]:
    found = []
    for card.takes in seconds:
        found.append(str(made.try_once(card.clock)))
    return found


def test_what_is_written_is_on_the_disk_and_needs_no_more_room_the_next_time(tmp_path: Path):
    try_disk(tmp_path / FILE)
    first, inode = (tmp_path / FILE).read_bytes(), (tmp_path / FILE).stat().st_ino
    try_disk(tmp_path / FILE)
    assert len(first) == canary.BYTES
    assert (tmp_path / FILE).read_bytes() != first
    assert (tmp_path / FILE).stat().st_ino == inode
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_other_bytes_than_were_written_are_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("kiosk.canary.os.pread", lambda file, n, at: bytes(n))
    made = Canary(tmp_path)
    assert made.try_once() is CanaryState.FAILED


def test_a_disk_that_cannot_be_written_is_a_failure_and_no_exception(tmp_path: Path):
    made = Canary(tmp_path / "nowhere")
    assert made.try_once() is CanaryState.FAILED
    assert made.state(0) is CanaryState.FAILED


def test_one_slow_write_is_chance_and_two_are_a_slow_card(tmp_path: Path, card: Card):
    made, slow = Canary(tmp_path, card), SLOW_S + 0.1
    assert tries(card, made, 0.1, slow, 0.1, slow, slow, 0.1) == ["ok", "ok", "ok", "ok", "slow", "ok"]


def test_a_card_that_failed_is_well_again_only_after_a_quick_write(tmp_path: Path, card: Card):
    made = Canary(tmp_path, card)
    card.fails = OSError(errno.EIO, "Input/output error")
    assert tries(card, made, 0.1) == ["failed"]
    card.fails = None
    assert tries(card, made, SLOW_S + 1, 0.1) == ["slow", "ok"]


def test_a_full_disk_is_no_fault_of_the_card(tmp_path: Path, card: Card):
    card.fails = OSError(errno.ENOSPC, "No space left on device")
    made = Canary(tmp_path, card)
    assert made.try_once(card.clock) is CanaryState.FULL
    assert not CanaryState.FULL.bad


def test_a_trial_that_does_not_end_is_known_while_it_lasts(tmp_path: Path):
    begun, ended = threading.Event(), threading.Event()

    def hang(path: Path) -> None:
        begun.set()
        ended.wait(10)

    made = Canary(tmp_path, hang)
    thread = threading.Thread(target=made.try_once, args=(lambda: 100.0,))
    thread.start()
    assert begun.wait(10)
    assert made.state(100 + STALLED_S) is CanaryState.UNKNOWN
    assert made.state(101 + STALLED_S) is CanaryState.STALLED
    ended.set()
    thread.join(10)
    assert made.state(101 + STALLED_S) is CanaryState.OK


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canary, "FIRST_S", 0.0)
    monkeypatch.setattr(canary, "AGAIN_S", AGAIN_S / 6000)


def test_the_thread_tries_again_soon_while_something_is_wrong_and_ends_with_the_kiosk(tmp_path: Path, impatient: None):
    tried = threading.Semaphore(0)

    def fail(path: Path) -> None:
        tried.release()
        raise OSError(errno.EIO, "Input/output error")

    made = Canary(tmp_path, fail)
    with made:
        assert all(tried.acquire(timeout=10) for _ in range(3))
    assert not made._thread.is_alive()


def test_a_card_that_fails_shows_on_the_screen_is_noted_and_stops_nothing(kiosk: Kiosk):
    app = kiosk.app
    app._keep_house(0, app.clock.now())
    assert "disk" not in app._staff_icons
    app.canary._path = Path(kiosk.config.data_dir) / "nowhere" / FILE
    app.canary.try_once()
    app._keep_house(0, app.clock.now())
    assert "disk" in app._staff_icons
    assert app.store.fact("canary") == "failed"
    kiosk.press("take:ho-tich")
    assert kiosk.numbers() == ["1001"]
    app.canary._path = Path(kiosk.config.data_dir) / FILE
    app.canary.try_once()
    app._keep_house(0, app.clock.now())
    assert (app._staff_icons.count("disk"), app.store.fact("canary")) == (0, "ok")
