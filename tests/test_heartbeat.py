"""What a kiosk tells of itself in each batch, and that a server of any age takes it."""

import json
from pathlib import Path

import pytest

from kiosk import feed, signs
from kiosk.clock import Moment
from kiosk.config import Config
from kiosk.console import health
from kiosk.findings import Finding
from kiosk.office import sample
from kiosk.present.words import Words
from kiosk.store import Store
from kiosk.store.backup import backup
from kiosk.store.starts import KEPT, note_start, starts_lately
from kiosk.texts import Texts
from sync import outbox, wire
from tests.board import KERNEL, board, put
from tests.office import moment
from tests.test_reports import served

DOCS = Path(__file__).parent.parent / "docs/feed.md"
THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
DATA = Path("/var/lib/kiosk")


@pytest.fixture
def pi(tmp_path: Path) -> Path:
    return board(tmp_path / "board")


# --- the machine ------------------------------------------------------------------------------------------------


def test_a_board_in_order_is_told_key_by_key(pi: Path):
    assert signs.of_machine(DATA, KERNEL, pi) == {
        "undervoltage": False, "undervoltage_now": False, "temperature_c": 51.2, "memory_free_mb": 1171, "uptime_h": 2,
        "read_only": False, "fs_errors": 0, "card_errors": 0,
    }  # fmt: skip


def test_what_is_not_known_is_left_out(tmp_path: Path):
    assert signs.of_machine(DATA, None, tmp_path) == {"undervoltage": False}


def test_faults_of_the_board_are_told(pi: Path):
    put(pi, THROTTLED, "50005")
    put(pi, "sys/fs/ext4/mmcblk0p2/errors_count", "3")
    put(pi, "sys/devices/platform/mmc0/mmc0:aaaa/life_time", "0x09 0x03")
    told = signs.of_machine(DATA, [*KERNEL, "mmc0: error -110 whilst initialising SD card"], pi)
    assert (told["undervoltage"], told["undervoltage_now"]) == (True, True)
    assert (told["fs_errors"], told["card_errors"], told["card_worn"]) == (3, 1, 90)
    put(pi, "sys/devices/platform/mmc0/mmc0:aaaa/pre_eol_info", "0x03")
    assert signs.of_machine(DATA, KERNEL, pi)["card_worn"] == 100
    put(pi, THROTTLED, "0")
    assert signs.of_machine(DATA, ["hwmon hwmon1: Undervoltage detected!"], pi)["undervoltage"] is True


# --- the kiosk --------------------------------------------------------------------------------------------------


def told(store: Store, now: Moment, pi: Path) -> dict[str, object]:
    return feed.status(store.database, now, KERNEL, pi)


def acknowledged(store: Store) -> None:
    """A server has everything that was written until now."""
    conn = store.database.conn
    outbox.acknowledge(conn, outbox.epoch(conn), *outbox.head(conn))


def test_the_oldest_event_that_waits_is_told_by_its_age(store: Store, pi: Path):
    acknowledged(store)
    assert (told(store, moment(50), pi)["backlog"], told(store, moment(50), pi)["backlog_s"]) == (0, 0)
    store.note(moment(100), "printer", "ok")
    store.note(moment(200), "printer", "paper_low")
    assert (told(store, moment(300), pi)["backlog"], told(store, moment(300), pi)["backlog_s"]) == (2, 200)
    later = moment(3700, boot="another1")
    assert told(store, later, pi)["backlog_s"] == 3600, "from boot to boot two sure clocks tell"
    assert "backlog_s" not in told(store, moment(3700, boot="another1", trusted=False), pi)


def test_paper_and_the_write_canary_are_told_as_they_were_noted(store: Store, pi: Path):
    assert (told(store, moment(), pi)["printer"], "canary" in told(store, moment(), pi)) == ("unknown", False)
    store.note(moment(), "printer", "paper_low")
    store.note(moment(), "canary", "slow")
    assert (told(store, moment(), pi)["printer"], told(store, moment(), pi)["canary"]) == ("paper_low", "slow")


def test_the_age_of_the_newest_backup_is_told(store: Store, pi: Path):
    folder = store.database.folder
    backup(folder, moment())
    assert told(store, moment(7200), pi)["backup_h"] == 2
    assert "backup_h" not in told(store, moment(7200, trusted=False), pi)


def test_starts_of_the_last_day_are_counted_whatever_a_wrong_clock_has_noted(store: Store, pi: Path):
    for at in (moment(0, day=-400), moment(0), moment(3600), moment(90_000), moment(0, day=900)):
        note_start(store.database, at)
    assert starts_lately(store.database, moment(90_001)) == 1
    note_start(store.database, moment(90_002))
    assert told(store, moment(90_003), pi)["starts_24h"] == 2
    for second in range(2 * KEPT):
        note_start(store.database, moment(90_010 + second))
    assert starts_lately(store.database, moment(90_100)) == KEPT


def test_a_damaged_event_stops_no_heartbeat(store: Store, pi: Path):
    acknowledged(store)
    store.note(moment(), "printer", "ok")
    store.database.conn.execute("UPDATE events SET line = x'00' WHERE seq = (SELECT max(seq) FROM events)")
    assert told(store, moment(60), pi)["backlog_s"] == 0


def test_every_key_is_documented_and_the_header_stays_far_below_its_limit(store: Store, pi: Path):
    put(pi, "sys/devices/platform/mmc0/mmc0:aaaa/life_time", "0x09 0x03")
    store.note(moment(), "canary", "ok")
    status = told(store, moment(), pi)
    table = DOCS.read_text().partition("### How the kiosk is")[2].partition("\n## ")[0]
    for key in (*status, *feed.status_now(store.database, moment())):
        assert f"`{key}`" in table, key
    assert len(json.dumps(status)) * 8 < wire.MAX_EVENT


# --- the technician's page --------------------------------------------------------------------------------------


def test_the_page_says_when_backups_fail_for_days(store: Store, tmp_path: Path, pi: Path):
    backup(store.database.folder, moment())
    assert rows(store, served(tmp_path), moment(71 * 3600), pi)["backup"].ok
    found = rows(store, served(tmp_path), moment(72 * 3600), pi)["backup"]
    assert (found.ok, found.code) == (False, "backup_old")
    assert "đã 3 ngày" in found.says


def rows(store: Store, config: Config, now: Moment, pi: Path) -> dict[str, Finding]:
    words = Words(sample(), Texts("vi"))
    return {one.part: one for one in health.found(store, now, config, words, runs=True, kernel=KERNEL, root=pi)}


def test_the_page_shows_the_machine_the_trials_the_starts_and_since_when_events_wait(
    store: Store, tmp_path: Path, pi: Path
):
    config = served(tmp_path)
    well = rows(store, config, moment(), pi)
    assert {"power", "heat", "memory", "card", "machine"} <= well.keys()
    assert "starts" not in well
    assert "canary" not in well
    put(pi, "sys/fs/ext4/mmcblk0p2/errors_count", "3")
    store.note(moment(), "canary", "failed")
    for minute in range(health.MANY_STARTS):
        note_start(store.database, moment(60 * minute))
    found = rows(store, config, moment(3600), pi)
    assert [part for part in ("card", "canary", "starts") if not found[part].ok] == ["card", "canary", "starts"]
    assert found["starts"].says.startswith("5 lần trong 24 giờ")
    assert "cũ nhất từ 23/11/2026" in found["backlog"].says
    acknowledged(store)
    assert "cũ nhất" not in rows(store, config, moment(3600), pi)["backlog"].says
