"""An update: signed, and switched to in order; a power cut anywhere leaves one release or the other, whole."""

import gzip
import shutil
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.release_kit import HELPERS, HERE, Machine, machine, name_of

OLD, NEW, NEWER = name_of("0.4.0"), name_of("0.5.0"), name_of("0.6.0")
BUILD_CUTS = ["before name", "before build", "after build", "kiosk fits", "before paths", "after paths"]
PLACE_CUTS = ["before place", "in place", "after place", "systemctl daemon-reload"]
SWITCHED_CUTS = ["systemctl stop", "systemctl start", "systemctl restart"]


@pytest.fixture
def box(tmp_path: Path) -> Machine:
    return machine(tmp_path)


def untouched(box: Machine) -> bool:
    """The old release with its own files, and nothing left of the attempt."""
    left = {path.name for path in (box.root / "var/lib/kiosk-release").glob("*")} - {"lock", "state.json"}
    return (box.current, box.unit, box.releases(), left) == (f"releases/{OLD}", "of the first\n", {OLD}, set())


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address behind which the files of a folder lie."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder))) as door:
        thread = threading.Thread(target=door.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{door.server_port}"
        door.shutdown()
        thread.join()


# --- what is not installed ------------------------------------------------------------------------------------


def wrong_key(box: Machine, path: Path) -> None:
    box.key("stranger")
    box.sign(path, "stranger")


def damaged(_box: Machine, path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut_short(_box: Machine, path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def other_purpose(box: Machine, path: Path) -> None:
    box.sign(path, namespace="file")


def no_signature(_box: Machine, path: Path) -> None:
    path.with_name(f"{path.name}.sig").unlink()


def nobody_trusted(box: Machine, _path: Path) -> None:
    (box.root / "etc/kiosk/release-signers").unlink()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (wrong_key, "is not signed by a key that"),
        (damaged, "is damaged, or was changed after it was signed"),
        (cut_short, "is damaged, or was changed after it was signed"),
        (other_purpose, "is damaged, or was changed after it was signed"),
        (no_signature, "No such file"),
        (nobody_trusted, "No key is trusted yet: write the line of the publisher's key into"),
    ],
)
def test_what_no_trusted_key_has_signed_changes_nothing(
    box: Machine, spoil: Callable[[Machine, Path], None], says: str
):
    path = box.release("0.5.0")
    spoil(box, path)
    done = box.update(path)
    assert done.returncode == 1
    assert says in done.stderr
    assert done.stderr.endswith("The old release goes on running.\n")
    assert untouched(box)
    assert box.asked() == []


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size = kind, target, 3 if kind == tarfile.REGTYPE else 0
    return made


@pytest.mark.parametrize(
    "members",
    [
        (member("../outside"),),
        (member("a/../../outside"),),
        (member("ABSOLUTE/outside"),),
        (member("link", tarfile.SYMTYPE, "/etc"), member("link/outside")),
        (member("hard", tarfile.LNKTYPE, "../../etc/passwd"),),
        (member("device", tarfile.CHRTYPE),),
        (member("pipe", tarfile.FIFOTYPE),),
        (member("twice"), member("twice")),
        (member("twice"), member("./twice")),
        (member("file"), member("file/below")),
        (member("new\nline"),),
    ],
    ids=lambda members: "+".join(repr(each.name) for each in members),
)
def test_a_signed_archive_that_leads_outside_is_refused_and_writes_nothing_there(
    box: Machine, members: tuple[tarfile.TarInfo, ...]
):
    for each in members:
        each.name = each.name.replace("ABSOLUTE", str(box.root.parent))
    done = box.update(box.release("0.5.0", members=members))
    assert done.returncode == 1
    assert "is no release of the kiosk (" in done.stderr
    assert not list(box.root.parent.rglob("outside"))
    assert untouched(box)


def test_a_signed_file_that_is_no_archive_is_no_release(box: Machine):
    for content in (b"nonsense", gzip.compress(b"nonsense" * 500)):
        path = box.root.parent / "kiosk-0.5.0.tar.gz"
        path.write_bytes(content)
        box.sign(path)
        assert "is no release of the kiosk" in box.update(path).stderr
    assert untouched(box)


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        ({"suites": ["trixie"]}, "is for trixie, and this machine is bookworm"),
        ({"architectures": ["amd64"]}, "is for amd64, and this machine is arm64"),
        ({"python": "3.9"}, "is for Python 3.9, and this machine is Python 3."),
        ({"packages": ["python3", "python3-pygame"]}, "needs: sudo apt-get install python3-pygame."),
        ({"format": 2}, "is no release of the kiosk"),
        ({"version": "../../x"}, "is no release of the kiosk"),
    ],
)
def test_a_release_for_another_machine_is_refused(box: Machine, manifest: dict[str, object], says: str):
    path = box.release("0.5.0", **manifest)  # type: ignore[arg-type]
    assert says.rstrip(".") in box.update(path).stderr
    assert untouched(box)


