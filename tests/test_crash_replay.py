"""A power cut at every moment of a kiosk at work: what is on paper stays true, whatever the disk had not written yet.

The short form records some numbers, a kill and an office document that is put in force. The long one adds a full log
that is written back, the sync process, backups and a restore, and has the kiosk itself start on each single disk.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.simulator.printer import Mode
from sync.receiver import Receiver
from tests.crash.disk import Disk, files_of
from tests.crash.judge import Judge, Told, Truth, greater
from tests.crash.recorded import SERVICES, Record, Stage, Untraceable, stage
from tests.crash.replay import Effort, Outcome, moments, replay
from tests.crash.trace import Unreadable, parsed
from tests.office import OPENING

STATES = 2000
"""Different disks that the short form looks at, at the least."""


@pytest.fixture
def scratch() -> Iterator[Path]:
    """Where disks are laid out: in memory if possible, thousands of them are written."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="crash-", dir=memory if os.access(memory, os.W_OK) else None))
    yield folder
    shutil.rmtree(folder)


def cut(record: Record, truth: Truth, scratch: Path, effort: Effort, *, thorough: bool = False) -> Outcome:
    """The power goes at every moment of the record."""
    disk = Disk(record.root, record.before)
    outcome = replay(record, truth, Judge(record, scratch, truth, disk.whole, thorough=thorough), disk, effort)
    assert outcome.problems == []
    assert disk.kept() == record.after, "the model of the disk ends where the real one does"
    return outcome


def put_in_force(kiosk: Stage, version: int) -> None:
    """The office document with another version, by the command line."""
    office = replace(kiosk.office, version=version)
    file = kiosk.root.parent / "office.json"
    file.write_bytes(office.to_json())
    kiosk.run("office", "apply", str(file), says=f"office {office.sha256}")


@pytest.mark.first
def test_no_power_cut_loses_or_doubles_a_number_that_is_on_paper(tmp_path: Path, scratch: Path):
    with stage(tmp_path) as kiosk:
        kiosk.start()
        for services in (SERVICES[:1], SERVICES[1:3], SERVICES[:2], SERVICES[:5]):
            kiosk.press(*services)
        kiosk.stop(kill=True)
        put_in_force(kiosk, kiosk.office.version + 1)
        kiosk.start()
        for services in (SERVICES[:1], SERVICES[:3], SERVICES[2:4], SERVICES[:5]):
            kiosk.press(*services)
        kiosk.stop()
        record = kiosk.record()
    truth = Truth.of(record.data)
    assert {token for _, token in record.slips()} == truth.given.keys()
    assert len(truth.given) == 21
    outcome = cut(record, truth, scratch, Effort(chances=3))
    assert outcome.states >= STATES, outcome
    assert outcome.issued >= 20
    a_card_that_lies_is_found_out(record, truth, scratch)


def a_card_that_lies_is_found_out(record: Record, truth: Truth, scratch: Path) -> None:
    """The same record on a disk that forgets what was synced: each way to be wrong is told."""
    disk = Disk(record.root, record.before, lying=True)
    judge = Judge(record, scratch, truth, disk.whole)
    lost = [problem for _, told in moments(record, disk) for problem in judge.problems(disk.lost(), told)]
    assert {sentence for sentence in SENTENCES if any(sentence in problem for problem in lost)} == set(SENTENCES)
    assert any("highwater.json is cut" in problem for problem in judge.problems(disk.empty(), Told()))
    told = Told(tuple(token for _, token in record.slips()))
    assert not greater(judge.next_number(disk.lost(), SERVICES[0]), told, truth)


SENTENCES = ("on paper and was lost", "above its ceiling", "was put in force and")


@pytest.mark.slow
def test_no_power_cut_in_a_long_day_with_sync_and_backups_loses_anything_that_was_told(tmp_path: Path, scratch: Path):
    receiver = Receiver(tmp_path / "receiver.db", "token", now=lambda: OPENING).start()
    try:
        with stage(tmp_path / "stage", receiver.url) as kiosk:
            (kiosk.data / "token").write_text("token\n")
            kiosk.before |= files_of(kiosk.data)
            kiosk.start()
            for n in range(36):
                kiosk.press(*(SERVICES[(n + k) % len(SERVICES)] for k in range(2)))
                if n % 12 == 5:
                    kiosk.run("sync", "--once")
                    kiosk.tell(f"echo ACK 0 sent {receiver.stats()['events']}")
                    kiosk.run("backup")
            put_in_force(kiosk, kiosk.office.version + 1)
            kiosk.printer.switch(Mode.PAPER_OUT)
            kiosk.printer.switch(Mode.OK)
            kiosk.press(*SERVICES[:3])
            kiosk.stop(kill=True)
            kiosk.run("prepare")
            kiosk.run("sync", "--once")
            kiosk.tell(f"echo ACK 0 sent {receiver.stats()['events']}")
            record = kiosk.record()
    finally:
        receiver.stop()
    truth = Truth.of(record.data)
    assert len(truth.given) == 75
    outcome = cut(record, truth, scratch, Effort(chances=4, issues=0.05), thorough=True)
    assert outcome.states > 5 * STATES