@pytest.mark.parametrize("version", ["0.4.0", "0.3.9", "0.4"])
def test_a_release_that_is_not_newer_is_refused(box: Machine, version: str):
    done = box.update(box.release(version))
    assert f"{version} is not newer than 0.4.0, which runs here." in done.stderr
    assert untouched(box)


def test_an_older_release_is_installed_when_it_is_meant_and_can_read_the_database(box: Machine):
    assert box.update(box.release("0.3.9"), "--allow-downgrade").returncode == 0
    assert box.current == f"releases/{name_of('0.3.9')}"


def test_an_older_release_that_cannot_read_the_database_is_not(box: Machine):
    path = box.release("0.3.9", refuses="fits", says="kiosk.db belongs to a newer release")
    done = box.update(path, "--allow-downgrade")
    assert "cannot work on this device (kiosk fits): kiosk.db belongs to a newer release" in done.stderr
    assert untouched(box)


def test_too_little_disk_space_is_said_before_anything_is_written(box: Machine, monkeypatch: pytest.MonkeyPatch):
    path = box.release("0.5.0")
    code = (
        f"import sys, shutil; sys.path.insert(0, {str(HELPERS)!r}); import kiosk_archive as a; a.ROOM = 10**12;"
        f"from pathlib import Path; sys.exit(a.main(['take', {str(path)!r}, {str(box.root / 'var/lib/kiosk')!r}]))"
    )
    done = box.python("-c", code)
    assert done.returncode == 1
    assert "Too little disk space" in done.stderr
    assert [each.name for each in (box.root / "var/lib/kiosk").iterdir()] == ["updates"]


def test_a_disk_that_fills_up_while_it_is_built_leaves_the_old_release(box: Machine):
    done = box.update(box.release("0.5.0", unbuildable=True))
    assert "The step build failed: No space left on device The old release goes on running." in done.stderr
    assert untouched(box)


def test_a_release_that_does_not_take_the_devices_files_is_not_switched_to(box: Machine):
    done = box.update(box.release("0.5.0", refuses="fits", says="[printer] papr_mm: unknown option"))
    assert "(kiosk fits): [printer] papr_mm: unknown option" in done.stderr
    assert untouched(box)
    assert box.asked() == []


def test_no_release_is_switched_to_without_a_backup_of_the_database(box: Machine):
    (box.root / "var/lib/kiosk/kiosk.db").touch()
    done = box.update(box.release("0.5.0", refuses="backup", says="no backup was made"))
    assert "no backup was made" in done.stderr
    assert untouched(box)
    assert (box.fakes / "programs").read_text().split() == ["fits", "backup"]


def test_what_the_release_writes_is_read_by_no_stranger(box: Machine):
    box.update(box.release("0.5.0"))
    assert (box.fakes / "umasks").read_text() == "0027\n"


def test_two_updates_at_once_do_not_get_into_each_others_way(box: Machine):
    path = box.release("0.5.0")
    code = (
        f"import sys, subprocess; sys.path.insert(0, {str(HELPERS)!r}); import kiosk_trial as t\n"
        f"with t.alone(): r = subprocess.run([sys.executable, '-IB', {str(HELPERS / 'kiosk_release.py')!r}, 'update', "
        f"{str(path)!r}], capture_output=True, text=True)\nprint(r.stderr)"
    )
    assert "Another update is under way" in box.python("-c", code).stdout
    assert untouched(box)


# --- what is ---------------------------------------------------------------------------------------------------