@pytest.mark.slow
def test_no_power_cut_while_a_backup_is_restored_gives_a_number_again(tmp_path: Path, scratch: Path):
    with stage(tmp_path) as kiosk:
        kiosk.start()
        kiosk.press(*SERVICES[:4])
        kiosk.stop()
        kiosk.run("backup")
        kiosk.start()
        kiosk.press(*SERVICES[:3])
        kiosk.stop()
        before = Truth.of(kiosk.data)
        [saved] = (kiosk.data / "backup").glob("*.db")
        kiosk.tell("echo ACK 0 restoring 4")
        kiosk.run("restore", str(saved))
        kiosk.start()
        kiosk.press(*SERVICES[:3])
        kiosk.stop()
        record = kiosk.record()
    truth = Truth.of(record.data, before)
    assert len(truth.given) == 10
    cut(record, truth, scratch, Effort(chances=4, issues=0.1), thorough=True)


# --- where nothing can be recorded ---------------------------------------------------------------------------


def test_where_nothing_may_be_traced_the_test_fails_with_a_sentence_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    refused = tmp_path / "strace"
    refused.write_text("#!/bin/sh\necho 'strace: ptrace(PTRACE_TRACEME, ...): Operation not permitted' >&2\nexit 1\n")
    refused.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with (
        stage(tmp_path / "stage") as kiosk,
        pytest.raises(Untraceable, match=r"allow ptrace .*Operation not permitted"),
    ):
        kiosk.start()


def test_without_strace_the_test_says_which_package_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Untraceable, match="apt-get install strace"):
        Stage(tmp_path)


# --- the model of the disk -----------------------------------------------------------------------------------


def hexed(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def on_disk(*lines: str) -> Disk:
    """The disk after these lines of strace; what stands between < > or quotes is a path or content."""
    disk = Disk(Path("/d"), {"/d/a": b"old"})
    quoted = (line.split('"') for line in lines)
    whole = ['"'.join(hexed(part) if at % 2 else part for at, part in enumerate(parts)) for parts in quoted]
    for call in parsed(f"7 {line}".encode() for line in whole):
        disk.apply(call)
    return disk


A, FRESH, FOLDER = f"3<{hexed('/d/a')}>", f"4<{hexed('/d/a.new')}>", f"5<{hexed('/d')}>"


def test_a_write_is_sure_when_a_sync_that_began_after_it_has_returned():
    written = f'pwrite64({A}, "new", 3, 0) = 3'
    assert on_disk(written).lost() == {"/d/a": b"old"}
    assert on_disk(written).kept() == {"/d/a": b"new"}
    assert on_disk(written, f"fdatasync({A}) = 0").lost() == {"/d/a": b"new"}
    assert on_disk(written, f"fdatasync({A} <unfinished ...>").lost() == {"/d/a": b"new"}, "done when it is killed"


def test_a_sync_that_was_under_way_does_not_cover_what_came_meanwhile():
    lines = [f"fsync({A} <unfinished ...>", f'8 pwrite64({A}, "new", 3, 0) = 3', "<... fsync resumed>) = 0"]
    disk = Disk(Path("/d"), {"/d/a": b"old"})
    for call in parsed(
        [f"7 {lines[0]}".encode(), lines[1].replace("new", hexed("new")).encode(), b"7 " + lines[2].encode()]
    ):
        disk.apply(call)
    assert disk.lost() == {"/d/a": b"old"}


def test_a_rename_is_sure_when_its_folder_was_synced_and_may_come_before_the_content():
    lines = [
        'openat(AT_FDCWD</>, "/d/a.new", O_WRONLY|O_CREAT|O_EXCL, 0666) = 4',
        f'write({FRESH}, "new", 3) = 3',
        'rename("/d/a.new", "/d/a") = 0',
    ]
    assert on_disk(*lines).lost() == {"/d/a": b"old"}
    assert on_disk(*lines).empty() == {"/d/a": b""}
    assert on_disk(*lines).whole == {"/d/a": {b"old", b"new"}}
    assert on_disk(*lines, f"fsync({FOLDER}) = 0").lost() == {"/d/a": b""}
    assert on_disk(*lines[:2], f"fsync({FRESH}) = 0", lines[2], f"fsync({FOLDER}) = 0").lost() == {"/d/a": b"new"}


def test_what_the_model_does_not_know_is_said_and_not_left_out():
    with pytest.raises(ValueError, match="writev of /d/a"):
        on_disk(f'writev({A}, [{{iov_base="new", iov_len=3}}], 1) = 3')
    with pytest.raises(Unreadable, match="cut a write"):
        list(parsed([rb'7 write(3<\x2f>, "\x6e"..., 3) = 3']))