def test_a_release_is_switched_to_in_order_and_tried(box: Machine):
    done = box.update(box.release("0.5.0"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "Release 0.5.0, signed by publisher@example." in done.stdout
    assert (box.current, box.unit) == (f"releases/{NEW}", f"of {NEW}\n")
    services = "kiosk.service kiosk-sync.service kiosk-console.service"
    assert box.asked() == [
        "daemon-reload",
        f"stop {services}",
        f"--no-block start {services}",
        "--no-block restart kiosk-healthy.timer",
    ]
    assert box.trial is not None


def test_only_what_ran_before_is_started(box: Machine):
    box.units("kiosk-console.service", ActiveState="inactive")
    box.update(box.release("0.5.0"))
    assert "--no-block start kiosk.service kiosk-sync.service" in box.asked()


def test_a_release_that_is_tried_is_not_exchanged_for_another(box: Machine):
    box.update(box.release("0.5.0"))
    assert "is still being tried" in box.update(box.release("0.6.0")).stderr
    assert box.current == f"releases/{NEW}"


def test_a_file_can_be_verified_without_installing_it(box: Machine):
    path = box.release("0.5.0")
    assert box.run("kiosk_release", "verify", path).stdout == "kiosk 0.5.0 (?): publisher@example\n"
    damaged(box, path)
    assert box.run("kiosk_release", "verify", path).returncode == 1
    assert untouched(box)


def test_only_the_verbs_that_are_named_exist(box: Machine):
    for program, words in (
        ("kiosk_trial", ("shell",)),
        ("kiosk_release", ("started",)),
        ("kiosk_archive", ("unpack", "x")),
    ):
        assert box.run(program, *words).returncode == 2


# --- power cuts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", BUILD_CUTS + PLACE_CUTS)
def test_a_power_cut_before_the_switch_ends_in_the_old_release(box: Machine, cut: str):
    path = box.release("0.5.0")
    assert box.update(path, cut=cut).returncode == -9
    box.start(boot="boot-2")
    assert (box.current, box.unit, box.trial) == (f"releases/{OLD}", "of the first\n", None)
    assert box.update(path).returncode == 0
    assert (box.current, box.unit) == (f"releases/{NEW}", f"of {NEW}\n")


@pytest.mark.parametrize("cut", PLACE_CUTS)
def test_an_update_that_was_killed_is_cleared_up_by_the_next_one(box: Machine, cut: str):
    path = box.release("0.5.0")
    box.update(path, cut=cut)
    older = box.update(box.release("0.3.0"))
    assert "0.3.0 is not newer than 0.4.0" in older.stderr
    assert (box.current, box.unit, box.trial) == (f"releases/{OLD}", "of the first\n", None)
    assert box.update(path).returncode == 0


@pytest.mark.parametrize("cut", SWITCHED_CUTS)
def test_a_power_cut_after_the_switch_ends_in_the_new_release_on_trial(box: Machine, cut: str):
    assert box.update(box.release("0.5.0"), cut=cut).returncode == -9
    box.start(boot="boot-2")
    assert (box.current, box.unit) == (f"releases/{NEW}", f"of {NEW}\n")
    box.ten_minutes_pass()
    assert (box.trial, box.state["now"]) == (None, NEW)


@pytest.mark.parametrize("cut", ["systemctl disable", "systemctl daemon-reload", "systemctl restart"])
def test_a_power_cut_on_the_way_back_ends_in_the_old_release(box: Machine, cut: str):
    box.update(box.release("0.5.0"))
    for restarts in range(3):
        box.start(restarts=restarts)
    box.start(restarts=3, cut=cut)
    box.start(boot="boot-2", restarts=0)
    assert (box.current, box.unit, box.trial) == (f"releases/{OLD}", "of the first\n", None)
    assert box.state["rejected"] == {NEW: "3 starts failed"}


@pytest.mark.parametrize("confirmed", [False, True])
@pytest.mark.parametrize("cut", ["systemctl disable", "systemctl daemon-reload", "systemctl stop"])
def test_a_way_back_by_hand_that_was_cut_off_is_gone_to_its_end(box: Machine, cut: str, confirmed: bool):
    box.update(box.release("0.5.0"))
    if confirmed:
        box.ten_minutes_pass()
    box.update("--rollback", cut=cut)
    box.start(boot="boot-2")
    assert (box.current, box.unit, box.trial) == (f"releases/{OLD}", "of the first\n", None)


@pytest.mark.parametrize("cut", ["before place-helper", "after place-helper"])
def test_a_power_cut_while_a_release_is_confirmed_confirms_it_the_next_time(box: Machine, cut: str):
    box.update(box.release("0.5.0"))
    box.ten_minutes_pass(cut=cut)
    box.start(boot="boot-2")
    box.ten_minutes_pass()
    assert (box.current, box.trial, box.state["now"]) == (f"releases/{NEW}", None, NEW)
    assert (box.root / "helper-of").read_text() == NEW


def test_killed_between_switch_and_restart_the_services_are_restarted_by_the_next_call(box: Machine):
    path = box.release("0.5.0")
    box.update(path, cut="systemctl stop")
    box.asked()
    box.update(path)
    assert any(line.startswith("--no-block start kiosk.service") for line in box.asked())


# --- at night -------------------------------------------------------------------------------------------------


def fetch(box: Machine, path: Path) -> None:
    """What the kiosk's own user leaves for the helper."""
    updates = box.root / "var/lib/kiosk/updates"
    for each in (path, path.with_name(f"{path.name}.sig")):
        shutil.copy(each, updates)
    (updates / "ready").write_text(path.name)


def test_what_was_fetched_and_may_be_installed_is_installed_once(box: Machine):
    fetch(box, box.release("0.5.0"))
    assert box.run("kiosk_release", "nightly").returncode == 0
    assert box.current == f"releases/{NEW}"
    assert not (box.root / "var/lib/kiosk/updates/ready").exists()
    assert (box.run("kiosk_release", "nightly").returncode, box.current) == (0, f"releases/{NEW}")


def with_our_program(box: Machine) -> Machine:
    """The running release fetches with this tree's own program."""
    program = box.root / "opt/kiosk/current/bin/kiosk"
    program.write_text(
        f'#!/bin/sh\n[ "$1" = fetch-update ] || exit 0\ncd {HERE} && exec {sys.executable} -m kiosk "$@"\n'
    )
    (box.root / "var/lib/kiosk").rename(box.root / "etc/kiosk/data")
    (box.root / "etc/kiosk/kiosk.toml").write_text('device = "k-7F3K2M"\ndata_dir = "data"\n')
    return box


def test_the_release_at_an_address_is_fetched_and_installed(box: Machine):
    path = with_our_program(box).release("0.5.0")
    with served(path.parent) as address:
        done = box.update(f"{address}/{path.name}")
    assert (done.returncode, box.current) == (0, f"releases/{NEW}"), done.stderr


@pytest.mark.parametrize(
    ("name", "says"),
    [("kiosk-0.9.0-bookworm-arm64.tar.gz", "404"), ("latest.zip", "is no release"), ("", "is no release")],
)
def test_what_cannot_be_fetched_is_said_and_changes_nothing(box: Machine, name: str, says: str):
    with served(with_our_program(box).root.parent) as address:
        done = box.update(f"{address}/{name}")
    assert done.returncode == 1
    assert says in done.stderr
    assert done.stderr.endswith("The old release goes on running.\n")
    assert untouched(box)


def test_what_was_fetched_is_found_where_kiosk_toml_says_that_the_data_are(box: Machine):
    fetch(box, box.release("0.5.0"))
    (box.root / "var/lib/kiosk").rename(box.root / "etc/kiosk/data")
    (box.root / "etc/kiosk/kiosk.toml").write_text('data_dir = "data"\n')
    assert box.run("kiosk_release", "nightly").returncode == 0
    assert box.current == f"releases/{NEW}"


@pytest.mark.parametrize("name", ["../kiosk-0.5.0.tar.gz", "/etc/passwd", "", "kiosk-$(reboot).tar.gz", "x" * 999])
def test_the_mark_can_name_nothing_but_a_release_in_its_folder(box: Machine, name: str):
    fetch(box, box.release("0.5.0"))
    (box.root / "var/lib/kiosk/updates/ready").write_text(name)
    assert box.run("kiosk_release", "nightly").returncode == 0
    assert untouched(box)


def test_a_link_in_the_kiosks_folder_leads_root_nowhere(box: Machine):
    path = box.release("0.5.0")
    fetch(box, path)
    fetched = box.root / "var/lib/kiosk/updates" / path.name
    fetched.unlink()
    fetched.symlink_to(path)
    assert box.run("kiosk_release", "nightly").returncode == 1
    assert untouched(box)
    ready = box.root / "var/lib/kiosk/updates/ready"
    ready.symlink_to(path)
    assert box.run("kiosk_release", "nightly").returncode == 0
    assert untouched(box)
